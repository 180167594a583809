"""Checks of notebook 02, and the course's own answers to its exercises."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import FROM_REFERENCE, Case, exercise
from course_lib.tryouts.corridor import RATES, chosen_and_list, walked, words_told


@exercise(
    "2.1",
    parts={"the steps": 3, "the stumbles": 4, "the length": 1},
)
def check_mean_time(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 2.1 against walks worked by hand."""
    stride, pace, risk, metres = rng.uniform([0.3, 0.5, 0.05, 32], [1.5, 4, 0.9, 80]).tolist()
    for aspect, walk, expected, part, hint in (
        ("0.5 m, 2 a second, no risk, 30 m: 30 s", (0.5, 2.0, 0.0, 30.0), 30.0, *STEPS),
        ("0.75 m, 2 a second, risk 0.1, 30 m: 36 s", (0.75, 2.0, 0.1, 30.0), 36.0, *STUMBLES),
        ("1 m, 4 a second, risk 1, 30 m: 127.5 s", (1.0, 4.0, 1.0, 30.0), 127.5, *STUMBLES),
        ("1 m, 4 a second, risk 1, 20 m: 85 s", (1.0, 4.0, 1.0, 20.0), 85.0, *LENGTH),
        ("another gait without a risk", (stride, pace, 0.0, 30.0), FROM_REFERENCE, *STEPS),
        ("another gait with a risk", (stride, pace, risk, 30.0), FROM_REFERENCE, *STUMBLES),
        ("another length", (stride, pace, risk, metres), FROM_REFERENCE, *LENGTH),
    ):
        yield Case(
            aspect,
            expected=expected,
            got=partial(attempt, *walk),
            hint=hint,
            part=part,
            slips=tuple(_wrong_times(*walk)),
        )


STEPS = (
    "the steps",
    "no stumbles: number of steps x seconds of a step; a pace of 2 means 0.5 s a step",
)
STUMBLES = ("the stumbles", "every step adds risk x 4 s besides its own time")
LENGTH = ("the length", "did you use the length that was given?")


def _wrong_times(stride: float, pace: float, risk: float, length: float) -> list[tuple[float, str]]:
    """What usual mistakes make of a walk, where it differs from what is right."""
    steps, right = length / stride, length / stride * (1 / pace + risk * 4)
    wrong = (
        (steps / pace, "every step adds risk x 4 s: are the stumbles there?"),
        (steps / pace + 4 * risk, "every step adds risk x 4 s, not the walk as a whole"),
        (steps * ((1 - risk) / pace + 4 * risk), "a stumble costs its 4 s besides the step's time"),
        (
            steps * (pace + 4 * risk),
            "a step takes 1 / pace seconds: a pace of 2 means 0.5 s a step",
        ),
        (length * stride * (1 / pace + 4 * risk), "the number of steps is length / stride"),
        (30 / stride * (1 / pace + 4 * risk), LENGTH[1]),
        (
            steps / max(1 - risk, 1e-9) * (1 / pace + 4 * risk),
            "a stumble costs time alone: the step is made all the same",
        ),
        *(
            (whole * (1 / pace + 4 * risk), "a mean may hold half a step: do not round")
            for whole in (math.floor(steps), math.ceil(steps))
        ),
    )
    return [(value, hint) for value, hint in wrong if abs(value - right) > 1e-6]


@exercise(
    "2.2",
    parts={"reports": 3, "the mean so far": 3, "the config": 2, "the seed": 3},
    needs="torch",
)
def check_objective(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 2.2 with walks whose times are written down, then with real ones."""
    config: dict[str, Any] = {"stride": 0.7, "pace": 1.5, "num_walks": 3, "seed": 1}
    scripted = partial(walked, attempt, config, [30.0, 50.0, 40.0])
    calls = (
        ("'seconds'", 'tune.report takes one dict: tune.report({"seconds": ...})'),
        ("positional argument", "name the dice: walk_time(..., rng=rng)"),
    )

    def case(aspect: str, expected: Any, got: Callable, hint: str, part: str, *slips: Any) -> Case:
        return Case(aspect, expected, got, hint, part=part, slips=(*calls, *slips))

    part = "reports"
    yield case(
        "each walk is followed by a report",
        True,
        lambda: _alternates(scripted()),
        "one report after each walk: call tune.report inside the loop",
        part,
    )
    hint = 'tune.report({"seconds": ...})'
    yield case("a report holds 'seconds'", ["seconds"], lambda: scripted()["names"], hint, part)
    hint, part = "report the mean of all walks so far", "the mean so far"
    yield case(
        "walks of 30, 50, 40 s: means 30, 40, 40",
        [30.0, 40.0, 40.0],
        lambda: scripted()["seconds"][:3],
        hint,
        part,
        ([40.0], "a report after each walk, not one at the end"),
        ([30.0, 50.0, 40.0], "the mean of all walks so far, not the latest"),
        ([30.0, 80.0, 120.0], "the mean of all walks so far, not the sum"),
    )
    times = rng.uniform(20, 60, 5).tolist()
    yield case(
        "five other walks: their means",
        FROM_REFERENCE,
        lambda: walked(attempt, {**config, "num_walks": 5}, times)["seconds"][:5],
        hint,
        part,
        (times, "the mean of all walks so far, not the latest"),
        (np.cumsum(times).tolist(), "the mean of all walks so far, not the sum"),
        ([float(np.mean(times))], "a report after each walk, not one at the end"),
    )
    hint = 'walk_time(config["stride"], config["pace"], rng=rng), config["num_walks"] times'
    for drawn in (config, {**config, "stride": 0.9, "num_walks": int(rng.integers(4, 9))}):
        yield case(
            f"it walks {drawn['num_walks']} times with stride and pace of the config",
            [(drawn["stride"], 1.5)] * drawn["num_walks"],
            partial(lambda given: walked(attempt, given, [30.0])["gaits"], drawn),
            hint,
            "the config",
        )
    yield from _seed_cases(attempt, int(rng.integers(2**20)))


def _seed_cases(attempt: Callable, seed: int) -> Iterator[Case]:
    config = {"stride": 1.2, "pace": 1.2, "num_walks": 30, "seed": seed}
    walks = partial(walked, attempt)
    part, hint = "the seed", "make the dice from the config: rng = corridor.rng_for(config)"
    yield Case(
        "the same seed gives the same walks, another seed gives others",
        expected=[True, False],
        got=lambda: [
            walks(config)["times"] == walks(config | {"seed": seed + change})["times"]
            for change in (0, 1)
        ],
        hint=hint,
        part=part,
        slips=(([True, True], f"another seed, the same walks: {hint}"),),
    )
    yield Case(
        "each walk is a new one",
        expected=True,
        got=lambda: len({round(time, 6) for time in walks(config)["times"]}) > 1,
        hint="make one generator, before the loop: rng = corridor.rng_for(config)",
        part=part,
    )


def _alternates(record: dict[str, Any]) -> bool:
    """Whether there were walks, and a report after each."""
    order = str(record["order"])
    return order != "" and order == "wr" * (len(order) // 2)


@exercise(
    "2.3",
    parts={"the same": 2, "outside": 2, "evenly": 3, "by factors": 3},
)
def check_how_drawn(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 2.3 with values that were drawn in each of the four ways."""
    for scale in (1e-6, 10.0):
        low = scale * float(rng.uniform(1, 10))
        high = low * float(rng.uniform(100, 1000))
        evenly = rng.uniform(low, high, 300)
        by_factors = np.exp(rng.uniform(math.log(low), math.log(high), 300))
        evenly[1:4] = evenly[0], low, high  # two alike, and both ends: all allowed
        outside = np.append(evenly[:40], high * float(rng.uniform(1.05, 3)))
        below = np.append(by_factors[:40], low * float(rng.uniform(0.2, 0.9)))
        for part, values, hint in (
            ("the same", [float(evenly[0])] * 30, "every trial got one value: the same"),
            ("outside", rng.permutation(outside).tolist(), "one value above high is enough"),
            ("outside", rng.permutation(below).tolist(), "one value below low is enough"),
            ("evenly", evenly.tolist(), "drawn evenly, nearly all values are above the middle"),
            ("by factors", by_factors.tolist(), "drawn by factors, half are below the middle"),
        ):
            yield Case(
                f"{len(values)} values from {min(values):.2g} to {max(values):.2g}, "
                f"where {low:.2g} to {high:.2g} was meant: {part}",
                expected=part,
                got=partial(_named, attempt, values, low, high),
                hint=hint,
                part=part,
            )


def _named(attempt: Callable, *given: Any) -> Any:
    """Return what was said of the values, if it is one of the four words."""
    told, words = attempt(*given), ("the same", "outside", "evenly", "by factors")
    if told is not None and str(told) not in words:
        raise ValueError(f"return one of {', '.join(map(repr, words))}; it returned {told!r}")
    return told


@exercise(
    "2.4",
    parts={"the best first": 4, "how many": 3, "at least one": 2, "leaves the list alone": 1},
)
def check_survivors(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 2.4 against rungs worked by hand."""
    drawn = (30 + 2.5 * rng.permutation(12)).tolist()
    for aspect, seconds, factor, wanted in (
        ("of 6 trials the best come first: positions 3 and 1", SIX, 3, [3, 1]),
        ("of twelve other trials the best come first", drawn, 6, FROM_REFERENCE),
    ):
        order = np.argsort(seconds)
        yield Case(
            aspect,
            expected=wanted,
            got=partial(_chosen, attempt, seconds, factor, first=2),
            hint="sort by time: fewer seconds are better, and the best comes first",
            part="the best first",
            slips=(
                (np.sort(seconds)[:2], "return positions, counted from 0, not times"),
                (order[::-1][:2], "fewer seconds are better: sorted the wrong way round?"),
                (order[:2] + 1, "positions are counted from 0"),
                (order[1::-1], "the best of them comes first"),
            ),
        )
    for aspect, seconds, factor, count in (
        ("of 6 trials with factor 3, 2 go on", SIX, 3, 2),
        ("of 5 with factor 3, 1 goes on: round down", SIX[:5], 3, 1),
        ("of twelve other trials with factor 4, 3 go on", drawn, 4, 3),
    ):
        yield Case(
            aspect,
            expected=count,
            got=partial(_count, attempt, seconds, factor),
            hint="len(seconds) // reduction_factor go on",
            part="how many",
            slips=((factor, "ONE IN reduction_factor goes on: len(seconds) // reduction_factor"),)
            if factor != count
            else (),
        )
    yield Case(
        "at least one goes on",
        expected=[1],
        got=partial(_chosen, attempt, [52.0, 48.0], 3),
        hint="max(..., 1)",
        part="at least one",
        slips=(
            ([1, 0], "2 trials with factor 3: one, not all of them"),
            ([0], "fewer seconds are better: sorted the wrong way round?"),
            ([2], "positions are counted from 0"),
            ([48.0], "return positions, counted from 0, not times"),
        ),
    )
    yield Case(
        "the list that was given stays as it was",
        expected=[1, 3.0, 1.0, 2.0],
        got=partial(chosen_and_list, attempt, [3.0, 1.0, 2.0], 3),
        hint="use sorted(), which leaves the list alone",
        part="leaves the list alone",
        slips=tuple(
            ([k, 3.0, 1.0, 2.0], "it did; but it is position 1 that goes on") for k in (0, 2)
        ),
    )


SIX = [50.0, 45.0, 60.0, 40.0, 55.0, 70.0]


def _chosen(attempt: Callable, seconds: list[float], factor: int, first: int | None = None) -> Any:
    """Return (the first of) the positions as a plain list; anything else as it is."""
    found = attempt(list(seconds), factor)
    return np.asarray(found).tolist()[:first] if _is_list(found) else found


def _is_list(found: Any) -> bool:
    return isinstance(found, list | tuple | np.ndarray) and np.ndim(found) == 1


def _count(attempt: Callable, seconds: list[float], factor: int) -> Any:
    found = attempt(list(seconds), factor)
    return len(found) if _is_list(found) else found


WHY = {
    0.03: "it writes down 3% of each piece of news, and 1,200 walks bring too few of them",
    0.3: "it hears the news, and averages over several tries of the same tile",
    1.0: "each try overwrites all the tries before it, and here no two tries are alike",
}


@exercise(
    "2.5",
    parts={f"rate {rate:g}": 3 for rate in RATES},
)
def check_predicted(attempt: Callable[[], dict[float, str]]) -> Iterator[Case]:
    """One case per rate; a test trains the agents and holds these answers against them."""

    def said(rate: float) -> Any:
        told = words_told(attempt)
        return None if told is None else told[RATES.index(rate)]

    for rate in RATES:
        yield Case(
            f"rate {rate:g}: {WHY[rate]}",
            got=partial(said, rate),
            hint="the picture below measures it",
            part=f"rate {rate:g}",
            otherwise=f"rate {rate:g}: not so",  # an aspect would tell the answer
        )
