"""What the tests of the checks share: what a check says of an attempt, and what it gives back."""

import contextlib
import io
import json
from collections.abc import Callable
from typing import Any

from course_lib.checks.core import PUBLIC_SEED, forgive, look, same
from course_lib.tryouts.core import Elsewhere, answer_to


def verdict(check: Callable, attempt: Any) -> tuple[str, Any]:
    """Run a check; return what it printed and what it gave back."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        back = check(attempt)
    return output.getvalue(), back


def elsewhere(attempt: Any) -> Elsewhere:
    """The stand-in for an attempt that the grader's judge holds; its calls travel as text."""

    def send(request: str) -> Any:
        return json.loads(json.dumps(answer_to(attempt, request)))

    return Elsewhere(send)


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


def lost_parts(check: Any, attempt: Any, seed: int = PUBLIC_SEED) -> set[str]:
    """The parts that an attempt does not earn."""
    outcomes, own = look(check.cases, attempt, seed), look(check.cases, check.reference(), seed)
    right = {part: False for part in check.parts} | {one.case.part: True for one in own}
    looked = [outcomes[index] if index < len(outcomes) else None for index in range(len(own))]
    looked = [
        got
        if got is not None and got.error is None and got.case.aspect == one.case.aspect
        else None
        for one, got in zip(own, looked, strict=True)
    ]
    exact = [
        got is not None and same(one.got, got.got, atol=one.case.atol)
        for one, got in zip(own, looked, strict=True)
    ]
    kindly = forgive(exact, [got is not None and got.forgiven for got in looked])
    for one, ok in zip(own, kindly, strict=True):
        right[one.case.part] &= ok
    return {part for part, ok in right.items() if part and not ok}


def share_left(check: Any, lost: set[str]) -> float:
    """The share of the points that is left without some parts."""
    kept = sum(points for part, points in check.parts.items() if part not in lost)
    return kept / sum(check.parts.values())
