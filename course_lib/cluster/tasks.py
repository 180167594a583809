"""Waiting for Ray tasks in a notebook: a bar whose clock moves, a stop button that ends them."""

import collections
import contextlib
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

from tqdm import tqdm

from course_lib import cells
from course_lib.cluster import start
from course_lib.cluster.errors import CONNECT_FIRST, ClusterError

TICK_S = 0.5
QUIET_S = 0.2  # tasks that end no faster than this are long ones: they are ended
SETTLE_S = 2.0
_ended: collections.deque[Any] = collections.deque(maxlen=100)


def as_completed(
    refs: Sequence[Any], *, tick: Callable[[], object] | None = None
) -> Generator[Any]:
    """Yield references as their tasks end; stopping early cancels the tasks that still run.

    Args:
        refs: what ``remote()`` returned.
        tick: called every half second, and after each task.
    """
    import ray

    left = list(refs)
    try:
        while left:
            ready, left = ray.wait(left, num_returns=1, timeout=TICK_S)
            yield from ready
            if tick is not None:
                tick()
    finally:
        _end(left)


def _end(refs: Iterable[Any]) -> None:
    """End the tasks that still run or wait, each once; the last first, so that none begins.

    Where a task ends by itself in the very moment in which it is ended, Ray aborts the whole
    process (it forgets the task while the reply is on its way; its pull request 54798 tells of a
    sister). So tasks that end one after the other are left to it, for `SETTLE_S` at most; who
    presses ■ again meanwhile does not want to wait.
    """
    import ray

    left = [ref for ref in dict.fromkeys(refs) if ref not in _ended]
    until = time.monotonic() + SETTLE_S
    ready: list[Any] = left[:1]
    with contextlib.suppress(KeyboardInterrupt):
        while left and ready and time.monotonic() < until:
            _, left = ray.wait(left, num_returns=len(left), timeout=0)
            ready, left = ray.wait(left, num_returns=1, timeout=QUIET_S) if left else ([], [])
    for ref in reversed(left):
        _ended.append(ref)
        with contextlib.suppress(Exception):  # an actor's: it goes on serving others
            ray.cancel(ref, force=True)


def gather(refs: Sequence[Any], *, desc: str = "tasks", unit: str = "task") -> list[Any]:
    """Wait for tasks with a progress bar; an interrupt keeps what is done and ends the rest.

    Args:
        refs: what ``remote()`` returned, for each task.
        desc: what the bar is called.
        unit: what one of them is called.

    Returns:
        The values, in the order of ``refs``; after an interrupt those of the finished tasks.

    Raises:
        KeyboardInterrupt: if it was interrupted before any task was done.
    """
    import ray

    done: dict[Any, Any] = {}
    bar = tqdm(total=len(refs), desc=desc, unit=unit, file=sys.stdout)
    try:
        with bar, contextlib.closing(as_completed(refs, tick=bar.refresh)) as ended:
            for ref in ended:
                done[ref] = ray.get(ref)
                bar.update()
    except KeyboardInterrupt:
        if not done:
            raise
        print(f"Stopped: {len(done)} of {len(refs)} {unit}s are done and kept; the rest was ended.")
    return [done[ref] for ref in refs if ref in done]


def _cell_ended(error: BaseException) -> ClusterError | None:
    """End the tasks that a stopped cell was waiting for; say what to do where no Ray runs."""
    ray = start.loaded_ray()
    if ray is None:
        return None
    if isinstance(error, KeyboardInterrupt) and ray.is_initialized():
        _end(_waited_for(error, ray.ObjectRef))
    if isinstance(error, ray.exceptions.RaySystemError) and "not been started" in str(error):
        return ClusterError(f"No Ray is running in this notebook: {CONNECT_FIRST}")
    return None


def _waited_for(error: BaseException, kind: type) -> Iterator[Any]:
    """The references in the functions that were running; what a cell itself holds is kept."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name != "<module>":
            yield from _references(list(frame.f_locals.values()), kind)


def _references(values: Any, kind: type, depth: int = 3) -> Iterator[Any]:
    for value in values:
        if isinstance(value, kind):
            yield value
        elif isinstance(value, list | tuple) and depth:
            yield from _references(value, kind, depth - 1)


cells.ended.append(_cell_ended)
