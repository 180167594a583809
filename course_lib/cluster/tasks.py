"""Waiting for Ray tasks in a notebook: a bar whose clock moves, a stop button that ends them."""

import contextlib
import sys
from collections.abc import Callable, Generator, Sequence
from typing import Any

from tqdm import tqdm

TICK_S = 0.5


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
        for ref in left:
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
