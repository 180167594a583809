"""requirements.lock, environment.yml, pyproject.toml and what is installed say the same."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import lock as lock_script
import pytest
import yaml
from bootstrap import locked
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKED = {canonicalize_name(name): req for name, req in lock_script.read_lock().items()}
PLATFORMS = {
    "linux x86-64": ("linux", "x86_64", "Linux", "posix"),
    "linux arm64": ("linux", "aarch64", "Linux", "posix"),
    "macos": ("darwin", "arm64", "Darwin", "posix"),
    "windows": ("win32", "AMD64", "Windows", "nt"),
}
EXCLUDED = {canonicalize_name(name) for name in PROJECT["tool"]["uv"]["exclude-dependencies"]}


def version_of(requirement: Requirement) -> str:
    (specifier,) = requirement.specifier
    assert specifier.operator == "=="
    return specifier.version


def markers(platform: str) -> dict[str, str]:
    sys_platform, machine, system, os_name = PLATFORMS[platform]
    return {
        "sys_platform": sys_platform,
        "platform_machine": machine,
        "platform_system": system,
        "os_name": os_name,
        "python_version": "3.12",
        "python_full_version": "3.12.1",
    }


def declared() -> list[Requirement]:
    extra = PROJECT["project"]["optional-dependencies"]["dev"]
    return [Requirement(text) for text in PROJECT["project"]["dependencies"] + extra]


def test_lock_is_exact_and_names_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert len(LOCKED) > 100
    assert "://" not in text + (ROOT / "scripts/uv.txt").read_text()
    assert not re.findall(r"--(?!hash=sha256:[0-9a-f]{64}\b)", text)
    for one in locked.read(ROOT / "requirements.lock").values():
        assert one.hashes, one.name
    assert not EXCLUDED & set(LOCKED)
    for requirement in LOCKED.values():
        assert version_of(requirement)


def test_lock_satisfies_pyproject() -> None:
    for requirement in declared():
        locked = LOCKED[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version_of(locked)), requirement


@pytest.mark.parametrize("platform", PLATFORMS)
def test_lock_is_complete(platform: str) -> None:
    """Walk everything that the course needs on a platform; the lock holds all of it."""
    environment = markers(platform)
    open_ends = [(req, extra) for req in declared() for extra in req.extras | {""}]
    seen: set[tuple[str, str]] = set()
    while open_ends:
        requirement, extra = open_ends.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen or name in EXCLUDED:
            continue
        seen.add((name, extra))
        assert name in LOCKED, f"{requirement} is needed on {platform} and not locked"
        marker = LOCKED[name].marker
        assert marker is None or marker.evaluate(environment), f"{name}: {platform}"
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # belongs to another platform: its presence in the lock is what can be seen
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({**environment, "extra": extra}):
                open_ends += [(need, wanted) for wanted in need.extras | {""}]
    assert len(seen) > 100


def test_installed_is_what_is_locked() -> None:
    wrong = {}
    torch_for_cpus = "+cpu" in importlib.metadata.version("torch")  # COURSE_TORCH=cpu
    for name, requirement in LOCKED.items():
        if torch_for_cpus and name.startswith(locked.GPU_ONLY):
            continue
        if requirement.marker is None or requirement.marker.evaluate():
            installed = importlib.metadata.version(name).removesuffix("+cpu")
            if installed != version_of(requirement):
                wrong[name] = (installed, version_of(requirement))
    assert not wrong


def test_nothing_that_is_left_out_is_installed() -> None:
    installed = {canonicalize_name(dist.name) for dist in importlib.metadata.distributions()}
    assert not EXCLUDED & installed, "pip uninstall them, or `make clean` and `make setup`"


def test_environment_file_follows_the_lock() -> None:
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert text == lock_script.environment_text(lock_script.read_lock()), "run `make lock`"
    content = yaml.safe_load(text)
    (pip_part,) = [part["pip"] for part in content["dependencies"] if isinstance(part, dict)]
    by_pip = {canonicalize_name(req.name): req for req in map(Requirement, pip_part)}
    for name, requirement in by_pip.items():
        assert version_of(requirement) == version_of(LOCKED[name])
    conda = dict(
        part.split("=", 1) for part in content["dependencies"] if "=" in part and part != "pip"
    )
    assert conda["pytorch"] == version_of(LOCKED["torch"])
    assert conda["numpy"] == version_of(LOCKED["numpy"])
    for requirement in declared():
        name = canonicalize_name(requirement.name)
        assert name in by_pip or name in ("torch", "numpy", "tensortrade", "pip")
    assert f"tensortrade=={version_of(LOCKED['tensortrade'])} " in text


def test_a_wheel_holds_everything_that_is_not_code(tmp_path: Path) -> None:
    """Built from a copy, so that nothing is left in the working tree."""
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "course_lib", tmp_path / "course_lib", ignore=ignore)
    code = "import setuptools.build_meta as build; print(build.build_wheel('dist'))"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = {str(path.relative_to(tmp_path)) for path in (tmp_path / "course_lib").rglob("*.*")}
    assert "course_lib/reports/templates/base.html.j2" in files
    assert files <= packed, files - packed


LIGHT = ["course_lib", "course_lib.profiles", "course_lib.plots", "course_lib.widgets",
         "course_lib.envs", "course_lib.cluster", "course_lib.preflight", "course_lib.reports",
         "course_lib.journal"]  # fmt: skip


@pytest.mark.parametrize("module", LIGHT)
def test_nothing_heavy_at_import(module: str) -> None:
    code = (
        f"import sys, {module}; heavy = {{'ray', 'torch', 'tensortrade', 'stable_baselines3'}};"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.split() == []
