"""How the course's own code reaches the workers of a cluster: through Ray's runtime environment.

Ray packs ``course_lib`` and ``data`` (about 1 MB), keeps the package on the cluster under the hash
of its contents, and unpacks it once per node. What a worker lacks is installed there by its own
pip, once, into a folder beside its Python: in the versions of this machine and without the
packages' own wishes (``--no-deps``), so TensorFlow never comes.

Ray's own ``pip`` setting is not used: where Python is a virtual environment it first copies that
whole environment, 7 GB, on every node and on the notebook's machine too.
"""

import contextlib
import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ON_WORKER = "COURSE_ON_WORKER"  # how a process knows that it is a worker of a cluster elsewhere
ROOT = Path(__file__).resolve().parents[2]
TRAVELS = ("course_lib", "data")
# What course_lib imports where trials and env runners run; the rest is for notebooks.
NEEDED = (
    "gymnasium", "numpy", "optuna", "pandas", "psutil", "ray", "tensortrade", "torch", "tqdm",
    "matplotlib",
)  # fmt: skip
LEFT_OUT = {"tensorflow", "stochastic", "ray"}  # see docs/architecture.md; Ray itself is there


def runtime_env(root: Path = ROOT) -> dict[str, Any]:
    """Return the runtime environment with which tasks, trials and env runners find the course.

    Args:
        root: the folder that holds ``course_lib``, and ``data`` where this is a clone.
    """
    environment: dict[str, Any] = {
        "env_vars": {
            "RAY_AIR_NEW_OUTPUT": "0",
            "PYTHONPATH": added(closure()),
            ON_WORKER: "1",
        }
    }
    if (root / "data").is_dir():
        stays = sorted(one.name for one in root.iterdir() if one.name not in TRAVELS)
        environment["working_dir"] = str(root)
        environment["excludes"] = [*(f"/{name}" for name in stays), "__pycache__"]
    else:
        environment["py_modules"] = [str(root / "course_lib")]
    return environment


def added(needed: dict[str, str]) -> str:
    """Return the folder of what was installed on a worker, for these versions and this Python.

    It is in the home of the worker's own user; Ray fills that in where the worker starts.
    """
    text = f"{sys.version_info[:2]} {sorted(needed.items())}"
    return f"${{HOME}}/.cache/rl-course/{hashlib.sha256(text.encode()).hexdigest()[:16]}"


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
    there = importlib.metadata.distributions
    return [f"{name}=={version}" for name, version in needed.items() if not any(there(name=name))]


def install(requirements: list[str], folder: str) -> str:
    """Install packages into a folder of this machine. Runs on the workers.

    Returns:
        What pip complains of, empty if nothing.
    """
    options = ["--no-deps", "--disable-pip-version-check", "--target", os.path.expandvars(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, *requirements],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    lines = done.stderr.strip().splitlines() or ["pip gave no reason"]
    return "" if done.returncode == 0 else lines[-1]


def working_nodes() -> dict[str, str]:
    """The machines that are alive and have cores to give: id and address."""
    import ray

    return {
        node["NodeID"]: node["NodeManagerAddress"]
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU")
    }


def on_each(task: Callable, arguments: dict[str, tuple], timeout_s: float) -> dict[str, Any]:
    """Call a function on nodes of the cluster, on all of them at the same time.

    Args:
        task: what to call there.
        arguments: of each node's call, by the node's id.
        timeout_s: for all answers together.

    Returns:
        Each node's answer.

    Raises:
        ModuleNotFoundError: if ``course_lib`` is not on a worker.
        ray.exceptions.GetTimeoutError: if a node does not answer.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    remote, asked = ray.remote(num_cpus=0, max_retries=0)(task), []
    for node, given in arguments.items():
        there = NodeAffinitySchedulingStrategy(node, soft=False)
        asked.append(remote.options(scheduling_strategy=there).remote(*given))
    return dict(zip(arguments, ray.get(asked, timeout=timeout_s), strict=True))


def _plain(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", name[0]).lower() if name else ""
