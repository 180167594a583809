"""Find the submissions in a folder: whose they are, which notebook, and what cannot be graded."""

import hashlib
import os
import re
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.grading.assemble import names_of
from course_lib.grading.cells import MAX_BYTES, Cell, Unreadable, read_cells
from course_lib.grading.course import Lesson

SKIPPED = {".ipynb_checkpoints", "__pycache__", ".git"}
MAX_DEPTH = 4


@dataclass
class Submission:
    """One notebook file.

    Attributes:
        learner: from the file's or the folder's name.
        notebook: two-digit number of the lesson, empty if it cannot be told.
        path: of the file; it is read once and never written.
        problem: why it cannot be graded, for the learner; empty if it can.
        digest: of the file's bytes.
        cells: its cells.
    """

    learner: str
    notebook: str
    path: Path
    problem: str = ""
    digest: str = ""
    cells: list[Cell] = field(default_factory=list)


def find(
    folder: Path, lessons: dict[str, Lesson], only: str = "", *, mine: bool = False
) -> list[Submission]:
    """Return all submissions below ``folder``, ordered by learner and notebook.

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
    kept.sort(key=lambda one: (one.learner.casefold(), one.notebook, str(one.path)))
    seen: Counter[tuple[str, str]] = Counter()
    for one in kept:
        key = (one.learner, one.notebook)
        seen[key] += 1
        if seen[key] > 1:
            one.learner += f" ({seen[key]})"
    return kept


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for base, folders, names in os.walk(folder, followlinks=False):
        depth = len(Path(base).relative_to(folder).parts)
        links = [name for name in folders if Path(base, name).is_symlink()]
        folders[:] = sorted(
            name
            for name in folders
            if name not in SKIPPED | set(links) and not name.startswith(".") and depth < MAX_DEPTH
        )
        names = [name for name in names if name.endswith(".ipynb") and not name.startswith(".")]
        found += [Path(base, name) for name in sorted(names) + links]
    return found


def _read(path: Path, folder: Path, lessons: dict[str, Lesson], only: str) -> Submission:
    relative = path.relative_to(folder)
    by_name = _by_name(path.stem, lessons) or only
    learner = _learner(relative, folder, lessons)
    try:
        data = _bytes(path, folder)
        cells = read_cells(data)
    except Unreadable as error:
        return Submission(learner, by_name, path, problem=str(error), digest=_stamp(path))
    numbers = Counter(number.split(".")[0].zfill(2) for number in names_of(cells))
    known = [number for number, _ in numbers.most_common() if number in lessons]
    notebook = known[0] if known else by_name
    problem = "" if notebook else "This is not one of the course's notebooks."
    digest = hashlib.sha256(data).hexdigest()
    return Submission(learner, notebook, path, problem, digest, cells)


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


def _learner(relative: Path, folder: Path, lessons: dict[str, Lesson]) -> str:
    """Return the learner's name: of the first folder, or of the file without the lesson's name."""
    if len(relative.parts) > 1:
        return _clean(relative.parts[0])
    stem = relative.stem
    for lesson in lessons.values():
        stem = stem.replace(lesson.stem, "")
    return _clean(stem.strip(" _-.")) or _clean(folder.resolve().name) or "learner"


def _clean(name: str) -> str:
    text = name.encode("utf-8", "replace").decode("utf-8")
    return "".join(char if char.isprintable() else "?" for char in text)[:120]
