"""Waiting for Ray with a word every few seconds, one start at a time on a machine."""

import contextlib
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from course_lib.cluster import machine, ray_inside

PERIOD_S = 5.0
TURN_S = 600.0  # somebody whose start hangs gives up long before
LOCK = Path(tempfile.gettempdir()) / "rl-course-ray-start.lock"
KERNEL = "ipykernel_launcher"


@contextlib.contextmanager
def told(what: str, limit_s: float) -> Iterator[None]:
    """Say every five seconds what is being waited for, for how long, and how busy all is.

    Args:
        what: is waited for.
        limit_s: seconds after which it is given up.
    """
    begun, end = time.monotonic(), threading.Event()

    def tell() -> None:
        while not end.wait(PERIOD_S):
            so_far = time.monotonic() - begun
            print(f"{what}: {so_far:.0f} of at most {limit_s:.0f} s; {machine.load()}", flush=True)

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


@contextlib.contextmanager
def turn(limit_s: float = TURN_S) -> Iterator[bool]:
    """Hold this machine's turn to start a Ray: several that start at once would all be too slow.

    The system frees the turn of a process that ends, however it ends. Who cannot have the turn,
    in time or at all, goes on without it.

    Args:
        limit_s: seconds to wait for it.

    Yields:
        Whether this process has the turn.
    """
    import filelock

    # Other users must open the file too; it is empty, stays empty, and no link is followed.
    lock = filelock.FileLock(LOCK, mode=0o666)
    with contextlib.suppress(OSError), told("Another start of Ray here goes first", limit_s):
        lock.acquire(timeout=limit_s)
    try:
        yield lock.is_locked
    finally:
        lock.release()


def to_close(most: int = 3) -> str:
    """Return a sentence about what else uses this machine, empty if it is nothing worth naming.

    A kernel counts with its Ray and all that it started.

    Args:
        most: programs to name, those with most memory.
    """
    list(psutil.process_iter(["cpu_percent"]))  # the use since this call is what the next returns
    time.sleep(0.3)
    names = ["pid", "ppid", "name", "cmdline", "memory_info", "cpu_percent"]
    infos = {one.pid: one.info for one in psutil.process_iter(names)}
    me = psutil.Process()
    own = {one.pid for one in (me, *me.parents(), *me.children(recursive=True))}
    used: dict[int, list[float]] = {}
    for pid, info in infos.items():
        program = _program(pid, infos)
        if program not in own:
            sums = used.setdefault(program, [0.0, 0.0])
            sums[0] += info["memory_info"].rss if info["memory_info"] else 0
            sums[1] += info["cpu_percent"] or 0
    used = {one: sums for one, sums in used.items() if sums[0]}  # the system's own have no memory
    large = [one for one, (memory, cpu) in used.items() if memory > 200e6 or cpu > 20]
    large.sort(key=lambda one: used[one][0], reverse=True)
    texts = [
        f"{_title(infos[one])} ({machine.gibibytes(used[one][0])}, {used[one][1]:.0f} % of a core)"
        for one in large[:most]
    ]
    return f"Besides this notebook these use the machine: {', '.join(texts)}." if texts else ""


def _program(pid: int, infos: dict[int, dict]) -> int:
    """Return the process that one has to end so that ``pid`` ends: a kernel, a Ray, or itself."""
    chain = [pid]
    while (parent := infos[chain[-1]]["ppid"]) in infos and parent > 1 and parent not in chain:
        chain.append(parent)
    for one in reversed(chain):
        if KERNEL in " ".join(infos[one]["cmdline"] or ()):
            return one
    for place, one in enumerate(chain):
        if infos[one]["name"] in ray_inside.MAIN_PROCESSES:
            return chain[min(place + 1, len(chain) - 1)]
    return pid


def _title(info: dict) -> str:
    title = " ".join([info["name"] or "?", *(info["cmdline"] or ())[1:3]])[:40]
    if KERNEL in " ".join(info["cmdline"] or ()):
        title = "another notebook's kernel"
        with contextlib.suppress(psutil.Error, KeyError):  # set by Jupyter
            title = f"the notebook {psutil.Process(info['pid']).environ()['JPY_SESSION_NAME']}"
    return f"{title}, process {info['pid']}"
