"""A clock that moves while a cell waits for something that says nothing, such as an import."""

import contextlib
import sys
import threading
from collections.abc import Iterator

from tqdm import tqdm

TICK_S = 0.5


@contextlib.contextmanager
def clock(what: str, total: int | None = None, unit: str = "it") -> Iterator[tqdm]:
    """Say at once what is waited for, and for how long so far.

    Args:
        what: is waited for.
        total: number of things that will be done; the bar is told of each by ``update()``. If not
            given there is no bar, and the line goes away at the end.
        unit: what one of them is called.
    """
    end, plain = threading.Event(), {} if total else {"bar_format": "{desc}: {elapsed}"}
    with tqdm(
        desc=what, total=total, unit=unit, leave=total is not None, file=sys.stdout, **plain
    ) as bar:

        def tick() -> None:
            while not end.wait(TICK_S):
                bar.refresh()

        thread = threading.Thread(target=tick, daemon=True)
        thread.start()
        try:
            yield bar
        finally:
            end.set()
            thread.join()
