"""Install what the lock names, by uv or by pip, each file checked against its hash."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Mapping, Sequence

from bootstrap import locked, uv
from bootstrap.machine import ROOT, Machine, SetupError, say
from bootstrap.wheelhouse import Wheelhouse

OVERRIDES = Path(__file__).with_name("jupyterlab_overrides.json")  # of JupyterLab's settings
TRIES, PAUSE_S = 3, 5
MISMATCH = ("Hash mismatch", "DO NOT MATCH THE HASHES")


class Installer:
    """One way to put packages into one environment.

    Args:
        machine: the machine.
        venv: the environment, made already.
        program: uv; None where pip has to do without.
        house: a wheelhouse to take everything from, if there is one.

    Attributes:
        fetches_cpu_torch: whether this way gets at PyTorch's CPU builds.
    """

    def __init__(
        self, machine: Machine, venv: Path, program: Path | None, house: Wheelhouse | None
    ) -> None:
        self._machine, self._venv, self._python = machine, venv, machine.python_of(venv)
        self.fetches_cpu_torch = bool(program and not house)
        self._command: list[Any]
        if program:
            self._command = [program, "pip", "install", "--python", self._python]
            self._env = uv.environment(machine)
            cache = uv.cache(machine, program)
            self._env["UV_CACHE_DIR"] = str(cache)
            if not uv.same_disk(cache, venv):
                self._env.setdefault("UV_LINK_MODE", "copy")  # it would try links first, and warn
        else:
            self._command = [self._python, "-m", "pip", "install", "--disable-pip-version-check"]
            self._command += ["--retries", "10"]
            self._env = dict(machine.env)
        # The lock is complete; TensorTrade asks for more than the course uses.
        self._command += ["--no-deps", "--no-build-isolation"]
        if house:
            self._command += ["--no-index", "--find-links", house.folder]
            self._command += ["--offline"] if program else []

    def from_lock(self, packages: Sequence[locked.Locked]) -> None:
        """Install packages of the lock.

        Raises:
            SetupError: if that fails, or a file is not the locked one.
        """
        # ta comes as source: what builds it is installed, and checked, first.
        first = [one for one in packages if one.name == "setuptools"]
        with tempfile.TemporaryDirectory() as folder:
            part = Path(folder, "part.lock")
            for some in (first, packages):
                part.write_text("\n".join(one.text for one in some) + "\n", encoding="utf-8")
                self._install("--require-hashes", "-r", part)

    def cpu_torch(self, version: str) -> None:
        """Install PyTorch's CPU build of a version, which the lock has no hash of.

        Raises:
            SetupError: if it cannot be had.
        """
        if not self.fetches_cpu_torch:
            raise SetupError(
                "COURSE_TORCH=cpu needs uv, which knows where PyTorch's CPU builds are, and no "
                "wheelhouse, which has none; COURSE_TORCH=locked takes the locked build"
            )
        self._install("--torch-backend", "cpu", f"torch=={version}")

    def course(self) -> None:
        """Install the course itself, as it lies here.

        Raises:
            SetupError: if that fails.
        """
        self._install("--quiet", "--editable", ROOT)
        # JupyterLab would ask about its newsletter, and fetch it, over the venue's Wi-Fi.
        news = "@jupyterlab/apputils-extension:announcements"
        disable = ["-m", "jupyter", "labextension", "disable", "--level=sys_prefix", news]
        self._machine.output([self._python, *disable], limit_s=120)
        # Sliders and their pictures are saved: a notebook shows them when it is opened again.
        settings = self._venv / "share" / "jupyter" / "lab" / "settings"
        settings.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(OVERRIDES, settings / "overrides.json")

    def _install(self, *words: Any) -> None:
        patiently([*self._command, *words], self._env)


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
            say(f"      that failed; trying again (attempt {attempt + 1} of {TRIES})")
            time.sleep(PAUSE_S)
    raise SetupError(
        "the installation failed three times (the reason stands above). What was downloaded is "
        "kept: run the same command again, or with COURSE_INSTALLER=pip, which goes another way"
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
