"""A check's outcomes as plain values, and whether two of them agree."""

from typing import Any

from course_lib.checks.core import Outcome, same
from course_lib.tryouts.errors import RaisedThere, explain
from course_lib.tryouts.plain import MAX_TEXT, decode, encode


def to_plain(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome's value, or its error, as plain JSON."""
    error = outcome.error
    if error is None:
        plain = {"value": encode(outcome.got), "hint": outcome.slip}
        return {**plain, "forgiven": outcome.forgiven}
    name = error.name if isinstance(error, RaisedThere) else type(error).__name__
    return {"hint": outcome.slip, "error": name, "text": explain(error)[:MAX_TEXT]}


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
