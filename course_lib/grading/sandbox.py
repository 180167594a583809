"""Where a learner's code runs: what it sees, and how it is started and ended."""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from course_lib.cluster.machine import running
from course_lib.grading.budgets import Budget

JAIL = Path(__file__).with_name("jail.py")
HOME = "/learner"
COURSE = "/course"
FONTS = "fonts"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/sys/devices/system/cpu")
ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "passwd", "group", "nsswitch.conf", "hosts",
       "localtime", "alternatives", "fonts", "ssl", "mime.types")  # fmt: skip
FIRST_UID = 61_000
REDUCED_WORDS = (
    "This machine does not let the grader make a sandbox. In the reduced mode a submission can "
    "read files of this account, reach the network, and end your programs. Limits on time, "
    "memory, output and disk still hold, and expected values stay out of its process. Grade "
    "only submissions that you trust, or grade on Linux (docs/grading.md)."
)
_uids = itertools.count(os.getpid() % 1000)


@dataclass
class Workplace:
    """The folders of one kernel.

    Attributes:
        folder: everything below; removed at the end.
        sockets: shared with the kernel, which writes there.
        home: of the kernel in reduced mode.
        command: what to put before the kernel's own command.
        environment: of the kernel.
    """

    folder: Path
    sockets: Path
    home: Path
    command: list[str]
    environment: dict[str, str]

    def size_mb(self) -> float:
        """Return what has been written outside the sandbox's own file systems."""
        total = 0
        for place in (self.sockets, self.home):
            for base, _, names in os.walk(place):
                for name in names:
                    with contextlib.suppress(OSError):
                        total += os.lstat(os.path.join(base, name)).st_size + 1024
        return total / 2**20

    def remove(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def make(course: Path, budget: Budget, mode: str, folder: Path | None = None) -> Workplace:
    """Prepare the folders of a kernel.

    Args:
        course: folder that holds the ``course_lib`` which the learner's code sees.
        budget: its limits.
        mode: ``"full"`` or ``"reduced"``.
        folder: where to put them; a fresh one in the system's temporary folder if not given.
    """
    base = Path(tempfile.mkdtemp(prefix="cg", dir=folder))
    os.chmod(base, 0o755)
    sockets, home, root = base / "s", base / "h", base / "r"
    for path in (sockets, home, root):
        path.mkdir()
    config = {
        "mode": mode,
        "root": str(root),
        "read_only": [[str(a), str(b)] for a, b in _read_only(course)],
        "writable": [str(sockets)],
        "uid": FIRST_UID + next(_uids) % 4000,
        "home": HOME if mode == "full" else str(home),
        "fonts": f"{COURSE if mode == 'full' else course}/{FONTS}",
        "disk_mb": budget.disk_mb,
        "memory_mb": int(budget.memory_mb * 1.5) + 500,
        "processes": budget.processes,
    }
    (base / "jail.json").write_text(json.dumps(config))
    command = [sys.executable, "-I", "-S", str(JAIL), str(base / "jail.json")]
    if sys.platform != "linux":
        command = []
    environment = _environment(course, mode, home)
    return Workplace(base, sockets, home, command, environment)


def _read_only(course: Path) -> list[tuple[Path | str, Path | str]]:
    """Return what a sandbox sees, as pairs of source and place; later ones cover earlier ones."""
    pairs: list[tuple[Path | str, Path | str]] = [(path, path) for path in SYSTEM]
    pairs += [(f"/etc/{name}", f"/etc/{name}") for name in ETC]
    prefixes = {sys.base_prefix, sys.prefix, str(Path(sys.prefix).resolve())}
    prefixes.add(str(Path(sys.executable).resolve().parents[1]))
    pairs += [(path, path) for path in sorted(prefixes) if not path.startswith("/usr/")]
    pairs.append((course, COURSE))
    installed = Path(__file__).resolve().parents[1]
    if any(installed.is_relative_to(prefix) for prefix in prefixes):
        pairs.append((course / "course_lib", installed))
    return pairs


def _environment(course: Path, mode: str, home: Path) -> dict[str, str]:
    """Return the kernel's environment: nothing of the caller's but the way to Python."""
    full = mode == "full"
    where = HOME if full else str(home)
    kept = {
        name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ
    }
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": where,
        "IPYTHONDIR": f"{where}/.ipython",
        "JUPYTER_PLATFORM_DIRS": "1",
        "MPLCONFIGDIR": f"{where}/.matplotlib",
        "TMPDIR": "/tmp" if full else where,
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join([COURSE if full else str(course), where]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "SDL_VIDEODRIVER": "dummy",
        "COURSE_PROFILE": "smoke",
        "COURSE_GRADING": "1",
    }


TRIAL = """
import os, socket, sys
import IPython, numpy
assert not os.path.exists({hidden!r}), "a hidden file can be seen"
assert {pid} not in map(int, filter(str.isdigit, os.listdir("/proc"))), "processes can be seen"
try:
    open("/course/x", "w")
except OSError:
    pass
else:
    raise AssertionError("the course can be changed")
try:
    socket.create_connection(("192.0.2.1", 80), timeout=2)
except OSError as error:
    assert error.errno == 101, f"the network can be reached: {{error}}"
open("/tmp/can-be-written", "w").close()
print("sandboxed")
"""


def try_out(course: Path) -> tuple[bool, str]:
    """Try the sandbox once; return whether it holds, and the reason if it does not."""
    if sys.platform != "linux":
        return False, f"a sandbox needs Linux, this is {sys.platform}"
    place = make(course, Budget(), "full")
    config = json.loads((place.folder / "jail.json").read_text())
    (place.folder / "jail.json").write_text(json.dumps({**config, "verbose": True}))
    hidden = place.folder / "hidden"
    hidden.touch()
    code = TRIAL.format(hidden=str(hidden), pid=os.getpid())
    try:
        tried = subprocess.run(
            [*place.command, sys.executable, "-c", code],
            env=place.environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    finally:
        place.remove()
    if "sandboxed" in tried.stdout and tried.returncode == 0:
        return True, ""
    lines = (tried.stderr or "no reason given").strip().splitlines()
    return False, lines[-1]


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and everything below it."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def memory_mb(processes: list[psutil.Process]) -> float:
    """Return the memory of processes together; shared pages count once where that can be told."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            resident = process.memory_info().rss
            if len(processes) > 4 and resident > 20 * 2**20:
                resident = getattr(process.memory_full_info(), "pss", resident)
            total += resident / 2**20
    return total


def cpu_s(processes: list[psutil.Process]) -> float:
    """Return the seconds that processes, and their ended children, have computed."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            total += sum(process.cpu_times()[:4])
    return total


def kill(pid: int, seconds: float = 5.0) -> None:
    """End a process and everything below it, the strays first, and wait until they are gone."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = tree(pid)
        strays = [process for process in found[1:] if running(process)] or found
        for process in strays:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(strays, timeout=1.0)
        if not found or not any(running(process) for process in found):
            return


def describe(mode: str, reason: str) -> dict[str, Any]:
    """Return the mode for the report."""
    return {"mode": mode, "reason": reason, "words": REDUCED_WORDS if mode == "reduced" else ""}
