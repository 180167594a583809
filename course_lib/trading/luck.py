"""What luck alone would have given: for a Sharpe ratio, for the best of many, for a trader.

Everything here is arithmetic on numbers that a backtest has made already.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from course_lib.trading import markets
from course_lib.trading.fills import FillPrices

NORMAL = NormalDist()
EULER = 0.5772156649015329  # the Euler-Mascheroni constant


def sharpe_error(
    sharpe: float, num_rows: int, *, skew: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Return the standard error of a Sharpe ratio that was measured on ``num_rows`` rows.

    Args:
        sharpe: mean over spread of the growth of one row, not scaled to a year.
        num_rows: at least 2.
        skew: of the growth; 0 for a normal distribution.
        kurtosis: of the growth; 3 for a normal distribution.

    Raises:
        ValueError: if there are fewer than two rows.

    Source:
        Mertens, 'Comments on variance of the IID estimator in Lo (2002)', 2002.
    """
    if num_rows < 2:
        raise ValueError(f"num_rows must be at least 2, got {num_rows}")
    spread = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    return math.sqrt(spread / (num_rows - 1))


@dataclass(frozen=True)
class Moments:
    """What the growth of each row looks like: its Sharpe ratio, not scaled, skew and kurtosis."""

    sharpe: float
    skew: float
    kurtosis: float


def moments(growth: np.ndarray) -> Moments:
    """Return the moments of the growth of each row, shape (T,); all near zero for a flat line."""
    spread = max(float(growth.std()), 1e-12)
    standard = (growth - growth.mean()) / spread
    return Moments(
        float(growth.mean()) / spread, float(np.mean(standard**3)), float(np.mean(standard**4))
    )


def error_of(growth: np.ndarray) -> float:
    """Return the standard error of the Sharpe ratio of the growth of each row, not scaled."""
    one = moments(growth)
    return sharpe_error(one.sharpe, growth.size, skew=one.skew, kurtosis=one.kurtosis)


def yearly_sharpe_error(net_worth: np.ndarray, rows_per_year: float) -> float:
    """Return the standard error of a Sharpe ratio that is scaled to a year.

    Rows are taken as independent of each other. Over one year it is about 1, over four about 0.5,
    however often net worth was looked at in between.

    Args:
        net_worth: shape (T,), at least three rows.
        rows_per_year: 8,760 for hours around the clock.

    Returns:
        The error; 0 for a flat line.
    """
    growth = np.diff(np.log(net_worth))
    return error_of(growth) * math.sqrt(rows_per_year) if growth.std() > 0 else 0.0


def best_sharpe_of(num_trials: int, variance: float) -> float:
    """Return the Sharpe ratio that the best of many traders without skill has, in expectation.

    Args:
        num_trials: configurations that were tried, all of them, at least 1.
        variance: of the Sharpe ratios of the trials, at least 0.

    Raises:
        ValueError: if an argument is out of range.

    Source:
        Bailey and Lopez de Prado, 'The deflated Sharpe ratio', 2014, equation 1.
    """
    if num_trials < 1 or variance < 0:
        raise ValueError(
            "num_trials must be at least 1 and variance at least 0, got "
            f"{num_trials} and {variance}"
        )
    if num_trials == 1:
        return 0.0
    quantiles = (1 - 1 / num_trials, 1 - 1 / (num_trials * math.e))
    first, second = map(NORMAL.inv_cdf, quantiles)
    return math.sqrt(variance) * ((1 - EULER) * first + EULER * second)


def deflated_sharpe(
    sharpe: float, num_rows: int, *, num_trials: int, variance: float, skew: float = 0.0,
    kurtosis: float = 3.0,
) -> float:  # fmt: skip
    """Return the probability that a Sharpe ratio is above what the best of many gets by luck.

    Args:
        sharpe: of the best trial, of one row, not scaled to a year.
        num_rows: that it was measured on, at least 2.
        num_trials: configurations that were tried, all of them, at least 1.
        variance: of the Sharpe ratios of the trials.
        skew: of the growth of the best trial.
        kurtosis: of the growth of the best trial; 3 for a normal distribution.

    Source:
        Bailey and Lopez de Prado, 'The deflated Sharpe ratio', 2014, equation 2.
    """
    luck = best_sharpe_of(num_trials, variance)
    error = sharpe_error(sharpe, num_rows, skew=skew, kurtosis=kurtosis)
    return NORMAL.cdf((sharpe - luck) / error)


def deflated_of(growth: np.ndarray, num_trials: int, variance: float) -> float:
    """Return :func:`deflated_sharpe` of the growth of each row, shape (T,)."""
    one = moments(growth)
    return deflated_sharpe(
        one.sharpe, growth.size, num_trials=num_trials, variance=variance, skew=one.skew,
        kurtosis=one.kurtosis,
    )  # fmt: skip


def overfitting(growth: np.ndarray, *, num_blocks: int = 10) -> float:
    """Return how often the trial that was best on one half is below the median on the other.

    The rows are cut into blocks of neighbours; every choice of half of the blocks is taken once as
    the past, and the rest as the future. Where choosing means something, the best of the past is
    above the median of the future nearly always; where it is luck, half of the time.

    Args:
        growth: shape (T, num_trials), log growth of each trial from row to row.
        num_blocks: an even number, at most T.

    Returns:
        The probability of backtest overfitting, 0 to 1.

    Raises:
        ValueError: if there are fewer than two trials, or the blocks do not fit.

    Source:
        Bailey, Borwein, Lopez de Prado and Zhu, 'The probability of backtest overfitting', 2015.
    """
    growth = np.asarray(growth, dtype=float)
    if growth.ndim != 2 or growth.shape[1] < 2:
        raise ValueError(f"growth must have shape (T, at least 2 trials), got {growth.shape}")
    if num_blocks % 2 or not 2 <= num_blocks <= len(growth):
        raise ValueError(f"num_blocks must be even and in [2, {len(growth)}], got {num_blocks}")
    edges = np.linspace(0, len(growth), num_blocks + 1).astype(int)[:-1]
    sizes = np.diff(np.append(edges, len(growth)))[:, None]
    sums, squares = (np.add.reduceat(one, edges, axis=0) for one in (growth, growth**2))
    below = []
    for chosen in itertools.combinations(range(num_blocks), num_blocks // 2):
        past = np.isin(np.arange(num_blocks), chosen)
        before, after = (_sharpe(sums[part], squares[part], sizes[part]) for part in (past, ~past))
        best = after[before.argmax()]
        rank = (after < best).sum() + (after == best).sum() / 2  # ties count half
        below.append(rank / len(after) <= 0.5)
    return float(np.mean(below))


def _sharpe(sums: np.ndarray, squares: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Sharpe ratios of the rows of several blocks, from their sums and sums of squares."""
    num_rows = sizes.sum()
    mean = sums.sum(axis=0) / num_rows
    spread = np.sqrt(np.maximum(squares.sum(axis=0) / num_rows - mean**2, 1e-300))
    return mean / spread


def matched_positions(
    positions: Sequence[int] | np.ndarray, num_traders: int, rng: np.random.Generator, *,
    decide_every: int = 1,
) -> np.ndarray:  # fmt: skip
    """Draw traders without skill that trade as often, and are as long in coin, as a given one.

    Its stretches in coin and in cash follow each other; only their lengths are drawn anew.

    Args:
        positions: shape (T,), 0 in cash, 1 in coin, of the trader that is to be matched.
        num_traders: to draw.
        rng: source of the lengths.
        decide_every: rows from one decision to the next; lengths are multiples of it.

    Returns:
        Shape (num_traders, T). A last decision that is cut short may shift the rows in coin by less
        than ``decide_every``.

    Raises:
        ValueError: if ``positions`` changes between two decisions.
    """
    rows = np.asarray(positions, dtype=int)
    decisions = rows[::decide_every]
    if not np.array_equal(np.repeat(decisions, decide_every)[: len(rows)], rows):
        raise ValueError(f"positions must change at multiples of {decide_every} rows only")
    starts = np.flatnonzero(np.diff(decisions, prepend=-1))
    kinds, drawn = decisions[starts], np.empty((num_traders, len(rows)), dtype=int)
    for number in range(num_traders):
        lengths = np.empty(len(kinds), dtype=int)
        for kind in (0, 1):
            lengths[kinds == kind] = _parts(int((decisions == kind).sum()),
                                            int((kinds == kind).sum()), rng)  # fmt: skip
        drawn[number] = np.repeat(np.repeat(kinds, lengths), decide_every)[: len(rows)]
    return drawn


def _parts(total: int, number: int, rng: np.random.Generator) -> np.ndarray:
    """Cut a total into so many whole parts of at least 1, every way as likely."""
    if number == 0:
        return np.empty(0, dtype=int)
    cuts = np.sort(rng.choice(total - 1, size=number - 1, replace=False)) + 1
    return np.diff(np.concatenate([[0], cuts, [total]]))


def lucky_growth(
    close: np.ndarray, positions: np.ndarray, fee: float, at: FillPrices | None, *,
    rng: np.random.Generator, num_traders: int = 1_000, decide_every: int = 1,
) -> np.ndarray:  # fmt: skip
    """Return what traders without skill make who trade as much as a given one.

    Args:
        close: shape (T,), prices.
        positions: shape (T - 1,), of the trader that is to be matched; see
            :func:`matched_positions`.
        fee: fraction of each trade.
        at: the prices at which orders are filled; at the close that was just seen if None.
        rng: source of the lengths of their stays.
        num_traders: to draw.
        decide_every: rows from one decision to the next.

    Returns:
        Shape (num_traders,), net worth at the end over that at first.
    """
    drawn = matched_positions(positions, num_traders, rng, decide_every=decide_every)
    return markets.growth_of(close, drawn, fee, at)[:, -1]


def share_below(value: float, others: Sequence[float] | np.ndarray) -> float:
    """Return the share of ``others`` that lie below a value; equal ones count half."""
    others = np.asarray(others, dtype=float)
    return float(np.mean((others < value) + 0.5 * (others == value)))
