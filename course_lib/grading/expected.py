"""What should come out: the checks, run on the course's own versions, in a process of their own.

    python -m course_lib.grading.expected NUMBER SEED FILE

A check that does not run, or whose hand-worked numbers the course's own version misses, is refused:
nobody is graded by it.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from course_lib.checks.core import Outcome, look, same
from course_lib.grading.course import Exercise, Lesson, lessons, points
from course_lib.tryouts.plain import encode, in_words

SLOW_S = 1.5  # a check that takes longer gets the larger budget, whatever it says it needs


class ReferenceFailed(RuntimeError):
    """The course's own version does not pass a check."""


def seed_of(seed: int, number: str) -> int:
    """Return the seed of one exercise, so that exercises do not share their numbers."""
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return int.from_bytes(digest[:6], "big")


def expected_of(exercise: Exercise, seed: int) -> dict[str, Any]:
    """Run a check on the course's own version; return its parts, points and expected values.

    Raises:
        ReferenceFailed: if it does not pass.
    """
    check = exercise.check()
    started = time.perf_counter()
    outcomes = look(check.cases, check.reference(), seed_of(seed, exercise.number))
    if not outcomes:
        raise ReferenceFailed(f"the check of exercise {exercise.number} looked at nothing")
    cases = [_case(exercise, outcome) for outcome in outcomes]
    _hide_what_is_drawn(cases, look(check.cases, check.reference(), seed + 1))
    parts = points(check, [(case["part"], case["aspect"]) for case in cases])
    for case in cases if not check.parts else []:
        case["part"] = case["aspect"]
    unknown = {case["part"] for case in cases} - set(parts) - {""}
    if unknown or set(parts) - {case["part"] for case in cases}:
        raise ReferenceFailed(
            f"exercise {exercise.number}: parts and cases do not match: {sorted(unknown)} have no "
            f"points, {sorted(set(parts) - {case['part'] for case in cases})} have no case"
        )
    seconds = round(time.perf_counter() - started, 2)
    needs = check.needs or ("torch" if seconds > SLOW_S else "")
    content = {"number": exercise.number, "title": check.title, "needs": needs}
    return {**content, "parts": parts, "cases": cases, "seconds": seconds}


def _hide_what_is_drawn(cases: list[dict[str, Any]], again: list[Outcome]) -> None:
    """A case whose words or expected value change with the seed is not shown to learners."""
    for case, other in zip(cases, again, strict=True):
        changes = not other.case.hidden and encode(other.case.expected) != case["value"]
        if changes or other.case.aspect != case["aspect"]:
            case["hidden"] = True
        case["shown"] = "" if case["hidden"] else in_words(case["value"])


def _case(exercise: Exercise, outcome: Outcome) -> dict[str, Any]:
    case = outcome.case
    if outcome.error is not None:
        raise ReferenceFailed(
            f"exercise {exercise.number}, '{case.aspect}': the course's own version raised "
            f"{type(outcome.error).__name__}: {outcome.error}"
        )
    if not case.hidden and not same(case.expected, outcome.got, atol=case.atol):
        raise ReferenceFailed(
            f"exercise {exercise.number}, '{case.aspect}': worked by hand {case.expected}, the "
            f"course's own version gives {outcome.got}"
        )
    return {
        "part": case.part,
        "aspect": case.aspect,
        "otherwise": case.otherwise or case.aspect,
        "hint": case.hint,
        "atol": case.atol,
        "hidden": case.hidden,
        "value": encode(outcome.got if case.hidden else case.expected),
    }


def all_expected(lesson: Lesson, seed: int) -> dict[str, dict[str, Any]]:
    """Return the expected values of a lesson's exercises, by number, from a fresh process.

    Raises:
        ReferenceFailed: if the course's own version of one does not pass its check.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "expected.json"
        command = [sys.executable, "-m", "course_lib.grading.expected"]
        run = subprocess.run(
            [*command, lesson.number, str(seed), str(path)],
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        if run.returncode != 0:
            lines = run.stderr.strip().splitlines() or ["no reason given"]
            raise ReferenceFailed(f"notebook {lesson.number}: {lines[-1]}")
        return json.loads(path.read_text(encoding="utf-8"))


def main(number: str, seed: str, path: str) -> None:
    """Write the expected values of a notebook's exercises to a file."""
    lesson = lessons()[number]
    if any(exercise.check().needs == "ray" for exercise in lesson.exercises):
        import ray

        ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False,
                 logging_level="ERROR", object_store_memory=80_000_000)  # fmt: skip
    found = {one.number: expected_of(one, int(seed)) for one in lesson.exercises}
    Path(path).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
