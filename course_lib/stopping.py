"""The stop button: a cell that is stopped says one sentence, and what it has is kept."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stoppable(kept: str) -> Iterator[None]:
    """End the block quietly where somebody presses ■ (an interrupt), and print one sentence.

    Args:
        kept: what is kept, or what to do next, as the rest of the sentence ``"Stopped: ..."``.
    """
    try:
        yield
    except KeyboardInterrupt:
        print(f"Stopped: {kept}")
