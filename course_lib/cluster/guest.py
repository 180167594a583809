"""This machine as a guest of a cluster: a Ray node without cores, so that a notebook can drive.

Ray lets a process drive a cluster when a Ray node runs beside it. This module starts one that
offers no core and no GPU, so that no work lands here, and ends it with the notebook:

    python -m course_lib.cluster.guest HOST:PORT FOLDER

starts it, says ``ready``, and stops it when its standard input closes, which happens when the
process that started it ends, however it ends. ``FOLDER`` holds Ray's own files and is removed.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from course_lib.cluster import machine, ray_inside

OBJECT_STORE = 200 * 10**6
READY = "ready"


class Guest:
    """The node of one notebook. Made by :func:`join`.

    Attributes:
        folder: Ray's own files; a driver finds this node by them.
        process: the one that watches the node; the node ends with it.
    """

    def __init__(self, process: subprocess.Popen, folder: Path) -> None:
        self.process, self.folder = process, folder

    @property
    def running(self) -> bool:
        """Whether the node is there."""
        return self.process.poll() is None

    def leave(self, timeout_s: float = 15.0) -> None:
        """Stop the node and remove its files."""
        family = _family(self.process.pid)
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout_s)
        machine.end(family)
        self.process.poll()
        shutil.rmtree(self.folder, ignore_errors=True)


def join(gcs: str, timeout_s: float) -> Guest:
    """Make this machine a guest of the cluster at ``gcs``.

    Args:
        gcs: the cluster's own address, ``host:port``.
        timeout_s: for Ray's node to start.

    Raises:
        RuntimeError: if it does not start; the message is Ray's last line.
    """
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    command = [sys.executable, "-m", "course_lib.cluster.guest", gcs, str(folder)]
    root = str(Path(__file__).resolve().parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env=env, start_new_session=True,
    )  # fmt: skip
    guest, lines = Guest(process, folder), _read(process)
    try:
        _wait(lines, process, timeout_s)
    except BaseException:
        guest.leave()
        raise
    return guest


def _read(process: subprocess.Popen) -> list[str]:
    """Collect what the process says, in a thread, so that its pipe never fills."""
    lines: list[str] = []

    def collect() -> None:
        for line in process.stdout or ():
            if line.strip():
                lines.append(line.strip())

    threading.Thread(target=collect, daemon=True).start()
    return lines


def _wait(lines: list[str], process: subprocess.Popen, timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while READY not in lines:
        if process.poll() is not None:
            raise RuntimeError(lines[-1] if lines else "it ended without a word")
        if time.monotonic() > end:
            raise RuntimeError(f"it did not start within {timeout_s:g} s")
        time.sleep(0.05)


def _family(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return []


def _main(gcs: str, folder: str) -> int:
    """Run the node until standard input closes or the node ends by itself."""
    command = [
        *ray_inside.START, f"--address={gcs}", "--num-cpus=0",
        "--num-gpus=0", f"--object-store-memory={OBJECT_STORE}", f"--temp-dir={folder}", "--block",
    ]  # fmt: skip
    ray = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env={**os.environ, ray_inside.LOCAL_ONLY: "1"},
    )  # fmt: skip

    def relay() -> None:
        for line in ray.stdout or ():
            print(READY if ray_inside.STARTED in line else line.strip(), flush=True)

    def end_with_parent() -> None:
        sys.stdin.read()
        ray.terminate()

    threading.Thread(target=relay, daemon=True).start()
    threading.Thread(target=end_with_parent, daemon=True).start()
    family: list[psutil.Process] = []
    while ray.poll() is None:
        family = _family(ray.pid) or family
        time.sleep(0.3)
    machine.end(family)
    shutil.rmtree(folder, ignore_errors=True)
    return ray.returncode or 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:3]))
