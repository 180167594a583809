"""Grade a folder: find, run side by side, append each result as it comes, report, resume."""

import concurrent.futures
import contextlib
import copy
import datetime
import hashlib
import os
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

import psutil

from course_lib.grading import report, roster, sandbox, scores, session, stripped
from course_lib.grading.assemble import find_answer
from course_lib.grading.cells import printable
from course_lib.grading.course import Lesson, lessons
from course_lib.grading.results import Results
from course_lib.grading.stripped import LIBRARY
from course_lib.grading.submissions import Submission, find, newest

FOLDER = "cgr"


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
        roster: the class list, a CSV file.
        due: what was handed in later is marked.
        count: which of a learner's versions counts, ``"newest"`` or ``"best"``.
        regrade: learners to be graded again, or ``"all"``.
    """

    submissions: Path
    out: Path
    notebook: str = ""
    jobs: int = 0
    seed: int | None = None
    timeout: float | None = None
    sandbox: str = "auto"
    mine: bool = False
    roster: Path | None = None
    due: datetime.datetime | None = None
    count: str = "newest"
    regrade: tuple[str, ...] = ()


def checks_stamp() -> str:
    """Return what changes when a check, a tryout or an answer of the course does."""
    digest = hashlib.sha256()
    folders = (LIBRARY / "checks", LIBRARY / "tryouts", LIBRARY / "answers")
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


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
    people = None if options.roster is None else roster.read(options.roster)
    found = find(options.submissions, course, options.notebook, mine=options.mine)
    if options.mine:
        found = [one for one in found if _is_begun(one, course)]
        if not found:
            print("No exercise is begun yet: write an answer, save the notebook, then try again.")
            return 0
    if not found:
        raise ValueError(f"no notebooks to grade in {options.submissions}")
    if unknown := set(options.regrade) - {one.learner for one in found} - {"all"}:
        raise ValueError(f"--regrade: nobody here is called {', '.join(sorted(unknown))}")
    found = newest(found) if options.count == "newest" else found
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-"))
    folder.chmod(0o755)
    try:
        about = choose_mode(
            options.sandbox, folder, next(iter(course.values())), trusted=options.mine
        )
        if about["words"]:
            print(f"Reduced mode ({about['reason']}). {about['words']}", file=sys.stderr)
        results = Results(options.out, options.seed, options.timeout, about["mode"])
        plan = session.Plan(results.seed, about["mode"], folder, options.timeout)
        stopped = _work(found, course, plan, results, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    by_key = {_key_of(one): one for one in found}
    rows = [_dated(row, by_key[key], options) for key, row in results.rows.items() if key in by_key]
    about |= {"graded": len(rows), "of": len(by_key)}
    rows = report.write(rows, options.out, about, people, course)
    if stopped:
        print(f"Stopped: {about['graded']} of {about['of']} graded. The same command goes on.")
        return 130
    page = Path("feedback", "me.html") if options.mine else Path("class.html")
    print(f"Report: {options.out / page}")
    return 1 if any(one["trouble"] for row in rows for one in row["exercises"]) else 0


def _sweep() -> None:
    """Remove the folders of graders that ended without a chance to do so."""
    for path in Path(tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
        number = path.name.removeprefix(FOLDER).partition("-")[0]
        if number.isdigit() and not psutil.pid_exists(int(number)):
            shutil.rmtree(path, ignore_errors=True)


def _dated(row: dict[str, Any], one: Submission, options: Options) -> dict[str, Any]:
    """Add what follows from the files and the options of today, not from the code."""
    found = {"file": one.path.name, "late": one.late_by(options.due), "older": one.older}
    return {**copy.deepcopy(row), **found, "id": one.name.id}


def _key_of(one: Submission) -> tuple[str, str, str]:
    return one.learner, one.notebook, one.digest


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
    again = set(options.regrade)
    todo = [
        one for one in found if _key_of(one) not in results.rows or again & {one.learner, "all"}
    ]
    if len(todo) < len(found):
        print(f"{len(found) - len(todo)} of {len(found)} are graded already.")
    stamp = checks_stamp()
    old = {row["learner"] for row in results.rows.values() if row.get("checks") != stamp}
    if old := old - {one.learner for one in todo}:
        print(f"The checks changed since {len(old)} were graded: --regrade all grades them again.")
    for number in sorted({one.notebook for one in todo if one.notebook}):
        print(f"Preparing notebook {number}: the course's own answers run first.", flush=True)
        plan.prepare(course[number])
    jobs = options.jobs or max(1, min(os.cpu_count() or 1, 8))
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    tasks = {pool.submit(_grade_one, one, course, plan) for one in todo}
    count, started = 0, time.monotonic()
    with _interrupts() as stopped:
        while tasks and not stopped.is_set():
            done, tasks = concurrent.futures.wait(
                tasks, timeout=0.2, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for task in done:
                row, count = task.result() | {"checks": stamp}, count + 1
                results.add(row)
                left = (time.monotonic() - started) / count * (len(todo) - count)
                _say(count, len(todo), row, left, each=options.mine)
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


def _say(count: int, total: int, row: dict[str, Any], left_s: float, *, each: bool = False) -> None:
    points, of = report.totals(row)
    text = row["problem"] or f"{points} of {of} points, {row['seconds']:.0f} s"
    left = f"; about {left_s / 60:.0f} min left" if left_s >= 60 else ""
    print(f"[{count}/{total}] {row['learner']} {row['notebook']}: {text}{left}", flush=True)
    for one in row["exercises"] if each else []:
        sign = report.SIGNS.get(one["state"], "✗")
        text = "not graded" if one["points"] is None else f"{one['points']} of {one['of']} points"
        print(f"  {sign} {one['exercise']} {one['title']}: {text}")


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
            for exercise in row["exercises"]:
                exercise["source"] = (ran or {}).get(exercise["exercise"], {}).get("source", "")
        except session.Interrupted:
            raise
        except Exception as error:
            row["exercises"] = scores.score(lesson, expected, None, scores.TROUBLE)
            for exercise in row["exercises"]:
                exercise["trouble"] = f"{type(error).__name__}: {error}"[:300]
    row["seconds"] = round(time.perf_counter() - started, 2)
    return printable(row)
