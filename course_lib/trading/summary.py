"""From the records of a study to what they say. No Ray here: records are plain dictionaries.

Windows are what is independent of each other, so they are what intervals are made from: seeds of
one window trade the same prices, and count as one value, their mean.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from course_lib.trading import luck, metrics
from course_lib.trading.metrics import Interval

Record = dict[str, Any]
FIGURES = (
    "net profit",
    "excess %",
    "sharpe",
    "sharpe error",
    "sortino",
    "drawdown",
    "trades a day",
    "exposure",
    "turnover cost",
)
OTHERS = ("mix", "buy and hold", "moving average", "cash")
BLOCK_DAYS = 5
ENOUGH_WINDOWS = 10
"""Below this number of windows no verdict is given."""


def select(records: Sequence[Record], **wanted: Any) -> list[Record]:
    """Return the records that have these values, such as ``fee=0.001``."""
    return [r for r in records if all(r[name] == value for name, value in wanted.items())]


def windows_of(records: Sequence[Record]) -> list[int]:
    """Return the numbers of the windows, earliest first."""
    return sorted({record["window"] for record in records})


def ahead(record: Record, other: str = "mix", agent: str = "agent") -> float:
    """Return how far the agent ends ahead of another trader, in percent of the first net worth."""
    return 100 * (record["ends"][agent] - record["ends"][other])


def ahead_as_long(record: Record) -> float:
    """Return the same against a mix that is as long in coin as the agent turned out to be."""
    mix = 1 + record["exposure"] * (record["ends"]["buy and hold"] - 1)
    return 100 * (record["ends"]["agent"] - mix)


def timing(record: Record) -> float:
    """Return what choosing the hours brought before costs, in percent; see ``study.timing_of``."""
    return float(record["timing"])


def rank(record: Record) -> float:
    """Return the share of traders without skill that the agent is ahead of, in percent."""
    return 100 * record["luck"]


def window_means(records: Sequence[Record], value: Any) -> np.ndarray:
    """Return the mean over the seeds of ``value(record)`` for each window, earliest first."""
    return np.array(
        [np.mean([value(r) for r in select(records, window=w)]) for w in windows_of(records)]
    )


def over_windows(records: Sequence[Record], value: Any) -> Interval:
    """Return the mean over windows of ``value(record)``, with Student's interval of 90%."""
    return metrics.mean_interval(window_means(records, value))


def comparisons(records: Sequence[Record]) -> dict[str, Interval]:
    """Return how far the agent is ahead of each other trader, its timing, and its rank."""
    found = {name: over_windows(records, lambda r, n=name: ahead(r, n)) for name in OTHERS}
    return {
        "timing": over_windows(records, timing),
        **found,
        "mix, as long": over_windows(records, ahead_as_long),
        "mix, an hour late": over_windows(
            records, lambda r: ahead(r, "mix", "agent, an hour late")
        ),
        "rank": over_windows(records, rank),
    }


def detectable(interval: Interval, *, power: float = 0.8, level: float = 0.9) -> float:
    """Return how large the truth must be for a study of this spread to show it, mostly.

    Args:
        interval: of a mean over windows.
        power: how often it would be shown.
        level: of the interval.
    """
    from scipy.special import stdtrit

    sure, mostly = (float(stdtrit(interval.count - 1, p)) for p in ((1 + level) / 2, power))
    return (interval.high - interval.value) / sure * (sure + mostly)


def traders(records: Sequence[Record]) -> list[str]:
    """Return the names of the traders, the agent first."""
    return list(records[0]["figures"])


def medians(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """Return, for each trader, the median of each figure over all windows and seeds."""
    return {
        trader: {
            figure: float(np.median([r["figures"][trader][figure] for r in records]))
            for figure in FIGURES
        }
        for trader in traders(records)
    }


def fee_grid(
    records: Sequence[Record], other: str = "mix"
) -> tuple[list[int], list[float], np.ndarray]:
    """Return windows, fees, and how far the agent is ahead (mean of the seeds), shape (W, F)."""
    windows, fees = windows_of(records), sorted({record["fee"] for record in records})
    grid = np.full((len(windows), len(fees)), np.nan)
    for i, window in enumerate(windows):
        for j, fee in enumerate(fees):
            some = select(records, window=window, fee=fee)
            if some:
                grid[i, j] = np.mean([ahead(r, other) for r in some])
    return windows, fees, grid


def window_intervals(records: Sequence[Record]) -> list[Interval]:
    """Return, for each window, how far the mean over seeds is ahead of the mix, in percent.

    Each comes from blocks of days of this one window, and says nothing of other times.
    """
    found = []
    for number in windows_of(records):
        days = np.mean([r["daily_excess"] for r in select(records, window=number)], axis=0)
        block = max(min(BLOCK_DAYS, len(days) // 2), 1)
        found.append(metrics.block_interval(100 * days, block))
    return found


def hours_apart(records: Sequence[Record]) -> float:
    """Return how far the best hour of the daily decision is ahead of the worst, in percent.

    It is the median over windows and seeds of one and the same network.
    """
    name = "agent, first and last hour"
    return float(np.median([100 * np.ptp(record["ends"][name]) for record in records]))


def verdict(interval: Interval, *, better: str, worse: str, level: float = 0.0) -> str:
    """Say in words what an interval allows to say.

    Args:
        interval: of a mean over windows.
        better: the sentence for an interval above ``level``.
        worse: the sentence for one below it.
        level: where neither is better.
    """
    if interval.count < ENOUGH_WINDOWS:
        return f"No verdict: {interval.count} windows are too few, {ENOUGH_WINDOWS} are needed."
    if interval.low > level:
        return f"Yes: {better}; the whole interval lies above {level:g}."
    if interval.high < level:
        return f"No: {worse}; the whole interval lies below {level:g}."
    return f"Not shown: the interval holds {level:g}."


def choice(growth: np.ndarray) -> dict[str, float]:
    """Say what choosing the best of several agents by its Sharpe ratio is worth.

    Args:
        growth: shape (T, num_agents), log growth of each from row to row.

    Returns:
        ``best``: column with the highest Sharpe ratio; ``deflated``: probability that it is above
        what the best of so many without skill has; ``overfitting``: how often a choice made on one
        half is below the median on the other.

    Raises:
        ValueError: if there are fewer than two agents to choose from.
    """
    growth = np.asarray(growth, dtype=float)
    if growth.ndim != 2 or growth.shape[1] < 2:
        raise ValueError(
            f"choosing needs two agents or more: growth must have shape (T, num_agents), got "
            f"{growth.shape}. Was the training stopped? Run its cell again"
        )
    sharpes = np.array([luck.moments(one).sharpe for one in growth.T])
    best = int(sharpes.argmax())
    return {
        "best": best,
        "deflated": luck.deflated_of(growth[:, best], len(sharpes), float(sharpes.var(ddof=1))),
        "overfitting": luck.overfitting(growth),
    }
