"""Checks of notebook 04. Expected values are worked by hand; numbers are drawn besides."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from course_lib.checks.core import FROM_REFERENCE, Case, exercise, same
from course_lib.checks.trading_leaks import check_sees_future
from course_lib.checks.trading_trade import check_trade
from course_lib.tryouts.core import gathered
from course_lib.tryouts.trading import options_made, rates_picked

__all__ = [
    "check_best_learning_rate", "check_needed_hit_rate", "check_sees_future", "check_trade",
    "check_training_options",
]  # fmt: skip


ROLES = {  # what three rates, each with three seeds, scored: the best rate first, the worst last
    "the best": ([0.8, 0.9, 0.7], [0.5, 0.4, 0.6], [0.2, 0.3, 0.1]),
    "a lucky seed": ([0.6, 0.7, 0.65], [0.0, 0.99, 0.1], [-0.1, 0.0, 0.05]),
    "a crash": ([0.8, 0.9, -3.0], [0.5, 0.5, 0.5], [0.1, 0.1, 0.2]),
}
FELL_FOR = {
    "the best": "return the rate whose median is the highest",
    "a lucky seed": "did you take the best single trial? compare the medians over the seeds",
    "a crash": "did you take the mean, or the worst seed? one crash drags it down; the median not",
}


@exercise("4.3", parts={"the best": 3, "a lucky seed": 3, "a crash": 3})
def check_best_learning_rate(
    best_learning_rate: Callable, rng: np.random.Generator
) -> Iterator[Case]:
    """Check on tables with rates that are drawn; a second one of each kind.

    What "the best" looks at is forgiven in the other parts: the lowest median, or another number
    of the best rate than the rate itself.
    """
    texts = {
        "the best": "finds the rate that is best with every seed",
        "a lucky seed": "does not fall for a lucky seed (about 0.99 beside 0.0 and 0.1)",
        "a crash": "does not drop a rate for one crash (about 0.8, 0.9 and -3)",
    }
    habit: int | None = None
    for part, roles in ROLES.items():
        order = rng.permutation(len(roles))
        trials = [_trials(roles, np.roll(order, turn), rng) for turn in (0, 1)]
        tables, rates = [one.table for one in trials], [one.rates for one in trials]
        general = (
            ([one.best_share for one in trials], "return the learning rate itself, not its share"),
            ([worst for *_, worst in rates], "the highest median wins, not the lowest"),
            (
                [sorted(three).index(three[0]) for three in rates],
                "that is its place: return the learning rate itself (`idxmax`, not `argmax`)",
            ),
        )
        forgives = () if habit is None else (general[habit][0],)
        if part == "the best":
            habit = _picking_habit(best_learning_rate, tables, general)
        yield Case(
            f"{texts[part]}, in two tables",
            expected=[three[0] for three in rates],
            got=partial(rates_picked, best_learning_rate, tables),
            hint="look at the table that is given: which rate has the highest median share?",
            part=part,
            atol=1e-9,
            slips=(*general, ([three[1] for three in rates], FELL_FOR[part])),
            forgives=forgives,
        )


def _picking_habit(best_learning_rate: Callable, tables: list[Any], mistakes: tuple) -> int | None:
    """The number of the mistake that is made, if it is one of these."""
    with contextlib.suppress(Exception, SystemExit):
        found = rates_picked(best_learning_rate, tables)
        for number, (value, _) in enumerate(mistakes):
            if same(value, found, atol=1e-9):
                return number
    return None


@dataclass(frozen=True)
class _Trials:
    """Trials of three rates.

    Attributes:
        table: shuffled.
        rates: the best, the second, the worst.
        best_share: the best one's median.
    """

    table: Any
    rates: list[float]
    best_share: float


def _trials(roles: tuple[list[float], ...], order: np.ndarray, rng: np.random.Generator) -> _Trials:
    """Draw trials of which ``order`` says the places of the rates by size."""
    import pandas as pd

    rates = np.round(10.0 ** (1.5 * order - 4.5 + rng.uniform(-0.5, 0.5, len(roles))), 7).tolist()
    shift = float(rng.uniform(-0.009, 0.009))
    rows = [
        {"learning_rate": rate, "seed": seed, "share": share + shift}
        for rate, shares in zip(rates, roles, strict=True)
        for seed, share in enumerate(shares)
    ]
    table = pd.DataFrame([rows[i] for i in rng.permutation(len(rows))])
    return _Trials(table, rates, float(np.median(roles[0])) + shift)


FIXED = ("lr", "training_intensity", "target_network_update_freq")


@exercise(
    "4.4",
    parts={"chance falls": 3, "looks ahead": 3, "news travels": 3, "keeps the rest": 1},
)
def check_training_options(options: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check that the three mistakes are mended, for settings that are drawn, and nothing else."""
    drawn = [
        SimpleNamespace(
            learning_rate=float(rng.uniform(1e-4, 1e-2)),
            gamma=float(rng.uniform(0.5, 0.99)),
            n_step=int(rng.integers(2, 9)),
            num_steps=2 * int(rng.integers(500, 4_000)),
        )
        for _ in range(2)
    ]

    def given(name: str) -> Any:
        return _of_each(partial(_option, name), options_made(options, drawn))

    yield Case(
        "epsilon falls from 1 to 0.02 over the first half of the decisions",
        expected=[[[0, 1.0], [one.num_steps // 2, 0.02]] for one in drawn],
        got=lambda: given("epsilon"),
        hint="epsilon is a list of [decision, value]: 1.0 at 0, 0.02 at half of num_steps",
        part="chance falls",
        slips=(
            ([0.02, 0.02], "a list of [decision, value]: 1.0 at 0, and 0.02 at half of num_steps"),
            (
                [[[0, 1.0], [one.num_steps // 2, 1.0]] for one in drawn],
                "symptom A is still there: which line says how often the agent acts at random?",
            ),
            (
                [[[0, 1.0], [one.num_steps, 0.02]] for one in drawn],
                "epsilon must be down after HALF of the decisions",
            ),
        ),
    )
    for name, part, symptom in (("gamma", "looks ahead", "B"), ("n_step", "news travels", "C")):
        still = f"symptom {symptom} is still there: what must be set for it, and from settings?"
        yield Case(
            f"{name} is that of the settings",
            expected=[getattr(one, name) for one in drawn],
            got=partial(given, name),
            hint=f"take {name} from the settings that are given",
            part=part,
            slips=(([0.1, 0.1], still), ([f"no {name}"] * 2, still)),
        )
    yield Case(
        "what was right stays as it was",
        expected=[[one.learning_rate, 32.0, 500.0] for one in drawn],
        got=lambda: _of_each(_kept, options_made(options, drawn), drawn),
        hint="lr, training_intensity and target_network_update_freq were right; add no other name",
        part="keeps the rest",
        slips=((["nothing mended"] * 2, "nothing was mended yet: compare with the symptoms"),),
    )


def _of_each(pick: Callable, made: Any, *beside: list[Any]) -> Any:
    """What is picked from each dict of options; anything but a list as it is."""
    return gathered(map(pick, made, *beside)) if isinstance(made, list) else made


def _option(name: str, options: Any) -> Any:
    """One option of a dict of options; anything else as it is."""
    return options.get(name, f"no {name}") if isinstance(options, dict) else options


def _kept(options: Any, settings: Any) -> Any:
    """The options that needed no mending, unless nothing was mended at all."""
    if not isinstance(options, dict):
        return options
    if same(0.1, options.get("gamma")) and "n_step" not in options:
        still = [[0, 1.0], [settings.num_steps // 2, 1.0]]
        if same(still, options.get("epsilon")):
            return "nothing mended"
    strange = sorted(set(options) - {*FIXED, "epsilon", "gamma", "n_step"})
    return (
        f"options that were not asked for: {strange}"
        if strange
        else [options.get(name, np.nan) for name in FIXED]
    )


@exercise("4.5", parts={"two fees": 3, "the size of the move": 3, "when nobody can": 2})
def check_needed_hit_rate(needed: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check the share of right bets that pays for the fees.

    Each usual mistake costs the part that it belongs to, and the other parts forgive it.
    """
    move, fee = float(rng.uniform(0.015, 0.05)), float(rng.uniform(0.0015, 0.004))
    small = FEE * float(rng.uniform(0.3, 0.8))
    for aspect, moved, paid, expected, part, hint in (
        ("moves of 1%, fee 0.1%: 60%", 0.01, FEE, 0.6, "two fees", TWICE),
        ("moves of 2%, fee 0.1%: 55%", 0.02, FEE, 0.55, "the size of the move", GAIN),
        ("moves of 0.05%, fee 0.1%: 2.5", 0.0005, FEE, 2.5, "when nobody can", NOBODY),
        ("another fee", 0.01, fee, FROM_REFERENCE, "two fees", TWICE),
        ("another move", move, FEE, FROM_REFERENCE, "the size of the move", GAIN),
        ("another move below the fee", small, FEE, FROM_REFERENCE, "when nobody can", NOBODY),
    ):
        usual = list(_wrong_rates(moved, paid))
        yield Case(
            aspect,
            expected=expected,
            got=partial(needed, moved, paid),
            hint=hint,
            part=part,
            slips=tuple((value, text) for value, _, text in usual),
            forgives=tuple(value for value, where, _ in usual if where != part),
        )


FEE = 0.001  # the notebook's
TWICE = "a bet buys and sells: it pays the fee twice"
EVEN = "without a fee, half of the bets must be right: is the 0.5 there?"
GAIN = "p x move - (1 - p) x move = 2 x fee, solved for p: what becomes of the move?"
NOBODY = "above 1 it says that nobody can: return the number as it is"


def _wrong_rates(move: float, fee: float) -> Iterator[tuple[float, str, str]]:
    """What usual mistakes give, the part that looks at each, and what to say."""
    gain, nobody = "the size of the move", "when nobody can"
    yield 0.5 + fee / move / 2, "two fees", TWICE
    yield fee / move, gain, EVEN
    yield 0.5 - fee / move, gain, "is that the share of WRONG bets?"
    yield 0.5 + move / fee, gain, GAIN
    yield 50 + 100 * fee / move, nobody, "a share, not a percentage: 0.6 for 60%"
    yield round(0.5 + fee / move, 2), nobody, "return the number as it is, not rounded"
    if fee > move / 2:
        yield 1.0, nobody, NOBODY
