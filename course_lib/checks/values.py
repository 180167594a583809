"""A check's outcomes as plain values, for the grader: it compares them in another process.

Nothing here says whether a value is right. Values are written as JSON with their kind, so that an
object that calls itself equal to everything arrives as what it is.
"""

import json
import math
import traceback
from typing import Any

import numpy as np

from course_lib.checks.core import Outcome, explain, look, same

MIME = "application/vnd.course.values+json"
MAX_NUMBERS, MAX_TEXT, MAX_ITEMS = 20_000, 500, 200


def emit(check: Any, attempt: Any, seed: int, token: str) -> None:
    """Look at an attempt and send its values to the grader, as an output of the cell.

    Args:
        check: a check, decorated with ``exercise``.
        attempt: the learner's object.
        seed: of the numbers that are drawn.
        token: tells the grader that the output is this one.
    """
    from IPython.display import display

    outcomes = [to_plain(outcome) for outcome in look(check.cases, attempt, seed)]
    text = json.dumps({"token": token, "outcomes": outcomes})
    display({MIME: text}, raw=True)


def to_plain(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome's value, or its error, as plain JSON."""
    if outcome.error is None:
        return {"value": encode(outcome.got), "hint": outcome.slip}
    return {
        "hint": outcome.slip,
        "error": type(outcome.error).__name__,
        "text": explain(outcome.error)[:MAX_TEXT],
        "from_check": _raised_by_check(outcome.error),
    }


def _raised_by_check(error: BaseException) -> bool:
    """Whether no line of the learner took part in an error."""
    return all("course_lib" in f.filename for f in traceback.extract_tb(error.__traceback__))


def encode(value: Any) -> dict[str, Any]:
    """Return ``value`` as plain JSON that says its kind."""
    try:
        return _encode(value)
    except Exception:
        return {"other": type(value).__name__}


def _encode(value: Any) -> dict[str, Any]:
    if value is None:
        return {"none": True}
    if isinstance(value, bool | np.bool_):
        return {"bool": bool(value)}
    if type(value) is str:
        return {"text": value[:MAX_TEXT]}
    if type(value) in (set, frozenset):
        return {"set": sorted((encode(item) for item in list(value)[:MAX_ITEMS]), key=json.dumps)}
    numbers = _numbers(value)
    if numbers is not None:
        return {"numbers": numbers}
    if type(value) in (list, tuple):
        return {"list": [encode(item) for item in value[:MAX_ITEMS]]}
    return {"other": type(value).__name__}


def _numbers(value: Any) -> Any:
    """Return a number, an array or a nested list of numbers as floats, anything else as None."""
    if isinstance(value, dict | str | type):
        return None
    try:
        array = np.asarray(value, dtype=float)
    except Exception:
        return None
    return array.tolist() if array.size <= MAX_NUMBERS else None


def decode(plain: dict[str, Any]) -> Any:
    """Return the value that :func:`encode` wrote; an object that equals nothing for other kinds."""
    if not isinstance(plain, dict) or len(plain) != 1:
        return object()
    (kind, value), *_ = plain.items()
    if kind == "none":
        return None
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "text" and isinstance(value, str):
        return value
    if kind == "numbers":
        return value
    if kind in ("list", "set") and isinstance(value, list):
        return [decode(item) for item in value]
    return object()


def agree(expected: dict[str, Any], got: Any, *, atol: float) -> bool:
    """Whether a learner's plain value agrees with the expected one.

    Kinds must agree too, except that an empty list may stand for an empty set.
    """
    if not isinstance(got, dict) or len(got) != 1:
        return False
    kind, found = next(iter(expected)), next(iter(got))
    if kind in ("set", "list", "text", "none") and kind != found:
        return False
    if kind in ("set", "list"):
        return expected == got
    try:
        return same(decode(expected), decode(got), atol=atol)
    except Exception:
        return False


def in_words(plain: Any) -> str:
    """Write a plain value on one line for a person; it may be forged, so anything goes."""
    try:
        return _in_words(plain)
    except Exception:
        return "something else"


def _in_words(plain: Any) -> str:
    if not isinstance(plain, dict) or len(plain) != 1:
        return "something else"
    (kind, value), *_ = plain.items()
    if kind == "none":
        return "nothing (None)"
    if kind in ("list", "set"):
        text = ", ".join(in_words(item) for item in value)
        text = f"{{{text}}}" if kind == "set" else f"[{text}]"
    elif kind == "numbers":
        text = _round(value)
    elif kind == "other":
        text = f"a value of type {value}"
    else:
        text = repr(value) if kind == "text" else str(value)
    return text if len(text) <= 160 else text[:157] + "..."


def _round(value: Any) -> str:
    if isinstance(value, list):
        inner = ", ".join(_round(item) for item in value[:12])
        return f"[{inner}{', ...' if len(value) > 12 else ''}]"
    if isinstance(value, int | float) and math.isfinite(value):
        return f"{value:.6g}"
    return str(value)
