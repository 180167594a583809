"""Checks of notebook 04. Expected values are worked by hand; numbers are drawn besides."""

from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from course_lib.checks.core import FROM_REFERENCE, Case, exercise, gathered
from course_lib.tryouts.trading import closes_after, sees


@exercise("4.1", parts={"buying": 3, "selling": 3, "standing still": 2, "the fee in dollars": 2})
def check_trade(trade: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check buying, selling, doing nothing, and the fee."""
    drawn = (float(rng.uniform(500, 9_000)), float(rng.uniform(1_000, 9_000)), 0.004)
    coins = (float(rng.uniform(1, 9)), *drawn[1:])
    for aspect, cash, price, fee, expected in (
        ("10,000 dollars at price 5,000 buy 1.998 coins", 10_000.0, 5_000.0, 0.001, (0.0, 1.998)),
        ("other dollars buy coins, at another price and fee", *drawn, FROM_REFERENCE),
    ):
        yield Case(
            aspect,
            expected=expected,
            got=partial(_third, slice(2), trade, cash, 0.0, price, fee, 1),
            hint="the fee is taken from the dollars first: 9,990 dollars buy 1.998 coins",
            part="buying",
            slips=(((0.0, cash / price), NO_FEE), ((cash, 0.0), STAYED)),
        )
    for aspect, coin, price, fee, expected in (
        ("2 coins at price 6,000 bring 11,988 dollars", 2.0, 6_000.0, 0.001, (11_988.0, 0.0)),
        ("other coins bring dollars, at another price and fee", *coins, FROM_REFERENCE),
    ):
        yield Case(
            aspect,
            expected=expected,
            got=partial(_third, slice(2), trade, 0.0, coin, price, fee, 0),
            hint="the fee is a fraction of what the coins are worth, in dollars",
            part="selling",
            slips=(((coin * price, 0.0), NO_FEE), ((0.0, coin), STAYED)),
        )
    for name, cash, coin, target in (("coin", 0.0, 2.0, 1), ("cash", drawn[0], 0.0, 0)):
        yield Case(
            f"staying in {name} is free",
            expected=(cash, coin, 0.0),
            got=partial(trade, cash, coin, 6_000.0, 0.001, target),
            hint="a fee is due only when money changes hands",
            part="standing still",
            slips=(((0.0, 0.0, 0.0), "who is there already keeps everything: nothing is traded"),),
        )
    buy, sell = (10_000.0, 0.0, 5_000.0, 0.001, 1), (0.0, 2.0, 6_000.0, 0.001, 0)
    in_coins = "is the fee in dollars? coins count with their price"
    yield Case(
        "the fees of both trades: 10 and 12 dollars",
        expected=[10.0, 12.0],
        got=lambda: gathered(_third(2, trade, *given) for given in (buy, sell)),
        hint="return the fee as the third number: fee x what is handed in",
        part="the fee in dollars",
        slips=(([0.002, 0.002], in_coins), ([10.0, 0.002], in_coins)),
    )
    yield Case(
        "and the fee of another trade",
        got=partial(_third, 2, trade, drawn[0], 0.0, drawn[1], 0.004, 1),
        hint="fee x what is handed in",
        part="the fee in dollars",
        slips=((drawn[0] * 0.004 / drawn[1], in_coins),),
    )


NO_FEE = "was the fee taken off what changes hands?"
STAYED = "nothing was traded: target 1 means coin, 0 means cash"


def _third(which: int | slice, trade: Callable, *given: float) -> Any:
    """Part of what a trade returns; all of it where it is not three things."""
    found = trade(*given)
    return found[which] if isinstance(found, tuple | list) and len(found) == 3 else found


ONLY_LATER = "prices up to and including `row` stay as they are, and only they are compared"
TURNED = "the wrong way round: True says that something changed"
PEEK = "change from row + 1 on, and compare the first row + 1 values: up to and including `row`"


@exercise(
    "4.2",
    parts={
        "honest or not": 3,
        "the given row": 3,
        "the whole past": 2,
        "every column": 1,
        "leaves the table alone": 1,
    },
)
def check_sees_future(sees_future: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check honest and leaky features, on tables whose every change can be seen.

    Each case holds an honest question and a leaky one, so that no constant answer passes.
    """
    row, late, first = int(rng.integers(4, 8)), int(rng.integers(15, 25)), float(rng.uniform(1, 9))
    intact = (first * 2.0 ** np.arange(12)).tolist()

    def ask(*questions: tuple[str, int], rows: int = 12, at: int = row) -> Any:
        """Ask in an order that is drawn, and put the answers back into theirs."""
        order = rng.permutation(len(questions)).tolist()
        answers = sees(sees_future, rows, at, [questions[k] for k in order])
        answers = answers and [bool(a) if isinstance(a, np.bool_) else a for a in answers]
        listed = isinstance(answers, list) and len(answers) == len(order)
        return [answers[order.index(k)] for k in range(len(order))] if listed else answers

    features = ("close", "change", "share of the highest")
    yield Case(
        "the close and its change are honest, the close over the highest of all leaks",
        expected=[False, False, True],
        got=lambda: ask(*((feature, row) for feature in features)),
        hint="are the later prices changed, and only they?",
        part="honest or not",
        slips=(
            (
                [False, True, True],
                "a change's first value is missing: `==` calls two missing values different, "
                "`equals` does not",
            ),
            ([True, True, True], ONLY_LATER),
            (
                [False, False, False],
                "the highest close comes later: are later prices changed, in a copy? (if the table "
                "itself is changed, both computations see the same prices)",
            ),
            ([True, True, False], TURNED),
        ),
    )
    for rows, at in ((12, row), (30, late)):
        yield Case(
            f"of {rows} rows one alone peeks: seen with that `row`, and with no other",
            expected=[True, False, False],
            got=partial(ask, *(("peeks at", k) for k in (at, at - 1, at + 1)), rows=rows, at=at),
            hint="use the row that is given: " + PEEK,
            part="the given row",
            slips=(
                ([False, False, True], "one row too late: " + PEEK),
                ([False, True, False], "one row too early: " + PEEK),
                ([False] * 3, "is the value at `row` among those compared? " + PEEK),
                ([True] * 3, ONLY_LATER),
                ([False, True, True], TURNED),
            ),
        )
    yield Case(
        "a feature whose earlier values see two rows ahead is seen, an honest one is not",
        expected=[True, False],
        got=lambda: ask(("every other", row), ("change", row)),
        hint="compare ALL values up to `row`, not the one at `row` alone",
        part="the whole past",
        slips=(([True, True], ONLY_LATER), ([False, True], TURNED)),
    )
    yield Case(
        "the lowest low of all later rows leaks, the low itself does not",
        expected=[True, False],
        got=lambda: ask(("lowest low to come", row), ("low", row)),
        hint="change all columns, not only the close",
        part="every column",
        slips=(([True, True], ONLY_LATER), ([False, True], TURNED)),
    )
    yield Case(
        "the table that was handed in stays the same",
        expected=[1.0, 0.0, *intact],
        got=partial(closes_after, sees_future, 12, first, row),
        hint="work on `table.copy()`",
        part="leaves the table alone",
        slips=(
            ([0.0, 1.0, *intact], TURNED),
            ([1.0, 1.0, *intact], f"the table is left alone, but {ONLY_LATER}"),
            ([0.0, 0.0, *intact], "the table is left alone; the leak is not seen: see above"),
        ),
    )


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
    """Check on tables with rates that are drawn; a second one of each kind."""
    texts = {
        "the best": "finds the rate that is best with every seed",
        "a lucky seed": "does not fall for a lucky seed (0.99 beside 0.0 and 0.1)",
        "a crash": "does not drop a rate for one crash (0.8, 0.9 and -3)",
    }
    for part, roles in ROLES.items():
        tables = [_trials(roles, rng) for _ in range(2)]
        mistakes = (
            ([float(np.median(roles[0]))] * 2, "return the learning rate itself, not its share"),
            ([rates[1] for _, rates in tables], FELL_FOR[part]),
            ([rates[2] for _, rates in tables], "the highest median wins, not the lowest"),
            (
                [sorted(rates).index(rates[0]) for _, rates in tables],
                "that is its place: return the learning rate itself (`idxmax`, not `argmax`)",
            ),
        )
        yield Case(
            f"{texts[part]}, in two tables",
            expected=[rates[0] for _, rates in tables],
            got=partial(_rates, best_learning_rate, [table for table, _ in tables]),
            hint="look at the table that is given: which rate has the highest median share?",
            part=part,
            atol=1e-9,
            slips=mistakes,
        )


def _rates(best_learning_rate: Callable, tables: list[Any]) -> Any:
    return gathered(best_learning_rate(table.copy()) for table in tables)


def _trials(roles: tuple[list[float], ...], rng: np.random.Generator) -> tuple[Any, list[float]]:
    """Return a shuffled table of trials, and its rates in the order of ``roles``."""
    import pandas as pd

    rates = np.round(10.0 ** rng.uniform(-5, -1, len(roles)), 7).tolist()
    rows = [
        {"learning_rate": rate, "seed": seed, "share": share}
        for rate, shares in zip(rates, roles, strict=True)
        for seed, share in enumerate(shares)
    ]
    return pd.DataFrame([rows[i] for i in rng.permutation(len(rows))]), rates


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
        return gathered(_option(options(one), name) for one in drawn)

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
        got=lambda: gathered(_kept(options(one), one) for one in drawn),
        hint="lr, training_intensity and target_network_update_freq were right; add no other name",
        part="keeps the rest",
        slips=((["nothing mended"] * 2, "nothing was mended yet: compare with the symptoms"),),
    )


def _option(options: Any, name: str) -> Any:
    """One option of a dict of options; anything else as it is."""
    return options.get(name, f"no {name}") if isinstance(options, dict) else options


def _kept(options: Any, settings: Any) -> Any:
    """The options that needed no mending, unless nothing was mended at all."""
    if not isinstance(options, dict):
        return options
    if options.get("gamma") == 0.1 and "n_step" not in options:
        still = [[0, 1.0], [settings.num_steps // 2, 1.0]]
        if options.get("epsilon") == still:
            return "nothing mended"
    strange = sorted(set(options) - {*FIXED, "epsilon", "gamma", "n_step"})
    return (
        f"options that were not asked for: {strange}"
        if strange
        else [options.get(name, np.nan) for name in FIXED]
    )


@exercise("4.5", parts={"two fees": 3, "the size of the move": 3, "when nobody can": 2})
def check_needed_hit_rate(needed: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check the share of right bets that pays for the fees."""
    move, fee = float(rng.uniform(0.01, 0.05)), float(rng.uniform(0.001, 0.004))
    small = fee * float(rng.uniform(0.3, 0.8))
    for aspect, moved, paid, expected, part, hint in (
        ("moves of 1%, fee 0.1%: 60%", 0.01, 0.001, 0.6, "two fees", TWICE),
        ("moves of 2%, fee 0.5%: 75%", 0.02, 0.005, 0.75, "the size of the move", GAIN),
        ("moves of 0.1%, fee 0.2%: 2.5", 0.001, 0.002, 2.5, "when nobody can", NOBODY),
        ("another fee", 0.01, fee, FROM_REFERENCE, "two fees", TWICE),
        ("another move", move, fee, FROM_REFERENCE, "the size of the move", GAIN),
        ("another move below the fee", small, fee, FROM_REFERENCE, "when nobody can", NOBODY),
    ):
        mistakes = [
            (0.5 + paid / moved / 2, TWICE),
            (paid / moved, EVEN),
            (50 + 100 * paid / moved, "a share, not a percentage: 0.6 for 60%"),
            (round(0.5 + paid / moved, 2), "return the number as it is, not rounded"),
            (0.5 - paid / moved, "is that the share of WRONG bets?"),
            *([(1.0, NOBODY)] if paid > moved / 2 else []),
        ]
        yield Case(
            aspect,
            expected=expected,
            got=partial(needed, moved, paid),
            hint=hint,
            part=part,
            slips=tuple(mistakes),
        )


TWICE = "a bet buys and sells: it pays the fee twice"
EVEN = "without a fee, half of the bets must be right: is the 0.5 there?"
GAIN = "p x move - (1 - p) x move = 2 x fee, solved for p: what becomes of the move?"
NOBODY = "above 1 it says that nobody can: return the number as it is"
