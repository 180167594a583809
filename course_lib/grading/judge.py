"""The judge: it runs a check beside nbval, and the learner's code is called in the kernel.

The kernel gets the input of one call after the other and sends back what came out, as plain JSON.
The check, what it expects and the hidden seed stay in this process.
"""

import importlib
import itertools
import json
import secrets
from collections.abc import Callable
from typing import Any

from course_lib.checks.core import forgive, look
from course_lib.checks.values import agree, to_plain
from course_lib.tryouts.core import MIME, Elsewhere
from course_lib.tryouts.plain import in_words

MAX_CASES = 200
ASK = "import course_lib.tryouts.core as _tryouts; _tryouts.respond({}, {!r}, {!r})"


def look_at(module: str, check: str, seed: int, ask: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Run a check on an answer that lives elsewhere; return plain outcomes.

    Args:
        module: of the check.
        check: its name.
        seed: of the numbers that it draws.
        ask: sends a request and returns the answer.
    """
    cases = getattr(importlib.import_module(module), check).cases
    return [to_plain(outcome) for outcome in look(cases, Elsewhere(ask), seed)]


def ask(kernel: Any, name: str, request: str) -> dict[str, Any]:
    """Send one request to a kernel, and return the plain answer.

    Raises:
        Stopped: if the kernel came to an end, or there is not exactly one answer.
    """
    token = secrets.token_hex(8)
    shown = kernel.ask(ASK.format(name, request, token))
    found = [answer for data in shown if (answer := _answer(data, token)) is not None]
    if len(found) != 1:
        kernel.give_up("tampered")
    return found[0]


def _answer(data: Any, token: str) -> dict[str, Any] | None:
    try:
        content = json.loads(data[MIME])
        return content if content["token"] == token else None
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def compare(expected: list[dict[str, Any]], outcomes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each expected value whether the learner's agrees, and what it was in words."""
    pairs = list(itertools.zip_longest(expected[:MAX_CASES], outcomes[: len(expected)]))
    exact = [_agrees(wanted, got or {}) for wanted, got in pairs]
    rights = forgive(exact, [bool((got or {}).get("forgiven")) for _, got in pairs])
    return [_judged(got or {}, right) for (_, got), right in zip(pairs, rights, strict=True)]


def _agrees(wanted: dict[str, Any], got: dict[str, Any]) -> bool:
    return "error" not in got and agree(wanted["value"], got.get("value"), atol=wanted["atol"])


def _judged(got: dict[str, Any], right: bool) -> dict[str, Any]:
    value = got.get("value")
    return {
        "right": right,
        "seen": bool(got),
        "got": in_words(value) if value is not None else "",
        "error": str(got.get("error", ""))[:80],
        "text": str(got.get("text", ""))[:500],
        "hint": str(got.get("hint", ""))[:500],
    }
