"""Checks of notebook 02, and the course's own answers to its exercises."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

import numpy as np

from course_lib.checks.core import Case, exercise
from course_lib.envs import corridor


def mean_time(stride: float, pace: float, risk: float, length: float) -> float:
    """Return the mean seconds of a walk.

    Args:
        stride: metres per step.
        pace: steps per second.
        risk: probability that a step ends in a stumble, which costs 4 seconds.
        length: of the corridor, metres.
    """
    steps = length / stride
    return steps * (1 / pace + risk * corridor.STUMBLE_S)


@exercise("2.1", "the mean time of a walk", reference=lambda: mean_time)
def check_mean_time(attempt: Callable) -> Iterator[Case]:
    """Check Exercise 2.1 against walks worked by hand."""
    hint = "no stumbles: number of steps x seconds of a step; a pace of 2 means 0.5 s a step"
    yield Case("0.5 m, 2 a second, no risk, 30 m: 30 s", 30.0, attempt(0.5, 2.0, 0.0, 30.0), hint)
    hint = "every step adds risk x 4 s, not the walk as a whole"
    yield Case("0.75 m, 2 a second, risk 0.1: 36 s", 36.0, attempt(0.75, 2.0, 0.1, 30.0), hint)
    hint = "a stumble costs its 4 s besides the time of the step"
    yield Case("1 m, 4 a second, risk 1, 10 m: 42.5 s", 42.5, attempt(1.0, 4.0, 1.0, 10.0), hint)
    hint = "did you use the length that was given?"
    yield Case("twice the length, twice the time", 85.0, attempt(1.0, 4.0, 1.0, 20.0), hint)


def objective(config: dict[str, Any]) -> None:
    """Walk ``num_walks`` times; after each walk report the mean seconds so far.

    Args:
        config: ``stride``, ``pace``, ``num_walks`` and ``seed``.
    """
    from ray import tune

    rng = corridor.rng_for(config)
    total = 0.0
    for number in range(1, config["num_walks"] + 1):
        total += corridor.walk_time(config["stride"], config["pace"], rng=rng)
        tune.report({"seconds": total / number})


@exercise("2.2", "an objective that reports", reference=lambda: objective)
def check_objective(attempt: Callable) -> Iterator[Case]:
    """Check Exercise 2.2 with walks whose times are written down, then with real ones."""
    config = {"stride": 0.7, "pace": 1.5, "num_walks": 3, "seed": 1}
    gaits: list[tuple[float, float]] = []
    script = iter([30.0, 50.0, 40.0, 99.0, 99.0, 99.0])

    def scripted(stride: float, pace: float, **_: Any) -> float:
        gaits.append((stride, pace))
        return next(script)

    found = _reports(attempt, config, scripted)
    yield Case("3 walks give 3 reports", 3, len(found), "call tune.report inside the loop")
    names = sorted({name for report in found for name in report})
    yield Case("a report holds 'seconds'", ["seconds"], names, 'tune.report({"seconds": ...})')
    hint = "report the mean of all walks so far, not the latest and not the sum"
    means = [float(report.get("seconds", math.nan)) for report in found]
    yield Case("walks of 30, 50, 40 s: means 30, 40, 40", [30.0, 40.0, 40.0], means, hint)
    hint = 'walk_time(config["stride"], config["pace"], rng=rng)'
    yield Case("it walks with stride and pace of the config", [(0.7, 1.5)] * 3, gaits, hint)
    config |= {"stride": 1.0, "pace": 2.0, "num_walks": 30}
    again = [_reports(attempt, config) for _ in range(2)]
    hint = "make one generator, before the loop: rng = corridor.rng_for(config)"
    yield Case("the same seed gives the same reports", True, again[0] == again[1], hint)
    other = _reports(attempt, config | {"seed": 2})
    yield Case("another seed gives others", True, other != again[0], hint)
    fresh = len({round(report["seconds"], 6) for report in again[0]}) > 3
    yield Case("each walk is a new one", True, fresh, hint)


def _reports(
    attempt: Callable, config: dict[str, Any], walk: Callable | None = None
) -> list[dict[str, Any]]:
    """Call an objective outside Tune, and return what it reported."""
    from ray import tune

    found: list[dict[str, Any]] = []
    names: dict[str, Any] = {"report": lambda metrics, **_: found.append(dict(metrics))}
    if walk is not None:
        names["walk_time"] = walk
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(tune, "report", names["report"]))
        if walk is not None:
            stack.enter_context(mock.patch.object(corridor, "walk_time", walk))
        theirs = getattr(attempt, "__globals__", {})
        known = {name: value for name, value in names.items() if name in theirs}
        stack.enter_context(mock.patch.dict(theirs, known))
        attempt(dict(config))
    return found


def search_space() -> dict[str, Any]:
    """Return Tune's search space: stride and pace, uniform over their ranges."""
    from ray import tune

    return {
        "stride": tune.uniform(*corridor.STRIDE_RANGE_M),
        "pace": tune.uniform(*corridor.PACE_RANGE_HZ),
    }


@exercise("2.3", "a search space", reference=lambda: search_space)
def check_search_space(attempt: Callable) -> Iterator[Case]:
    """Check Exercise 2.3 by drawing from the space."""
    from ray.tune.search.sample import Domain

    space = attempt()
    names = sorted(space) if isinstance(space, dict) else f"a {type(space).__name__}"
    hint = 'return {"stride": ..., "pace": ...}'
    yield Case("a dict with stride and pace", ["pace", "stride"], names, hint)
    if names != ["pace", "stride"]:
        return
    for name, low, high in (("stride", 0.3, 1.5), ("pace", 0.5, 4.0)):
        drawn = isinstance(space[name], Domain)
        hint = "tune.uniform(low, high) is drawn anew for each trial; a number or a list is not"
        yield Case(f"{name} is drawn anew for each trial", True, drawn, hint)
        if not drawn:
            continue
        rng = np.random.default_rng(0)
        draws = np.array([space[name].sample(random_state=rng) for _ in range(2_000)], dtype=float)
        width = high - low
        ends = [float(draws.min()), float(draws.max())]
        hint = "tune.uniform(low, high), both numbers as in the text"
        tolerance = 0.03 * width
        yield Case(f"{name} covers {low} to {high}", [low, high], ends, hint, atol=tolerance)
        hint = "every part of the range is equally likely with uniform, not with loguniform"
        middle = float(np.median(draws))
        text = f"half of the draws of {name} are below the middle"
        yield Case(text, (low + high) / 2, middle, hint, atol=0.06 * width)


def survivors(seconds: Sequence[float], reduction_factor: int) -> list[int]:
    """Return the positions of the trials that go on, the best first.

    Args:
        seconds: of each trial at this rung; lower is better.
        reduction_factor: one in so many goes on, and at least one.
    """
    keep = max(len(seconds) // reduction_factor, 1)
    return [int(index) for index in np.argsort(seconds, kind="stable")[:keep]]


@exercise("2.4", "who goes on?", reference=lambda: survivors)
def check_survivors(attempt: Callable) -> Iterator[Case]:
    """Check Exercise 2.4 against rungs worked by hand."""
    got = _plain(attempt([50.0, 40.0, 60.0, 45.0, 70.0, 55.0], 3))
    hint = "fewer seconds are better; return positions, counted from 0, not times"
    yield Case("of 6 trials with factor 3, the best 2", [1, 3], got, hint)
    got = _plain(attempt([9.0, 7.0, 8.0, 6.0], 2))
    yield Case("of 4 with factor 2, the best first", [3, 1], got, "sort by time, then cut")
    got = _plain(attempt([9.0, 7.0, 8.0, 6.0, 5.0], 2))
    yield Case("of 5 with factor 2 go on 2: round down", [4, 3], got, "len(seconds) // factor")
    got = _plain(attempt([52.0, 48.0], 3))
    yield Case("at least one goes on", [1], got, "max(..., 1)")
    given = [3.0, 1.0, 2.0]
    attempt(given, 3)
    yield Case("the list that was given stays as it was", [3.0, 1.0, 2.0], given, "use sorted()")


def search_seconds(
    num_trials: int, trial_seconds: float, cpus_per_trial: float, num_cpus: int
) -> float:
    """Return how long a search takes if only cores limit it; infinity if no trial ever starts.

    Args:
        num_trials: trials of the search.
        trial_seconds: time of one trial.
        cpus_per_trial: cores that each asks for, above 0.
        num_cpus: cores that Ray has.
    """
    at_once = int(num_cpus / cpus_per_trial + 1e-9)
    if at_once == 0:
        return math.inf
    return math.ceil(num_trials / at_once) * trial_seconds


@exercise("2.5", "how long will it take?", reference=lambda: search_seconds)
def check_search_seconds(attempt: Callable) -> Iterator[Case]:
    """Check Exercise 2.5 against plans worked by hand."""
    hint = "2 run at a time, so there are 4 rounds of 10 s"
    yield Case("8 trials of 10 s, 1 core each, 2 cores: 40 s", 40.0, attempt(8, 10.0, 1, 2), hint)
    hint = "the last round is not full, and takes as long as a full one: math.ceil"
    yield Case("9 trials: 50 s", 50.0, attempt(9, 10.0, 1, 2), hint)
    hint = "3 cores do not fit twice into 4: round down"
    yield Case("3 cores each, of 4: one at a time", 30.0, attempt(3, 10.0, 3, 4), hint)
    hint = "half a core each: 4 trials share 2 cores"
    yield Case("half a core each: 20 s", 20.0, attempt(8, 10.0, 0.5, 2), hint)
    hint = "a trial that asks for more than there is waits for ever: math.inf"
    yield Case("4 cores each, of 2: never", math.inf, attempt(8, 10.0, 4, 2), hint)


def _plain(values: Any) -> Any:
    """Return positions as a list; anything else as it is."""
    return list(values) if isinstance(values, list | tuple | np.ndarray) else values
