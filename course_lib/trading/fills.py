"""At which prices orders are filled: a decision takes time, and buying and selling differ.

A decision of row t has seen the close of row t. Its order is filled at the ``next open`` (the open
of row t + 1), as in FINSABER (Li and others, 2025); or, kinder than any exchange, at the ``same
close``; or, late, at the ``next close``. Buyers pay half a spread more than that, sellers get half
a spread less.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

FILLS = ("next open", "same close", "next close")
HALF_SPREAD = 0.0002
"""An assumption: 0.02% on either side. The price file holds trades, and no offers."""


@dataclass(frozen=True)
class FillPrices:
    """What one coin costs, and what it brings, for an order of each row.

    Attributes:
        buy: shape (T - 1,), dollars; entry t is for a decision of row t.
        sell: shape (T - 1,), dollars.
    """

    buy: np.ndarray
    sell: np.ndarray

    def __getitem__(self, rows: slice) -> "FillPrices":
        """Return those of some rows."""
        return FillPrices(self.buy[rows], self.sell[rows])


def fill_prices(
    prices: pd.DataFrame, fill: str = "next open", half_spread: float = HALF_SPREAD
) -> FillPrices:
    """Return the prices at which the orders of each row but the last are filled.

    Args:
        prices: a table of prices with T rows.
        fill: one of ``FILLS``.
        half_spread: a fraction of the price, 0 to 0.1.

    Raises:
        ValueError: if an argument is out of range.
    """
    if fill not in FILLS:
        raise ValueError(f"fill must be one of {', '.join(map(repr, FILLS))}, got {fill!r}")
    if not 0 <= half_spread <= 0.1:
        raise ValueError(
            f"half_spread must be in [0, 0.1] (a fraction of the price), got {half_spread}"
        )
    column = prices["open" if fill == "next open" else "close"].to_numpy(dtype=float)
    middle = column[:-1] if fill == "same close" else column[1:]
    return FillPrices(middle * (1 + half_spread), middle * (1 - half_spread))
