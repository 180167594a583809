"""What the checks of lesson 05 do with a learner's code."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from course_lib.tryouts.core import leaves_alone, tryout
from course_lib.tryouts.errors import Unfit

MOST = 20_000  # looks at the rewards; a right answer needs one for each sweep and state


class Counted(np.ndarray):
    """An array of rewards that objects to a loop that does not end."""

    looks = [0]  # noqa: RUF012  (shared by all views)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Count a sum or a product with the rewards, and give back a plain array."""
        self._count()
        plain = [_plain(one) for one in inputs]
        if "out" in options:
            options["out"] = tuple(_plain(one) for one in options["out"])
        return getattr(ufunc, method)(*plain, **options)

    def __getitem__(self, place: Any) -> Any:
        """Count a look at some rewards."""
        self._count()
        return np.asarray(self)[place]

    def _count(self) -> None:
        self.looks[0] += 1
        if self.looks[0] > MOST:
            raise RuntimeError("your sweeps do not end; when has nothing changed any more?")


def _plain(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, Counted) else value


@tryout
def swept(attempt: Callable, town: tuple, gamma: float, tolerance: float) -> list | None:
    """Return the values before and after each sweep.

    Args:
        attempt: the learner's function.
        town: next_state, reward and terminated.
        gamma: discount.
        tolerance: the bound on the change.

    Raises:
        Unfit: if it gives no list of arrays.
    """
    next_state, reward, terminated = (np.array(part) for part in town)
    Counted.looks[0] = 0
    found = attempt(next_state, reward.view(Counted), terminated, gamma, tolerance)
    if found is None:
        return None
    arrays = np.ndim(found) and all(isinstance(one, np.ndarray) for one in found)
    rows = [np.asarray(one, float).tolist() for one in found] if arrays else []
    if not rows or any(np.shape(row) != (len(reward),) for row in rows):
        raise Unfit(
            "return a list with an array of all values before the first sweep, and one after each "
            "(max over the actions, axis=1, leaves one value for each state)"
        )
    return rows


@tryout
def sweeps_leave_alone(attempt: Callable, town: tuple, gamma: float) -> bool | None:
    """Return whether the tables are as they were after some sweeps."""
    next_state, reward, terminated = (np.array(part) for part in town)
    Counted.looks[0] = 0
    given = (next_state, reward.view(Counted), terminated)
    if attempt(*given, gamma, 1e-9) is None:
        return None
    return all(np.array_equal(one, two) for one, two in zip(given, town, strict=True))


@tryout
def mended_leave_alone(attempt: Callable, which: int, *args: Any, **options: float) -> Any:
    """Return whether one of the two functions leaves what it is given as it was."""
    return leaves_alone(_pair(attempt)[which], *args, **options)


@tryout
def mended_sweep(attempt: Callable, values: Any, town: tuple, gamma: float) -> Any:
    """Return the values after a sweep by the first of the two functions that were mended."""
    parts = [np.array(part) for part in town]
    return _pair(attempt)[0](np.array(values), *parts, gamma)


@tryout
def mended_update(attempt: Callable, *given: Any, learning_rate: float, gamma: float) -> Any:
    """Return the new q-value by the second of the two functions that were mended."""
    q_value, reward, after, terminated = given
    update = _pair(attempt)[1]
    ends = np.bool_(terminated)  # so that `~` works as in an array
    return update(q_value, reward, np.array(after), ends, learning_rate=learning_rate, gamma=gamma)


@tryout
def actions_of(attempt: Callable, values: Any, town: Any, gamma: float) -> Any:
    """Return the actions that a function gives for all states.

    Raises:
        Unfit: if they are no whole numbers.
    """
    found = attempt(np.array(values), *[np.array(part) for part in town], gamma)
    floats = found is not None and np.asarray(found).dtype.kind == "f"
    if floats and np.isin(found, np.arange(np.shape(town[1])[1])).all():
        raise Unfit("actions are whole numbers: an array of dtype int, as argmax gives")
    return found


def _pair(attempt: Callable) -> tuple[Callable, Callable]:
    found = attempt()
    if found is None:
        raise Unfit("your function returned None; end it with `return sweep, update`")
    if not isinstance(found, tuple | list) or len(found) != 2 or not all(map(callable, found)):
        raise Unfit("return the two functions: `return sweep, update`")
    if "learning_rate" in inspect.signature(found[0]).parameters:
        raise Unfit("first the sweep, then the update: `return sweep, update`")
    return found[0], found[1]
