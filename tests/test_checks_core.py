"""The framework of the checks: what passes, what is said, and what the notebook goes on with."""

import sys
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from course_lib.checks.board import Board
from course_lib.checks.core import Case, CheckFailed, exercise, same
from course_lib.tryouts.core import gathered


def reference_double(x: float) -> float:
    return 2 * x


@exercise("9.1", reference=lambda: reference_double)
def check_double(double: Callable[[float], float]) -> Iterator[Case]:
    yield Case("doubles", expected=6.0, got=double(3.0), hint="did you add instead?")
    yield Case("keeps the sign", expected=-2.0, got=double(-1.0), hint="abs() is not needed")


def test_a_right_answer_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    def mine(x: float) -> float:
        return x + x

    assert check_double(mine) is mine
    said = capsys.readouterr().out
    assert said.startswith("✓ Exercise 9.1, an exercise of no lesson: solved.")
    assert said.count("✓") == 3


def test_a_wrong_answer_is_explained_and_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_double(lambda x: x + 3) is reference_double
    said = capsys.readouterr().out
    assert "✓ doubles" in said
    assert "expected -2, got 2" in said
    assert "abs() is not needed" in said
    assert "go on with the course's own version" in said


def test_an_empty_stub_is_not_started(capsys: pytest.CaptureFixture[str]) -> None:
    def stub(x: float) -> float:
        raise NotImplementedError("Exercise 9.1")

    assert check_double(stub) is reference_double
    said = capsys.readouterr().out
    assert "not started yet" in said
    assert "`raise NotImplementedError` still stands at line" in said


def test_the_course_version_is_not_taken_for_a_solution(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Run a second time, the check cell is given what the first run handed out."""
    given = check_double(lambda x: x + 3)
    capsys.readouterr()
    assert check_double(given) is given
    said = capsys.readouterr().out
    assert "✓" not in said
    assert "run the cell of the exercise first" in said


def test_an_error_is_shown_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(x: float) -> float:
        return x / 0

    assert check_double(broken) is reference_double
    said = capsys.readouterr().out
    assert "ZeroDivisionError" in said
    assert "return x / 0" in said


@pytest.mark.parametrize("answer", [lambda x: x, lambda x: None, lambda x: "6"])
def test_strict_raises(answer: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_STRICT_CHECKS", "1")
    with pytest.raises(CheckFailed, match=r"Exercise 9\.1"):
        check_double(answer)


def test_a_check_without_cases_does_not_pass(capsys: pytest.CaptureFixture[str]) -> None:
    @exercise("9.2", reference=lambda: None)
    def check_nothing(attempt: object) -> Iterator[Case]:
        yield from ()

    assert check_nothing("anything") is None
    assert "found nothing to look at" in capsys.readouterr().out


class AlwaysEqual:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


@pytest.mark.parametrize(
    ("expected", "got", "equal"),
    [
        (1.0, 1.0 + 1e-9, True),
        (1.0, 1.1, False),
        (1, np.int64(1), True),
        (True, np.True_, True),
        (True, 1, False),
        (False, None, False),
        ("left", "left", True),
        ("left", AlwaysEqual(), False),
        (1.0, AlwaysEqual(), False),
        (True, AlwaysEqual(), False),
        (None, None, True),
        (1.0, None, False),
        (1.0, "1.0", False),
        ([1, 2], np.array([1.0, 2.0]), True),
        ([1, 2], [1, 2, 3], False),
        ([1.0, 1.0], 1.0, False),
        (np.nan, np.nan, True),
        ((0, 1), (0, 1), True),
    ],
)
def test_same(expected: object, got: object, equal: bool) -> None:
    assert same(expected, got) is equal


class TestCasesThatAreDrawn:
    """Numbers from ``rng``: the course's own version says what should come out."""

    @staticmethod
    def check() -> Callable:
        @exercise("9.3", reference=lambda: reference_double, parts={"all": 2})
        def check_drawn(double: Callable, rng: np.random.Generator) -> Iterator[Case]:
            number = float(rng.uniform(1, 9))
            yield Case("doubles one", 2.0, lambda: double(1.0), part="all")
            yield Case("doubles a drawn one", got=lambda: double(number), part="all")

        return check_drawn

    def test_right_and_wrong(self, capsys: pytest.CaptureFixture[str]) -> None:
        def mine(x: float) -> float:
            return x + x

        assert self.check()(mine) is mine
        capsys.readouterr()
        assert self.check()(lambda x: 2.0) is reference_double
        said = capsys.readouterr().out
        assert "✓ doubles one" in said
        assert "✗ doubles a drawn one" in said

    def test_an_error_costs_its_case_alone(self, capsys: pytest.CaptureFixture[str]) -> None:
        def picky(x: float) -> float:
            if x == 1.0:
                raise KeyError("one")
            return 2 * x

        self.check()(picky)
        said = capsys.readouterr().out
        assert "✗ doubles one: your code raised KeyError: 'one'" in said
        assert "✓ doubles a drawn one" in said

    def test_the_grader_gets_the_attempt_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COURSE_GRADING", "1")
        wrong = object()
        assert self.check()(wrong) is wrong


def float_of_a_text(x: float) -> float:
    return float("x")


class TestWhatIsSaid:
    """Usual mistakes have hints of their own; insides and lines of packages are not named."""

    @staticmethod
    def said(attempt: Callable, capsys: pytest.CaptureFixture[str]) -> str:
        @exercise("9.4", reference=lambda: reference_double)
        def check(double: Callable) -> Iterator[Case]:
            slips = (
                (9.0, "squared?"),
                (lambda got: got < 0, "below zero?"),
                ("could not", "a number, not a text"),
            )
            yield Case("doubles 3", 6.0, lambda: double(3.0), "twice the number", slips=slips)
            yield Case("doubles 4", 8.0, lambda: double(4.0), "twice the number")
            yield Case("both", [6.0, 8.0], lambda: gathered(double(x) for x in (3.0, 4.0)))

        check(attempt)
        return capsys.readouterr().out

    @pytest.mark.parametrize(
        ("attempt", "words", "silent"),
        [
            (lambda x: x**2, "squared?", "twice the number\n  ✗ doubles 4"),
            (lambda x: -x, "below zero?", "twice the number\n  ✗ doubles 4"),
            (lambda x: x + 1, "twice the number", "squared?"),
            (lambda x: "six", "expected 6, got 'six'\n      twice the number", "below zero?"),
            (float_of_a_text, "a number, not a text", "twice the number"),
            (
                lambda x: np.array([2 * x]),
                "its shape is (1,), and should be (), one number",
                "twice",
            ),
        ],
        ids=["known", "told by a function", "unknown", "another kind", "error", "shape"],
    )
    def test_the_hint_fits(
        self, attempt: Callable, words: str, silent: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = self.said(attempt, capsys)
        assert words in said
        assert silent not in said

    def test_a_forgotten_return_is_called_that_once(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = self.said(lambda x: None, capsys)
        assert said.count("is a `return` missing?") == 1
        assert said.count("the same again") == 2
        assert "NoneType" not in said

    def test_none_in_the_own_code_stays_an_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        def broken(x: float) -> float:
            return None + x  # type: ignore[operator]

        said = self.said(broken, capsys)
        assert "TypeError" in said
        assert "return None + x" in said

    def test_the_line_is_the_learners(self, capsys: pytest.CaptureFixture[str]) -> None:
        def dice(x: float) -> float:
            return np.random.default_rng(0).integers(0, size=3)

        def strict(x: float, *, how: str) -> float:
            return x

        said = self.said(dice, capsys)
        assert "return np.random.default_rng(0).integers(0, size=3)" in said
        assert ".pyx" not in said
        said = self.said(strict, capsys)
        assert "strict() missing 1 required keyword-only argument" in said
        assert "<locals>" not in said

    def test_a_hint_is_shown_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.said(lambda x: x + 1, capsys).count("twice the number") == 1

    def test_a_secret_is_kept(self, capsys: pytest.CaptureFixture[str]) -> None:
        @exercise("9.5", reference=lambda: bool)
        def check(answer: Callable) -> Iterator[Case]:
            yield Case("so it is", True, lambda: answer(1), "think", otherwise="hm")

        check(lambda x: False)
        said = capsys.readouterr().out.splitlines()
        assert said[1:4] == ["  ✗ hm", "      got False", "      think"]

    def test_warnings_are_not_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        def loud(x: float) -> float:
            warnings.warn("shapes differ", stacklevel=1)
            return 2 * x

        with warnings.catch_warnings(record=True) as shown:
            warnings.simplefilter("always")
            assert "solved" in self.said(loud, capsys)
        assert shown == []


class TestWhatTheLearnersCodePrints:
    """Some lines are welcome, thousands would hide what the check says."""

    @staticmethod
    def said(lines: int, capsys: pytest.CaptureFixture[str]) -> list[str]:
        def talks(x: float) -> float:
            for number in range(lines):
                print("line", number, end="\n", flush=True)
            return 2 * x

        assert check_double(talks) is not reference_double
        return capsys.readouterr().out.splitlines()

    def test_few_lines_are_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.said(10, capsys)[:-3] == [f"line {number}" for number in range(10)] * 2

    def test_of_many_lines_the_first_are_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        *shown, left, _, _, _ = self.said(5_000, capsys)
        assert shown == [f"line {number}" for number in range(20)]
        assert left == "... 9,980 more lines of your code's own `print` are not shown."

    def test_who_keeps_the_output_is_shown_again_after_the_check(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        kept = []

        @exercise("9.6", reference=lambda: print)
        def check(talk: Callable) -> Iterator[Case]:
            kept.append(sys.stdout)
            yield Case("talks", "done", lambda: [talk("word") for _ in range(30)] and "done")

        check(print)
        print("later", file=kept[0])
        assert "later" in capsys.readouterr().out
        assert sys.stdout is not kept[0]


def test_progress_names_what_is_done() -> None:
    board = Board()
    for number in ("9.10", "9.2", "9.1"):
        board.enlist(number, "title")
    assert board.note("9.2", "solved")
    assert not board.note("9.1", "not yet")
    assert board.text().splitlines() == [
        "1 of 3 exercises solved",
        "✗ Exercise 9.1, title: not yet",
        "✓ Exercise 9.2, title: solved",
        "○ Exercise 9.10, title: not checked yet",
    ]
