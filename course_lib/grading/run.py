"""Grade a folder: find, run side by side, append each result as it comes, report, resume."""

import concurrent.futures
import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.grading import report, sandbox, scores, session, stripped
from course_lib.grading.assemble import find_answer
from course_lib.grading.cells import printable
from course_lib.grading.course import Lesson, lessons
from course_lib.grading.submissions import Submission, find
from course_lib.journal import Journal


@dataclass(frozen=True)
class Options:
    """What to grade and how.

    Attributes:
        submissions: folder of the learners' files.
        out: folder of the report.
        notebook: two-digit number of the only notebook to grade; all if empty.
        jobs: submissions at a time; 0 for one per core.
        seed: of the hidden numbers; None to draw one, or to go on with that of the report.
        timeout: seconds per exercise, instead of the usual ones.
        sandbox: ``"auto"``, ``"full"`` or ``"reduced"``.
        mine: the folder holds one learner's notebooks; what is not begun is left out.
    """

    submissions: Path
    out: Path
    notebook: str = ""
    jobs: int = 0
    seed: int | None = None
    timeout: float | None = None
    sandbox: str = "auto"
    mine: bool = False


class Results:
    """The results so far, kept in a journal, with the settings that they belong to."""

    def __init__(self, out: Path, options: Options, mode: str) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.path = out / "results.jsonl"
        state = out / "run.json"
        before = _load(state)
        seed = options.seed
        if seed is None:
            seed = before.get("seed")
        self.seed = secrets.randbits(40) if seed is None else int(seed)
        settings = {"seed": self.seed, "timeout": options.timeout, "mode": mode}
        if self.path.exists() and before != settings:
            self.path.rename(self.path.with_suffix(".old.jsonl"))
        state.write_text(json.dumps(settings) + "\n", encoding="utf-8")
        self._journal = Journal(self.path, skip_damaged=True)
        self.rows = {_key(row): row for row in self._journal.records}

    def add(self, row: dict[str, Any]) -> None:
        """Append a result."""
        self._journal.add(row)
        self.rows[_key(row)] = row


def _load(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["learner"], row["notebook"], row["digest"]


def choose_mode(
    wanted: str, folder: Path, lesson: Lesson, *, trusted: bool = False
) -> dict[str, Any]:
    """Return the sandbox's mode, with the words about it.

    Args:
        wanted: ``"auto"``, ``"full"`` or ``"reduced"``.
        folder: for temporary files.
        lesson: whose library is tried.
        trusted: whether root, too, goes on without a sandbox: the code is the caller's own.

    Raises:
        ValueError: if a full sandbox is asked for and cannot be made, or root would do without.
    """
    if wanted == "reduced":
        return sandbox.describe("reduced", "as asked for")
    library = folder / "trial"
    library.mkdir()
    library.chmod(0o755)
    good, reason = sandbox.try_out(stripped.copy_without_answer(lesson.exercises[0], library))
    if good:
        return sandbox.describe("full", "")
    if wanted == "full":
        raise ValueError(f"no sandbox can be made here: {reason}")
    if hasattr(os, "geteuid") and os.geteuid() == 0 and not trusted:
        raise ValueError(
            f"no sandbox can be made here ({reason}), and a submission that runs as root without "
            "one could end every program of this machine: run this as an ordinary user, or, for "
            "people you trust, with --sandbox reduced"
        )
    return sandbox.describe("reduced", reason)


def grade(options: Options) -> int:
    """Grade everything that is not graded yet, and write the report.

    Returns:
        0; 1 if the grader itself had a problem with an exercise; 130 if interrupted.

    Raises:
        ValueError: if an option does not fit.
        ReferenceFailed: if the course's own answers do not pass their checks.
    """
    course = lessons()
    if options.notebook and options.notebook not in course:
        raise ValueError(f"--notebook must be one of {', '.join(course)}, got {options.notebook}")
    if options.jobs < 0:
        raise ValueError(f"--jobs must be at least 1, got {options.jobs}")
    found = find(options.submissions, course, options.notebook, mine=options.mine)
    if options.mine:
        found = [one for one in found if _is_begun(one, course)]
        if not found:
            print("No exercise is begun yet: write an answer, save the notebook, then try again.")
            return 0
    if not found:
        raise ValueError(f"no notebooks to grade in {options.submissions}")
    folder = Path(tempfile.mkdtemp(prefix="cgr"))
    folder.chmod(0o755)
    try:
        about = choose_mode(
            options.sandbox, folder, next(iter(course.values())), trusted=options.mine
        )
        if about["words"]:
            print(f"Reduced mode ({about['reason']}). {about['words']}", file=sys.stderr)
        results = Results(options.out, options, about["mode"])
        plan = session.Plan(results.seed, about["mode"], folder, options.timeout)
        stopped = _work(found, course, plan, results, options)
        keys = {(one.learner, one.notebook, one.digest) for one in found}
        rows = [row for key, row in results.rows.items() if key in keys]
        report.write(rows, options.out, about | {"to do": len(found) - len(rows)})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if stopped:
        print(f"Stopped: {len(rows)} of {len(found)} graded. The same command goes on from here.")
        return 130
    page = Path("feedback", "me.html") if options.mine else Path("class.html")
    print(f"Report: {options.out / page}")
    return 1 if any(one["trouble"] for row in rows for one in row["exercises"]) else 0


def _is_begun(one: Submission, course: dict[str, Lesson]) -> bool:
    """Whether a notebook holds an answer to any exercise, or cannot be read."""
    if one.problem:
        return one.notebook != ""
    exercises = course[one.notebook].exercises
    return any(find_answer(one.cells, exercise).state == "finished" for exercise in exercises)


def _work(
    found: list[Submission], course: dict[str, Lesson], plan: session.Plan, results: Results,
    options: Options,
) -> bool:  # fmt: skip
    """Grade what is missing, several at a time; return whether it was interrupted."""
    todo = [one for one in found if (one.learner, one.notebook, one.digest) not in results.rows]
    if len(todo) < len(found):
        print(f"{len(found) - len(todo)} of {len(found)} are graded already.")
    for number in sorted({one.notebook for one in todo if one.notebook}):
        print(f"Preparing notebook {number}: the course's own answers run first.", flush=True)
        plan.prepare(course[number])
    jobs = options.jobs or max(1, min(os.cpu_count() or 1, 8))
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    tasks = {pool.submit(_grade_one, one, course, plan) for one in todo}
    count = 0
    with _interrupts() as stopped:
        while tasks and not stopped.is_set():
            done, tasks = concurrent.futures.wait(
                tasks, timeout=0.2, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for task in done:
                row, count = task.result(), count + 1
                results.add(row)
                _say(count, len(todo), row, each=options.mine)
        if tasks:
            session.stop_all()
        pool.shutdown(wait=True, cancel_futures=True)
    return bool(tasks)


@contextlib.contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Let Ctrl-C, however often it is pressed, and an end from outside set a flag, and no more.

    An exception out of a signal can come anywhere, also where a lock is being given back.
    """
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stopped.set()) for number in numbers]
    try:
        yield stopped
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, signal.SIG_IGN if stopped.is_set() else handler)


def _say(count: int, total: int, row: dict[str, Any], *, each: bool = False) -> None:
    points, of = report.totals(row)
    text = row["problem"] or f"{points} of {of} points, {row['seconds']:.0f} s"
    print(f"[{count}/{total}] {row['learner']} {row['notebook']}: {text}", flush=True)
    for one in row["exercises"] if each else []:
        sign = report.SIGNS.get(one["state"], "✗")
        print(f"  {sign} {one['exercise']} {one['title']}: {one['points']} of {one['of']} points")


def _grade_one(one: Submission, course: dict[str, Lesson], plan: session.Plan) -> dict[str, Any]:
    """Grade a submission; whatever goes wrong becomes part of its own result."""
    started = time.perf_counter()
    row: dict[str, Any] = {
        "learner": one.learner,
        "notebook": one.notebook,
        "file": one.path.name,
        "problem": one.problem,
        "digest": one.digest,
        "exercises": [],
    }
    if one.notebook:
        lesson, expected = course[one.notebook], plan.expected[one.notebook]
        try:
            ran = None if one.problem else session.run(plan, lesson, one.cells)
            row["exercises"] = scores.score(lesson, expected, ran, one.problem)
        except session.Interrupted:
            raise
        except Exception as error:
            row["exercises"] = scores.score(lesson, expected, None, scores.TROUBLE)
            for exercise in row["exercises"]:
                exercise["trouble"] = f"{type(error).__name__}: {error}"[:300]
    row["seconds"] = round(time.perf_counter() - started, 2)
    return printable(row)
