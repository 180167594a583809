"""Values as plain JSON that says their kind: what crosses from a learner's process to the judge's.

What arrives is what it is, even where an object calls itself equal to everything.
"""

import json
import math
from typing import Any

import numpy as np

MAX_NUMBERS, MAX_TEXT, MAX_ITEMS = 20_000, 500, 200


class Other:
    """A value of a kind that does not cross.

    Attributes:
        name: of its type.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"a value of type {self.name}"


def encode(value: Any) -> dict[str, Any]:
    """Return ``value`` as plain JSON that says its kind."""
    try:
        return _encode(value)
    except Exception:
        return {"other": type(value).__name__}


def _encode(value: Any) -> dict[str, Any]:
    if value is None:
        return {"none": True}
    if isinstance(value, Other):
        return {"other": value.name}
    if isinstance(value, bool | np.bool_):
        return {"bool": bool(value)}
    if isinstance(value, str):
        return {"text": str.__str__(value)[:MAX_TEXT]}
    if type(value) in (set, frozenset):
        return {"set": sorted((encode(item) for item in list(value)[:MAX_ITEMS]), key=json.dumps)}
    if type(value) is dict and all(type(key) is str for key in value):
        return {"dict": {key[:MAX_TEXT]: encode(value[key]) for key in list(value)[:MAX_ITEMS]}}
    numbers = _numbers(value)
    if numbers is not None:
        return {"numbers": numbers}
    if isinstance(value, np.ndarray):
        value = value.tolist()
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


def decode(plain: Any) -> Any:
    """Return the value that :func:`encode` wrote; an :class:`Other` for what it did not write."""
    if not isinstance(plain, dict) or len(plain) != 1:
        return Other("unknown")
    (kind, value), *_ = plain.items()
    if kind == "none":
        return None
    if (kind == "bool" and isinstance(value, bool)) or (kind == "text" and isinstance(value, str)):
        return value
    if kind == "numbers" and _are_numbers(value):
        return value
    if kind in ("list", "set") and isinstance(value, list):
        items = [decode(item) for item in value[:MAX_ITEMS]]
        return items if kind == "list" else set(items)
    if kind == "dict" and isinstance(value, dict):
        return {key: decode(item) for key, item in value.items()}
    return Other(str(value)[:80] if kind == "other" else "unknown")


def _are_numbers(value: Any) -> bool:
    if isinstance(value, list):
        return all(_are_numbers(item) for item in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


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
