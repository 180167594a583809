"""What a learner's code prints while it is looked at: the first lines, and how many more."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

MOST_LINES = 20


class FirstLines:
    """An output that goes on to another until it has taken so many lines.

    Attributes:
        more: lines that were not shown.
    """

    def __init__(self, output: Any, most: float = MOST_LINES) -> None:
        self._output, self._left = output, most
        self.more = 0

    def write(self, text: str) -> int:
        """Show what there is room for, and count the rest."""
        for line in text.splitlines(keepends=True):
            if self._left > 0:
                self._output.write(line)
                self._left -= line.endswith("\n")
            else:
                self.more += line.endswith("\n")
        return len(text)

    def release(self) -> None:
        """Show everything from now on, to those who kept this output."""
        self._left = float("inf")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)


@contextlib.contextmanager
def few_lines() -> Iterator[None]:
    """Show the first lines of what is printed while the block runs, and count the others."""
    output = FirstLines(sys.stdout)
    try:
        with contextlib.redirect_stdout(output):  # type: ignore[type-var]
            yield
    finally:
        output.release()
        if output.more:
            print(f"... {output.more:,} more lines of your code's own `print` are not shown.")
