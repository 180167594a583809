"""Checks of lesson 07. Every expected number was worked by hand."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import ALONE, COPY, FROM_REFERENCE, Case, exercise
from course_lib.checks.diagnosis import Diagnosis
from course_lib.checks.mountain_car_explore import check_explore
from course_lib.checks.predictions import predictions
from course_lib.tryouts.core import call, leaves_alone
from course_lib.tryouts.mountain_car import (
    interval_told,
    laws_told,
    steps_until_over,
)

__all__ = [
    "check_explore",
    "check_mountain",
    "check_paired_interval",
    "check_the_clock",
    "check_worth",
]


@exercise("7.2", parts={"some steps": 4, "never": 3, "no discount": 2})
def check_worth(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Sums worked by hand; without an end; without a discount."""
    steps, gamma = int(rng.integers(5, 40)), float(rng.uniform(0.6, 0.95))
    some, never, flat = "some steps", "never", "no discount"
    cases: list[tuple] = [
        ("3 steps with gamma 0.5: -(1 + 0.5 + 0.25)", -1.75, 3, 0.5, some),
        ("1 step costs 1", -1.0, 1, 0.9, some),
        ("no step costs nothing", 0.0, 0, 0.9, some),
        ("so it is with other steps and another gamma", FROM_REFERENCE, steps, gamma, some),
        ("with gamma 0.5 for ever: -(1 + 0.5 + 0.25 + ...) = -2", -2.0, None, 0.5, never),
        ("with gamma 0.99 for ever: -100", -100.0, None, 0.99, never),
        ("and with another gamma", FROM_REFERENCE, None, gamma, never),
        ("400 steps without a discount cost 400", -400.0, 400, 1.0, flat),
        ("and so do others", float(-steps), steps, 1.0, flat),
    ]
    apart = "with gamma 1 each step costs 1; the formula divides by 1 - gamma, so take a sum, or "
    apart += "treat gamma 1 apart"
    hints = {
        some: "add up -1, -gamma, -gamma**2, ... : as many terms as steps",
        never: "the sum of gamma**k without an end is 1 / (1 - gamma)",
        flat: "each of the steps costs 1",
    }
    told = partial(call, attempt)
    powers = 0.7 ** np.arange(6)
    sums = Diagnosis(partial(told, 5, 0.7), -powers[:5].sum(), (
        (powers[:5].sum(), "each step COSTS 1: the sum is negative"),
        (-powers[:6].sum(), "one term too many: as many as steps"),
        (-powers[:4].sum(), "one term is missing: as many as steps"),
        (-powers[1:6].sum(), "the first step costs 1, not gamma"),
        (-powers[1:5].sum(), "the first step costs 1: begin with gamma**0"),
        (-powers[5], "that is one term only; add up those of all steps"),
        (-powers[4], "that is the last term only; add them all up"),
        (-powers[5] * 5, "each term has another power of gamma"),
        (-5.0, "is gamma in it?"),
        (-1 / 0.3, "it ends after `steps`"),
        (lambda got: abs(got + powers[:5].sum()) < 0.5 and round(got, 3) == got, "do not round"),
    ), atol=1e-9)  # fmt: skip
    ever = Diagnosis(partial(told, None, 0.9), -10.0, (
        (10.0, "each step COSTS 1: the sum is negative"),
        (0.0, "it costs 1 per step for ever, so it is not 0"),
        (-9.0, "the first step costs 1, not gamma"),
        (lambda got: -10 < got < -9.9, "`never` has no end: not the first steps alone"),
    ), atol=1e-12)  # fmt: skip
    for aspect, expected, count, discount, part in cases:
        usual = ever.slips if part == never else sums.slips
        yield Case(
            aspect, expected, partial(told, count, discount), hints[part], part=part,
            slips=(
                *((-10.0, "0 is not None: ask `steps is None`"),) * (count == 0),
                ("division by zero", apart),
                (lambda got: not np.isfinite(got).all(), apart),
                (lambda got: -100 < got < -80, "`never` has no end: not the first steps alone"),
                *usual,
            ) if part != some or count == 0 else usual,
        )  # fmt: skip


CLOCK: dict[str, tuple[str, str]] = {
    "no end": ("about -100", "each step costs 1 for ever: 1 / (1 - 0.99) in all"),
    "an end": ("well above -100", "once in 200 steps it learned that nothing follows"),
    "real car": ("about as many", "once cars arrive, the clock hardly strikes"),
}
VALUES = ("about -100", "well above -100", "below -100")


@exercise("7.3", parts=dict.fromkeys(CLOCK, 2))
def check_the_clock(attempt: Callable[[], dict[str, str]]) -> Iterator[Case]:
    """One case per entry; a test lets the agents learn and holds these words against them."""
    words = {"no end": VALUES, "an end": VALUES, "real car": ("about as many", "far fewer")}
    yield from predictions(attempt, CLOCK, words, "the cell below measures it")


@exercise("7.4", parts={"the pairs": 4, "the width": 4, "the direction": 2})
def check_paired_interval(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Pairs that all differ alike, then a spread; which of the two is better."""
    cases: list[tuple] = [
        ("each seed is 10 better, lucky or not: from 10 to 10", [10.0, 10.0],
         [-110.0, -150.0, -190.0], [-120.0, -160.0, -200.0], "the pairs"),
        ("differences 1 and 3: mean 2, error sqrt(2) / sqrt(2) = 1: from 0 to 4", [0.0, 4.0],
         [-110.0, -120.0], [-111.0, -123.0], "the width"),
        ("worse by 5 in every seed: from -5 to -5", [-5.0, -5.0],
         [-125.0, -115.0], [-120.0, -110.0], "the direction"),
    ]  # fmt: skip
    luck = rng.uniform(-200, -100, 8)
    cases += [
        ("and where others differ alike", FROM_REFERENCE,
         (luck + 7).tolist(), luck.tolist(), "the pairs"),
        ("and with eight other seeds", FROM_REFERENCE,
         (luck + rng.normal(4, 6, 8)).tolist(), luck.tolist(), "the width"),
    ]  # fmt: skip
    hints = {
        "the pairs": "take the difference within each seed first, then the mean of these",
        "the width": "2 * differences.std(ddof=1) / sqrt(n) to both sides of the mean",
        "the direction": "ours minus theirs: positive where ours is better",
    }
    rich = (
        np.array([-110.0, -120.0, -150.0, -104.0, -131.0]),
        np.array([-111.0, -140.0, -122.0, -160.0, -125.0]),
    )
    slips = _intervals_told(attempt, *rich).slips
    for aspect, expected, ours, theirs, part in cases:
        got = partial(interval_told, attempt, np.array(ours), np.array(theirs))
        yield Case(aspect, expected, got, hints[part], part=part, slips=slips, atol=1e-4)
    yield Case(ALONE, True, partial(leaves_alone, attempt, *rich), COPY, part="the direction")


def _intervals_told(attempt: Callable, ours: np.ndarray, theirs: np.ndarray) -> Diagnosis:
    differences, n = ours - theirs, len(ours)
    mean, spread = differences.mean(), differences.std(ddof=1)
    reach = 2 * spread / np.sqrt(n)
    both = np.array([-1, 1])
    seeds = "the luck of a seed is in both: take the difference within each seed first"
    wrong = [
        (mean + both * 2 * differences.std() / np.sqrt(n),
         "std divides by n unless you say ddof=1"),
        (mean + both * 2 * spread,
         "that is how single seeds spread; the mean of n of them spreads sqrt(n) times less"),
        (mean + both * spread / np.sqrt(n), "TWO standard errors to each side, for about 95%"),
        (mean + both * 1.96 * spread / np.sqrt(n), "take 2, as in the formula"),
        (mean + both * 2 * spread / n, "divide by sqrt(n), not by n"),
        (mean + both * 2 * spread / np.sqrt(n - 1), "sqrt(n): the n - 1 is in the std already"),
        (mean + both * 2 * spread / np.sqrt(2 * n), "n is the number of pairs"),
        (mean + both * 2 * spread**2 / np.sqrt(n), "the standard deviation, not the variance"),
        (mean + both * 2 * np.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / n), seeds),
        (mean + both * 2 * np.sqrt(ours.var(ddof=1) / n), seeds),
        (np.array([differences.min(), differences.max()]), "of the MEAN, not of all differences"),
        (-mean + both * reach, "ours minus theirs, not the other way round"),
        (mean - both * reach, "low comes first"),
        (np.array([mean, reach]), "return the two ends: the mean minus, and plus, that"),
        (both * reach, "around the mean of the differences"),
        (np.abs(differences).mean() + both * reach, "a difference may be below 0: keep the sign"),
        (np.abs(differences).mean() + both * 2 * np.abs(differences).std(ddof=1) / np.sqrt(n),
         "a difference may be below 0: keep the sign"),
        (np.array([max(0.0, mean - reach), mean + reach]), "an end may be below 0"),
        (lambda got: np.abs(np.array(got) - mean - both * reach).max() < 0.6, "do not round"),
    ]  # fmt: skip
    return Diagnosis(partial(interval_told, attempt, ours, theirs), mean + both * reach, wrong)


@exercise("7.5", parts={"gravity": 3, "force": 3, "all else": 2})
def check_mountain(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Gravity and force by what a step does, and what has to stay."""
    usual, drawn = (0.002, 0.0015), rng.uniform([0.0015, 0.0008], [0.0022, 0.0014]).tolist()
    keyword = "gym.make does not take them: set them on env.unwrapped afterwards"
    for law, other in (("gravity", "force"), ("force", "gravity")):
        for given, words in ((usual, "a mountain of your own"), (drawn, "another one")):
            right = dict(zip(("gravity", "force"), given, strict=True))
            normal = {"gravity": 0.0025, "force": 0.001}[law]
            yield Case(
                f"{words}: {law} {right[law]:.4g}",
                expected=right[law],
                got=lambda law=law, given=given: _one(laws_told(attempt, *given), law),
                hint=f"env.unwrapped.{law} is not the {law} that was given",
                atol=2e-5,
                part=law,
                slips=(
                    ("unexpected keyword", keyword),
                    (normal, f"the {law} is still the usual one: set it on env.unwrapped, as the "
                     "outer env is a wrapper that keeps it for itself"),
                    (right[other], f"{law} and {other} are exchanged"),
                    (2 * right[law], "make a new environment with gym.make in each call"),
                ),
            )  # fmt: skip
        yield Case(
            f"it says so, too: env.unwrapped.{law} is {usual[law == 'force']}, before any reset",
            expected=usual[law == "force"],
            got=lambda law=law: _one(_one(laws_told(attempt, *usual), "said"), law),
            hint=f"set env.unwrapped.{law} at once, not in reset",
            part=law,
            slips=(("unexpected keyword", keyword),),
        )
    rest = "all else"
    yield Case(
        "after 200 steps it is truncated, not terminated",
        expected=[200, False, True],
        got=partial(steps_until_over, attempt, *usual),
        hint="return the env that gym.make gave: its limit is 200 steps",
        part=rest,
        slips=(
            ([300, False, False], "it has no time limit of 200: env.unwrapped and MountainCarEnv() "
             "have none, so return what gym.make gave"),
            ([200, True, False], "a time that is over truncates; terminated is the flag alone"),
        ),
    )  # fmt: skip
    yield Case(
        "gravity and force of all other MountainCars stay as they were",
        expected=[0.0025, 0.001],
        got=lambda: _both(_one(laws_told(attempt, *usual), "usual")),
        hint="change the one environment, not its class and not what is registered",
        atol=2e-5,
        part=rest,
    )


def _one(told: dict[str, Any] | None, law: str) -> Any:
    return None if told is None else told[law]


def _both(told: dict[str, float] | None) -> list[float] | None:
    return None if told is None else [told["gravity"], told["force"]]
