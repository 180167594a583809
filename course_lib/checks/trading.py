"""Checks of notebook 04. Expected values are worked by hand; numbers are drawn besides."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from course_lib.checks.core import FROM_REFERENCE, Case, exercise, gathered, same
from course_lib.tryouts.trading import closes_after, options_made, rates_picked, sees


@exercise("4.1", parts={"buying": 3, "selling": 3, "standing still": 2, "the fee in dollars": 2})
def check_trade(trade: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check buying, selling, doing nothing, and the fee.

    Buying alone looks at targets the wrong way round, and at a fee that no trade takes.
    """
    cash, coin, price = rng.uniform([500, 1, 1_000], [9_000, 9, 9_000]).tolist()
    fee = float(rng.uniform(0.002, 0.009))
    habit = _trading_habit(trade, cash, price, fee)
    for aspect, dollars, at, rate, expected in (
        ("10,000 dollars at price 5,000 buy 1.998 coins", 10_000.0, 5_000.0, 0.001, (0.0, 1.998)),
        ("other dollars buy coins, at another price and fee", cash, price, fee, FROM_REFERENCE),
    ):
        yield Case(
            aspect,
            expected=expected,
            got=partial(_third, slice(2), trade, dollars, 0.0, at, rate, 1),
            hint="the fee is taken from the dollars first: 9,990 dollars buy 1.998 coins",
            part="buying",
            slips=(((0.0, dollars / at), NO_FEE), ((dollars, 0.0), STAYED)),
        )
    for aspect, coins, at, rate, expected in (
        ("2 coins at price 6,000 bring 11,988 dollars", 2.0, 6_000.0, 0.001, (11_988.0, 0.0)),
        ("other coins bring dollars, at another price and fee", coin, price, fee, FROM_REFERENCE),
    ):
        yield Case(
            aspect,
            expected=expected,
            got=partial(_third, slice(2), trade, 0.0, coins, at, rate, habit.cash),
            hint="the fee is a fraction of what the coins are worth, in dollars",
            part="selling",
            slips=(((coins * at, 0.0), NO_FEE), ((0.0, coins), STAYED)),
            forgives=() if habit.rate is None else ((coins * at * (1 - habit.rate), 0.0),),
        )
    for name, *held, target in (("coin", 0.0, 2.0, habit.coin), ("cash", cash, 0.0, habit.cash)):
        yield Case(
            f"staying in {name} is free",
            expected=(*held, 0.0),
            got=partial(trade, *held, 6_000.0, 0.001, target),
            hint="a fee is due only when money changes hands",
            part="standing still",
            slips=(((0.0, 0.0, 0.0), "who is there already keeps everything: nothing is traded"),),
            forgives=(tuple(held),),
        )
    buy, sale = (10_000.0, 0.0, 5_000.0, 0.001, habit.coin), (0.0, 2.0, 6_000.0, 0.001, habit.cash)
    others = (cash, 0.0, price, fee, habit.coin), (0.0, coin, price, fee, habit.cash)
    for aspect, trades, expected in (
        ("the fees of both trades: 10 and 12 dollars", (buy, sale), [10.0, 12.0]),
        ("and the fees of two other trades", others, FROM_REFERENCE),
    ):
        (dollars, _, at, rate, _), (_, coins, *_) = trades
        yield Case(
            aspect,
            expected=expected,
            got=partial(_fees, trade, trades),
            hint="return the fee as the third number: fee x what is handed in",
            part="the fee in dollars",
            slips=(
                *(
                    ([paid, rate * coins], IN_COINS)
                    for paid in (rate * dollars, rate * dollars / at)
                ),
                (_not_one_each, "return three numbers: the dollars, the coins and the fee"),
            ),
            forgives=tuple(_fees_that_fit(trade, trades, habit)),
        )


NO_FEE = "was the fee taken off what changes hands?"
IN_COINS = "is the fee in dollars? coins count with their price"
STAYED = "nothing was traded: target 1 means coin, 0 means cash"


def _third(which: int | slice, trade: Callable, *given: float) -> Any:
    """Part of what a trade returns; all of it where it is not three things."""
    found = trade(*given)
    return found[which] if isinstance(found, tuple | list) and len(found) == 3 else found


def _fees(trade: Callable, trades: tuple) -> Any:
    return gathered(_third(2, trade, *given) for given in trades)


def _not_one_each(fees: Any) -> bool:
    return np.ndim(fees) > 1


@dataclass(frozen=True)
class _TradingHabit:
    """What a trade does everywhere: mistakes that buying looks at, and the other parts forgive.

    Attributes:
        coin: the target that it takes for coin.
        rate: the fee that it takes whichever is given; None if it takes another.
    """

    coin: int = 1
    rate: float | None = None

    @property
    def cash(self) -> int:
        """The target that it takes for cash."""
        return 1 - self.coin


def _trading_habit(trade: Callable, cash: float, price: float, fee: float) -> _TradingHabit:
    """Find out by buying with a fee that is drawn; 0.001 is that of the notebook."""
    with contextlib.suppress(Exception, SystemExit):
        for target in (1, 0):
            bought = _third(slice(2), trade, cash, 0.0, price, fee, target)
            for taken, rate in ((fee, None), (0.0, 0.0), (0.001, 0.001)):
                if same([0.0, cash * (1 - taken) / price], bought):
                    return _TradingHabit(target, rate)
    return _TradingHabit()


def _fees_that_fit(trade: Callable, trades: tuple, habit: _TradingHabit) -> Iterator[list[float]]:
    """Fees as one of two trades took it, or both as a habit: buying and selling look at that."""
    with contextlib.suppress(Exception, SystemExit):
        right = [fee * (cash + coin * price) for cash, coin, price, fee, _ in trades]
        taken = [_taken(trade, *given) for given in trades]
        yield from ([taken[0], right[1]], [right[0], taken[1]])
        if habit.rate:
            yield taken


def _taken(trade: Callable, cash: float, coin: float, price: float, *given: float) -> float:
    """What a trade costs, in dollars."""
    cash_after, coin_after = _third(slice(2), trade, cash, coin, price, *given)
    return float(cash + coin * price - cash_after - coin_after * price)


TWO_ANSWERS = "two answers to one question"
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

    Each case holds an honest question and a leaky one, so that no constant answer passes. Which
    row is the last is looked at by "the given row" alone: the other features stay as they are, or
    leak, by two rows or more. An answer the wrong way round costs "honest or not" alone.
    """
    row, late, first = int(rng.integers(4, 8)), int(rng.integers(15, 25)), float(rng.uniform(1, 9))
    intact = (first * 2.0 ** np.arange(12)).tolist()

    def ask(*questions: tuple[str, int], rows: int = 12, at: int = row) -> Any:
        """Ask each question twice, in an order that is drawn; return the answers in theirs."""
        order = rng.permutation(2 * len(questions)).tolist()
        said = sees(sees_future, rows, at, [(questions * 2)[k] for k in order])
        if not isinstance(said, list) or len(said) != len(order):
            return said
        said = [bool(one) if isinstance(one, np.bool_) else one for one in said]
        first, again = np.split(np.argsort(order), 2)
        answers = [said[k] for k in first]
        return answers if same(answers, [said[k] for k in again]) else TWO_ANSWERS

    first_case = [(name, row) for name in ("close before", "change before", "share of the highest")]
    turned = False
    with contextlib.suppress(Exception, SystemExit):
        turned = same([True, True, False], ask(*first_case))
    yield Case(
        "an earlier close and change are honest, the close over the highest of all leaks",
        expected=[False, False, True],
        got=partial(ask, *first_case),
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
            forgives=([False, True, True],) if turned else (),
        )
    yield Case(
        "a feature whose earlier values see four rows ahead is seen, an honest one is not",
        expected=[True, False],
        got=lambda: ask(("every other", row), ("close before", row)),
        hint="compare ALL values up to `row`, not the one at `row` alone",
        part="the whole past",
        slips=(([True, True], ONLY_LATER), ([False, True], TURNED)),
        forgives=([False, True],) if turned else (),
    )
    yield Case(
        "the lowest low of all later rows leaks, an earlier low does not",
        expected=[True, False],
        got=lambda: ask(("lowest low to come", row), ("low before", row)),
        hint="change all columns, not only the close",
        part="every column",
        slips=(([True, True], ONLY_LATER), ([False, True], TURNED)),
        forgives=([False, True],) if turned else (),
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
        forgives=([0.0, 1.0, *intact],) if turned else (),
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
