"""Go through all items, showing each as soon as it is known."""

from __future__ import annotations

import datetime
import platform
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import course_lib
from course_lib.preflight import items, packages
from course_lib.preflight.child import Child
from course_lib.preflight.report import FAIL, Report, Result, Style, write_text

USUAL_S = 15


def run(json: str | Path | None = None) -> Report:
    """Look at this machine, print a line per item, and return the report.

    Nothing here can hang: what might, runs in a process of its own with a time limit.

    Args:
        json: a file to write the report to, for an instructor.

    Raises:
        OSError: if that file cannot be written.
    """
    style = Style()
    started = time.perf_counter()
    print(f"Preflight: looking at this machine, usually about {USUAL_S} s ...", flush=True)
    report = Report(
        host=socket.gethostname(),
        time=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        platform=platform.platform(),
        python=platform.python_version(),
        course=course_lib.__version__,
    )
    for result in _results():
        report.results.append(result)
        print(style.line(result), flush=True)
    report.seconds = round(time.perf_counter() - started, 1)
    print(f"\n{report.summary()} ({report.seconds:.0f} s)")
    if json is not None:
        write_text(json, report.to_json())
        print(f"Report written to {json}")
    return report


def _results() -> Iterator[Result]:
    """Yield the results, the slow ones last; they run while the quick items are looked at."""
    children: list[Child] = []

    def begin(name: str) -> Child:
        children.append(Child(name))
        return children[-1]

    try:
        python = _guarded("Python", items.python)
        yield python
        if python.status == FAIL:
            return
        ray = begin("ray")
        rendering = begin("rendering")
        yield _guarded("Packages", packages.check)
        yield _guarded("Memory", _memory)
        yield _guarded("Disk", items.disk)
        yield _guarded("Folder", items.folder)
        yield _guarded("Cores", _cores)
        yield _guarded("GPU", lambda: _gpu(begin))
        yield _guarded("Widgets", items.widgets)
        yield _guarded("Data", items.data)
        yield _guarded("Cluster", items.cluster)
        yield _guarded("Rendering", lambda: items.rendering(rendering))
        print("        Ray        starting one to try it, usually 5 to 15 s ...", flush=True)
        yield _guarded("Ray", lambda: items.ray(ray))
    finally:
        for child in children:
            child.stop()


def _guarded(item: str, check: Callable[[], Result]) -> Result:
    """Turn an error of a check into a red line: one broken package must not hide the rest."""
    try:
        return check()
    except Exception as error:
        fix = f'"{sys.executable}" -m pip install --no-deps -r "{packages.LOCK}"'
        return Result(item, FAIL, f"could not be looked at: {type(error).__name__}: {error}", fix)


def _memory() -> Result:
    from course_lib.cluster import machine

    return items.memory(*machine.memory_bytes())


def _cores() -> Result:
    from course_lib.cluster import machine

    return items.cores(machine.usable_cores())


def _gpu(begin: Callable[[str], Child]) -> Result:
    from course_lib.cluster import machine

    names = machine.gpu_names()
    return items.gpu(names, begin("torch") if names else None)
