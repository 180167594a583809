"""Run the answers of one learner: assemble the notebooks, run pytest on them, read the records."""

import contextlib
import json
import os
import secrets
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
from course_lib.grading.budgets import budget_for
from course_lib.grading.cells import Cell
from course_lib.grading.course import ROOT, Exercise, Lesson
from course_lib.grading.expected import all_expected, seed_of

PYTEST = ["-P", "-m", "pytest", "-q", "--tb=short", "-c", os.devnull, "--noconftest",
          "-p", "no:cacheprovider", "-p", "course_lib.grading.fast_start", "-p", "nbval.plugin",
          "-p", "course_lib.grading.plugin", "--nbval-lax"]  # fmt: skip
VARIABLE = "COURSE_GRADING_RUN"  # as in plugin.py, which must not be imported here
STARTING_S = 90.0


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

    Returns:
        By exercise number: ``answer`` (the state of what was found) and ``records`` by role. An
        exercise that left no record, or whose set-up did not work, was run a second time alone.
    """
    answers = {one.number: assemble.find_answer(cells, one) for one in lesson.exercises}
    todo = [one for one in lesson.exercises if answers[one.number].state == "finished"]
    records = _pytest(plan, lesson, todo, cells, answers) if todo else {}
    for exercise in todo:
        if not _complete(records.get(exercise.number, {})):
            records |= _pytest(plan, lesson, [exercise], cells, answers)
    return {
        number: {"answer": answer.state, "records": records.get(number, {})}
        for number, answer in answers.items()
    }


def _complete(records: dict[str, Any]) -> bool:
    """Whether the run got as far as the learner's own code."""
    setup = records.get("setup")
    return setup is not None and not setup["stopped"] and not setup["error"] and "check" in records


def _pytest(
    plan: Plan, lesson: Lesson, exercises: list[Exercise], cells: list[Cell],
    answers: dict[str, assemble.Answer],
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Run exercises in one pytest process; return the records by exercise and role."""
    with tempfile.TemporaryDirectory(dir=plan.folder, prefix="p") as name:
        folder, token = Path(name), secrets.token_hex(8)
        kernels, limit = {}, 60.0
        for exercise in exercises:
            needs = plan.needs(lesson, exercise)
            notebook = assemble.build(
                lesson, exercise, cells, answers[exercise.number],
                seed=seed_of(plan.seed, exercise.number), token=token, needs=needs,
                expected=json.dumps(_comparable(plan.expected[lesson.number][exercise.number])),
            )  # fmt: skip
            nbformat.write(notebook, folder / f"e{exercise.number.replace('.', '-')}.ipynb")
            budget = budget_for(needs, plan.timeout)
            kernels[f"course-{exercise.number}"] = {
                "course": str(plan.libraries[exercise.number]),
                "budget": budget.plain(),
                "mode": plan.mode,
            }
            limit += budget.seconds + STARTING_S
        settings = {"records": str(folder / "records"), "token": token, "kernels": kernels}
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
