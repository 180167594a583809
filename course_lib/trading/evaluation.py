"""Running a policy over held-out prices, and the numbers to judge it by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course_lib.trading.baselines import Policy
from course_lib.trading.environment import Fill, TradingEnv

YEAR = pd.Timedelta(days=365)
DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Run:
    """One policy on one stretch of prices.

    Attributes:
        name: of the policy.
        times: shape (T,), the hours from the first decision on.
        close: shape (T,), prices in dollars.
        net_worth: shape (T,), dollars.
        positions: shape (T - 1,), 0 in cash, 1 in coin, from hour t to hour t + 1.
        fills: the trades; ``row`` counts from the first of ``times``.
        rewards: one for each decision.
    """

    name: str
    times: pd.DatetimeIndex
    close: np.ndarray
    net_worth: np.ndarray
    positions: np.ndarray
    fills: tuple[Fill, ...]
    rewards: np.ndarray

    @property
    def net_profit(self) -> float:
        """Dollars gained, fees paid."""
        return float(self.net_worth[-1] - self.net_worth[0])


def run_policy(
    policy: Policy, env: TradingEnv, *, name: str, row: int | None = None, seed: int | None = None
) -> Run:
    """Run one episode.

    Args:
        policy: called with the observation and ``info``, returns 0 or 1.
        env: a trading environment.
        name: shown in tables and figures.
        row: first row to trade; where the environment starts by itself if None.
        seed: for the environment's reset.
    """
    obs, info = env.reset(seed=seed, options=None if row is None else {"row": row})
    first, rewards, over = info["row"], [], False
    while not over:
        obs, reward, terminated, truncated, info = env.step(policy(obs, info))
        rewards.append(reward)
        over = terminated or truncated
    rows = slice(first, info["row"] + 1)
    fills = tuple(Fill(f.row - first, f.side, f.price, f.fee) for f in env.fills)
    return Run(
        name=name,
        times=pd.DatetimeIndex(env.prices.index[rows]),
        close=env.prices["close"].to_numpy()[rows],
        net_worth=np.array(env.net_worths),
        positions=np.array(env.positions),
        fills=fills,
        rewards=np.array(rewards),
    )


def max_drawdown(net_worth: np.ndarray) -> float:
    """Return the deepest fall from a peak, as a fraction of that peak (0: it never fell)."""
    net_worth = np.asarray(net_worth, dtype=float)
    return float(np.max(1.0 - net_worth / np.maximum.accumulate(net_worth)))


def sharpe_ratio(net_worth: np.ndarray, interval: pd.Timedelta) -> float:
    """Return mean over spread of the log growth of each interval, scaled to one year.

    The interest on cash is taken as zero. A flat line has the ratio 0.

    Args:
        net_worth: shape (T,).
        interval: time from one value to the next.
    """
    growth = np.diff(np.log(net_worth))
    spread = growth.std(ddof=1) if growth.size > 1 else 0.0
    return float(growth.mean() / spread * (YEAR / interval) ** 0.5) if spread > 0 else 0.0


def metrics(run: Run, hold: Run | None = None) -> dict[str, float]:
    """Return the numbers to judge a run by.

    Args:
        run: the run.
        hold: buy-and-hold over the same hours.

    Returns:
        ``net profit``, ``excess`` (profit beyond buy-and-hold; NaN without one) and ``fees`` in
        dollars; ``sharpe`` (a year); ``drawdown`` (fraction); ``trades``, ``trades a day``;
        ``exposure`` (fraction of the hours in coin).

    Raises:
        ValueError: if ``hold`` covers other hours.
    """
    if hold is not None and not hold.times.equals(run.times):
        raise ValueError(f"{hold.name!r} and {run.name!r} must cover the same hours")
    interval = pd.Timedelta(np.median(np.diff(run.times.to_numpy())))
    days = (run.positions.size * interval) / DAY
    return {
        "net profit": run.net_profit,
        "excess": run.net_profit - hold.net_profit if hold is not None else float("nan"),
        "fees": sum(fill.fee for fill in run.fills),
        "sharpe": sharpe_ratio(run.net_worth, interval),
        "drawdown": max_drawdown(run.net_worth),
        "trades": len(run.fills),
        "trades a day": len(run.fills) / days,
        "exposure": float(run.positions.mean()),
    }


def table(runs: Sequence[Run] | Mapping[str, Run], hold: Run | None = None) -> pd.DataFrame:
    """Return one row of :func:`metrics` for each run, rounded for reading."""
    listed = list(runs.values()) if isinstance(runs, Mapping) else list(runs)
    names = pd.Index([run.name for run in listed])
    rows = pd.DataFrame([metrics(run, hold) for run in listed], index=names)
    digits = {"net profit": 0, "excess": 0, "fees": 0, "trades": 0}
    return rows.round({name: digits.get(name, 2) for name in rows.columns})


def monthly_excess(run: Run, hold: Run) -> pd.Series:
    """Return, for each calendar month, log growth beyond buy-and-hold in percent."""
    gap = np.diff(np.log(run.net_worth)) - np.diff(np.log(hold.net_worth))
    months = run.times[1:].tz_localize(None).to_period("M")
    return 100 * pd.Series(gap, index=months).groupby(level=0).sum()
