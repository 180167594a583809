"""A folder with every package: made once, for a USB stick or a class, then no network is needed."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bootstrap import locked, pythons
from bootstrap.machine import GIB, ROOT, Machine, SetupError, say

FOLDER = ROOT / "wheelhouse"
LOCKS = (ROOT / "requirements.lock", ROOT / "scripts" / "uv.txt")


@dataclass(frozen=True)
class Wheelhouse:
    """A folder of packages that suits this machine.

    Attributes:
        folder: where they are.
        pythons: the versions of Python that they are for.
    """

    folder: Path
    pythons: tuple[str, ...]


def _kind(machine: Machine, version: str) -> str:
    """Such as "linux-x86_64-python3.12": what packages of compiled code are made for."""
    return f"{machine.system}-{platform.machine().lower()}-python{version}"


def find(machine: Machine) -> Wheelhouse | None:
    """Return the wheelhouse to install from: that of ``COURSE_WHEELHOUSE``, or ``wheelhouse`` here.

    Raises:
        SetupError: if the one that is named does not suit.
    """
    named = machine.env.get("COURSE_WHEELHOUSE", "")
    folder = Path(named).expanduser().resolve() if named else FOLDER
    if not named and not folder.is_dir():
        return None
    marks = {version: folder / f"{_kind(machine, version)}.sha256" for version in pythons.WANTED}
    today = locked.digest(*LOCKS)
    suits = [v for v, mark in marks.items() if mark.is_file() and mark.read_text() == today]
    if suits:
        say(f"      taking the packages from {folder}, and nothing from the network")
        return Wheelhouse(folder, tuple(suits))
    found = ", ".join(sorted(path.stem for path in folder.glob("*.sha256"))) or "nothing"
    why = f"{folder} is not for {_kind(machine, '3.12')} and today's lock (it has: {found})"
    if named:
        raise SetupError(f"{why}; make it anew on such a machine: python course.py wheelhouse")
    say(f"      {why}: not used")
    return None


def pack(machine: Machine, python: Path, folder: Path = FOLDER) -> None:
    """Download every package for this machine's kind, each checked against its hash.

    Args:
        machine: the machine.
        python: of a finished environment, with pip.
        folder: where to; what it has for other kinds of machine stays.

    Raises:
        SetupError: if a download fails.
    """
    version = pythons.probe(machine, python)
    mark = folder / f"{_kind(machine, version.version if version else '')}.sha256"
    folder.mkdir(parents=True, exist_ok=True)
    if mark.exists():
        mark.unlink()
    command = [str(python), "-m", "pip", "download", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--no-build-isolation", "--dest", str(folder)]
    for lock in LOCKS:
        command += ["-r", str(lock)]
    if subprocess.call(command, env=dict(machine.env)):
        raise SetupError("a download failed (the reason stands above); run the same command again")
    mark.write_text(locked.digest(*LOCKS), encoding="utf-8")
    size = sum(path.stat().st_size for path in folder.iterdir()) / GIB
    say(f"\n{folder} has everything for {mark.stem} ({size:.1f} GB).")
