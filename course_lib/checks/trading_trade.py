"""The check of exercise 4.1: a trade, and its fee."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import FROM_REFERENCE, Case, exercise, same
from course_lib.tryouts.core import gathered


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
