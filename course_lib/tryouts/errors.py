"""What a learner's code raised, in words: the error and the learner's line, nothing of ours."""

import re
import sysconfig
import traceback
from pathlib import Path
from typing import Any

from course_lib.errors import CourseError

LONGEST = 300  # characters of an error that are shown
LIBRARIES = (
    str(Path(__file__).parents[1]),
    *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")},
)


class Unfit(TypeError):
    """A learner's code gave back something of another kind than wanted; it raised nothing."""


class RaisedThere(CourseError):
    """A learner's code raised an error in another process.

    Attributes:
        name: of the error's class.
        words: what :func:`explain` said of it there.
        nothing: whether it is what a forgotten ``return`` leads to.
    """

    def __init__(self, name: str, message: str, words: str, nothing: bool) -> None:
        super().__init__(message)
        self.name, self.words, self.nothing = name, words, nothing


def explain(error: BaseException) -> str:
    """Say what the learner's code raised, and at which line of the learner's.

    Neither the check's own functions are named nor a line of numpy or PyTorch.
    """
    if isinstance(error, RaisedThere):
        return error.words
    if isinstance(error, Unfit):
        return str(error)
    error = getattr(error, "cause", None) or error  # of a Ray task: what happened in it
    text = re.sub(r"[\w.<>]*<locals>\.", "", str(error))
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
    return f"{type(error).__name__}{': ' if text else ''}{text}{line_of(error)}"


def is_unfit(error: BaseException) -> bool:
    """Whether the learner's code raised nothing, but gave back something of another kind."""
    return isinstance(error, Unfit) or getattr(error, "name", "") == Unfit.__name__


def line_of(error: Any, *, quoted: bool = True) -> str:
    """Where in the learner's code an error arose, such as `` at line 3: total += obs``."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame)]
    if not frames:
        return ""
    where = f" at line {frames[-1].lineno}"
    return f"{where}: {frames[-1].line}".rstrip(": ") if quoted else where


def is_nothing(error: BaseException) -> bool:
    """Whether the course's code stumbled over a None that the learner's code gave back."""
    if isinstance(error, RaisedThere):
        return error.nothing
    own = any(_is_own(frame) for frame in traceback.extract_tb(error.__traceback__))
    return isinstance(error, TypeError | AttributeError) and "NoneType" in str(error) and not own


def _is_own(frame: traceback.FrameSummary) -> bool:
    """Whether a frame is the learner's, not of Python, a package or the course."""
    compiled = frame.filename.endswith((".pyx", ".pxd", ".pxi")) or frame.filename.startswith(
        ("<frozen", "<__array")
    )
    return not compiled and not frame.filename.startswith(LIBRARIES)
