"""A clock that moves while a cell waits for something that says nothing, such as an import."""

import contextlib
import sys
import threading
from collections.abc import Iterator

from tqdm import tqdm

TICK_S = 0.5


@contextlib.contextmanager
def clock(what: str) -> Iterator[None]:
    """Say at once what is waited for, and for how long so far; the line goes away at the end."""
    end = threading.Event()
    with tqdm(desc=what, bar_format="{desc}: {elapsed}", leave=False, file=sys.stdout) as bar:

        def tick() -> None:
            while not end.wait(TICK_S):
                bar.refresh()

        thread = threading.Thread(target=tick, daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()
