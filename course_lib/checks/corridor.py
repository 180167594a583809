"""Checks of notebook 02, and the course's own answers to its exercises."""

import contextlib
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest import mock

import numpy as np

from course_lib.checks.core import Case, exercise
from course_lib.envs import corridor


@exercise(
    "2.1",
    parts={"the steps": 3, "the stumbles": 4, "the length": 1},
)
def check_mean_time(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 2.1 against walks worked by hand."""
    steps, stumbles, length = "the steps", "the stumbles", "the length"
    hint, got = STEPS_HINT, partial(attempt, 0.5, 2.0, 0.0, 30.0)
    yield Case("0.5 m, 2 a second, no risk, 30 m: 30 s", 30.0, got, hint, part=steps)
    hint = "every step adds risk x 4 s, not the walk as a whole"
    got = partial(attempt, 0.75, 2.0, 0.1, 30.0)
    yield Case("0.75 m, 2 a second, risk 0.1: 36 s", 36.0, got, hint, part=stumbles)
    hint = "a stumble costs its 4 s besides the time of the step"
    got = partial(attempt, 1.0, 4.0, 1.0, 10.0)
    yield Case("1 m, 4 a second, risk 1, 10 m: 42.5 s", 42.5, got, hint, part=stumbles)
    hint = "did you use the length that was given?"
    got = partial(attempt, 1.0, 4.0, 1.0, 20.0)
    yield Case("twice the length, twice the time", 85.0, got, hint, part=length)
    stride, pace, risk, metres = rng.uniform([0.3, 0.5, 0.05, 12], [1.5, 4, 0.9, 80]).tolist()
    got = partial(attempt, stride, pace, 0.0, metres)
    yield Case("other numbers without a risk", got=got, hint=STEPS_HINT, part=steps)
    hint, got = "every step adds risk x 4 s", partial(attempt, stride, pace, risk, metres)
    yield Case("other numbers with a risk", got=got, hint=hint, part=stumbles)


STEPS_HINT = "no stumbles: number of steps x seconds of a step; a pace of 2 means 0.5 s a step"


@exercise(
    "2.2",
    parts={"reports": 3, "the mean so far": 3, "the config": 2, "the seed": 3},
    needs="torch",
)
def check_objective(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 2.2 with walks whose times are written down, then with real ones."""
    config = {"stride": 0.7, "pace": 1.5, "num_walks": 3, "seed": 1}
    gaits: list[tuple[float, float]] = []
    script = iter([30.0, 50.0, 40.0, 99.0, 99.0, 99.0])

    def scripted(stride: float, pace: float, **_: Any) -> float:
        gaits.append((stride, pace))
        return next(script)

    found = _reports(attempt, config, scripted)
    hint, part = "call tune.report inside the loop", "reports"
    yield Case("3 walks give 3 reports", 3, len(found), hint, part=part)
    names = sorted({name for report in found for name in report})
    hint = 'tune.report({"seconds": ...})'
    yield Case("a report holds 'seconds'", ["seconds"], names, hint, part=part)
    hint, part = (
        "report the mean of all walks so far, not the latest and not the sum",
        "the mean so far",
    )
    means = [float(report.get("seconds", math.nan)) for report in found]
    aspect = "walks of 30, 50, 40 s: means 30, 40, 40"
    yield Case(aspect, [30.0, 40.0, 40.0], means, hint, part=part)
    got = partial(_drawn_means, attempt, rng.uniform(20, 60, 5).tolist())
    yield Case("five other walks: their means", got=got, hint=hint, part=part)
    hint = 'walk_time(config["stride"], config["pace"], rng=rng)'
    aspect = "it walks with stride and pace of the config"
    yield Case(aspect, [(0.7, 1.5)] * 3, gaits, hint, part="the config")
    yield from _seed_cases(attempt, int(rng.integers(2**20)))


def _drawn_means(attempt: Callable, times: list[float]) -> list[float]:
    """What an objective reports when its walks take ``times``."""
    script = iter([*times, *[99.0] * 5])
    config = {"stride": 0.9, "pace": 1.2, "num_walks": len(times), "seed": 3}
    return [
        float(report.get("seconds", math.nan))
        for report in _reports(attempt, config, lambda *_, **__: next(script))
    ]


def _seed_cases(attempt: Callable, seed: int) -> Iterator[Case]:
    config = {"stride": 1.0, "pace": 2.0, "num_walks": 30, "seed": seed}
    hint, part = "make one generator, before the loop: rng = corridor.rng_for(config)", "the seed"
    again = [_reports(attempt, config) for _ in range(2)]
    equal = again[0] == again[1]
    yield Case("the same seed gives the same reports", True, equal, hint, part=part)
    other = _reports(attempt, config | {"seed": seed + 1})
    yield Case("another seed gives others", True, other != again[0], hint, part=part)
    fresh = len({round(report["seconds"], 6) for report in again[0]}) > 3
    yield Case("each walk is a new one", True, fresh, hint, part=part)


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


@exercise(
    "2.3",
    parts={"two numbers to search": 1, "drawn anew": 3, "the ranges": 3, "uniform": 2},
    needs="torch",
)
def check_search_space(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 2.3 by drawing from the space."""
    from ray.tune.search.sample import Domain

    space = attempt()
    names = sorted(space) if isinstance(space, dict) else f"a {type(space).__name__}"
    hint = 'return {"stride": ..., "pace": ...}'
    yield Case(
        "a dict with stride and pace", ["pace", "stride"], names, hint, part="two numbers to search"
    )
    if names != ["pace", "stride"]:
        return
    for name, low, high in (("stride", 0.3, 1.5), ("pace", 0.5, 4.0)):
        drawn = isinstance(space[name], Domain)
        hint = "tune.uniform(low, high) is drawn anew for each trial; a number or a list is not"
        aspect = f"{name} is drawn anew for each trial"
        yield Case(aspect, True, drawn, hint, part="drawn anew")
        if not drawn:
            continue
        draws = np.array([space[name].sample(random_state=rng) for _ in range(2_000)], dtype=float)
        width = high - low
        ends = [float(draws.min()), float(draws.max())]
        hint = "tune.uniform(low, high), both numbers as in the text"
        tolerance = 0.03 * width
        aspect, part = f"{name} covers {low} to {high}", "the ranges"
        yield Case(aspect, [low, high], ends, hint, atol=tolerance, part=part)
        hint = "every part of the range is equally likely with uniform, not with loguniform"
        middle = float(np.median(draws))
        text = f"half of the draws of {name} are below the middle"
        yield Case(text, (low + high) / 2, middle, hint, atol=0.06 * width, part="uniform")


@exercise(
    "2.4",
    parts={"the best first": 4, "how many": 3, "at least one": 2, "leaves the list alone": 1},
)
def check_survivors(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 2.4 against rungs worked by hand."""
    for aspect, seconds, factor, expected, part, hint in RUNGS:
        got = partial(_chosen, attempt, seconds, factor)
        yield Case(aspect, expected, got, hint, part=part)
    given = [3.0, 1.0, 2.0]
    yield Case(
        "the list that was given stays as it was",
        [3.0, 1.0, 2.0],
        lambda: [attempt(given, 3), given][1],
        "use sorted()",
        part="leaves the list alone",
    )
    drawn = (30 + 2.5 * rng.permutation(11)).tolist()
    for factor, part in ((2, "the best first"), (4, "how many")):
        got = partial(_chosen, attempt, drawn, factor)
        hint = "sort by time, then cut to len(seconds) // factor"
        yield Case(f"eleven other trials with factor {factor}", got=got, hint=hint, part=part)


RUNGS = (
    (
        "of 6 trials with factor 3, the best 2",
        [50.0, 40.0, 60.0, 45.0, 70.0, 55.0],
        3,
        [1, 3],
        "the best first",
        "fewer seconds are better; return positions, counted from 0, not times",
    ),
    (
        "of 4 with factor 2, the best first",
        [9.0, 7.0, 8.0, 6.0],
        2,
        [3, 1],
        "the best first",
        "sort by time, then cut",
    ),
    (
        "of 5 with factor 2 go on 2: round down",
        [9.0, 7.0, 8.0, 6.0, 5.0],
        2,
        [4, 3],
        "how many",
        "len(seconds) // factor",
    ),
    ("at least one goes on", [52.0, 48.0], 3, [1], "at least one", "max(..., 1)"),
)


def _chosen(attempt: Callable, seconds: list[float], factor: int) -> Any:
    """Return positions as a list; anything else as it is."""
    values = attempt(list(seconds), factor)
    return list(values) if isinstance(values, list | tuple | np.ndarray) else values


@exercise(
    "2.5",
    parts={"rounds": 4, "cores of a trial": 4, "never": 1},
)
def check_search_seconds(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 2.5 against plans worked by hand."""
    for aspect, plan, expected, part, hint in PLANS:
        yield Case(aspect, expected, partial(attempt, *plan), hint, part=part)
    trials, seconds = int(rng.integers(11, 60)), float(rng.uniform(1, 50))
    for cores, at_once, part in ((1, 4, "rounds"), (3, 10, "cores of a trial")):
        got = partial(attempt, trials, seconds, cores, at_once)
        aspect, hint = f"more trials of {cores} on {at_once} cores", "math.ceil(trials / at once)"
        yield Case(aspect, got=got, hint=hint, part=part)


PLANS = (
    (
        "8 trials of 10 s, 1 core each, 2 cores: 40 s",
        (8, 10.0, 1, 2),
        40.0,
        "rounds",
        "2 run at a time, so there are 4 rounds of 10 s",
    ),
    (
        "9 trials: 50 s",
        (9, 10.0, 1, 2),
        50.0,
        "rounds",
        "the last round is not full, and takes as long as a full one: math.ceil",
    ),
    (
        "3 cores each, of 4: one at a time",
        (3, 10.0, 3, 4),
        30.0,
        "cores of a trial",
        "3 cores do not fit twice into 4: round down",
    ),
    (
        "half a core each: 20 s",
        (8, 10.0, 0.5, 2),
        20.0,
        "cores of a trial",
        "half a core each: 4 trials share 2 cores",
    ),
    (
        "4 cores each, of 2: never",
        (8, 10.0, 4, 2),
        math.inf,
        "never",
        "a trial that asks for more than there is waits for ever: math.inf",
    ),
)
