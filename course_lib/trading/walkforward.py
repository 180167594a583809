"""Walk-forward: train, choose and test in that order of time, again and again along the table.

A window has three parts that follow each other: train, validation, test. The next window is the
same, moved on by the length of its test, so the tests cover their time without a gap and without an
overlap. All choices of a window are made on its validation; its test is opened after that, once.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Window:
    """One train, validation and test, as rows of the price table.

    Attributes:
        number: 0 for the earliest.
        edges: four rows: the first of train, of validation, of test, and the first after test.
    """

    number: int
    edges: tuple[int, int, int, int]

    def rows(self, part: str) -> tuple[int, int]:
        """Return the first row of a part and the first row after it.

        Raises:
            ValueError: if there is no such part.
        """
        if part not in PARTS:
            raise ValueError(f"part must be one of {', '.join(PARTS)}, got {part!r}")
        i = PARTS.index(part)
        return self.edges[i], self.edges[i + 1]

    def cut(self, prices: pd.DataFrame, part: str, lead_in: int) -> pd.DataFrame:
        """Return the rows of a part, with ``lead_in`` rows of history in front."""
        first, end = self.rows(part)
        return prices.iloc[first - lead_in : end]

    def times(self, prices: pd.DataFrame, part: str) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Return the first and the last time of a part."""
        first, end = self.rows(part)
        return prices.index[first], prices.index[end - 1]


def windows(
    num_rows: int, *, train: int, validation: int, test: int, lead_in: int, at_most: int = 1_000
) -> list[Window]:
    """Lay windows over a table, as many as fit; the last one ends with the table.

    Args:
        num_rows: rows of the price table.
        train: rows to train on.
        validation: rows to choose on.
        test: rows to test on, and to move on by.
        lead_in: rows of history that must stand in front of each part.
        at_most: windows; the latest are kept.

    Raises:
        ValueError: if not even one fits.
    """
    sizes = {"train": train, "validation": validation, "test": test}
    for name, size in sizes.items():
        if size < 2:
            raise ValueError(f"{name} must have at least 2 rows, got {size}")
    before = lead_in + train + validation
    count = min((num_rows - before) // test, at_most)
    if count < 1:
        raise ValueError(
            f"{num_rows} rows are too few for one window: {lead_in} of history, {train} to train, "
            f"{validation} to choose and {test} to test; give at least {before + test} rows, or "
            "shorten one of these parts"
        )
    first_tests = [num_rows - (count - k) * test for k in range(count)]
    return [
        Window(k, (row - validation - train, row - validation, row, row + test))
        for k, row in enumerate(first_tests)
    ]


def choose(scores: dict[str, float]) -> str:
    """Return the name with the highest score; the first of equals.

    Args:
        scores: name -> figure on the validation rows. Numbers that are not finite lose.

    Raises:
        ValueError: if there is nothing to choose from.
    """
    if not scores:
        raise ValueError("there is nothing to choose from")
    names = list(scores)
    values = np.nan_to_num(list(scores.values()), nan=-np.inf, posinf=-np.inf)
    return names[int(np.argmax(values))]


def daily_sums(values: np.ndarray, times: pd.DatetimeIndex) -> list[float]:
    """Add up values within each calendar day (UTC), in the order of time."""
    days = pd.DatetimeIndex(times).tz_convert("UTC").floor("D")
    return [float(total) for total in pd.Series(values, index=days).groupby(level=0).sum()]
