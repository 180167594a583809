"""Checks of predictions: one word for each of several things, and no word of what is right."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from course_lib.checks.core import Case
from course_lib.tryouts.errors import Unfit


def predictions(
    attempt: Callable[[], dict[str, str]], right: Mapping[str, tuple[str, str]],
    words: Mapping[str, tuple[str, ...]], hint: str,
) -> Iterator[Case]:  # fmt: skip
    """Yield a case for each thing; each is a part of its own.

    Args:
        attempt: the learner's function, which returns a word for each thing.
        right: thing -> the right word, and why; told when it was found only.
        words: thing -> the words that are allowed.
        hint: where it is measured.
    """
    for thing, (word, why) in right.items():
        yield Case(
            f"{thing}: {word}; {why}",
            expected=word,
            got=partial(_word, attempt, thing, words),
            hint=hint,
            part=thing,
            otherwise=f"{thing}: not so",  # an aspect would tell the answer
        )


def _word(attempt: Callable, thing: str, words: Mapping[str, tuple[str, ...]]) -> Any:
    told = attempt()
    if told is None:
        return None
    if not isinstance(told, dict) or thing not in told:
        found = f"; it has {', '.join(map(repr, told))}" if isinstance(told, dict) else ""
        raise Unfit(f"return a dict with a word for each of {', '.join(map(repr, words))}{found}")
    for word in words[thing]:
        if str(told[thing]).strip().casefold() == word.casefold():
            return word
    allowed = " or ".join(map(repr, words[thing]))
    raise Unfit(f"{thing!r} is {allowed}, got {told[thing]!r}")
