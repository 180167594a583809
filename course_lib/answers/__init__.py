"""The course's own answers to the exercises: an answer stands once, in its lesson's source.

``make build`` writes the other modules here. Titles are light; an answer may load Ray or PyTorch,
so it is imported when it is asked for. The grader leaves the answers out of the library that a
learner's code sees.
"""

import importlib
from typing import Any

from course_lib.answers.titles import TITLES

__all__ = ["TITLES", "answer"]


def answer(number: str) -> Any:
    """Return the course's own version of an exercise.

    Args:
        number: such as ``"1.2"``.

    Raises:
        KeyError: if no lesson has such an exercise.
    """
    if number not in TITLES:
        raise KeyError(f"no exercise {number!r}; there are {', '.join(TITLES)}")
    name = f"course_lib.answers.exercise_{number.replace('.', '_')}"
    return importlib.import_module(name).ANSWER
