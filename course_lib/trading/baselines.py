"""Simple traders to compare with. Each is a policy: called with (obs, info), it returns 0 or 1."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from course_lib.trading import markets
from course_lib.trading.environment import TradingEnv

Policy = Callable[[np.ndarray, dict[str, Any]], int]


def cash(obs: np.ndarray, info: dict[str, Any]) -> int:
    """Never buy."""
    return 0


def buy_and_hold(obs: np.ndarray, info: dict[str, Any]) -> int:
    """Buy at the first chance and never sell."""
    return 1


def by_row(positions: np.ndarray, first_row: int) -> Policy:
    """Follow positions that were fixed beforehand.

    Args:
        positions: 0 or 1 for each row from ``first_row`` on.
        first_row: the row of the price table that ``positions[0]`` belongs to.
    """
    fixed = [int(position) for position in positions]
    return lambda obs, info: fixed[info["row"] - first_row]


def random_trades(
    num_trades: int, num_rows: int, first_row: int, rng: np.random.Generator
) -> Policy:
    """Change position at ``num_trades`` random hours: as busy as another trader, without a reason.

    Args:
        num_trades: at most ``num_rows``.
        num_rows: rows on which a decision is made.
        first_row: the first of them.
        rng: source of the hours.

    Raises:
        ValueError: if there are more trades than rows.
    """
    if not 0 <= num_trades <= num_rows:
        raise ValueError(f"num_trades must be in [0, {num_rows}], got {num_trades}")
    switches = np.zeros(num_rows, dtype=int)
    switches[rng.choice(num_rows, size=num_trades, replace=False)] = 1
    return by_row(np.cumsum(switches) % 2, first_row)


def moving_average_cross(prices: pd.DataFrame, *, fast: int = 24, slow: int = 168) -> Policy:
    """Be in coin while the mean of the last day is above the mean of the last week.

    Args:
        prices: the table that the environment trades on.
        fast: rows in the quick mean.
        slow: rows in the slow mean.

    Raises:
        ValueError: if ``fast`` is not below ``slow``.
    """
    if not 1 <= fast < slow:
        raise ValueError(f"fast must be at least 1 and below slow, got {fast} and {slow}")
    close = prices["close"]
    above = close.rolling(fast).mean() > close.rolling(slow).mean()
    return by_row(above.to_numpy(), 0)


def foresight(env: TradingEnv) -> Policy:
    """Trade as somebody who knows all prices that the environment will show from its first row on.

    Nobody can do this; it is the ceiling.
    """
    rows = slice(env.first_row, None)
    close = env.prices["close"].to_numpy()[rows]
    best = markets.perfect_foresight(close, env.fee, env.fill_prices[rows])
    return by_row(best.positions, env.first_row)
