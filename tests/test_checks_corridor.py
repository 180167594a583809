"""The checks of notebook 02 accept what is right and refuse what is wrong."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from checks_kit import accepts, not_started, refuses, verdict
from ray import tune

from course_lib.checks import corridor as checks
from course_lib.envs import corridor
from course_lib.envs.corridor import walk_time


def reports_means(config: dict[str, Any]) -> None:
    """A right objective that keeps a list, and a plain generator."""
    rng = np.random.default_rng(config["seed"])
    walks = []
    for _ in range(config["num_walks"]):
        walks.append(walk_time(config["stride"], config["pace"], rng=rng))
        tune.report({"seconds": float(np.mean(walks))})


VARIANTS = {
    checks.check_mean_time: lambda s, p, risk, length: length / s / p + length / s * risk * 4,
    checks.check_objective: reports_means,
    checks.check_search_space: lambda: {
        "pace": tune.quniform(0.5, 4.0, 0.05),
        "stride": tune.uniform(0.3, 1.5),
    },
    checks.check_survivors: lambda seconds, factor: np.argsort(seconds)[
        : max(1, len(seconds) // factor)
    ],
    checks.check_search_seconds: lambda n, t, each, cpus: (
        math.inf if each > cpus else -(-n // (cpus // each)) * t
    ),
}


@pytest.mark.parametrize("check", VARIANTS, ids=lambda check: check.__name__)
def test_accepts_a_variant(check: Callable) -> None:
    accepts(check, VARIANTS[check])


def objective_with(mistake: str) -> Callable[[dict], None]:
    """An objective with one mistake, by name."""

    def wrong(config: dict[str, Any]) -> None:
        seed = None if mistake == "no seed" else 0 if mistake == "fixed seed" else config["seed"]
        rng = np.random.default_rng(seed)
        stride, pace = config["stride"], config["pace"]
        if mistake == "swapped":
            stride, pace = pace, stride
        walks = []
        for _ in range(config["num_walks"]):
            if mistake == "same dice for each walk":
                rng = np.random.default_rng(config["seed"])
            walks.append(walk_time(stride, pace, rng=rng))
            value = {"latest": walks[-1], "sum": float(np.sum(walks))}.get(
                mistake, float(np.mean(walks))
            )
            if mistake != "only at the end":
                tune.report({"time" if mistake == "other name" else "seconds": value})
        if mistake == "only at the end":
            tune.report({"seconds": float(np.mean(walks))})

    return wrong


MISTAKES: list[tuple[Callable, str, Callable, str]] = [
    (checks.check_mean_time, "no stumbles", lambda s, p, r, n: n / s / p, "every step adds"),
    (checks.check_mean_time, "one stumble", lambda s, p, r, n: n / s / p + 4 * r, "every step"),
    (
        checks.check_mean_time,
        "pace upside down",
        lambda s, p, r, n: n / s * (p + 4 * r),
        "seconds of a step",
    ),
    (
        checks.check_mean_time,
        "a stumble replaces a step",
        lambda s, p, r, n: n / s * ((1 - r) / p + 4 * r),
        "besides the time",
    ),
    (
        checks.check_mean_time,
        "always 30 m",
        lambda s, p, r, n: 30 / s * (1 / p + 4 * r),
        "did you use the length",
    ),
    *(
        (checks.check_objective, name, objective_with(name), words)
        for name, words in {
            "only at the end": "inside the loop",
            "latest": "not the latest",
            "sum": "not the sum",
            "other name": "tune.report({",
            "swapped": 'config["stride"]',
            "no seed": "make one generator",
            "fixed seed": "another seed gives others",
            "same dice for each walk": "each walk is a new one",
        }.items()
    ),
    (
        checks.check_search_space,
        "numbers",
        lambda: {"stride": 0.7, "pace": 1.5},
        "drawn anew",
    ),
    (
        checks.check_search_space,
        "lists",
        lambda: {"stride": [0.3, 1.5], "pace": [0.5, 4]},
        "a number or a list is not",
    ),
    (
        checks.check_search_space,
        "grid",
        lambda: {"stride": tune.grid_search([0.3, 1.5]), "pace": tune.uniform(0.5, 4)},
        "tune.uniform",
    ),
    (
        checks.check_search_space,
        "swapped ranges",
        lambda: {"stride": tune.uniform(0.5, 4), "pace": tune.uniform(0.3, 1.5)},
        "both numbers as in the text",
    ),
    (
        checks.check_search_space,
        "log scale",
        lambda: {"stride": tune.loguniform(0.3, 1.5), "pace": tune.loguniform(0.5, 4)},
        "not with loguniform",
    ),
    (
        checks.check_search_space,
        "one missing",
        lambda: {"stride": tune.uniform(0.3, 1.5)},
        "a dict with stride and pace",
    ),
    (
        checks.check_survivors,
        "the worst",
        lambda seconds, factor: list(np.argsort(seconds)[::-1][: max(len(seconds) // factor, 1)]),
        "fewer seconds are better",
    ),
    (
        checks.check_survivors,
        "times",
        lambda seconds, factor: sorted(seconds)[: max(len(seconds) // factor, 1)],
        "not times",
    ),
    (
        checks.check_survivors,
        "may be nobody",
        lambda seconds, factor: list(np.argsort(seconds)[: len(seconds) // factor]),
        "max(..., 1)",
    ),
    (
        checks.check_survivors,
        "rounds up",
        lambda seconds, factor: list(np.argsort(seconds)[: math.ceil(len(seconds) / factor)]),
        "len(seconds) // factor",
    ),
    (
        checks.check_search_seconds,
        "one after the other",
        lambda n, t, each, cpus: n * t,
        "2 run at a time",
    ),
    (
        checks.check_search_seconds,
        "part of a round",
        lambda n, t, each, cpus: n * t / (cpus / each),
        "math.ceil",
    ),
    (
        checks.check_search_seconds,
        "never forgotten",
        lambda n, t, each, cpus: math.ceil(n / max(int(cpus / each), 1)) * t,
        "waits for ever",
    ),
    (
        checks.check_search_seconds,
        "whole cores only",
        lambda n, t, each, cpus: (
            math.inf if each > cpus else math.ceil(n / (cpus // max(each, 1))) * t
        ),
        "half a core each",
    ),
]


@pytest.mark.parametrize(
    ("check", "attempt", "words"),
    [(check, attempt, words) for check, _, attempt, words in MISTAKES],
    ids=[f"{check.exercise} {name}" for check, name, _, _ in MISTAKES],  # type: ignore[attr-defined]
)
def test_refuses(check: Callable, attempt: Callable, words: str) -> None:
    refuses(check, attempt, words)


def test_the_check_of_the_objective_leaves_tune_and_the_corridor_alone() -> None:
    before = tune.report, corridor.walk_time
    verdict(checks.check_objective, reports_means)
    verdict(checks.check_objective, not_started)
    assert (tune.report, corridor.walk_time) == before
    assert globals()["walk_time"] is before[1]
