"""Checks of notebook 04. All expected values are worked by hand."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from course_lib.checks.core import Case, exercise


@exercise("4.1")
def check_trade(trade: Callable) -> Iterator[Case]:
    """Check buying, selling, doing nothing, and a round trip."""
    yield Case(
        "buying hands in all dollars: 10,000 at price 5,000, fee 0.1%",
        expected=(0.0, 1.998, 10.0),
        got=trade(10_000.0, 0.0, 5_000.0, 0.001, 1),
        hint="the fee is taken from the dollars first: 9,990 dollars buy 1.998 coins",
    )
    yield Case(
        "selling hands in all coins: 2 at price 6,000, fee 0.1%",
        expected=(11_988.0, 0.0, 12.0),
        got=trade(0.0, 2.0, 6_000.0, 0.001, 0),
        hint="the fee is a fraction of what the coins are worth; is it in dollars?",
    )
    for name, cash, coin, target in (("coin", 0.0, 2.0, 1), ("cash", 500.0, 0.0, 0)):
        yield Case(
            f"staying in {name} is free",
            expected=(cash, coin, 0.0),
            got=trade(cash, coin, 6_000.0, 0.001, target),
            hint="a fee is due only when money changes hands",
        )
    cash, coin, _ = trade(10_000.0, 0.0, 4_000.0, 0.01, 1)
    cash, coin, _ = trade(cash, coin, 4_000.0, 0.01, 0)
    yield Case(
        "buying and selling at one price loses the fee twice: 10,000 at 1% leaves 9,801",
        expected=9_801.0,
        got=cash,
        hint="10,000 x 0.99 x 0.99",
    )


def _rising_prices() -> Any:
    """Return 12 rows whose closes are 1, 2, 4, ...: every change of a later price can be seen."""
    import pandas as pd

    close = 2.0 ** np.arange(12)
    return pd.DataFrame({name: close for name in ("open", "high", "low", "close")})


@exercise("4.2")
def check_sees_future(sees_future: Callable) -> Iterator[Case]:
    """Check honest and leaky features, on a table whose every change can be seen."""
    table = _rising_prices()
    features: dict[str, tuple[Callable, bool, str]] = {
        "the close itself is honest": (
            lambda t: t["close"],
            False,
            "prices up to and including `row` must stay as they are: change from row + 1 on, and "
            "compare the first row + 1 values only",
        ),
        "the change since the row before is honest": (
            lambda t: t["close"].diff(),
            False,
            "its first value is missing: `==` calls two missing values different, `equals` not",
        ),
        "the close over the highest of all leaks": (
            lambda t: t["close"] / t["close"].max(),
            True,
            "the highest close comes after `row` here; are the later prices changed?",
        ),
        "the change to the next row leaks": (
            lambda t: t["close"].shift(-1) - t["close"],
            True,
            "only the value at `row` itself moves; is `row` among the values compared?",
        ),
        "the lowest low of all later rows leaks": (
            lambda t: t["low"][::-1].cummin()[::-1].shift(-1),
            True,
            "change all columns, not only the close",
        ),
    }
    for aspect, (feature, expected, hint) in features.items():
        got = sees_future(feature, table, 5)
        got = bool(got) if isinstance(got, np.bool_) else got
        yield Case(f"{aspect} (row 5 of 12)", expected=expected, got=got, hint=hint)
    yield Case(
        "the table that was handed in is still the same",
        expected=2.0 ** np.arange(12),
        got=table["close"].to_numpy(),
        hint="work on `table.copy()`",
    )


def _trials(**shares: list[float]) -> Any:
    """Return a table of trials; ``r1e_3=[0.8, 0.9]`` stands for two seeds of the rate 1e-3."""
    import pandas as pd

    rows = [
        {"learning_rate": float(name[1:].replace("_", "-")), "seed": seed, "share": share}
        for name, values in shares.items()
        for seed, share in enumerate(values)
    ]
    return pd.DataFrame(rows)


@exercise("4.3")
def check_best_learning_rate(best_learning_rate: Callable) -> Iterator[Case]:
    """Check on three small tables that a lucky seed does not win."""
    plain = _trials(r1e_4=[0.2, 0.3, 0.1], r1e_3=[0.8, 0.9, 0.7], r1e_2=[0.5, 0.4, 0.6])
    lucky = _trials(r1e_4=[0.0, 0.99, 0.1], r1e_3=[0.6, 0.7, 0.65])
    crash = _trials(r1e_4=[0.5, 0.5, 0.5], r1e_3=[0.8, 0.9, -3.0])
    yield Case(
        "finds the rate that is best with every seed",
        expected=0.001,
        got=best_learning_rate(plain),
        hint="return the learning rate itself, not its share",
    )
    yield Case(
        "does not fall for one lucky seed (0.99 beside 0.0 and 0.1)",
        expected=0.001,
        got=best_learning_rate(lucky),
        hint="did you take the best single trial? Compare the medians over the seeds",
    )
    yield Case(
        "does not drop a rate for one crash (0.8, 0.9 and -3)",
        expected=0.001,
        got=best_learning_rate(crash),
        hint="did you take the mean? One crash pulls it down; the median stays at 0.8",
    )


@exercise("4.4", hides=("course_lib.trading.agent:dqn_config",))
def check_trading_dqn(trading_dqn: Callable) -> Iterator[Case]:
    """Check that the settings arrive where RLlib reads them."""
    from course_lib.columnar_dqn.algorithm import ColumnarDQNConfig
    from course_lib.trading.agent import Settings

    one = Settings(learning_rate=0.002, gamma=0.9, n_step=3, num_steps=1_000)
    two = Settings(learning_rate=0.0005, gamma=0.97, n_step=1, num_steps=4_000)
    configs = [trading_dqn(lambda: None, settings, 5) for settings in (one, two)]
    yield Case(
        "returns a ColumnarDQNConfig",
        expected=True,
        got=all(isinstance(config, ColumnarDQNConfig) for config in configs),
        hint="is there a `return config` at the end?",
    )
    for name, wanted in (
        ("lr", [0.002, 0.0005]),
        ("gamma", [0.9, 0.97]),
        ("n_step", [3, 1]),
        ("training_intensity", [32.0, 32.0]),
    ):
        yield Case(
            f"sets {name} (settings one and two: {wanted[0]:g} and {wanted[1]:g})",
            expected=wanted,
            got=[getattr(config, name) for config in configs],
            hint=f"config.training({name}=...) takes it from the settings, or from the text above",
        )
    yield Case(
        "epsilon falls from 1 to 0.02 over the first half of the steps",
        expected=[[[0, 1.0], [500, 0.02]], [[0, 1.0], [2_000, 0.02]]],
        got=[config.epsilon for config in configs],
        hint="epsilon=[[0, 1.0], [settings.num_steps // 2, 0.02]]",
    )


@exercise("4.5")
def check_lost_to_fees(lost_to_fees: Callable) -> Iterator[Case]:
    """Check the arithmetic of many small fees."""
    yield Case(
        "2 trades at 10%: 1 - 0.9 x 0.9 = 0.19",
        expected=0.19,
        got=lost_to_fees(1.0, 2.0, 0.1),
        hint="each trade leaves (1 - fee) of what was there before it",
    )
    yield Case(
        "no trades cost nothing",
        expected=0.0,
        got=lost_to_fees(0.0, 100.0, 0.001),
        hint="the number of trades is trades_per_day x days",
    )
    yield Case(
        "3 trades a day for 1 day at 50%: 1 - 0.125 = 0.875",
        expected=0.875,
        got=lost_to_fees(3.0, 1.0, 0.5),
        hint="fees compound: they do not simply add up",
    )
