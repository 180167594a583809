"""Checks that cannot be fooled: for every exercise wrong answers of all kinds, and right ones.

A new exercise gets its lines in ``tests/mutants``: the worked example, its usual mistakes, and
right answers in other styles.
"""

import importlib
import pkgutil
import re
import warnings
from typing import Any

import mutants
import pytest
from checks_kit import accepts, lost_parts, share_left, verdict
from mutants import RETURN, Mutant, generic
from test_checks import CHECKS

from course_lib.answers import TITLES

LESSONS = [
    importlib.import_module(f"mutants.{module.name}")
    for module in pkgutil.iter_modules(mutants.__path__)
]
EXAMPLES = {number: value for lesson in LESSONS for number, value in lesson.EXAMPLES.items()}
SAME = {
    number: names for lesson in LESSONS for number, names in getattr(lesson, "SAME", {}).items()
}
RIGHT = [
    (number, name, attempt)
    for lesson in LESSONS
    for number, attempts in lesson.RIGHT.items()
    for name, attempt in attempts.items()
]
BY_HAND: dict[str, dict[str, Mutant]] = {
    number: named for lesson in LESSONS for number, named in lesson.MUTANTS.items()
}
WRONG = [
    (number, name, mutant)
    for number, named in BY_HAND.items()
    for name, mutant in [*generic(number, EXAMPLES[number], SAME.get(number, ())), *named.items()]
]
INSIDES = re.compile(r"course_lib/checks|<locals>|<lambda>|_Outside|\.pyx|site-packages|StopIter")
pytestmark = pytest.mark.usefixtures("local_ray")  # lesson 00's checks need it


def named(table: list[tuple[str, str, Any]]) -> Any:
    """Parametrise by the entries of a table; those that start tasks of Ray are slow."""
    return pytest.mark.parametrize(
        ("number", "thing"),
        [
            pytest.param(
                number, thing, id=f"{number} {name}",
                marks=pytest.mark.slow if CHECKS[number].needs == "ray" else (),
            )
            for number, name, thing in table
        ],
    )  # fmt: skip


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_STRICT_CHECKS", raising=False)
    for lesson in LESSONS:
        getattr(lesson, "quicken", lambda _: None)(monkeypatch)


@pytest.mark.parametrize("number", sorted(TITLES))
def test_every_exercise_has_mutants_and_another_right_answer(number: str) -> None:
    assert number in EXAMPLES, f"no worked example for {number} in tests/mutants ({{}} for none)"
    assert len(BY_HAND.get(number, {})) >= 3, f"fewer than three usual mistakes for {number}"
    assert number in {right for right, *_ in RIGHT}, f"no other right answer for {number}"


@named(RIGHT)
def test_right(number: str, thing: Any) -> None:
    accepts(CHECKS[number], thing)


@named(WRONG)
def test_wrong(number: str, thing: Mutant) -> None:
    check = CHECKS[number]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing of a package is shown beside the hint
        text, _ = verdict(check, thing.attempt)
    assert "not yet." in text, text
    wrong = "\n".join(line for line in text.splitlines() if not line.startswith("  ✓"))
    assert thing.says in wrong or (thing.says == RETURN and "returned None" in wrong), text
    for words in thing.silent:
        assert words not in wrong, f"{words!r} does not fit:\n{text}"
    assert not INSIDES.search(text), text
    if thing.says == RETURN:
        assert text.count(RETURN) + text.count("returned None") == 1, text
        assert wrong.count("\n      ") == 0, f"more than the one thing to say:\n{text}"
    costs = lost_parts(check, thing.attempt)
    assert costs, "it costs nothing"
    assert thing.costs is None or costs == thing.costs
    assert share_left(check, costs) <= thing.keeps, f"only {sorted(costs)} lost:\n{text}"
