"""Make ``.venv`` with every package at its locked version; safe to interrupt and to repeat."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bootstrap import locked, pythons, uv, wheelhouse
from bootstrap.installing import Installer
from bootstrap.machine import ROOT, Machine, SetupError, say

LOCK = ROOT / "requirements.lock"
STAMP = ".course-ready"
UNFINISHED = "unfinished"
TORCHES = ("locked", "cpu", "auto")


class Setup:
    """One set-up of one environment.

    Args:
        machine: the machine and its environment variables.
        venv: where the packages go.

    Raises:
        SetupError: if a variable of the course has a value that means nothing.
    """

    def __init__(self, machine: Machine, venv: Path) -> None:
        self._machine, self._venv = machine, venv
        self._installer = _choice(machine, "COURSE_INSTALLER", ("", "uv", "pip"))
        self._torch = _choice(machine, "COURSE_TORCH", ("", *TORCHES)) or self._stamp()[0]
        if machine.system != "linux":
            self._torch = "locked"  # elsewhere the locked PyTorch is the CPU build

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self._machine.python_of(self._venv)

    def ready(self) -> bool:
        """Whether the environment is finished, of today's lock, and of the course in this place."""
        if self._stamp() != (self._torch, self._today()):
            return False
        return self._machine.output([self.python, "-c", ""]) is not None

    def run(self) -> None:
        """Make it ready.

        Raises:
            SetupError: with what to do, if it cannot be.
        """
        if self.ready():
            return
        say("\n[1/4] Looking for Python 3.12 or 3.13, and for uv")
        house = wheelhouse.find(self._machine)
        python, uv_program = self._tools(house)
        self._need_disk(uv_program)
        say(f"\n[2/4] Making the environment in {self._venv}")
        self._make_venv(python, uv_program)
        self._write_stamp(UNFINISHED)
        installer = Installer(self._machine, self._venv, uv_program, house)
        packages = self._packages(installer)
        where = f"from {house.folder}" if house else "(up to 3 GB on Linux)"
        say(f"\n[3/4] Installing {len(packages)} packages {where}, each checked against its hash")
        installer.from_lock(packages)
        installer.course()
        say("\n[4/4] Importing every package once")
        check = [str(self.python), "-W", "ignore", "scripts/check_imports.py"]
        if subprocess.call(check, cwd=ROOT, env=dict(self._machine.env)):
            raise SetupError(
                "a package cannot be imported: the lines above say which, and what to do"
            )
        self._write_stamp(self._today())
        say("\nThe environment is ready.")

    def _today(self) -> str:
        """What a finished environment is of: the lock, and the place that the course lies in."""
        return locked.digest(LOCK, ROOT / "pyproject.toml", more=str(ROOT))

    def _stamp(self) -> tuple[str, str]:
        """Which PyTorch the environment has, and what it is of or ``UNFINISHED``."""
        stamp = self._venv / STAMP
        text = stamp.read_text(encoding="utf-8") if stamp.is_file() else ""
        torch, _, what = text.partition(" ")
        return (torch, what) if torch in TORCHES and what else ("locked", UNFINISHED)

    def _write_stamp(self, what: str) -> None:
        (self._venv / STAMP).write_text(f"{self._torch} {what}", encoding="utf-8")

    def _tools(self, house: wheelhouse.Wheelhouse | None) -> tuple[pythons.Python, Path | None]:
        """The Python to build upon, and uv unless pip has to do without."""
        machine, wanted = self._machine, house.pythons if house else pythons.WANTED
        by_pip = self._installer == "pip"
        python = pythons.find(machine, wanted=wanted, with_pip=by_pip)
        program = None
        if not by_pip:
            program = uv.find(machine) or uv.fetch(machine, python, house.folder if house else None)
        if program and not python and not house:
            python = uv.fetch_python(machine, program, wanted)
        if not program and not by_pip:
            if self._installer == "uv":
                raise SetupError(
                    "uv is not here and could not be fetched; COURSE_INSTALLER=pip does without"
                )
            say("      no uv to be had: pip installs, which takes a few minutes longer")
            python = pythons.find(machine, wanted=wanted, with_pip=True)
        if not python:
            raise pythons.remedy(machine, wanted)
        say(
            f"      Python {python.version} at {python.path}; "
            + (f"uv at {program}" if program else "pip")
        )
        return python, program

    def _need_disk(self, uv_program: Path | None) -> None:
        """Refuse before anything is made where the packages would not fit."""
        small = self._machine.system != "linux" or self._torch == "cpu"
        need = 4 if small else 8
        places = [self._venv]
        if uv_program:
            # On another disk, packages are copied from uv's cache, not linked.
            cache = uv.cache(self._machine, uv_program)
            places += [] if uv.same_disk(cache, self._venv) else [cache]
        for place in places if not self._venv.exists() else []:
            free = self._machine.free_gb(place)
            if free < need:
                raise SetupError(
                    f"the packages need about {need} GB at {place} and {int(free)} GB are free; "
                    "free some space, then run the same command again"
                )

    def _make_venv(self, python: pythons.Python, uv_program: Path | None) -> None:
        """Make an environment, or keep one that can be gone on with.

        uv links packages from its cache in seconds, so what an interruption left is started afresh.
        So is one with the other build of PyTorch, which has the same version number.
        """
        torch, what = self._stamp()
        keep = torch == self._torch and (what != UNFINISHED or not uv_program)
        if self._venv.exists() and not (keep and self._usable(needs_pip=not uv_program)):
            say(f"      {self._venv} is half made or of another Python: starting it afresh")
            remove(self._venv)
        if self._venv.exists():
            return
        if uv_program:
            command = [uv_program, "venv", "--quiet", "--python", python.path, self._venv]
        else:
            command = [python.path, "-m", "venv", self._venv]
        if subprocess.call([str(part) for part in command], env=dict(self._machine.env)):
            raise SetupError(f"{self._venv} could not be made; the reason stands above")

    def _usable(self, *, needs_pip: bool) -> bool:
        python = pythons.probe(self._machine, self.python)
        has_pip = self._machine.output([self.python, "-m", "pip", "--version"]) is not None
        return bool(python and python.version in pythons.WANTED and (has_pip or not needs_pip))

    def _packages(self, installer: Installer) -> list[locked.Locked]:
        """What the installer takes from the lock: without PyTorch if its CPU build is in already.

        Raises:
            SetupError: if ``COURSE_TORCH=cpu`` asks for that build and it cannot be had.
        """
        packages = locked.read(LOCK)
        gpu = self._machine.has_nvidia_gpu()
        if self._torch == "locked" or (self._torch == "auto" and gpu):
            if installer.fetches_cpu_torch and self._machine.system == "linux" and not gpu:
                say("      no NVIDIA GPU here: COURSE_TORCH=cpu would spare 4 GB (see the README)")
            return list(packages.values())
        version = packages["torch"].version
        say(f"\n      torch {version} for CPUs, from PyTorch's own index")
        try:
            installer.cpu_torch(version)
        except SetupError:
            if self._torch == "cpu":
                raise
            say("      not to be had here: taking the locked build, with GPU libraries")
            return list(packages.values())
        for_gpus = ("torch", *(name for name in packages if name.startswith(locked.GPU_ONLY)))
        return [one for name, one in packages.items() if name not in for_gpus]


def _choice(machine: Machine, name: str, allowed: tuple[str, ...]) -> str:
    value = machine.env.get(name, "").strip().lower()
    if value not in allowed:
        raise SetupError(f"{name} must be {' or '.join(filter(None, allowed))}, got {value!r}")
    return value


def remove(venv: Path) -> None:
    """Remove an environment, finished or not.

    Raises:
        SetupError: if it is something else, or in use.
    """
    signs = ("pyvenv.cfg", STAMP)
    ours = venv.name.startswith(".venv") or any((venv / sign).exists() for sign in signs)
    if not ours and any(venv.iterdir()):
        raise SetupError(f"{venv} is there and is not a Python environment; name another folder")
    try:
        shutil.rmtree(venv)
    except OSError as error:
        raise SetupError(
            f"{venv} could not be removed ({error}); close the notebooks and terminals "
            "that use it, then run the same command again"
        ) from error
