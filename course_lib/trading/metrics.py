"""The numbers to judge a trader by, from arrays alone, and how sure one can be of them.

All growth is log growth: it adds up over time, and a loss of 50% and a gain of 100% cancel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DAYS_PER_YEAR = 365.0


@dataclass(frozen=True)
class Interval:
    """A mean or a sum, and the range in which the truth may lie.

    Attributes:
        value: computed from the data as they are.
        low: the lower end of the interval.
        high: the upper end.
        count: values that it is made from.
    """

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.value:+.1f} ({self.low:+.1f} to {self.high:+.1f})"


def drawdown(net_worth: np.ndarray) -> np.ndarray:
    """Return at each time how far net worth is below its highest so far, as a fraction of that."""
    net_worth = np.asarray(net_worth, dtype=float)
    return 1.0 - net_worth / np.maximum.accumulate(net_worth)


def max_drawdown(net_worth: np.ndarray) -> float:
    """Return the deepest fall from a peak, as a fraction of that peak (0: it never fell)."""
    return float(np.max(drawdown(net_worth)))


def sharpe_ratio(net_worth: np.ndarray, rows_per_year: float) -> float:
    """Return mean over spread of the log growth from row to row, scaled to one year.

    The interest on cash is taken as zero. A flat line has the ratio 0.

    Args:
        net_worth: shape (T,).
        rows_per_year: 8,760 for hours around the clock; see ``prices.rows_per_year``.
    """
    growth = np.diff(np.log(net_worth))
    spread = growth.std(ddof=1) if growth.size > 1 else 0.0
    return float(growth.mean() / spread * rows_per_year**0.5) if spread > 0 else 0.0


def sortino_ratio(net_worth: np.ndarray, rows_per_year: float) -> float:
    """Return the same as :func:`sharpe_ratio`, with only the losses in the spread.

    The spread is the root of the mean square of the losses, gains counting as zero. A line that
    never falls has the ratio 0 if it is flat, else infinity.

    Args:
        net_worth: shape (T,).
        rows_per_year: 8,760 for hours around the clock.
    """
    growth = np.diff(np.log(net_worth))
    mean, losses = growth.mean(), np.mean(np.minimum(growth, 0.0) ** 2) ** 0.5
    if losses == 0.0:
        return float("inf") if mean > 0 else 0.0
    return float(mean / losses * rows_per_year**0.5)


def mean_interval(values: Sequence[float] | np.ndarray, *, level: float = 0.9) -> Interval:
    """Say how sure the mean of some numbers is that are independent of each other (Student's t).

    Args:
        values: such as one number for each window; at least two.
        level: how often such an interval holds the true mean.

    Raises:
        ValueError: if there are fewer than two values, or ``level`` is not between 0 and 1.

    Source:
        Student, 'The probable error of a mean', 1908.
    """
    from scipy.special import stdtrit  # quantiles of Student's t

    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or values.size < 2:
        raise ValueError(f"values must be a row of at least 2 numbers, got shape {values.shape}")
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    mean, error = values.mean(), values.std(ddof=1) / values.size**0.5
    reach = stdtrit(values.size - 1, (1 + level) / 2) * error
    return Interval(float(mean), float(mean - reach), float(mean + reach), values.size)


def block_interval(values: np.ndarray, block: int, *, level: float = 0.9) -> Interval:
    """Say how sure a sum over neighbouring rows is, which are not independent of each other.

    Rows are added up in blocks that follow each other; a block depends little on the next.

    Args:
        values: shape (T,), such as gains of each day.
        block: rows in a block; a last one that is cut short is left out of the spread.
        level: how often such an interval holds the truth.

    Raises:
        ValueError: if there are fewer than two blocks.
    """
    values = np.asarray(values, dtype=float)
    whole = values.size // max(block, 1)
    if block < 1 or whole < 2:
        raise ValueError(f"block must be in [1, {values.size // 2}] (two must fit), got {block}")
    found = mean_interval(values[: whole * block].reshape(whole, block).sum(axis=1), level=level)
    scale, total = values.size / block, float(values.sum())
    reach = scale * (found.high - found.value)
    return Interval(total, total - reach, total + reach, whole)
