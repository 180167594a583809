"""Running a policy over held-out prices, and the numbers to judge it by."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course_lib.trading import prices
from course_lib.trading.baselines import Policy
from course_lib.trading.environment import Fill, TradingEnv
from course_lib.trading.fills import FillPrices
from course_lib.trading.luck import yearly_sharpe_error
from course_lib.trading.metrics import DAYS_PER_YEAR, max_drawdown, sharpe_ratio, sortino_ratio


@dataclass(frozen=True)
class Run:
    """One policy on one stretch of prices.

    Attributes:
        name: of the policy.
        times: shape (T,), the rows from the first decision on.
        close: shape (T,), prices in dollars.
        net_worth: shape (T,), dollars.
        positions: shape (T - 1,), 0 in cash, 1 in coin, from row t to row t + 1.
        fills: the trades; ``row`` counts from the first of ``times``.
        rewards: one for each decision.
        at: the prices at which an order of each row but the last is filled.
        rows_per_year: what yearly figures are scaled with.
    """

    name: str
    times: pd.DatetimeIndex
    close: np.ndarray
    net_worth: np.ndarray
    positions: np.ndarray
    fills: tuple[Fill, ...]
    rewards: np.ndarray
    at: FillPrices
    rows_per_year: float = 8_760.0

    @property
    def net_profit(self) -> float:
        """Dollars gained, fees paid."""
        return float(self.net_worth[-1] - self.net_worth[0])


def run_policy(policy: Policy, env: TradingEnv, *, name: str, row: int | None = None) -> Run:
    """Run one episode.

    Who loses ``max_loss`` is out: for the rest of the rows net worth stays as it is.

    Args:
        policy: called with the observation and ``info``, returns 0 or 1.
        env: a trading environment.
        name: shown in tables and figures.
        row: first row to trade; where the environment starts by itself if None.
    """
    obs, info = env.reset(options=None if row is None else {"row": row})
    first, rewards, over = info["row"], [], False
    last = first + env.episode_rows
    while not over:
        obs, reward, terminated, truncated, info = env.step(policy(obs, info))
        rewards.append(reward)
        over = terminated or truncated
    rows, missing = slice(first, last + 1), last - info["row"]
    fills = tuple(Fill(f.row - first, f.side, f.price, f.fee) for f in env.fills)
    return Run(
        name=name,
        times=pd.DatetimeIndex(env.prices.index[rows]),
        close=env.prices["close"].to_numpy()[rows],
        net_worth=np.pad(env.net_worths, (0, missing), mode="edge"),
        positions=np.pad(env.positions, (0, missing)),
        fills=fills,
        rewards=np.array(rewards),
        at=env.fill_prices[first:last],
        rows_per_year=prices.rows_per_year(env.prices),
    )


def mix(hold: Run, share: float) -> Run:
    """Return a trader who buys coin for a share of the money once, and keeps the rest as cash.

    Args:
        hold: buy and hold over the same rows.
        share: of the money, 0 to 1, such as the exposure of an agent.
    """
    return dataclasses.replace(
        hold,
        name=f"mix, {share:.0%} in coin",
        net_worth=(1 - share) * hold.net_worth[0] + share * hold.net_worth,
        positions=np.full(hold.positions.shape, share),
        fills=tuple(dataclasses.replace(fill, fee=share * fill.fee) for fill in hold.fills),
        rewards=np.array([]),
    )


def metrics(run: Run, hold: Run | None = None) -> dict[str, float]:
    """Return the numbers to judge a run by.

    Args:
        run: the run.
        hold: buy-and-hold over the same rows.

    Returns:
        ``net profit`` and ``fees`` in dollars; ``excess`` (dollars beyond buy-and-hold) and
        ``excess %`` (the same in percent of the first net worth), NaN without ``hold``; ``sharpe``
        with ``sharpe error`` (its standard error) and ``sortino`` (scaled to a year); ``drawdown``
        (fraction); ``trades``, ``trades a day`` (of the calendar); ``exposure`` (fraction of the
        rows in coin); ``turnover cost`` (fees as a fraction of the first net worth).

    Raises:
        ValueError: if ``hold`` covers other hours.
    """
    if hold is not None and not hold.times.equals(run.times):
        raise ValueError(f"{hold.name!r} and {run.name!r} must cover the same hours")
    days = run.positions.size / run.rows_per_year * DAYS_PER_YEAR
    fees = sum(fill.fee for fill in run.fills)
    excess = run.net_profit - hold.net_profit if hold is not None else float("nan")
    return {
        "net profit": run.net_profit,
        "excess": excess,
        "excess %": float(100 * excess / run.net_worth[0]),
        "fees": fees,
        "sharpe": sharpe_ratio(run.net_worth, run.rows_per_year),
        "sharpe error": yearly_sharpe_error(run.net_worth, run.rows_per_year),
        "sortino": sortino_ratio(run.net_worth, run.rows_per_year),
        "drawdown": max_drawdown(run.net_worth),
        "trades": len(run.fills),
        "trades a day": len(run.fills) / days,
        "exposure": float(run.positions.mean()),
        "turnover cost": fees / float(run.net_worth[0]),
    }


def table(runs: Sequence[Run], hold: Run | None = None) -> pd.DataFrame:
    """Return one row of :func:`metrics` for each run, rounded for reading."""
    names = pd.Index([run.name for run in runs])
    rows = pd.DataFrame([metrics(run, hold) for run in runs], index=names)
    digits = {"net profit": 0, "excess": 0, "excess %": 1, "fees": 0, "trades": 0}
    rounded = rows.round({name: digits.get(name, 2) for name in rows.columns})
    return rounded.rename_axis(columns="trader")
