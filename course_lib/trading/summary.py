"""From the records of a study to what they say. No Ray here: records are plain dictionaries."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from course_lib.trading import metrics
from course_lib.trading.metrics import Interval

Record = dict[str, Any]
FIGURES = (
    "net profit",
    "excess %",
    "sharpe",
    "sortino",
    "drawdown",
    "trades a day",
    "exposure",
    "turnover cost",
)
BLOCK_DAYS = 7


def select(records: Sequence[Record], **wanted: Any) -> list[Record]:
    """Return the records that have these values, such as ``fee=0.001``."""
    return [r for r in records if all(r[name] == value for name, value in wanted.items())]


def by_window(records: Sequence[Record], figure: str, trader: str = "agent") -> list[list[float]]:
    """Return one list for each window, earliest first, with the figure of each seed."""
    numbers = sorted({record["window"] for record in records})
    return [
        [record["figures"][trader][figure] for record in records if record["window"] == number]
        for number in numbers
    ]


def beyond(records: Sequence[Record], other: str) -> list[list[float]]:
    """Return by how many percent the agent ends above another trader, for each window and seed."""
    mine, theirs = (by_window(records, "excess %", name) for name in ("agent", other))
    return [
        [100 * ((100 + a) / (100 + b) - 1) for a, b in zip(one, two, strict=True)]
        for one, two in zip(mine, theirs, strict=True)
    ]


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


def fee_grid(records: Sequence[Record]) -> tuple[list[int], list[float], np.ndarray]:
    """Return windows, fees, and the median excess (percent, over the seeds), shape (W, F)."""
    windows = sorted({record["window"] for record in records})
    fees = sorted({record["fee"] for record in records})
    grid = np.full((len(windows), len(fees)), np.nan)
    for i, window in enumerate(windows):
        for j, fee in enumerate(fees):
            some = select(records, window=window, fee=fee)
            if some:
                grid[i, j] = np.median([r["figures"]["agent"]["excess %"] for r in some])
    return windows, fees, grid


def window_intervals(records: Sequence[Record], rng: np.random.Generator) -> list[Interval]:
    """Return, for each window, the excess of the mean over seeds, with a block bootstrap of days.

    The mean is taken day by day over the log growth of the seeds, as if the money were divided
    among them each day. Blocks are a week long, or a third of a shorter test.
    """
    found = []
    for number in sorted({record["window"] for record in records}):
        days = np.mean([r["daily_excess"] for r in select(records, window=number)], axis=0)
        block = max(min(BLOCK_DAYS, len(days) // 3), 1)
        found.append(metrics.excess_interval(days, block=block, rng=rng))
    return found


def overall(
    values: Sequence[Sequence[float]], rng: np.random.Generator, *, num_draws: int = 2_000
) -> Interval:
    """Return the median over windows and seeds, with the interval of resampled windows."""
    return metrics.spread_interval(values, rng=rng, num_draws=num_draws)


def verdict(interval: Interval, *, better: str, worse: str) -> str:
    """Say in words what an interval allows to say.

    Args:
        interval: of an excess; above zero is good.
        better: the sentence for an interval above zero.
        worse: the sentence for one below zero.
    """
    if interval.low > 0:
        return f"Yes: {better}; the whole interval lies above zero."
    if interval.high < 0:
        return f"No: {worse}; the whole interval lies below zero."
    return "Not shown: the interval holds zero, so this data does not tell skill from luck."
