"""Look-ahead: does anything computed for the past depend on prices of the future?

The test is always the same. Keep the prices up to some row, change all later ones, compute again:
whatever belongs to the rows up to there must come out as before. A second test leaves the later
prices out altogether, which also catches what depends on the length of the table.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

MIN_ROWS = 20


@dataclass(frozen=True)
class Leak:
    """One place where the past moved.

    Attributes:
        last_row: prices up to and including this row were left alone.
        moved_row: the first row, at most ``last_row``, whose result changed all the same.
        future: ``"changed"`` or ``"missing"``: what was done to the later prices.
    """

    last_row: int
    moved_row: int
    future: str

    def __str__(self) -> str:
        return (
            f"row {self.moved_row} came out differently when the prices after row {self.last_row} "
            f"were {self.future}"
        )


def with_other_future(
    prices: pd.DataFrame, last_row: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return prices that agree up to and including ``last_row`` and then go another way.

    Args:
        prices: a table of prices.
        last_row: the last row that stays as it is.
        rng: source of the other way: each later row is multiplied by its own factor.

    Raises:
        ValueError: if there is no row after ``last_row``.
    """
    if not 0 <= last_row < len(prices) - 1:
        raise ValueError(f"last_row must be in [0, {len(prices) - 2}], got {last_row}")
    changed, columns = prices.copy(), ["open", "high", "low", "close"]
    factors = np.ones((len(prices), 1))
    factors[last_row + 1 :, 0] = rng.uniform(1.2, 3.0, size=len(prices) - 1 - last_row)
    changed[columns] = prices[columns] * factors
    return changed


def find_leaks(
    compute: Callable[[pd.DataFrame], pd.DataFrame | pd.Series | np.ndarray], prices: pd.DataFrame,
    *, rng: np.random.Generator, num_cuts: int = 5,
) -> list[Leak]:  # fmt: skip
    """Change the future at several rows and report every past that moved.

    Args:
        compute: takes a table of prices and returns one row of results for each row of prices.
        prices: at least 20 rows.
        rng: source of the rows and of the changes.
        num_cuts: how many rows to try; they lie in the later three quarters of the table.

    Returns:
        One entry for each row and kind of change that moved the past; empty if none did.

    Raises:
        ValueError: if there are too few prices, or the results do not have a row for each price.
    """
    if len(prices) < MIN_ROWS:
        raise ValueError(f"prices must have at least {MIN_ROWS} rows, got {len(prices)}")
    before = _as_rows(compute(prices), len(prices))
    found = []
    for last_row in np.sort(rng.integers(len(prices) // 4, len(prices) - 1, size=num_cuts)):
        others = {
            "changed": with_other_future(prices, int(last_row), rng),
            "missing": prices.iloc[: last_row + 1],
        }
        for future, table in others.items():
            after = _as_rows(compute(table), len(table))
            moved = _first_difference(before[: last_row + 1], after[: last_row + 1])
            if moved is not None:
                found.append(Leak(int(last_row), moved, future))
    return found


def _as_rows(values: pd.DataFrame | pd.Series | np.ndarray, num_rows: int) -> np.ndarray:
    rows = np.asarray(values, dtype=float)
    if rows.ndim < 1 or len(rows) != num_rows:
        raise ValueError(
            f"compute must return one row for each of the {num_rows} rows of prices, "
            f"got shape {rows.shape}"
        )
    return rows.reshape(num_rows, -1)


def _first_difference(before: np.ndarray, after: np.ndarray) -> int | None:
    """Return the first row that differs by more than rounding, or None."""
    close = np.isclose(before, after, rtol=1e-9, atol=1e-12, equal_nan=True)
    rows = np.flatnonzero(~close.all(axis=1))
    return int(rows[0]) if rows.size else None
