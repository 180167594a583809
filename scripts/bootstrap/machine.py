"""The facts about a machine that a set-up depends on. Tests hand in those of another machine."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
GIB = 2**30
PROBE_LIMIT_S = 30
# What other programs put onto Python's path would hide packages of the course; and without compiled
# files every process that Ray starts would compile all packages anew (6 s of imports more, each).
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")


class SetupError(Exception):
    """Something that a person has to mend; the text says what and how."""


def say(text: str = "") -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _homes(env: Mapping[str, str]) -> list[Path]:
    """The home, and the account's home for when HOME points elsewhere."""
    found = [Path(env[name]) for name in ("HOME", "USERPROFILE") if env.get(name)]
    try:
        import pwd

        found.append(Path(pwd.getpwuid(os.getuid()).pw_dir))
    except (ImportError, KeyError):
        pass
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Machine:
    """A machine as the set-up sees it.

    Attributes:
        env: the environment variables.
        system: as in ``sys.platform``: "linux", "darwin", "win32".
        homes: where a person's tools may lie.
        running: the Python that runs this program.
    """

    env: Mapping[str, str]
    system: str
    homes: Sequence[Path]
    running: Path | None = None

    @classmethod
    def this(cls) -> Machine:
        """The machine that this runs on."""
        env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        # In a virtual environment it is the Python below that may be built upon.
        running = getattr(sys, "_base_executable", None) or sys.executable
        return cls(env, sys.platform, _homes(os.environ), Path(running))

    @property
    def windows(self) -> bool:
        """Whether programs end in .exe and environments have a folder Scripts."""
        return self.system == "win32"

    def which(self, name: str) -> Path | None:
        """The program of that name on the PATH, or None."""
        found = shutil.which(name, path=self.env.get("PATH", ""))
        return Path(found) if found else None

    def matching(self, *patterns: str) -> Iterator[Path]:
        """Existing files by pattern, the newest version of each pattern first."""
        for pattern in patterns:
            yield from map(Path, sorted(glob.glob(pattern), reverse=True))

    def output(self, command: Sequence[Any], limit_s: float = PROBE_LIMIT_S) -> str | None:
        """What a command prints, or None if it fails, hangs or is not there."""
        try:
            done = subprocess.run(
                [str(part) for part in command],
                env=dict(self.env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, timeout=limit_s, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None

    def free_gb(self, folder: Path) -> float:
        """Free disk space in GiB where a folder lies or will lie."""
        return shutil.disk_usage(existing(folder)).free / GIB

    def python_of(self, venv: Path) -> Path:
        """The Python of a virtual environment."""
        return venv / "Scripts" / "python.exe" if self.windows else venv / "bin" / "python"

    def has_nvidia_gpu(self) -> bool:
        """Whether a driver for NVIDIA's GPUs is there."""
        return Path("/proc/driver/nvidia/version").exists() or bool(self.which("nvidia-smi"))
