"""Make ``.venv`` with every package at its locked version; safe to interrupt and to repeat."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Mapping, Sequence

from bootstrap import locked, pythons, uv, wheelhouse
from bootstrap.machine import ROOT, Machine, SetupError, say

LOCK = ROOT / "requirements.lock"
STAMP = ".course-ready"
TRIES, PAUSE_S = 3, 5
TORCHES = ("locked", "cpu", "auto")
MISMATCH = ("Hash mismatch", "DO NOT MATCH THE HASHES")


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
        self._torch = _choice(machine, "COURSE_TORCH", ("", *TORCHES)) or self._torch_before()
        if self._torch == "cpu" and machine.system != "linux":
            self._torch = "locked"  # elsewhere the locked PyTorch is the CPU build

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self._machine.python_of(self._venv)

    def ready(self) -> bool:
        """Whether the environment is finished and of today's lock."""
        stamp = self._venv / STAMP
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != self._wanted():
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
        finished_once = (self._venv / STAMP).is_file()
        same_torch = self._torch_before() == self._torch  # the two builds have one version number
        if finished_once:
            (self._venv / STAMP).unlink()
        self._make_venv(python, uv_program, keep=same_torch and (finished_once or not uv_program))
        command, env = self._command(uv_program, house)
        self._install_packages(uv_program, house, command, env)
        self._install_course(command, env)
        say("\n[4/4] Importing every package once")
        if subprocess.call(
            [str(self.python), "-W", "ignore", "scripts/check_imports.py"], cwd=ROOT
        ):
            raise SetupError(
                "a package cannot be imported: the lines above say which, and what to do"
            )
        (self._venv / STAMP).write_text(self._wanted(), encoding="utf-8")
        say("\nThe environment is ready.")

    def _wanted(self) -> str:
        """What a finished environment's stamp says: which PyTorch, and the lock."""
        parts = (LOCK, ROOT / "pyproject.toml")
        digest = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
        return f"{self._torch} {digest}"

    def _torch_before(self) -> str:
        stamp = self._venv / STAMP
        before = stamp.read_text(encoding="utf-8").split(" ")[0] if stamp.is_file() else ""
        return before if before in TORCHES else "locked"

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
        places = [self._venv, *self._elsewhere(uv_program)]
        for place in places if not self._venv.exists() else []:
            free = self._machine.free_gb(place)
            if free < need:
                raise SetupError(
                    f"the packages need about {need} GB at {place} and {int(free)} GB are free; "
                    "free some space, then run the same command again"
                )

    def _elsewhere(self, uv_program: Path | None) -> list[Path]:
        """Where uv has its cache, if on another disk: then packages are copied, not linked."""
        said = self._machine.output([uv_program, "cache", "dir"]) if uv_program else None
        return [Path(said)] if said and not uv.same_disk(Path(said), self._venv) else []

    def _make_venv(self, python: pythons.Python, uv_program: Path | None, *, keep: bool) -> None:
        """Make an environment, or keep one that can be gone on with.

        uv links packages from its cache in seconds, so what an interruption left is started afresh.
        """
        if self._venv.exists() and not (keep and self._usable(needs_pip=not uv_program)):
            say(f"      {self._venv} is half made or of another Python: starting it afresh")
            self._remove()
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

    def _remove(self) -> None:
        """Remove a half-made environment, and nothing that is something else."""
        signs = ("pyvenv.cfg", STAMP)
        ours = self._venv.name.startswith(".venv") or any((self._venv / s).exists() for s in signs)
        if not ours and any(self._venv.iterdir()):
            raise SetupError(
                f"{self._venv} is there and is not a Python environment; name another folder"
            )
        try:
            shutil.rmtree(self._venv)
        except OSError as error:
            raise SetupError(
                f"{self._venv} could not be removed ({error}); close the notebooks and terminals "
                "that use it, then run the same command again"
            ) from error

    def _install_packages(
        self,
        uv_program: Path | None,
        house: wheelhouse.Wheelhouse | None,
        command: Sequence[Any],
        env: Mapping[str, str],
    ) -> None:
        chosen = packages = list(locked.read(LOCK))
        if self._wants_cpu_torch(uv_program, house) and self._install_cpu_torch(command, env):
            chosen = [n for n in packages if n != "torch" and not n.startswith(locked.GPU_ONLY)]
        where = f" from {house.folder}" if house else ""
        say(f"\n[3/4] Installing {len(chosen)} packages{where}, each checked against its hash"
            + ("" if house else " (up to 3 GB on Linux)"))  # fmt: skip
        self._install_locked(chosen, command, env)

    def _install_course(self, command: Sequence[Any], env: Mapping[str, str]) -> None:
        patiently([*command, "--quiet", "--editable", ROOT], env)
        # JupyterLab would ask about its newsletter, and fetch it, over the venue's Wi-Fi.
        subprocess.call(
            [str(self.python), "-m", "jupyter", "labextension", "disable", "--level=sys_prefix",
             "@jupyterlab/apputils-extension:announcements"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _install_locked(
        self, names: Sequence[str], command: Sequence[Any], env: Mapping[str, str]
    ) -> None:
        packages = locked.read(LOCK)
        with tempfile.TemporaryDirectory() as folder:
            part = Path(folder, "part.lock")
            # ta comes as source: what builds it is installed, and checked, first.
            for some in (["setuptools"], names):
                text = "\n".join(packages[name].text for name in some)
                part.write_text(text + "\n", encoding="utf-8")
                patiently([*command, "--require-hashes", "-r", part], env)

    def _wants_cpu_torch(
        self, uv_program: Path | None, house: wheelhouse.Wheelhouse | None
    ) -> bool:
        """Whether to leave out the GPU libraries; elsewhere than on Linux there are none."""
        gpu = self._machine.has_nvidia_gpu()
        if self._machine.system != "linux" or house or (self._torch == "auto" and gpu):
            return False
        if self._torch == "locked":
            if not gpu:
                say("      no NVIDIA GPU here: COURSE_TORCH=cpu would spare 4 GB (see the README)")
            return False
        if not uv_program:
            raise SetupError(
                "COURSE_TORCH=cpu needs uv, which knows where PyTorch's CPU builds are"
            )
        return True

    def _install_cpu_torch(self, command: Sequence[Any], env: Mapping[str, str]) -> bool:
        """Install the locked version's CPU build, which the lock has no hash of.

        Raises:
            SetupError: if it cannot be had, unless ``COURSE_TORCH=auto`` allows the other one.
        """
        torch = f"torch=={locked.read(LOCK)['torch'].version}"
        say(f"\n      {torch} for CPUs, from PyTorch's own index")
        try:
            patiently([*command, "--torch-backend", "cpu", torch], env)
        except SetupError:
            if self._torch == "cpu":
                raise
            say("      not to be had here: taking the locked build, with GPU libraries")
            return False
        return True

    def _command(
        self, uv_program: Path | None, house: wheelhouse.Wheelhouse | None
    ) -> tuple[list[Any], dict[str, str]]:
        """The start of every command that installs, and the variables that it runs with."""
        # --no-deps: the lock is complete; TensorTrade asks for more than the course uses.
        common = ["--no-deps", "--no-build-isolation"]
        offline = ["--no-index", "--find-links", house.folder] if house else []
        if not uv_program:
            pip = [
                self.python,
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--retries",
                "10",
            ]
            return [*pip, *common, *offline], dict(self._machine.env)
        env = uv.environment(self._machine)
        if self._elsewhere(uv_program):
            env.setdefault("UV_LINK_MODE", "copy")  # it would try links first, and warn
        if house:
            offline.append("--offline")
        return [uv_program, "pip", "install", "--python", self.python, *common, *offline], env


def _choice(machine: Machine, name: str, allowed: tuple[str, ...]) -> str:
    value = machine.env.get(name, "").strip().lower()
    if value not in allowed:
        raise SetupError(f"{name} must be {' or '.join(filter(None, allowed))}, got {value!r}")
    return value


def patiently(command: Sequence[Any], env: Mapping[str, str]) -> None:
    """Run a command that needs the network, a few times if need be.

    Raises:
        SetupError: if it fails every time, or a file is not the locked one.
    """
    for attempt in range(1, TRIES + 1):
        # A person sees progress bars the first time; later, and in a log, what is said is read.
        code, said = _run(command, env, read=attempt > 1 or not sys.stderr.isatty())
        if code == 0:
            return
        if any(sign in said for sign in MISMATCH):
            raise SetupError(
                "a downloaded file is not the one that requirements.lock names: its hash differs, "
                "see above. It was not installed. A proxy or a mirror may have changed it: try "
                "another network"
            )
        if attempt < TRIES:
            say(f"      the network let us down; trying again (attempt {attempt + 1} of {TRIES})")
            time.sleep(PAUSE_S)
    raise SetupError(
        "the installation failed three times (the reason stands above). What was downloaded is "
        "kept: run the same command again"
    )


def _run(command: Sequence[Any], env: Mapping[str, str], *, read: bool) -> tuple[int, str]:
    words = [str(part) for part in command]
    if not read:
        return subprocess.call(words, env=dict(env)), ""
    lines = []
    with subprocess.Popen(
        words, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as child:
        for line in child.stdout or ():
            lines.append(line.decode(errors="replace").rstrip())
            say(lines[-1])
    return child.returncode, "\n".join(lines)
