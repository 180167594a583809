"""The numbers to judge a trader by, from arrays alone, and how sure one can be of them.

All growth is log growth: it adds up over time, and a loss of 50% and a gain of 100% cancel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DAYS_PER_YEAR = 365.0


@dataclass(frozen=True)
class Interval:
    """A value and the range that resampling gives it.

    Attributes:
        value: computed from the data as they are.
        low: the lower end of the interval.
        high: the upper end.
    """

    value: float
    low: float
    high: float

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


def excess_growth(net_worth: np.ndarray, hold: np.ndarray) -> np.ndarray:
    """Return the log growth beyond that of buy and hold, from row to row, shape (T - 1,)."""
    return np.diff(np.log(net_worth)) - np.diff(np.log(hold))


def percent(log_growth: float) -> float:
    """Return log growth as a percentage: 100 * (exp(growth) - 1)."""
    return float(100.0 * np.expm1(log_growth))


def excess_interval(
    excess: np.ndarray, *, block: int, rng: np.random.Generator, level: float = 0.9,
    num_draws: int = 2_000,
) -> Interval:  # fmt: skip
    """Say how sure the total excess over one stretch of time is, by a block bootstrap.

    Rows are drawn in blocks of neighbours, because they are not independent: a position lasts many
    rows, and wild rows follow wild rows. Drawing single rows would tear that apart and make the
    interval too narrow. Blocks may wrap around the end, so every row is as likely as every other.

    Args:
        excess: shape (T,), log growth beyond buy and hold, see :func:`excess_growth`.
        block: neighbouring rows in a block, such as a week of hours (168).
        rng: source of the draws.
        level: share of the draws that lie in the interval.
        num_draws: resampled histories.

    Returns:
        By how many percent net worth ends above that of buy and hold.

    Raises:
        ValueError: if ``block`` does not fit into the rows, or ``level`` is not between 0 and 1.

    Source:
        Politis and Romano, 'A circular block-resampling procedure for stationary data', 1992.
    """
    excess = np.asarray(excess, dtype=float)
    if not 1 <= block <= excess.size:
        raise ValueError(f"block must be in [1, {excess.size}] (the rows there are), got {block}")
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    whole, rest = divmod(excess.size, block)
    sums = np.cumsum(np.concatenate([[0.0], excess, excess]))
    starts = rng.integers(excess.size, size=(num_draws, whole + 1))
    lengths = np.array([block] * whole + [rest])
    totals = (sums[starts + lengths] - sums[starts]).sum(axis=1)
    low, high = np.quantile(totals, [(1 - level) / 2, (1 + level) / 2])
    return Interval(percent(excess.sum()), percent(low), percent(high))


def spread_interval(
    groups: Sequence[Sequence[float]], *, rng: np.random.Generator, num_draws: int = 2_000
) -> Interval:
    """Say how sure the median over several windows and seeds is: its interval of 90%.

    Seeds of one window trade the same prices, so they are not independent: first whole windows are
    drawn with replacement, then seeds within each of them.

    Args:
        groups: for each window, one number for each seed.
        rng: source of the draws.
        num_draws: resampled studies.

    Raises:
        ValueError: if there is no group, or an empty one.
    """
    arrays = [np.asarray(group, dtype=float) for group in groups]
    if not arrays or any(array.size == 0 for array in arrays):
        raise ValueError("groups must hold at least one window, and each at least one seed")
    draws = []
    for _ in range(num_draws):
        chosen = [arrays[k] for k in rng.integers(len(arrays), size=len(arrays))]
        draws.append(np.median(np.concatenate([rng.choice(a, size=a.size) for a in chosen])))
    low, high = np.quantile(draws, [0.05, 0.95])
    return Interval(float(np.median(np.concatenate(arrays))), float(low), float(high))
