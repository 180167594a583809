"""Each exercise of each lesson: its check takes the course's own answer, and knows the stub."""

import importlib
import pkgutil

import pytest
from checks_kit import elsewhere, not_started, verdict

import course_lib.checks
from course_lib.answers import TITLES, answer
from course_lib.checks.core import judge, look, same
from course_lib.checks.values import agree, to_plain
from course_lib.tryouts.plain import encode

MODULES = [
    importlib.import_module(f"course_lib.checks.{module.name}")
    for module in pkgutil.iter_modules(course_lib.checks.__path__)
]
FOUND = {
    value for module in MODULES for value in vars(module).values() if hasattr(value, "exercise")
}
CHECKS = {check.exercise: check for check in FOUND}
CHECKED = sorted(set(TITLES) & set(CHECKS))
pytestmark = pytest.mark.usefixtures("local_ray")  # lesson 00's checks need it


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_STRICT_CHECKS", raising=False)


def test_each_exercise_has_one_check() -> None:
    lost, strange = sorted(set(TITLES) - set(CHECKS)), sorted(set(CHECKS) - set(TITLES))
    assert not lost, f"no check for {lost}: are the numbers in @exercise those of the headings?"
    assert not strange, f"checks of exercises that no lesson has: {strange}"
    assert len(FOUND) == len(CHECKS), "two checks for one exercise"


@pytest.mark.parametrize("number", CHECKED)
def test_parts_and_cases_belong_together(number: str) -> None:
    check = CHECKS[number]
    cases = {outcome.case.part for outcome in look(check.cases, answer(number), 1)} - {""}
    missing = {part: points for part, points in check.parts.items() if part not in cases}
    assert not missing, f"parts that no Case names, and their points: {missing}"
    assert cases <= set(check.parts), f"cases of no part: {sorted(cases - set(check.parts))}"


@pytest.mark.parametrize("number", CHECKED)
def test_the_own_answer_is_right(number: str) -> None:
    state, lines = judge(CHECKS[number], answer(number))
    assert state == "solved", "\n".join(lines)
    for one in look(CHECKS[number].cases, answer(number), 3):  # and nothing is forgiven
        if not one.case.hidden:
            assert same(one.case.expected, one.got, atol=one.case.atol), one.case.aspect


@pytest.mark.parametrize("number", CHECKED)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_own_answer_is_right_from_elsewhere(number: str, seed: int) -> None:
    """The grader's judge has a stand-in for the answer, and nothing else of it."""
    check = CHECKS[number]
    here = look(check.cases, answer(number), seed)
    there = look(check.cases, elsewhere(answer(number)), seed)
    assert [one.case.aspect for one in here] == [one.case.aspect for one in there]
    for one, other in zip(here, there, strict=True):
        value = to_plain(other).get("value")
        assert agree(encode(one.got), value, atol=one.case.atol), (one.case.aspect, other)


@pytest.mark.parametrize("number", CHECKED)
def test_the_stub_is_not_started(number: str) -> None:
    check = CHECKS[number]
    text, back = verdict(check, not_started)
    assert f"○ Exercise {number}, {TITLES[number]}: not started yet." in text
    assert back is answer(number)


@pytest.mark.parametrize("number", CHECKED)
def test_what_gives_an_answer_away_exists(number: str) -> None:
    for place in CHECKS[number].hides:
        module, name = place.split(":")
        assert hasattr(importlib.import_module(module), name)


def test_each_module_tells_the_progress() -> None:
    for module in {importlib.import_module(check.__module__) for check in FOUND}:
        assert callable(module.progress)


def test_an_unknown_exercise_is_named() -> None:
    with pytest.raises(KeyError, match=r"no exercise '99\.1'; there are 0\.1, "):
        answer("99.1")
