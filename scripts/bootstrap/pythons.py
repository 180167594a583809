"""Find a Python 3.12 or 3.13, wherever it was installed from."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from bootstrap.machine import Machine, SetupError

WANTED = ("3.12", "3.13")
PROBE = """
import sys
from importlib.util import find_spec
makes_pip = bool(find_spec("venv") and find_spec("ensurepip"))
print("%d.%d" % sys.version_info[:2], sys.maxsize > 2**32, makes_pip)
"""
ON_WINDOWS = ("winget install Python.Python.3.12", "uv python install 3.12")
ELSEWHERE = ("uv python install 3.12", "pyenv install 3.12", "brew install python@3.12",
             "sudo apt install python3.12-venv")  # fmt: skip
CONDAS = ("miniforge3", "miniconda3", "anaconda3")


@dataclass(frozen=True)
class Python:
    """A Python that runs.

    Attributes:
        path: its program.
        version: such as "3.12".
        makes_pip: whether it can make an environment with pip in it (Debian's may not).
    """

    path: Path
    version: str
    makes_pip: bool


def probe(machine: Machine, path: Path) -> Python | None:
    """Run a candidate. A pyenv shim whose version is not switched on fails; 32 bits do not suit."""
    answer = machine.output([path, "-c", PROBE])
    found = re.match(r"(\d\.\d+) True (True|False)$", answer or "")
    return Python(path, found[1], found[2] == "True") if found else None


def find(
    machine: Machine, *, wanted: tuple[str, ...] = WANTED, with_pip: bool = False
) -> Python | None:
    """Return the first Python that suits, or None.

    Args:
        machine: where to look.
        wanted: versions.
        with_pip: whether it has to make environments with pip by itself.

    Raises:
        SetupError: if ``PYTHON`` names one that does not suit.
    """
    named = machine.env.get("PYTHON", "")
    for path in [machine.which(named)] if named else candidates(machine):
        python = probe(machine, path) if path else None
        if python and python.version in wanted and (python.makes_pip or not with_pip):
            return python
    if named:
        raise SetupError(
            f"PYTHON is {named!r}, which is not a working Python {' or '.join(wanted)}"
            + (" with venv and ensurepip" if with_pip else "")
        )
    return None


def candidates(machine: Machine) -> Iterator[Path]:
    """Everything that may be a Python 3.12 or 3.13, each once, likely ones first."""
    seen = set()
    for path in _everywhere(machine):
        if path and path not in seen and path.is_file():
            seen.add(path)
            yield path


def _everywhere(machine: Machine) -> Iterator[Path | None]:
    yield machine.running
    for name in ("python3.12", "python3.13", "python3", "python"):
        yield machine.which(name)
    yield from _of_windows(machine) if machine.windows else _of_pyenv(machine)
    uv = machine.which("uv")
    for version in WANTED if uv else ():
        answer = machine.output(
            [uv, "python", "find", "--system", "--no-python-downloads", version]
        )
        yield Path(answer) if answer else None
    name = "python.exe" if machine.windows else "bin/python"
    conda = machine.env.get("CONDA_PREFIX", "")
    yield Path(conda, name) if conda else None
    for home in map(glob.escape, map(str, machine.homes)):
        folders = [f"{home}/{one}" for one in CONDAS]
        yield from machine.matching(*(f"{one}/{name}" for one in folders))
        yield from machine.matching(*(f"{one}/envs/*/{name}" for one in folders))
        yield from machine.matching(f"{home}/.local/share/uv/python/cpython-3.1[23]*/{name}")
    yield from machine.matching("/opt/homebrew/opt/python@3.1[23]/bin/python3.1[23]",
                                "/usr/local/opt/python@3.1[23]/bin/python3.1[23]")  # fmt: skip


def _of_pyenv(machine: Machine) -> Iterator[Path]:
    """Pyenv's versions: its root is named, in a home, or beside the shims on the PATH."""
    roots = [machine.env.get("PYENV_ROOT", ""), *(f"{home}/.pyenv" for home in machine.homes)]
    on_path = machine.env.get("PATH", "").split(":")
    roots += [part.rstrip("/")[: -len("/shims")] for part in on_path if _is_shims(part)]
    for root in filter(None, roots):
        versions = f"{glob.escape(root)}/versions"
        yield from machine.matching(*(f"{versions}/{v}*/bin/python" for v in WANTED))


def _is_shims(part: str) -> bool:
    return part.rstrip("/").endswith("/shims")


def _of_windows(machine: Machine) -> Iterator[Path]:
    """What the launcher knows (it reads the registry), then where installers put Pythons."""
    launcher = machine.which("py")
    listed = machine.output([launcher, "-0p"]) if launcher else None
    for line in (listed or "").splitlines():
        found = re.search(r"(?:^|\s)((?:[A-Za-z]:\\|/).*python[^\\/]*)$", line.strip())
        if found:
            yield Path(found[1])
    for variable, folder in (("LOCALAPPDATA", "Programs/Python/Python31[23]"),
                             ("ProgramFiles", "Python31[23]"),
                             ("APPDATA", "uv/python/cpython-3.1[23]*"),
                             ("USERPROFILE", ".pyenv/pyenv-win/versions/3.1[23]*")):  # fmt: skip
        base = glob.escape(machine.env.get(variable, ""))
        if base:
            yield from machine.matching(f"{base}/{folder}/python.exe")


def remedy(machine: Machine, wanted: tuple[str, ...] = WANTED) -> SetupError:
    """The error that says how to get a Python."""
    ways = " | ".join(ON_WINDOWS if machine.windows else ELSEWHERE)
    return SetupError(
        f"the course needs Python 3.12 (or 3.13) and found none{_as_asked(wanted)}. Get one with "
        "ONE of these, then run the same command again:\n"
        f"  {ways} | conda env create -f environment.yml"
    )


def _as_asked(wanted: tuple[str, ...]) -> str:
    return "" if wanted == WANTED else f" of {', '.join(wanted)}, which the wheelhouse is for"
