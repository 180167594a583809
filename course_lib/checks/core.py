"""How a check is written, run and reported.

A check is a generator of :class:`Case` objects, decorated with :func:`exercise`. It serves twice:
as instant feedback in the notebook, with a public seed, and in the class grader, with hidden ones.

Expected values are constants worked by hand, so that a check can disagree with the course's own
solution. Where numbers are drawn from ``rng``, the expected value is left out: it is what the
course's own version gives for the same numbers. Title and own version come from the lesson.
"""

import functools
import inspect
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from course_lib.answers import TITLES, answer
from course_lib.checks.board import BOARD
from course_lib.errors import CourseError
from course_lib.tryouts.errors import explain, is_nothing, is_unfit, line_of
from course_lib.tryouts.prints import few_lines

STRICT_VARIABLE = "COURSE_STRICT_CHECKS"
GRADING_VARIABLE = "COURSE_GRADING"
PUBLIC_SEED = 2024
ALONE = "what it was given stays as it was"
COPY = "`x += 1` changes the caller's own x, and so do `x[0] = 1`, x.append: work on a new one"
NOTHING = "your code gave back nothing (None); is a `return` missing?"
FROM_REFERENCE: Any = type("FromReference", (), {"__repr__": lambda self: "FROM_REFERENCE"})()


class CheckFailed(CourseError, AssertionError):
    """An exercise was not solved, and ``COURSE_STRICT_CHECKS`` asks for an error."""


@dataclass(frozen=True)
class Case:
    """One thing that is looked at: what should come out, what came out, and the likely mistake.

    Attributes:
        aspect: what is looked at, as a statement that is true of a right answer.
        expected: the value worked by hand; if left out, what the course's own version gives.
        got: the learner's value, or a function without arguments that gives it. The function is
            called when the case's turn comes, so that an error in it costs this case alone.
        hint: the likely cause of a difference, as a question or a short instruction.
        atol: absolute tolerance for numbers.
        part: the part of the exercise that earns the points, one of the exercise's ``parts``.
        otherwise: what to say instead of ``aspect`` when it is not so, where that would tell the
            answer; neither is the expected value told.
        slips: what usual mistakes give, each with the hint to show instead of ``hint``; a text
            stands for an error that contains it, too, and a function of what came out says whether
            it is this mistake.
        forgives: what else counts as right here, because another part looks at that mistake.
    """

    aspect: str
    expected: Any = FROM_REFERENCE
    got: Any = None
    hint: str = ""
    atol: float = 1e-6
    part: str = ""
    otherwise: str = ""
    slips: tuple[tuple[Any, str], ...] = ()
    forgives: tuple[Any, ...] = ()

    @property
    def hidden(self) -> bool:
        """Whether the expected value is known to the course's own version alone."""
        return self.expected is FROM_REFERENCE


@dataclass(frozen=True)
class Outcome:
    """A case after it was looked at: the learner's value, or the error in its place."""

    case: Case
    got: Any = None
    error: BaseException | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether the learner's code gave back None, or the check stumbled over such a None."""
        if self.error is None:
            return self.got is None
        return is_nothing(self.error)

    @property
    def forgiven(self) -> bool:
        """Whether it is a mistake that another part looks at."""
        atol = self.case.atol
        return self.error is None and any(same(v, self.got, atol=atol) for v in self.case.forgives)

    @property
    def slip(self) -> str:
        """The hint for what came out, if it is known: of a usual mistake, or of no ``return``."""
        if self.is_nothing:
            return NOTHING
        for value, hint in self.case.slips:
            if self.error is None and is_slip(value, self.got, self.case.atol):
                return hint
            if self.error is not None and isinstance(value, str) and value in str(self.error):
                return hint
        return ""


def is_slip(value: Any, got: Any, atol: float) -> bool:
    """Whether what came out is a slip's value, or what its function looks for."""
    if not callable(value):
        return same(value, got, atol=atol)
    try:
        return bool(value(got))
    except (TypeError, ValueError, ArithmeticError):  # what came out is of another kind
        return False


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
    if isinstance(got, str):
        return False
    try:
        found = np.asarray(got, dtype=float)
    except (TypeError, ValueError):
        return False
    return wanted.shape == found.shape and bool(
        np.allclose(wanted, found, rtol=0.0, atol=atol, equal_nan=True)
    )


def look(cases: Callable[..., Iterator[Case]], attempt: Any, seed: int) -> list[Outcome]:
    """Look at ``attempt`` case by case; an error of the generator itself ends the list.

    Of what the learner's code prints, the first lines are shown.

    Args:
        cases: the generator; its second argument, if it has one, is a random generator.
        attempt: the learner's object, or the course's own.
        seed: of the random generator.
    """
    extra = (np.random.default_rng(seed),) if len(inspect.signature(cases).parameters) > 1 else ()
    outcomes: list[Outcome] = []
    try:
        with few_lines():
            for case in cases(attempt, *extra):
                outcomes.append(_look_at(case))
    except (Exception, SystemExit) as error:
        outcomes.append(Outcome(Case("your code runs", True), error=error))
    return outcomes


def _look_at(case: Case) -> Outcome:
    if not isinstance(case.got, FunctionType | functools.partial):
        return Outcome(case, got=case.got)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch's, on shapes: the check says it better
            return Outcome(case, got=case.got())
    except (Exception, SystemExit) as error:
        return Outcome(case, error=error)


def exercise(
    number: str,
    *,
    reference: Callable[[], Any] | None = None,
    parts: dict[str, int] | None = None,
    needs: str = "",
    hides: tuple[str, ...] = (),
    takes: str = "",
) -> Callable:
    """Turn a generator of cases into a check that a notebook calls in one line.

    The check returns the learner's object when every case passes, and the reference otherwise, so
    an unsolved exercise never blocks the cells that follow.

    Args:
        number: the exercise's number, such as ``"1.2"``.
        reference: called without arguments, returns the course's own version; the lesson's answer
            if not given.
        parts: points of each named part. If not given, every case is a part of one point.
        needs: ``"torch"`` or ``"ray"``, where the grader must allow more time and memory.
        hides: what gives the answer away, such as the library's function of the same purpose:
            ``"course_lib.agents.tabular:td_update"``; the grader empties it.
        takes: of a check of over two seconds, what to say of it at once.
    """
    title = TITLES.get(number, "an exercise of no lesson")
    own = reference or functools.partial(answer, number)

    def decorate(cases: Callable[..., Iterator[Case]]) -> Callable[[Any], Any]:
        handed_out: list[Any] = []

        @functools.wraps(cases)
        def check(attempt: Any) -> Any:
            if os.environ.get(GRADING_VARIABLE) == "1":
                return attempt  # the grader looks itself, with other numbers
            name = f"Exercise {number}, {title}"
            if any(attempt is given for given in handed_out):
                print(f"○ {name}: this is the course's own version, from the last check.")
                print("  To check yours, run the cell of the exercise first, then this one.")
                return attempt
            if takes:
                print(f"… {name}: {takes}", flush=True)
            state, lines = judge(check, attempt)
            solved = BOARD.note(number, state)
            if not solved and os.environ.get(STRICT_VARIABLE) == "1":
                raise CheckFailed("\n".join(lines))
            print("\n".join(lines))
            if solved:
                return attempt
            print("  The cells below go on with the course's own version, so nothing is blocked.")
            handed_out[:] = [own()]
            return handed_out[0]

        check.exercise, check.title, check.cases = number, title, cases  # type: ignore[attr-defined]
        check.reference, check.parts = own, parts or {}  # type: ignore[attr-defined]
        check.needs, check.hides = needs, hides  # type: ignore[attr-defined]
        BOARD.enlist(number, title)
        cases.__globals__.setdefault("progress", progress)  # a notebook calls checks.progress()
        return check

    return decorate


def judge(check: Any, attempt: Any) -> tuple[str, list[str]]:
    """Look at an attempt with the public seed; return its state and the report's lines."""
    name = f"Exercise {check.exercise}, {check.title}"
    outcomes = look(check.cases, attempt, PUBLIC_SEED)
    if not outcomes:
        return "empty", [f"✗ {name}: the check found nothing to look at."]
    expected = _expected(check, outcomes)
    exact = [_right(outcome, value) for outcome, value in zip(outcomes, expected, strict=True)]
    rights = forgive(exact, [outcome.forgiven for outcome in outcomes])
    scored = [
        right and (outcome.case.part != "" or not check.parts)
        for right, outcome in zip(rights, outcomes, strict=True)
    ]
    unwritten = [isinstance(outcome.error, NotImplementedError) for outcome in outcomes]
    if any(unwritten) and not any(scored[: unwritten.index(True)]):
        where = line_of(outcomes[unwritten.index(True)].error, quoted=False)
        left = f"  `raise NotImplementedError` still stands{where}: your code takes its place."
        return "not started yet", [f"○ {name}: not started yet.", left]
    lines: list[str] = []
    said: set[str] = set()
    for outcome, value, right, yes in zip(outcomes, expected, rights, exact, strict=True):
        mild = [f"  ○ {outcome.case.aspect}: off by the mistake that another line names"]
        lines += mild if right and not yes else _describe(outcome, value, right, said)
    if all(rights):
        return "solved", [f"✓ {name}: solved.", *lines]
    return "not yet", [f"✗ {name}: not yet.", *lines]


def _expected(check: Any, outcomes: list[Outcome]) -> list[Any]:
    """Expected value of each outcome; the course's own version runs only where it is needed."""
    if not any(outcome.case.hidden for outcome in outcomes):
        return [outcome.case.expected for outcome in outcomes]
    own = look(check.cases, check.reference(), PUBLIC_SEED)
    return [
        own[index].got if outcome.case.hidden else outcome.case.expected
        for index, outcome in enumerate(outcomes)
    ]


def forgive(rights: list[bool], forgiven: list[bool]) -> list[bool]:
    """Return which cases count as right: a mistake is forgiven where another case names it."""
    kindly = [right or mild for right, mild in zip(rights, forgiven, strict=True)]
    return rights if all(kindly) else kindly


def _right(outcome: Outcome, expected: Any) -> bool:
    return outcome.error is None and same(expected, outcome.got, atol=outcome.case.atol)


def _describe(outcome: Outcome, expected: Any, right: bool, said: set[str]) -> list[str]:
    """Lines of the report; ``said`` holds the errors and hints that were shown before."""
    case = outcome.case
    if right:
        return [f"  ✓ {case.aspect}"]
    what = case.otherwise or case.aspect
    if outcome.error is not None or outcome.got is None:
        nothing = outcome.error is None or outcome.is_nothing
        text = NOTHING if outcome.error is None or nothing else _raised(outcome.error)
        if text in said:
            return [f"  ✗ {what}: the same again"]
        said.add(text)
        hint = "" if nothing else outcome.slip
        return [f"  ✗ {what}: {text}", *([f"      {hint}"] if hint else [])]
    wanted = "" if case.otherwise else f"expected {short(expected)}, "
    lines = [f"  ✗ {what}", f"      {wanted}got {short(outcome.got)}"]
    hint = outcome.slip or _wrong_shape(expected, outcome.got) or case.hint
    if not hint or hint in said:
        return lines
    said.add(hint)
    return [*lines, f"      {hint}"]


def _raised(error: BaseException) -> str:
    return explain(error) if is_unfit(error) else f"your code raised {explain(error)}"


def _wrong_shape(expected: Any, got: Any) -> str:
    """Say so where numbers came in another number of dimensions than wanted."""
    try:
        wanted, found = np.asarray(expected, dtype=float).shape, np.asarray(got, dtype=float).shape
    except (TypeError, ValueError):
        return ""
    if len(wanted) == len(found):
        return ""
    return f"its shape is {found}, and should be {wanted}{'' if wanted else ', one number'}"


def short(value: Any, limit: int = 200) -> str:
    """Write a value on one line, cut where it is long."""
    if isinstance(value, float | np.floating):
        text = f"{float(value):.6g}"
    elif isinstance(value, np.ndarray):
        text = np.array2string(value, precision=4, threshold=20)
    else:
        text = repr(_rounded(value))
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _rounded(value: Any) -> Any:
    """Shorten the floats in lists and tuples, which would show 17 digits."""
    if type(value) in (list, tuple):
        return type(value)(map(_rounded, value))
    return float(f"{value:.6g}") if type(value) is float else value


def progress() -> None:
    """Print which exercises of this notebook are solved."""
    print(BOARD.text())
