"""What the tests of the checks share: what a check says of an attempt, and what it gives back."""

import contextlib
import io
from collections.abc import Callable
from typing import Any


def verdict(check: Callable, attempt: Any) -> tuple[str, Any]:
    """Run a check; return what it printed and what it gave back."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        back = check(attempt)
    return output.getvalue(), back


def accepts(check: Any, attempt: Any) -> None:
    """Assert that a check takes an attempt for solved, and goes on with it."""
    text, back = verdict(check, attempt)
    assert "solved." in text, text
    assert back is attempt


def refuses(check: Any, attempt: Any, words: str = "") -> None:
    """Assert that a check refuses an attempt, for the reason that ``words`` are a part of."""
    text, back = verdict(check, attempt)
    assert "not yet." in text, text
    wrong = "\n".join(line for line in text.splitlines() if not line.startswith("  ✓"))
    assert words in wrong, text
    assert back is check.reference()


def not_started(*_: Any, **__: Any) -> Any:
    """An exercise that nobody has begun."""
    raise NotImplementedError("Exercise N.M")
