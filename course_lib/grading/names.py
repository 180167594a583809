"""What the name of a file or folder says of a submission: whose, which attempt, from where.

Known are the names that Moodle and Canvas give to what is downloaded, and the marks that browsers,
JupyterLab and people put at a second version: ``(1)``, ``-Copy1``, ``_2``, ``_v2``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePath

ENDINGS = (".ipynb", ".ipynb.txt", ".ipynb.json")
MOODLE = re.compile(r"(?P<learner>[^/]+?)_(?P<id>\d{3,})_assignsubmission_\w+?_(?P<rest>[^/]*)$")
CANVAS = re.compile(
    r"(?P<learner>[^/_]+)(?P<late>_LATE)?_(?P<id>\d+)_(?P<file>\d+)_(?P<rest>[^/]+)$", re.IGNORECASE
)
COPY = re.compile(r"(?:\s*\((\d+)\)|[-_ ]copy\s?(\d*))$", re.IGNORECASE)
PERHAPS = re.compile(r"[-_ ]v?(\d)$", re.IGNORECASE)  # or a learner's number


@dataclass(frozen=True)
class Name:
    """What a name says.

    Attributes:
        learner: as it stands there.
        rest: what is left of the file's name, for the lesson.
        attempt: 0 for the first, larger for later ones.
        base: the learner if a number at the end, as in ``ann_2``, counts attempts; else the same.
        id: the platform's number of the learner, if there is one.
        platform: ``"moodle"``, ``"canvas"`` or empty.
        late: whether the platform says so.
    """

    learner: str
    rest: str
    attempt: int = 0
    base: str = ""
    id: str = ""
    platform: str = ""
    late: bool = False


def is_notebook(name: str) -> bool:
    """Whether a file's name is that of a notebook, as people and mail programs write it."""
    return name.lower().endswith(ENDINGS)


def read(relative: PurePath, stems: Iterable[str]) -> Name:
    """Return what the path of a submission says.

    Args:
        relative: below the folder of submissions.
        stems: the names of the course's notebooks, such as ``01_mouse_and_cheese``.
    """
    stem, attempt = _mark(_stem(relative.name), COPY)
    folder = relative.parts[0] if len(relative.parts) > 1 else ""
    found = _platform(folder or stem)
    if found is not None:
        rest = stem if folder else found.rest
        return replace(found, rest=rest, attempt=attempt or _mark(rest, PERHAPS)[1])
    learner, number = _mark(folder or _without(stem, stems).strip(" _-."), COPY)
    base, perhaps = _mark(learner, PERHAPS)
    within = _mark(stem, PERHAPS)[1] if folder else 0
    return Name(learner, stem, attempt or number or perhaps or within, base)


def _platform(text: str) -> Name | None:
    if match := MOODLE.match(text):
        return Name(match["learner"], match["rest"], id=match["id"], platform="moodle")
    if match := CANVAS.match(text):
        late = match["late"] is not None
        return Name(match["learner"], match["rest"], id=match["id"], platform="canvas", late=late)
    return None


def _stem(name: str) -> str:
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _mark(name: str, pattern: re.Pattern) -> tuple[str, int]:
    """Return a name without the mark of a second version, and which it is."""
    match = pattern.search(name)
    if match is None or match.start() == 0:
        return name, 0
    digits = next((group for group in match.groups() if group), "1")
    return name[: match.start()], int(digits)


def _without(stem: str, stems: Iterable[str]) -> str:
    for known in stems:
        stem = stem.replace(known, "")
    return stem
