"""Lesson 02. ``walk_time`` and ``tune`` stand here as in a notebook: the check replaces them."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from ray import tune

from course_lib.answers import answer
from course_lib.envs.corridor import walk_time, walk_times
from mutants import Mutant, lost

EXAMPLES: dict[str, dict[str, Any]] = {
    "2.1": {"stride": 0.5, "pace": 2.0, "risk": 0.05, "length": 30.0},
    "2.2": {},
    "2.3": {"values": [0.3, 0.3, 0.3], "low": 0.01, "high": 1.0},
    "2.4": {"seconds": [50, 40, 60, 45, 70, 55], "reduction_factor": 3},
    "2.5": {},
}


def objective(mistake: str = "") -> Callable[[dict], None]:
    """An objective with one mistake, by name."""

    def attempt(config: dict[str, Any]) -> None:
        seed = None if mistake == "no seed" else 0 if mistake == "fixed seed" else config["seed"]
        rng, walks = np.random.default_rng(seed), []
        stride, pace = config["stride"], config["pace"]
        stride, pace = (pace, stride) if mistake == "swapped" else (stride, pace)
        for _ in range(6 if mistake == "sizes" else config["num_walks"]):
            if mistake == "same dice for each walk":
                rng = np.random.default_rng(config["seed"])
            if mistake == "rng by position":
                walks.append(walk_time(stride, pace, rng))  # type: ignore[misc]
            walks.append(walk_time(stride, pace, rng=rng))
            mean = float(np.mean(walks))
            value = {"latest": walks[-1], "sum": float(np.sum(walks))}.get(mistake, mean)
            if mistake == "keyword":
                tune.report(seconds=value)  # type: ignore[call-arg]
            elif mistake not in ("only at the end", "no report"):
                tune.report({"time" if mistake == "other name" else "seconds": value})
        if mistake == "only at the end":
            tune.report({"seconds": mean})

    return attempt


def _all_at_once(config: dict[str, Any]) -> None:
    rng = np.random.default_rng(config["seed"])
    walks = walk_times(config["stride"], config["pace"], config["num_walks"], rng=rng)
    for count in range(1, len(walks) + 1):
        tune.report({"seconds": float(np.mean(walks[:count]))})


def _running_mean(config: dict[str, Any]) -> None:
    rng, total = np.random.default_rng(config["seed"]), 0.0
    for count in range(1, config["num_walks"] + 1):
        total += walk_time(stride=config["stride"], pace=config["pace"], rng=rng)
        tune.report(metrics={"seconds": total / count})


def _by_the_median(values: list, low: float, high: float) -> str:
    if np.ptp(values) == 0:
        return "the same"
    if np.any((np.array(values) < low) | (np.array(values) > high)):
        return "outside"
    middles = {"evenly": (low + high) / 2, "by factors": np.sqrt(low * high)}
    return min(middles, key=lambda way: abs(middles[way] - np.median(values)))


RIGHT = {
    "2.1": {"two sums": lambda s, p, risk, length: length / s / p + length / s * risk * 4},
    "2.2": {"a plain generator": objective(), "a running mean": _running_mean},
    "2.3": {"by the median": _by_the_median},
    "2.4": {
        "argsort": lambda seconds, factor: np.argsort(seconds)[: max(1, len(seconds) // factor)],
        "a tuple": lambda seconds, factor: tuple(answer("2.4")(seconds, factor)),
    },
    "2.5": {"whole numbers": lambda: {1: "too hasty", 0.3: "gets there", 0.03: "too slow"}},
}
ENDS, NUM = "after each walk, not one at the end", 'config["num_walks"]'
ADDS, ONE, BESIDES, PACE, LENGTH = (
    "are the stumbles there", "not the walk as a whole", "besides the step's time", "1 / pace",
    "did you use the length",
)  # fmt: skip
TIMES, WORSE, ONE_IN = "not times", "wrong way round", "ONE IN"


def drawn(mistake: str) -> Callable[[list, float, float], str]:
    """The answer of 2.3 with one mistake, by name."""

    def attempt(values: list, low: float, high: float) -> str:
        if mistake == "any two alike":
            same = len(set(values)) < len(values) or len(values) > 30
        else:
            same = len(set(values)) == 1
        if mistake == "first two alike":
            same = values[0] == values[1]
        inside = [low <= value <= high for value in values]
        if mistake == "strictly inside":
            inside = [low < value < high for value in values]
        if mistake == "above only":
            inside = [value <= high for value in values]
        middle = (low + high) / 2 if mistake == "the other middle" else (low * high) ** 0.5
        if mistake == "always 0.1":
            middle = 0.1
        small = np.mean(np.array(values) < middle)
        ways = ["uniform" if mistake == "other words" else "evenly", "by factors"]
        if mistake == "upside down":
            ways.reverse()
        if same and mistake != "forgets the same":
            return "the same"
        if not (any(inside) if mistake == "all must be" else all(inside)):
            return "outside"
        return ways[int(small > 0.3)]

    return attempt


def predicted(slow: str = "too slow", there: str = "gets there", hasty: str = "too hasty") -> Any:
    return lambda: {0.03: slow, 0.3: there, 1.0: hasty}


def _chosen(order: Callable, keep: Callable = lambda n, factor: max(n // factor, 1)) -> Callable:
    return lambda seconds, factor: order(seconds)[: keep(len(seconds), factor)]


def _sorts_in_place(seconds: list, factor: int) -> list:
    before = list(seconds)
    seconds.sort()
    return [before.index(time) for time in seconds[: max(len(seconds) // factor, 1)]]


def _argsort(seconds: list) -> list:
    return np.argsort(seconds).tolist()


MUTANTS = {
    "2.1": {
        "no stumbles": Mutant(
            lambda s, p, r, n: n / s / p, ADDS, (ONE, BESIDES, PACE, LENGTH),
            lost("the stumbles", "the length"),
        ),
        "one stumble": Mutant(
            lambda s, p, r, n: n / s / p + 4 * r, ONE, (ADDS, BESIDES, LENGTH),
            lost("the stumbles", "the length"),
        ),
        "pace upside down": Mutant(
            lambda s, p, r, n: n / s * (p + 4 * r), PACE, (ADDS, ONE, BESIDES)
        ),
        "a stumble replaces a step": Mutant(
            lambda s, p, r, n: n / s * ((1 - r) / p + 4 * r), BESIDES, (ADDS, ONE, PACE, LENGTH),
            lost("the stumbles", "the length"),
        ),
        "always 30 m": Mutant(
            lambda s, p, r, n: 30 / s * (1 / p + 4 * r), LENGTH, (ADDS, ONE, PACE),
            lost("the length"),
        ),
        "a stumble wins no ground": Mutant(
            lambda s, p, r, n: n / s / (1 - r) * (1 / p + 4 * r), "made all the same",
            (ADDS, ONE, PACE, LENGTH), lost("the stumbles", "the length"),
        ),
        "whole steps": Mutant(
            lambda s, p, r, n: math.ceil(n / s) * (1 / p + 4 * r), "do not round", (ADDS, ONE, PACE)
        ),
        "stride upside down": Mutant(
            lambda s, p, r, n: n * s * (1 / p + 4 * r), "length / stride", (ADDS, ONE, PACE)
        ),
    },
    "2.2": {
        "all walks at once": Mutant(_all_at_once, "use walk_time", ("dice",), keeps=0.0),
        "only at the end": Mutant(
            objective("only at the end"), ENDS, ("one generator", "latest", "make the dice"),
            lost("reports", "the mean so far"),
        ),
        "latest": Mutant(
            objective("latest"), "not the latest", ("not the sum", ENDS), lost("the mean so far")
        ),
        "sum": Mutant(
            objective("sum"), "not the sum", ("the latest", ENDS), lost("the mean so far")
        ),
        "other name": Mutant(objective("other name"), "tune.report({", ("latest", "dice")),
        "keyword": Mutant(objective("keyword"), "one dict", ("latest", "dice"), keeps=0.34),
        "rng by position": Mutant(objective("rng by position"), "rng=rng", ("latest",), keeps=0.34),
        "swapped": Mutant(
            objective("swapped"), 'config["stride"]', ("latest", "dice"), lost("the config")
        ),
        "sizes": Mutant(objective("sizes"), NUM, ("latest", ENDS, "dice"), lost("the config")),
        "no seed": Mutant(
            objective("no seed"), "dice from the config", (ENDS, "latest"), lost("the seed")
        ),
        "fixed seed": Mutant(
            objective("fixed seed"), "another seed, the same walks", (ENDS,), lost("the seed")
        ),
        "same dice for each walk": Mutant(
            objective("same dice for each walk"), "before the loop", (ENDS,), lost("the seed")
        ),
        "does nothing": Mutant(lambda config: None, "inside the loop"),
        "no report": Mutant(
            objective("no report"), "inside the loop", ("dice",),
            lost("reports", "the mean so far"),
        ),
    },
    "2.3": {
        "forgets the same": Mutant(
            drawn("forgets the same"), "one value: the same", (), lost("the same")
        ),
        "above only": Mutant(drawn("above only"), "below low is enough", (), lost("outside")),
        "all must be": Mutant(drawn("all must be"), "is enough", (), lost("outside")),
        "the other middle": Mutant(
            drawn("the other middle"), "nearly all values are above", (), lost("evenly")
        ),
        "upside down": Mutant(
            drawn("upside down"), "half are below", (), lost("evenly", "by factors")
        ),
        "first two alike": Mutant(
            drawn("first two alike"), "nearly all values are above", (), lost("evenly")
        ),
        "strictly inside": Mutant(
            drawn("strictly inside"), "nearly all values are above", (), lost("evenly")
        ),
        "always 0.1": Mutant(
            drawn("always 0.1"), "nearly all values are above", (), lost("evenly", "by factors")
        ),
        "other words": Mutant(drawn("other words"), "return one of", (), lost("evenly")),
        "any two alike": Mutant(drawn("any two alike"), "is enough", ("one value: the same",)),
    },
    "2.4": {
        "the worst": Mutant(
            _chosen(lambda s: _argsort(s)[::-1]), WORSE, (TIMES, ONE_IN),
        ),
        "times": Mutant(_chosen(sorted), TIMES, (WORSE, ONE_IN, "np.")),
        "from 1": Mutant(
            _chosen(lambda s: [i + 1 for i in _argsort(s)]), "from 0", (WORSE, ONE_IN)
        ),
        "in the order given": Mutant(
            lambda s, f: sorted(_argsort(s)[: max(len(s) // f, 1)]), "comes first", (TIMES, ONE_IN),
            lost("the best first"),
        ),
        "may be nobody": Mutant(
            _chosen(_argsort, lambda n, f: n // f), "max(..., 1)", (TIMES, ONE_IN),
            lost("at least one"),
        ),
        "rounds up": Mutant(
            _chosen(_argsort, lambda n, f: math.ceil(n / f)), "//", (TIMES, ONE_IN),
            lost("how many"),
        ),
        "rounds": Mutant(
            _chosen(_argsort, lambda n, f: max(round(n / f), 1)), "//", (TIMES, ONE_IN),
            lost("how many"),
        ),
        "the factor as a count": Mutant(
            _chosen(_argsort, lambda n, f: f), ONE_IN, (TIMES, WORSE),
            lost("how many", "at least one"),
        ),
        "sorts the list": Mutant(
            _sorts_in_place, "leaves the list alone", (TIMES, ONE_IN),
            lost("leaves the list alone"),
        ),
    },
    "2.5": {
        "as in 01": Mutant(
            predicted(hasty="gets there"), "rate 1: not so", ("rate 0.3", "overwrites", "expected"),
            lost("rate 1"),
        ),
        "all get there": Mutant(
            predicted(slow="gets there", hasty="gets there"), "rate 0.03: not so", ("rate 0.3:",),
            lost("rate 0.03", "rate 1"), 0.4,
        ),
        "the other way round": Mutant(
            predicted("too hasty", "gets there", "too slow"), "not so", (),
            lost("rate 0.03", "rate 1"),
        ),
        "other words": Mutant(predicted(slow="slow"), "each is one of", keeps=0.0),
        "a list": Mutant(lambda: ["too slow", "gets there", "too hasty"], "a dict", keeps=0.0),
    },
}  # fmt: skip
