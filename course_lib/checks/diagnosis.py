"""Which usual mistake it is, told by one example on which all of them differ."""

import functools
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from course_lib.checks.core import is_slip, same

Slips = tuple[tuple[Any, str], ...]


class Diagnosis:
    """What the learner's code gives for one rich example, held against usual mistakes.

    On small examples mistakes look alike: where n is 2, dividing by n and by n - 1 squared agree.

    Args:
        got: gives the learner's value for the example.
        right: what is right.
        wrong: what usual mistakes give, or functions that know them, each with a hint.
        atol: absolute tolerance for numbers; what is as near to ``right`` is left out.
    """

    def __init__(
        self, got: Callable[[], Any], right: Any, wrong: Iterable[tuple[Any, str]], *,
        atol: float = 1e-4,
    ) -> None:  # fmt: skip
        self._got, self._atol = got, atol
        self._wrong = [
            (value, hint)
            for value, hint in wrong
            if callable(value) or not same(right, value, atol=5 * atol)
        ]

    @functools.cached_property
    def hint(self) -> str:
        """The hint for the mistake, empty if it is none of these."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                got = self._got()
        except (Exception, SystemExit):
            return ""
        for value, hint in self._wrong:
            if got is not None and is_slip(value, got, self._atol):
                return hint
        return ""

    @property
    def slips(self) -> Slips:
        """For any case: whatever came out, the hint is that of the mistake that was found."""
        return tuple(
            (lambda got, hint=hint: self.hint == hint, hint)
            for hint in dict.fromkeys(hint for _, hint in self._wrong)
        )
