"""Find uv, which installs in seconds what takes pip minutes, or fetch it as a wheel by any pip."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Iterable, Iterator

from bootstrap import locked, pythons
from bootstrap.machine import ROOT, Machine, existing, say

LOCK = ROOT / "scripts" / "uv.txt"
FOLDER = ROOT / ".uv"
OLDEST = (0, 8)
# pip's settings and what uv calls them; pip separates by spaces.
SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS",
    "proxy": "ALL_PROXY", "cert": "SSL_CERT_FILE", "client-cert": "SSL_CLIENT_CERT",
    "trusted-host": "UV_INSECURE_HOST",
    "default-timeout": "UV_HTTP_TIMEOUT", "timeout": "UV_HTTP_TIMEOUT",
}  # fmt: skip
SECTIONS = ("global", "install", ":env:")


def find(machine: Machine) -> Path | None:
    """The uv on the PATH or the one fetched before, if it is new enough; None otherwise."""
    name = "uv.exe" if machine.windows else "uv"
    for path in (machine.which("uv"), FOLDER / _pinned() / name):
        said = machine.output([path, "--version"]) if path and path.is_file() else None
        version = re.match(r"uv (\d+)\.(\d+)", said or "")
        if path and version and (int(version[1]), int(version[2])) >= OLDEST:
            return path
    return None


def _pinned() -> str:
    """Such as "uv-0.13.9"."""
    return "uv-" + locked.read(LOCK)["uv"].version


def fetch(machine: Machine, python: pythons.Python | None, wheelhouse: Path | None) -> Path | None:
    """Get the pinned uv into the folder ``.uv``; return its program, or None if it cannot be."""
    with tempfile.TemporaryDirectory() as folder:
        wheels = sorted((wheelhouse or Path(folder)).glob("uv-*.whl"))
        if not wheelhouse:
            say(f"      fetching {_pinned()}, which installs the packages (about 20 MB)")
            wheels = _by_pip(machine, python, Path(folder))
        for wheel in wheels:
            program = _unpack(machine, wheel)
            if program and machine.output([program, "--version"]):
                return program
    return None


def _by_pip(machine: Machine, python: pythons.Python | None, folder: Path) -> list[Path]:
    for pip in _pips(machine, python, folder / "venv"):
        command = ["download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
        where = ["--dest", folder, "-r", LOCK]
        if machine.output([*pip, *command, *where], limit_s=300) is not None:
            return sorted(folder.glob("uv-*.whl"))
    return []


def _pips(machine: Machine, python: pythons.Python | None, venv: Path) -> Iterator[list[str]]:
    """Commands that are a pip: of any Python here, or of an environment that one makes for it."""
    for path in (python and python.path, machine.running):
        if path:
            yield [str(path), "-m", "pip"]
    if python and python.makes_pip:
        machine.output([python.path, "-m", "venv", venv], limit_s=120)
        yield [str(machine.python_of(venv)), "-m", "pip"]


def _unpack(machine: Machine, wheel: Path) -> Path | None:
    """Put the program of a wheel in its place, if the wheel is one of the pinned."""
    if hashlib.sha256(wheel.read_bytes()).hexdigest() not in locked.read(LOCK)["uv"].hashes:
        return None
    name = "uv.exe" if machine.windows else "uv"
    target = FOLDER / _pinned() / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        inside = [one for one in archive.namelist() if one.endswith(f".data/scripts/{name}")]
        if not inside:
            return None
        part = target.with_suffix(".part")
        with archive.open(inside[0]) as source, part.open("wb") as sink:
            shutil.copyfileobj(source, sink)
    part.chmod(0o755)
    part.replace(target)
    return target


def pip_settings(said: str) -> dict[str, str]:
    """What ``pip config list`` says, as variables for uv, which does not read pip's settings."""
    found: dict[str, str] = {}
    rows = [re.match(r"(.+?)\.([\w-]+)=(.*)", line) for line in said.splitlines()]
    for section in SECTIONS:
        for row in rows:
            if row and row[1] == section and row[2] in SETTINGS:
                text = str(ast.literal_eval(row[3])).strip()
                separator = "," if row[2] == "find-links" else " "
                found[SETTINGS[row[2]]] = separator.join(text.split())
    if "UV_INDEX" in found:
        # As pip does: any index may have the version. The hashes say which file is meant.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {name: value for name, value in found.items() if value}


def environment(machine: Machine) -> dict[str, str]:
    """The variables to run uv with: pip's settings in uv's words; what a person has set stays."""
    pips = [machine.running, machine.which("python3"), machine.which("python")]
    said = (machine.output([one, "-m", "pip", "config", "list"]) for one in pips if one)
    by_hand = [
        f":env:.{name[4:].lower().replace('_', '-')}={value!r}"
        for name, value in machine.env.items()
        if name.startswith("PIP_")
    ]
    settings = next((one for one in said if one is not None), "\n".join(by_hand))
    return {**pip_settings(settings), **machine.env}


def cache(machine: Machine, program: Path) -> Path:
    """Where uv keeps what it has downloaded: its own place, or ``.uv`` if that is read-only."""
    own = machine.output([program, "cache", "dir"])
    if own:
        with contextlib.suppress(OSError):
            os.makedirs(own, exist_ok=True)
            if os.access(own, os.W_OK):
                return Path(own)
    return FOLDER / "cache"


def same_disk(one: Path, other: Path) -> bool:
    """Whether files can be linked from one folder into the other; neither has to exist."""
    return existing(one).stat().st_dev == existing(other).stat().st_dev


def fetch_python(machine: Machine, uv: Path, wanted: Iterable[str]) -> pythons.Python | None:
    """Let uv download a Python; None if it cannot."""
    version = next(iter(wanted))
    say(f"      none here; asking uv to fetch Python {version} (about 30 MB)")
    if machine.output([uv, "python", "install", version], limit_s=600) is None:
        say("      uv could not fetch one")
        return None
    found = machine.output([uv, "python", "find", "--system", "--managed-python", version])
    return pythons.probe(machine, Path(found)) if found else None
