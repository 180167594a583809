"""The installed packages, held against the lock."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from pathlib import Path

from course_lib.preflight.child import ROOT
from course_lib.preflight.report import FAIL, NOTE, OK, Result

LOCK = ROOT / "requirements.lock"
ITEM = "Packages"
NAMED = 4
# PyTorch's build for CPUs, and conda's, do without them.
GPU_ONLY = ("nvidia-", "cuda-", "triton")

Installed = Callable[[str], "str | None"]


def version_of(name: str) -> str | None:
    """Return the installed version of a package, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def read_lock(text: str) -> dict[str, str]:
    """Return name and version of each package in a lock that is meant for this machine.

    Raises:
        ValueError: if a line does not pin one version.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    pins: dict[str, str] = {}
    for line in text.splitlines():
        line = line.split(" #")[0].split("--hash")[0].rstrip("\\ ").strip()
        if not line or line.startswith("#"):
            continue
        requirement = Requirement(line)
        specifiers = list(requirement.specifier)
        if len(specifiers) != 1 or specifiers[0].operator != "==":
            raise ValueError(f"{line!r} does not pin one version")
        if requirement.marker is None or requirement.marker.evaluate():
            pins[canonicalize_name(requirement.name)] = specifiers[0].version
    return pins


def needed(project: str = "course-lib") -> set[str]:
    """Return the packages that the course needs to run, with all that these need in turn.

    What is installed says what it needs, so a PyTorch without GPU libraries asks for none.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    seen: set[tuple[str, str]] = set()
    waiting: list[tuple[str, str]] = [(project, "")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for requirement in map(Requirement, lines):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                child = canonicalize_name(requirement.name)
                waiting += [(child, one) for one in ("", *requirement.extras)]
    return {name for name, _ in seen}


def check(lock: Path = LOCK, installed: Installed = version_of) -> Result:
    """Compare the installed packages with the lock.

    A package that the course needs, and that is missing or of another version, fails; one that
    only its tests or tools need is worth a note.

    Args:
        lock: the lock file.
        installed: returns the installed version of a package, or None.
    """
    from packaging.version import Version

    if not lock.exists():
        fix = "run this from a clone of the course's repository"
        return Result(ITEM, NOTE, f"{lock.name} is not beside course_lib: not compared", fix)
    core = needed()
    pins = {
        name: version
        for name, version in read_lock(lock.read_text(encoding="utf-8")).items()
        if name in core or not name.startswith(GPU_ONLY)
    }
    missing, different = [], []
    for name, wanted in pins.items():
        found = installed(name)
        if found is None:
            missing.append(name)
        elif Version(found).public != Version(wanted).public:
            different.append((name, found))
    wrong = [name for name in [*missing, *(name for name, _ in different)] if name in core]
    if not missing and not different:
        return Result(ITEM, OK, f"all {len(pins)} at the version in {lock.name}")
    detail = _describe(missing, [f"{name} {found}, not {pins[name]}" for name, found in different])
    if wrong:
        return Result(ITEM, FAIL, detail, _fix([f"{name}=={pins[name]}" for name in wrong]))
    detail += "; only the course's own tests and tools use it"
    return Result(ITEM, NOTE, detail, "nothing, if you only take part")


def _describe(missing: list[str], different: list[str]) -> str:
    parts = []
    for names, what in ((missing, "missing"), (different, "different")):
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            parts.append(f"{what}: {', '.join(names[:NAMED])}{more}")
    return "; ".join(parts)


def _fix(pins: list[str]) -> str:
    """Return the command that puts the named packages right, in this very environment."""
    what = " ".join(pins) if len(pins) <= NAMED else f'-r "{LOCK}"'
    return f'"{sys.executable}" -m pip install --no-deps {what}'
