"""Run the answers of one learner: assemble the notebooks, run pytest on them, read the records."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from course_lib import journal
from course_lib.grading import assemble, sandbox, stripped
from course_lib.grading.budgets import PATIENCE, budget_for
from course_lib.grading.cells import Cell
from course_lib.grading.course import ROOT, Exercise, Lesson
from course_lib.grading.expected import all_expected, seed_of
from course_lib.grading.needs import place_of

PYTEST = ["-P", "-m", "pytest", "-q", "--tb=short", "-c", os.devnull, "--noconftest",
          "-p", "no:cacheprovider", "-p", "course_lib.grading.fast_start", "-p", "nbval.plugin",
          "-p", "course_lib.grading.plugin", "--nbval-lax"]  # fmt: skip
VARIABLE = "COURSE_GRADING_RUN"  # as in plugin.py, which must not be imported here
STARTING_S = 180.0
NOT_FOUND = re.compile(
    r"(?:NameError: name|ModuleNotFoundError: No module named|KeyError:) '(\w+)'"
)


class Interrupted(RuntimeError):
    """The whole run was stopped."""


_running: set[int] = set()
_stopping = threading.Event()


def stop_all() -> None:
    """End every pytest process that runs, with everything below it."""
    _stopping.set()
    for pid in list(_running):
        sandbox.kill(pid)


@dataclass
class Plan:
    """What all submissions of a run share.

    Attributes:
        seed: of the hidden numbers.
        mode: of the sandbox, ``"full"`` or ``"reduced"``.
        folder: for temporary files, removed by whoever made it.
        timeout: seconds per exercise instead of the usual ones.
        expected: by lesson number and exercise number; filled by :meth:`prepare`.
        libraries: the folder with ``course_lib`` for each exercise.
    """

    seed: int
    mode: str
    folder: Path
    timeout: float | None = None
    expected: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    libraries: dict[str, Path] = field(default_factory=dict)

    def prepare(self, lesson: Lesson) -> None:
        """Run the course's own versions, and make the copies of the library without them.

        Raises:
            ReferenceFailed: if an exercise cannot be graded.
        """
        self.expected[lesson.number] = all_expected(lesson, self.seed)
        for exercise in lesson.exercises:
            folder = self.folder / f"library-{exercise.number}"
            folder.mkdir()
            folder.chmod(0o755)
            self.libraries[exercise.number] = stripped.copy_without_answer(exercise, folder)

    def needs(self, lesson: Lesson, exercise: Exercise) -> str:
        """Return what an exercise needs."""
        return str(self.expected[lesson.number][exercise.number]["needs"])


def run(plan: Plan, lesson: Lesson, cells: list[Cell]) -> dict[str, dict[str, Any]]:
    """Run all exercises of a lesson on a learner's cells.

    An exercise that left no record, or whose set-up did not work, is run a second time alone. One
    in which a name was missing is run a second time behind all that the learner wrote above, and
    the better of the two counts.

    Returns:
        By exercise number: ``answer`` (the state of what was found), its ``source``, ``records``
        by role, and ``missing``: the names that were not found, with the number of the cell that
        gives each.
    """
    answers = {one.number: assemble.find_answer(cells, one) for one in lesson.exercises}
    todo = [one for one in lesson.exercises if answers[one.number].state == "finished"]
    records = _pytest(plan, lesson, todo, cells, answers) if todo else {}
    for exercise in todo:
        if not _complete(records.get(exercise.number, {})):
            records |= _pytest(plan, lesson, [exercise], cells, answers)
    lost = [one for one in todo if missing_names(records.get(one.number, {}))]
    again = _pytest(plan, lesson, lost, cells, answers, everything=True) if lost else {}
    for number, second in again.items():
        records[number] = max(records[number], second, key=_num_right)
    return {number: _found(answer, records.get(number, {}), cells)
            for number, answer in answers.items()}  # fmt: skip


def _found(answer: assemble.Answer, records: dict[str, Any], cells: list[Cell]) -> dict[str, Any]:
    missing = {name: place_of(cells, name, answer.source) for name in missing_names(records)}
    found = {"answer": answer.state, "source": answer.source, "records": records}
    return {**found, "missing": missing}


def missing_names(records: dict[str, Any]) -> list[str]:
    """Return the names, modules and keys that were not found when an answer ran."""
    errors = [record["error"] for record in records.values() if record["error"]]
    texts = [f"{error['name']}: {error['text']}" for error in errors]
    texts += [case["text"] for case in records.get("check", {}).get("cases") or []]
    return sorted({match[1] for text in texts if (match := NOT_FOUND.match(text))})


def _num_right(records: dict[str, Any]) -> int:
    return sum(case["right"] for case in records.get("check", {}).get("cases") or [])


def _complete(records: dict[str, Any]) -> bool:
    """Whether the run got as far as the learner's own code."""
    setup = records.get("setup")
    return setup is not None and not setup["stopped"] and not setup["error"] and "check" in records


def _pytest(
    plan: Plan, lesson: Lesson, exercises: list[Exercise], cells: list[Cell],
    answers: dict[str, assemble.Answer], *, everything: bool = False,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Run exercises in one pytest process; return the records by exercise and role."""
    with tempfile.TemporaryDirectory(dir=plan.folder, prefix="p") as name:
        folder = Path(name)
        kernels, limit = {}, 60.0
        for exercise in exercises:
            needs = plan.needs(lesson, exercise)
            notebook = assemble.build(
                lesson, exercise, cells, answers[exercise.number],
                seed=seed_of(plan.seed, exercise.number), needs=needs, everything=everything,
                expected=json.dumps(_comparable(plan.expected[lesson.number][exercise.number])),
            )  # fmt: skip
            nbformat.write(notebook, folder / f"e{exercise.number.replace('.', '-')}.ipynb")
            budget = budget_for(needs, plan.timeout)
            kernels[f"course-{exercise.number}"] = {
                "course": str(plan.libraries[exercise.number]),
                "budget": budget.plain(),
                "mode": plan.mode,
            }
            limit += PATIENCE * budget.seconds + STARTING_S
        settings = {"records": str(folder / "records"), "kernels": kernels}
        (folder / "run.json").write_text(json.dumps(settings), encoding="utf-8")
        _call(folder, limit)
        return _read(folder / "records")


def _comparable(expected: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"value": case["value"], "atol": case["atol"]} for case in expected["cases"]]


def _call(folder: Path, limit_s: float) -> None:
    """Run pytest in a folder, in an environment of its own; end it with all it started."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
        VARIABLE: str(folder / "run.json"),
    }
    notebooks = sorted(str(path) for path in folder.glob("*.ipynb"))
    command = [sys.executable, *PYTEST, "--rootdir", str(folder), *notebooks]
    if _stopping.is_set():
        raise Interrupted("stopped")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.PIPE, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    _running.add(process.pid)
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=limit_s)
    finally:
        if process.poll() is None:
            sandbox.kill(process.pid)
            process.wait(timeout=10)
        process.stdin.close()  # type: ignore[union-attr]
        _running.discard(process.pid)
    if _stopping.is_set():
        raise Interrupted("stopped")
    if os.environ.get("COURSE_GRADING_LOG"):
        print((folder / "log").read_text(errors="replace"), file=sys.stderr)


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Return the records that a run left, by exercise and role."""
    found: dict[str, dict[str, Any]] = {}
    for record in journal.read(path, skip_damaged=True):
        found.setdefault(record["exercise"], {})[record["role"]] = record
    return found
