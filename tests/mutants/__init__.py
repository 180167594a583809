"""Wrong answers that the checks must refuse, and right ones in unusual styles, by exercise.

Each lesson's module holds ``MUTANTS[number]`` and ``RIGHT[number]``, by name, and
``EXAMPLES[number]``, the arguments of the worked example. From an example follow the mistakes that
every function can have: no ``return``, a constant, the worked example alone, and each argument
ignored in turn.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib.answers import answer

SILENT = ("2.2",)  # its answer returns nothing
RETURN = "is a `return` missing?"
MOST = 0.4  # of the points, for a constant


@dataclass(frozen=True)
class Mutant:
    """A wrong answer.

    Attributes:
        attempt: the learner's object.
        says: words of the hint that fits.
        silent: words of hints that do not fit.
        costs: the parts that are lost, and no other; at least one, if left out.
        keeps: the largest share of the points that may be left.
    """

    attempt: Any
    says: str = ""
    silent: tuple[str, ...] = ()
    costs: frozenset[str] | None = None
    keeps: float = 1.0


def lost(*parts: str) -> frozenset[str]:
    """Name the parts that a mistake costs."""
    return frozenset(parts)


def generic(
    number: str, example: dict[str, Any], same: tuple[str, ...] = ()
) -> Iterator[tuple[str, Mutant]]:
    """Yield the mistakes that every function can have, by name.

    Args:
        number: of the exercise.
        example: the arguments of its worked example, by name.
        same: arguments without which the answer is right as well, such as a random generator.
    """
    own = answer(number)
    if number not in SILENT:
        yield "no return", Mutant(_forgets_return(own), RETURN)
    for constant in (0.0, 1.0, True, "1", []):
        yield f"always {constant!r}", Mutant(lambda *_, _c=constant, **__: _c, keeps=MOST)
    if example:
        yield (
            "the worked answer always",
            Mutant(_worked_only(own, example, always=True), keeps=MOST),
        )
        yield (
            "the worked example only",
            Mutant(_worked_only(own, example, always=False), keeps=MOST),
        )
    for name in [name for name in example if name not in same]:
        yield f"ignores {name}", Mutant(_without(own, name, example[name]))


def _forgets_return(own: Callable) -> Callable:
    @functools.wraps(own)
    def attempt(*args: Any, **kwargs: Any) -> None:
        own(*args, **kwargs)

    return attempt


def _worked_only(own: Callable, example: dict[str, Any], *, always: bool) -> Callable:
    bind = inspect.signature(own).bind
    given, keywords = bind(**example).args, bind(**example).kwargs

    @functools.wraps(own)
    def attempt(*args: Any, **kwargs: Any) -> Any:
        if always or _alike(bind(*args, **kwargs).arguments, example):
            return own(*given, **keywords)
        return 0.0

    return attempt


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(
        value is other[name]
        or (np.shape(value) == np.shape(other[name]) and bool(np.all(value == other[name])))
        for name, value in one.items()
    )


def _without(own: Callable, name: str, value: Any) -> Callable:
    @functools.wraps(own)
    def attempt(*args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(own).bind(*args, **kwargs)
        bound.arguments[name] = value
        return own(*bound.args, **bound.kwargs)

    return attempt
