"""Lesson 04."""

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from course_lib.answers import answer
from mutants import Mutant, lost

trade, options, rate = answer("4.1"), answer("4.4"), answer("4.5")
TURNS = itertools.cycle((True, False))
TABLE = pd.DataFrame({name: 2.0 ** np.arange(8) for name in ("open", "high", "low", "close")})
TRIALS = pd.DataFrame(
    {
        "learning_rate": [1e-3] * 3 + [1e-2] * 3,
        "seed": [0, 1, 2] * 2,
        "share": [0.0, 0.99, 0.1, 0.6, 0.7, 0.65],
    }
)
EXAMPLES: dict[str, dict[str, Any]] = {
    "4.1": {"cash": 10_000.0, "coin": 0.0, "price": 5_000.0, "fee": 0.001, "target": 1},
    "4.2": {"feature": lambda t: t["close"] / t["close"].max(), "table": TABLE, "row": 5},
    "4.3": {"trials": TRIALS},
    "4.4": {"settings": SimpleNamespace(learning_rate=1e-3, gamma=0.97, n_step=4, num_steps=4_000)},
    "4.5": {"move": 0.01, "fee": 0.001},
}


def _trade_variant(cash, coin, price, fee, target):
    if target and cash:
        return [0.0, cash * (1 - fee) / price + coin, cash * fee]
    if not target and coin:
        return coin * price * (1 - fee) + cash, 0, coin * price * fee
    return cash, coin, 0


def _no_fee(cash, coin, price, fee, target):
    return (0.0, coin + cash / price, 0.0) if target else (cash + coin * price, 0.0, 0.0)


def _free_sales(cash, coin, price, fee, target):
    return trade(cash, coin, price, fee, 1) if target else (cash + coin * price, 0.0, 0.0)


def _free_buys(cash, coin, price, fee, target):
    return (0.0, coin + cash / price, 0.0) if target else trade(cash, coin, price, fee, 0)


def _fee_not_taken(cash, coin, price, fee, target):
    return *_no_fee(cash, coin, price, fee, target)[:2], trade(cash, coin, price, fee, target)[2]


def _fee_without_price(cash, coin, price, fee, target):
    paid = fee * coin
    return trade(cash, coin, price, fee, 1) if target else (cash + coin * price - paid, 0.0, paid)


def _fee_in_coin(cash, coin, price, fee, target):
    cash, coin, paid = trade(cash, coin, price, fee, target)
    return cash, coin, paid / price


def _fee_for_holding(cash, coin, price, fee, target):
    worth = cash + coin * price
    paid = fee * worth
    return (0.0, (worth - paid) / price, paid) if target else (worth - paid, 0.0, paid)


def _sees_by_loop(feature, table, row):
    other = table.copy()
    other.iloc[row + 1 :] = other.iloc[row + 1 :] * 3 + 1
    pairs = zip(feature(table)[: row + 1], feature(other)[: row + 1], strict=True)
    return any(a != b and not (np.isnan(a) and np.isnan(b)) for a, b in pairs)


def _sees(first=1, upto=1, equal=None, columns=slice(None), copy=True, only=False, turned=False):
    """An answer to 4.2 with one thing changed."""

    def attempt(feature, table, row):
        before = feature(table).copy()
        changed = table.copy() if copy else table
        changed.iloc[row + first :, columns] *= 2.0
        rows = slice(row if only else None, row + upto)
        one, two = before.iloc[rows], feature(changed).iloc[rows]
        return turned == (one.equals(two) if equal is None else equal(one, two))

    return attempt


def _pick(how, which="idxmax"):
    def attempt(trials):
        scores = getattr(trials.groupby("learning_rate")["share"], how)()
        return float(getattr(scores, which)())

    return attempt


def _median_by_loop(trials):
    rates = sorted(set(trials["learning_rate"]))
    shares = [np.median(trials["share"][trials["learning_rate"] == r]) for r in rates]
    return rates[int(np.argmax(shares))]


def _options(without: tuple[str, ...] = (), **changes: Any):
    """The mended options with some changed; a function is called with the settings."""

    def attempt(settings):
        made = options(settings)
        for name, value in changes.items():
            made[name] = value(settings) if callable(value) else value
        return {name: value for name, value in made.items() if name not in without}

    return attempt


def _half(end):
    return lambda settings: [[0, 1.0], [settings.num_steps // 2, end]]


RIGHT = {
    "4.1": {"one line each": _trade_variant},
    "4.2": {"a loop": _sees_by_loop, "numpy's bool": lambda *given: np.bool_(_sees()(*given))},
    "4.3": {"a loop": _median_by_loop, "sorted": lambda t: t.groupby("learning_rate")["share"]
            .median().sort_values().index[-1]},
    "4.4": {
        "a new dict": lambda s: dict(
            lr=s.learning_rate, gamma=s.gamma, n_step=s.n_step, training_intensity=32,
            target_network_update_freq=500, epsilon=((0, 1), (s.num_steps / 2, 0.02)),
        ),
    },
    "4.5": {"half and more": lambda move, fee: 0.5 + fee / move},
}  # fmt: skip
IN_DOLLARS, PAST, MENDED = "is the fee in dollars", "only they are compared", "is still there"
MUTANTS = {
    "4.1": {
        "no fee": Mutant(
            _no_fee, "taken off", (IN_DOLLARS,), lost("buying", "the fee in dollars")
        ),
        "no fee taken": Mutant(_fee_not_taken, "taken off", (IN_DOLLARS,), lost("buying")),
        "the notebook's fee": Mutant(
            lambda cash, coin, price, fee, target: trade(cash, coin, price, 0.001, target),
            "from the dollars first", (IN_DOLLARS, "taken off"), lost("buying"),
        ),
        "buys are free": Mutant(_free_buys, "taken off", (IN_DOLLARS,), lost("buying")),
        "sales are free": Mutant(_free_sales, "taken off", (IN_DOLLARS,), lost("selling")),
        "no sales": Mutant(
            lambda cash, coin, *given: trade(cash, coin, *given) if cash else (cash, coin, 0.0),
            "nothing was traded", (IN_DOLLARS,), lost("selling"),
        ),
        "the price forgotten in a sale's fee": Mutant(
            _fee_without_price, "coins are worth", (IN_DOLLARS,), lost("selling")
        ),
        "fee in coin": Mutant(
            _fee_in_coin, IN_DOLLARS, ("taken off",), lost("the fee in dollars")
        ),
        "fee not given back": Mutant(
            lambda *given: trade(*given)[:2], "three numbers", (IN_DOLLARS,),
            lost("the fee in dollars"),
        ),
        "fee for standing still": Mutant(
            _fee_for_holding, "only when money changes hands", (IN_DOLLARS,), lost("standing still")
        ),
        "target upside down": Mutant(
            lambda cash, coin, price, fee, target: trade(cash, coin, price, fee, 1 - target),
            "nothing was traded", (IN_DOLLARS,), lost("buying"),
        ),
        "nothing is traded": Mutant(
            lambda cash, coin, *given: (cash, coin, 0.0), "nothing was traded",
            costs=lost("buying", "selling", "the fee in dollars"),
        ),
    },
    "4.2": {
        "changes row too": Mutant(
            _sees(first=0), PAST, ("`equals`", "all columns", "too late"), lost("the given row")
        ),
        "changes one less": Mutant(
            _sees(first=2), "is the value at `row` among", ("`equals`", PAST), lost("the given row")
        ),
        "compares one more": Mutant(
            _sees(upto=2), PAST, ("`equals`", "all columns"), lost("the given row")
        ),
        "both one late": Mutant(
            _sees(first=2, upto=2), "one row too late", ("`equals`", PAST), lost("the given row")
        ),
        "both one early": Mutant(
            _sees(first=0, upto=0), "one row too early", (PAST, "`equals`"), lost("the given row")
        ),
        "compares one less": Mutant(
            _sees(upto=0), "is the value at `row` among", ("`equals`", PAST), lost("the given row")
        ),
        "== for equals": Mutant(
            _sees(equal=lambda one, two: (one == two).all()), "`equals` does not", ("columns",),
            lost("honest or not"),
        ),
        "the close only": Mutant(
            _sees(columns=[3]), "all columns", ("`equals`", PAST), lost("every column")
        ),
        "no copy": Mutant(
            _sees(copy=False), "table.copy()", ("columns", "`equals`"),
            lost("leaves the table alone"),
        ),
        "the row alone": Mutant(
            _sees(only=True), "compare ALL values", ("`equals`", PAST), lost("the whole past")
        ),
        "the wrong way round": Mutant(
            _sees(turned=True), "wrong way round", ("columns", "copy()"), lost("honest or not")
        ),
        "the wrong way round, the close only": Mutant(
            _sees(turned=True, columns=[3]), "wrong way round", ("copy()",),
            lost("honest or not", "every column"),
        ),
        "now this, now that": Mutant(
            lambda *_: next(TURNS), "two answers", keeps=0.2
        ),
    },
    "4.3": {
        "the mean": Mutant(
            _pick("mean"), "did you take the mean", ("best single", "not its share"),
            lost("a crash"),
        ),
        "the worst seed": Mutant(
            _pick("min"), "or the worst seed", ("best single", "not its share"), lost("a crash")
        ),
        "the lucky one": Mutant(
            lambda t: float(t.loc[t["share"].idxmax(), "learning_rate"]),
            "best single trial", ("the mean, or", "not its share"), lost("a lucky seed"),
        ),
        "the share": Mutant(
            _pick("median", "max"), "not its share", ("best single", "the mean, or"),
            lost("the best"),
        ),
        "the worst": Mutant(
            _pick("median", "idxmin"), "not the lowest", ("not its share", "best single"),
            lost("the best"),
        ),
        "the place": Mutant(
            _pick("median", "argmax"), "that is its place", ("not its share", "best single"),
            lost("the best"),
        ),
        "always 0.001": Mutant(lambda t: 0.001, "table that is given", ("best single",), keeps=0.0),
        "the largest": Mutant(lambda t: float(t["learning_rate"].max()), keeps=0.0),
    },
    "4.4": {
        "as it was": Mutant(
            _options(("n_step",), gamma=0.1, epsilon=_half(1.0)), "symptom A", keeps=0.0
        ),
        "epsilon stays": Mutant(
            _options(epsilon=_half(1.0)), "symptom A", ("symptom B", "symptom C", "HALF"),
            lost("chance falls"),
        ),
        "epsilon too late": Mutant(
            _options(epsilon=lambda s: [[0, 1.0], [s.num_steps, 0.02]]), "HALF", (MENDED,),
            lost("chance falls"),
        ),
        "epsilon of 4,000 steps": Mutant(
            _options(epsilon=[[0, 1.0], [2_000, 0.02]]), "half of num_steps", (MENDED,),
            lost("chance falls"),
        ),
        "discount 0.1": Mutant(
            _options(gamma=0.1), "symptom B", ("symptom A", "symptom C"), lost("looks ahead")
        ),
        "discount 0.99": Mutant(
            _options(gamma=0.99), "gamma from the settings", (MENDED,), lost("looks ahead")
        ),
        "no n_step": Mutant(
            _options(("n_step",)), "symptom C", ("symptom A", "symptom B"), lost("news travels")
        ),
        "n_step 3": Mutant(
            _options(n_step=3), "n_step from the settings", (MENDED,), lost("news travels")
        ),
        "another period": Mutant(
            _options(target_network_update_freq=100), "were right", (MENDED,),
            lost("keeps the rest"),
        ),
        "another rate": Mutant(_options(lr=1e-3), "were right", (MENDED,), lost("keeps the rest")),
        "one more": Mutant(_options(tau=0.5), "were right", (MENDED,), lost("keeps the rest")),
    },
    "4.5": {
        "one fee": Mutant(
            lambda m, f: 0.5 + f / m / 2, "fee twice", ("WRONG", "the 0.5"), lost("two fees")
        ),
        "no half": Mutant(
            lambda m, f: f / m, "is the 0.5 there", ("twice", "WRONG"), lost("the size of the move")
        ),
        "capped": Mutant(
            lambda m, f: min(rate(m, f), 1.0), "as it is", ("twice", "WRONG"),
            lost("when nobody can"),
        ),
        "the wrong ones": Mutant(
            lambda m, f: 0.5 - f / m, "WRONG", ("twice",), lost("the size of the move")
        ),
        "upside down": Mutant(
            lambda m, f: 0.5 + m / f, "what becomes", ("WRONG",), lost("the size of the move")
        ),
        "percent": Mutant(
            lambda m, f: 100 * rate(m, f), "not a percentage", ("twice", "WRONG"),
            lost("when nobody can"),
        ),
        "rounded": Mutant(
            lambda m, f: round(rate(m, f), 2), "not rounded", ("twice", "WRONG"),
            lost("when nobody can"),
        ),
        "one fee, and capped": Mutant(
            lambda m, f: min(0.5 + f / m / 2, 1.0), "fee twice", ("WRONG",),
            lost("two fees", "when nobody can"),
        ),
    },
}  # fmt: skip
