"""How the course's own code reaches the workers of a cluster: through Ray's runtime environment.

Ray packs ``course_lib`` and ``data`` (about 1 MB), keeps the package on the cluster under the hash
of its contents, and unpacks it once per node. Packages that a worker lacks are installed there by
Ray, in the locked versions and without their own wishes (``--no-deps``), so TensorFlow never comes.
"""

import contextlib
import importlib.metadata
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TRAVELS = ("course_lib", "data")
# What course_lib imports where trials and env runners run; the rest is for notebooks.
NEEDED = (
    "gymnasium", "numpy", "optuna", "pandas", "psutil", "ray", "tensortrade", "torch", "tqdm",
    "matplotlib",
)  # fmt: skip
LEFT_OUT = {"tensorflow", "stochastic", "ray"}  # see docs/architecture.md; Ray itself is there


def runtime_env(install: Iterable[str] = (), root: Path = ROOT) -> dict[str, Any]:
    """Return the runtime environment with which tasks, trials and env runners find the course.

    Args:
        install: requirements such as ``"tensortrade==1.0.4"`` that Ray installs on the workers.
        root: the folder that holds ``course_lib``, and ``data`` where this is a clone.
    """
    environment: dict[str, Any] = {"env_vars": {"RAY_AIR_NEW_OUTPUT": "0"}}
    if (root / "data").is_dir():
        stays = sorted(one.name for one in root.iterdir() if one.name not in TRAVELS)
        environment["working_dir"] = str(root)
        environment["excludes"] = [*(f"/{name}" for name in stays), "__pycache__"]
    else:
        environment["py_modules"] = [str(root / "course_lib")]
    wanted = sorted(install)
    if wanted:
        environment["pip"] = {
            "packages": wanted,
            "pip_check": False,
            "pip_install_options": ["--no-deps", "--disable-pip-version-check"],
        }
    return environment


def closure(names: Iterable[str] = NEEDED) -> dict[str, str]:
    """Return every package that ``names`` need here, with the version that is installed here.

    What is not installed here (an extra, another system's, TensorFlow) is not needed.
    """
    found: dict[str, str] = {}
    waiting = [_plain(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found or name in LEFT_OUT:
            continue
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            package = importlib.metadata.distribution(name)
            found[name] = package.version
            for requirement in package.requires or ():
                if "extra ==" not in requirement:
                    waiting.append(_plain(requirement))
    return found


def lacking(needed: dict[str, str]) -> list[str]:
    """Return the requirements among ``needed`` that this process lacks. Runs on the workers."""
    missing = []
    for name, version in needed.items():
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(f"{name}=={version}")
    return missing


def look_around(nodes: Iterable[str], timeout_s: float) -> list[str]:
    """Ask each node which packages it lacks; return the requirements that any of them lacks.

    Args:
        nodes: ids of nodes that run work.
        timeout_s: for all answers together.

    Raises:
        ModuleNotFoundError: if ``course_lib`` is not on a worker.
        ray.exceptions.GetTimeoutError: if a node does not answer.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(num_cpus=0, max_retries=0)(lacking)
    needed, asked = closure(), []
    for node in nodes:
        there = NodeAffinitySchedulingStrategy(node, soft=False)
        asked.append(task.options(scheduling_strategy=there).remote(needed))
    return sorted({one for answer in ray.get(asked, timeout=timeout_s) for one in answer})


def _plain(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", name[0]).lower() if name else ""
