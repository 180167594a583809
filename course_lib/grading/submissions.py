"""Find the submissions in a folder: whose they are, which notebook, and what cannot be graded."""

import datetime
import hashlib
import os
import re
import stat
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_lib.grading import names
from course_lib.grading.assemble import names_of
from course_lib.grading.cells import MAX_BYTES, Cell, Unreadable, read_cells
from course_lib.grading.course import Lesson

SKIPPED = {".ipynb_checkpoints", "__pycache__", ".git", "__MACOSX"}
MAX_DEPTH = 4


@dataclass
class Submission:
    """One notebook file, or what came in the place of one.

    Attributes:
        learner: from the file's or the folder's name.
        notebook: two-digit number of the lesson, empty if it cannot be told.
        path: of the file; it is read once and never written.
        problem: why it cannot be graded, for the learner; empty if it can.
        digest: of the file's bytes.
        cells: its cells.
        name: what the file's name says besides.
        time: when the file was changed last, in seconds since 1970.
        older: file names of the same learner's versions that do not count.
    """

    learner: str
    notebook: str
    path: Path
    problem: str = ""
    digest: str = ""
    cells: list[Cell] = field(default_factory=list)
    name: names.Name = field(default_factory=lambda: names.Name("", ""))
    time: float = 0.0
    older: list[str] = field(default_factory=list)

    def late_by(self, due: datetime.datetime | None) -> str:
        """Return how long after a date it was handed in, as text; empty if it was not late."""
        if self.name.late:
            return "late"
        if due is None or self.time <= due.timestamp():
            return ""
        late = datetime.timedelta(seconds=int(self.time - due.timestamp()))
        return str(late)

    @property
    def order(self) -> tuple[int, float, str]:
        """Later versions come later: by the number in the name, then by the file's time."""
        return self.name.attempt, self.time, self.path.name


def find(
    folder: Path, lessons: dict[str, Lesson], only: str = "", *, mine: bool = False
) -> list[Submission]:
    """Return all submissions below ``folder``, ordered by learner, notebook and version.

    A learner who handed in nothing that is a notebook is there with the reason.

    Args:
        folder: files, one per learner, or one folder per learner, or both.
        lessons: by two-digit number.
        only: take this notebook alone, and take files of which nothing can be told for it.
        mine: the notebooks right in the folder are one learner's; folders in it do not count.

    Raises:
        ValueError: if ``folder`` is not a folder.
    """
    if not folder.is_dir():
        raise ValueError(f"SUBMISSIONS must be a folder of notebooks, got {folder}")
    paths = sorted(folder.glob("*.ipynb")) if mine else _files(folder)
    found = [_read(path, folder, lessons, only) for path in paths]
    for one in found if mine else []:
        one.learner = "me"
    kept = [one for one in found if not only or one.notebook == only]
    _tell_apart(found)
    if not mine:
        seen = {one.learner for one in found} | {_top(one.path, folder) for one in found}
        kept += _without_notebook(folder, lessons, seen, only)
    return sorted(kept, key=lambda one: (one.learner.casefold(), one.notebook, one.order))


def newest(found: list[Submission]) -> list[Submission]:
    """Return the last version of each learner's notebook; it names the others."""
    groups: dict[tuple[str, str], list[Submission]] = defaultdict(list)
    for one in found:
        groups[one.learner, one.notebook].append(one)
    for *before, last in groups.values():
        last.older = [one.path.name for one in before]
    return [group[-1] for group in groups.values()]


def _tell_apart(found: list[Submission]) -> None:
    """Join ``ann_2`` to ``ann`` where both are, and give two learners of one name two names."""
    known = {(one.learner, one.notebook) for one in found}
    for one in found:
        base = _clean(one.name.base)
        if base and (base, one.notebook) in known:
            one.learner = base
    ids: dict[str, set[str]] = defaultdict(set)
    for one in found:
        ids[one.learner].add(one.name.id)
    for one in found:
        if len(ids[one.learner]) > 1 and one.name.id:
            one.learner = f"{one.learner} ({one.name.id})"


def _without_notebook(
    folder: Path, lessons: dict[str, Lesson], seen: set[str], only: str
) -> list[Submission]:
    """Return what people handed in who handed in no notebook: other files, empty folders.

    Args:
        folder: of the submissions.
        lessons: by two-digit number.
        seen: learners, files and folders right in ``folder`` with a notebook.
        only: the number of the notebook that is looked for.
    """
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in SKIPPED or path.is_symlink():
            continue
        inside = path / "x" if path.is_dir() else path
        name = names.read(inside.relative_to(folder), [one.stem for one in lessons.values()])
        learner = _clean(name.learner if path.is_dir() else Path(name.learner).stem) or path.name
        if path.is_dir():
            others = sorted(one.name for one in path.rglob("*") if one.is_file())
            what = f"no notebook, but {', '.join(others[:5])}" if others else "an empty folder"
        else:
            what = f"a file that is no notebook: {path.name}"
        notebook = path.is_file() and names.is_notebook(path.name)
        if not notebook and not seen & {learner, path.name}:
            problem = f"This is {what}. Hand in the .ipynb file itself."
            digest = _stamp(path)
            found.append(Submission(learner, only, path, problem, digest, name=name))
    return found


def _top(path: Path, folder: Path) -> str:
    return path.relative_to(folder).parts[0]


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for base, folders, inside in os.walk(folder, followlinks=False):
        depth = len(Path(base).relative_to(folder).parts)
        links = [name for name in folders if Path(base, name).is_symlink()]
        folders[:] = sorted(
            name
            for name in folders
            if name not in SKIPPED | set(links) and not name.startswith(".") and depth < MAX_DEPTH
        )
        books = [name for name in inside if names.is_notebook(name) and not name.startswith(".")]
        found += [Path(base, name) for name in sorted(books) + links]
    return found


def _read(path: Path, folder: Path, lessons: dict[str, Lesson], only: str) -> Submission:
    relative = path.relative_to(folder)
    name = names.read(relative, [lesson.stem for lesson in lessons.values()])
    by_name = _by_name(name.rest, lessons) or only
    learner = _clean(name.learner) or _clean(folder.resolve().name) or "learner"
    facts: dict[str, Any] = {"name": name, "time": _time(path)}
    try:
        data = _bytes(path, folder)
        cells = read_cells(data)
    except Unreadable as error:
        return Submission(learner, by_name, path, str(error), _stamp(path), **facts)
    numbers = Counter(number.split(".")[0].zfill(2) for number in names_of(cells))
    known = [number for number, _ in numbers.most_common() if number in lessons]
    notebook = known[0] if known else by_name
    problem = "" if notebook else "This is not one of the course's notebooks."
    digest = hashlib.sha256(data).hexdigest()
    return Submission(learner, notebook, path, problem, digest, cells, **facts)


def _time(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _stamp(path: Path) -> str:
    """Return a digest of what can be seen of a file that is not read."""
    try:
        facts = path.lstat()
    except OSError:
        return "gone"
    return hashlib.sha256(f"{facts.st_size}:{facts.st_mtime_ns}".encode()).hexdigest()


def _bytes(path: Path, folder: Path) -> bytes:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Unreadable("This is a link that leads out of the folder of submissions: not opened.")
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise Unreadable("This is not an ordinary file: not opened.")
        if facts.st_size > MAX_BYTES:
            raise Unreadable(f"The file is larger than {MAX_BYTES // 2**20} MB: not opened.")
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"The file cannot be opened: {error.strerror}.") from None


def _by_name(stem: str, lessons: dict[str, Lesson]) -> str:
    for number, lesson in lessons.items():
        if lesson.stem in stem:
            return number
    match = re.search(r"(?<!\d)(\d\d)(?!\d)", stem)
    return match.group(1) if match and match.group(1) in lessons else ""


def _clean(name: str) -> str:
    text = name.encode("utf-8", "replace").decode("utf-8")
    return "".join(char if char.isprintable() else "?" for char in text)[:120]
