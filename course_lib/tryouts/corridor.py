"""What the checks of notebook 02 do with a learner's code."""

import contextlib
import math
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

from course_lib.envs import corridor
from course_lib.tryouts.core import tryout
from course_lib.tryouts.errors import Unfit

RATES, WORDS = (0.03, 0.3, 1.0), ("gets there", "too hasty", "too slow")


@tryout
def walked(
    objective: Callable, config: dict[str, Any], script: list[float] | None = None
) -> dict[str, Any]:
    """Call an objective outside Tune; return its walks and reports.

    Args:
        objective: the learner's.
        config: handed to it.
        script: seconds of its walks, and 99 after the last; real walks if not given.

    Returns:
        ``order`` (``"w"`` for a walk, ``"r"`` for a report), ``gaits`` and ``times`` of the walks,
        ``names`` in the reports, and the reported ``seconds``, not a number where there are none.
    """
    from ray import tune

    outside = _Outside(script)
    doubles = {"report": outside.report, "walk_time": outside.walk_time}
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(tune, "report", doubles["report"]))
        stack.enter_context(mock.patch.object(corridor, "walk_time", doubles["walk_time"]))
        theirs = getattr(objective, "__globals__", {})
        doubles["walk_times"] = _all_at_once
        known = {name: value for name, value in doubles.items() if name in theirs}
        stack.enter_context(mock.patch.dict(theirs, known))
        objective(dict(config))
    return {
        "order": outside.order,
        "gaits": outside.gaits,
        "times": outside.times,
        "names": sorted({name for report in outside.reports for name in report}),
        "seconds": [float(report.get("seconds", math.nan)) for report in outside.reports],
    }


class _Outside:
    """What stands in for Tune's report and for the walks, and keeps a record."""

    def __init__(self, script: list[float] | None) -> None:
        self._script, self._walk = script, corridor.walk_time
        self.gaits: list[tuple[float, float]] = []
        self.times: list[float] = []
        self.reports: list[dict[str, Any]] = []
        self.order = ""

    @property
    def report(self) -> Callable:
        def report(metrics: dict[str, Any], *, checkpoint: Any = None) -> None:
            self.order += "r"
            self.reports.append(dict(metrics))

        return report

    @property
    def walk_time(self) -> Callable:
        def walk_time(stride: float, pace: float, *, rng: Any, **options: Any) -> float:
            self.order += "w"
            self.gaits.append((stride, pace))
            if self._script is None:
                time = self._walk(stride, pace, rng=rng, **options)
            else:
                time = (self._script + [99.0] * 1000)[len(self.times)]
            self.times.append(time)
            return time

        return walk_time


def _all_at_once(*_: Any, **__: Any) -> Any:
    raise Unfit("walk_times makes all walks at once; report after each: use walk_time")


@tryout
def chosen_and_list(survivors: Callable, seconds: list[float], factor: int) -> Any:
    """Return the position chosen, and the list as it is afterwards; what came if it is no list."""
    found, given = survivors(seconds, factor), seconds
    listed = isinstance(found, list | tuple | np.ndarray) and np.ndim(found) == 1
    return [*np.asarray(found).tolist()[:1], *given] if listed else found


@tryout
def words_told(predicted: Callable) -> list[str] | None:
    """Return what is said of each rate, in the order of ``RATES``.

    Raises:
        Unfit: if it is no dict of the three rates.
        ValueError: if it holds another word.
    """
    told = predicted()
    if told is None:
        return None
    if not isinstance(told, dict) or {float(key) for key in told} != set(RATES):
        raise Unfit(f"return a dict with the keys 0.03, 0.3 and 1.0; it returned {told!r}")
    if unknown := set(told.values()) - set(WORDS):
        raise ValueError(f"each is one of {', '.join(WORDS)}; got {unknown}")
    by_rate = {float(key): value for key, value in told.items()}
    return [by_rate[rate] for rate in RATES]
