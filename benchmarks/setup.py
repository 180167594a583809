"""Set up the course with pip and with uv: from nothing, each with an empty cache of its own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.core import Bar, Benchmark, Contender, Figures, Options, median, ratio

ROOT = Path(__file__).resolve().parent.parent
LAB_LIMIT_S = 1800
BY_UV, BY_PIP = "course.py, uv", "course.py, pip"


def _copy(folder: Path) -> Path:
    """What a fresh clone has: the files that Git knows, as they are now."""
    known = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, known):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def from_nothing(installer: str) -> Callable[[int], Figures]:
    """Seconds from a fresh copy, with empty caches, to a set-up and to JupyterLab's address."""

    def run(seed: int) -> Figures:
        with tempfile.TemporaryDirectory(prefix="course-setup-") as temporary:
            course, log = _copy(Path(temporary, "course")), Path(temporary, "log")
            kept = {k: v for k, v in os.environ.items() if k not in ("VENV", "COURSE_WHEELHOUSE")}
            caches = {"UV_CACHE_DIR": f"{temporary}/uv", "PIP_CACHE_DIR": f"{temporary}/pip"}
            with log.open("w") as stream:
                started = time.perf_counter()
                child = subprocess.Popen(
                    [sys.executable, "course.py", "lab", "--port=0", "--no-browser"],
                    cwd=course, env={**kept, **caches, "COURSE_INSTALLER": installer},
                    stdout=stream, stderr=subprocess.STDOUT, start_new_session=True,
                )  # fmt: skip
                try:
                    ready = _seconds_until("environment is ready", log, child, started)
                    address = _seconds_until("token=", log, child, started)
                finally:
                    os.killpg(child.pid, signal.SIGTERM)
                    child.wait()
        return {"setup_s": ready, "address_s": address}

    return run


def _seconds_until(sign: str, log: Path, child: subprocess.Popen, started: float) -> float:
    while sign not in (said := log.read_text(errors="replace")):
        seconds = time.perf_counter() - started
        if child.poll() is not None or seconds > LAB_LIMIT_S:
            raise RuntimeError(f"no {sign!r} after {seconds:.0f} s: {said[-300:]}")
        time.sleep(0.1)
    return time.perf_counter() - started


def benchmark(options: Options) -> Benchmark:
    """The course's two ways to install; there is no small size of it."""
    return Benchmark(
        name="setup",
        question="Seconds of `python course.py lab` in a fresh clone: until the environment is "
        "ready, and until JupyterLab prints its address. Both ways start with empty caches on the "
        "same disk, use the same index, check every hash and import every package once.",
        contenders=[
            Contender(BY_UV, from_nothing("uv"), note="fetches uv itself as well"),
            Contender(BY_PIP, from_nothing("pip"), note="the way that needs nothing but Python"),
        ],
        units={"setup_s": "s", "address_s": "s"},
        bars=[
            Bar("set-up with uv over set-up with pip", ratio(BY_UV, BY_PIP, "setup_s"), 0.35,
                at_most=True),
            Bar("seconds from a fresh clone to the address, uv",
                lambda results: median(results, BY_UV, "address_s"), 90, at_most=True),
        ],
        seeds=1,
    )  # fmt: skip
