"""How a check is written, run and reported.

A check is a generator of :class:`Case` objects, decorated with :func:`exercise`. Expected values
are constants worked by hand, so that a check can disagree with the course's own solution.
"""

import functools
import os
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

STRICT_VARIABLE = "COURSE_STRICT_CHECKS"


class CheckFailed(AssertionError):
    """An exercise was not solved, and ``COURSE_STRICT_CHECKS`` asks for an error."""


@dataclass(frozen=True)
class Case:
    """One aspect of an exercise: what should come out, what came out, and the likely mistake.

    Attributes:
        aspect: what is looked at, as a statement that is true of a right answer.
        expected: the value worked by hand.
        got: the learner's value.
        hint: the likely cause of a difference, as a question or a short instruction.
        atol: absolute tolerance for numbers.
    """

    aspect: str
    expected: Any
    got: Any
    hint: str = ""
    atol: float = 1e-6

    @property
    def passed(self) -> bool:
        """Whether the learner's value agrees with the expected one."""
        return same(self.expected, self.got, atol=self.atol)


def same(expected: Any, got: Any, *, atol: float = 1e-6) -> bool:
    """Compare numbers and arrays within ``atol`` (shapes must agree), other things with ``==``.

    The type of ``expected`` decides, so an object cannot call itself equal: ``got`` is turned into
    the expected kind first.
    """
    if isinstance(expected, bool | np.bool_):
        return isinstance(got, bool | np.bool_) and bool(got) == bool(expected)
    if isinstance(expected, str):
        return isinstance(got, str) and str.__eq__(expected, got) is True
    if got is None or expected is None:
        return got is expected
    try:
        wanted = np.asarray(expected, dtype=float)
    except (TypeError, ValueError):
        return type(got) is type(expected) and bool(expected == got)
    try:
        found = np.asarray(got, dtype=float)
    except (TypeError, ValueError):
        return False
    return wanted.shape == found.shape and bool(
        np.allclose(wanted, found, rtol=0.0, atol=atol, equal_nan=True)
    )


def exercise(number: str, title: str, *, reference: Callable[[], Any]) -> Callable:
    """Turn a generator of cases into a check that a notebook calls in one line.

    The check returns the learner's object when every case passes, and the reference otherwise, so
    an unsolved exercise never blocks the cells that follow.

    Args:
        number: the exercise's number, such as ``"1.2"``.
        title: a short name for it.
        reference: called without arguments, returns the course's own version.
    """

    def decorate(cases: Callable[..., Iterator[Case]]) -> Callable[[Any], Any]:
        handed_out: list[Any] = []

        @functools.wraps(cases)
        def check(attempt: Any, *args: Any) -> Any:
            name = f"Exercise {number}, {title}"
            if any(attempt is given for given in handed_out):
                print(f"○ {name}: this is the course's own version, from the last check.")
                print("  To check yours, run the cell of the exercise first, then this one.")
                return attempt
            lines, solved = _run(name, cases, attempt, args)
            if not solved and os.environ.get(STRICT_VARIABLE) == "1":
                raise CheckFailed("\n".join(lines))
            print("\n".join(lines))
            if solved:
                return attempt
            print("  The cells below go on with the course's own version, so nothing is blocked.")
            handed_out[:] = [reference()]
            return handed_out[0]

        check.exercise = number  # type: ignore[attr-defined]
        check.title = title  # type: ignore[attr-defined]
        check.cases = cases  # type: ignore[attr-defined]
        check.reference = reference  # type: ignore[attr-defined]
        return check

    return decorate


def _run(name: str, cases: Callable, attempt: Any, args: tuple) -> tuple[list[str], bool]:
    """Run all cases; return the report's lines and whether the exercise is solved."""
    lines: list[str] = []
    solved = True
    try:
        for case in cases(attempt, *args):
            solved &= case.passed
            lines += _describe(case)
    except NotImplementedError:
        return [f"○ {name}: not started yet."], False
    except Exception as error:
        lines += _explain(error)
        solved = False
    if not lines:
        return [f"✗ {name}: the check found nothing to look at."], False
    head = f"✓ {name}: solved." if solved else f"✗ {name}: not yet."
    return [head, *lines], solved


def _describe(case: Case) -> list[str]:
    if case.passed:
        return [f"  ✓ {case.aspect}"]
    lines = [
        f"  ✗ {case.aspect}",
        f"      expected {_short(case.expected)}, got {_short(case.got)}",
    ]
    return [*lines, f"      {case.hint}"] if case.hint else lines


def _explain(error: Exception) -> list[str]:
    """Say what the learner's code raised, and at which line of it."""
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if "course_lib" not in f.filename
    ]
    where = f" at line {frames[-1].lineno}: {frames[-1].line}" if frames else ""
    return [f"  ✗ your code raised {type(error).__name__}: {error}{where}"]


def _short(value: Any, limit: int = 200) -> str:
    if isinstance(value, float | np.floating):
        text = f"{float(value):.6g}"
    elif isinstance(value, np.ndarray):
        text = np.array2string(value, precision=4, threshold=20)
    else:
        text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
