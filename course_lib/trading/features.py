"""What the agent sees of the market: numbers made from past prices only.

A row of features at time t uses prices up to and including t. There is no scaling by the mean or
the spread of a whole data set, because those would carry the future into the past.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

MakeFeatures = Callable[[pd.DataFrame], pd.DataFrame]
LONG_ROWS = 168  # a week, where rows are hours
SHORT_ROWS = 24  # a day
WARM_UP = LONG_ROWS  # rows without features at the start of a table
LIMIT = 5.0
FEATURES = ("move", "short_trend", "long_trend", "range")


def lead_in(window: int) -> int:
    """Return how many rows of history stand before the first decision.

    Args:
        window: rows of features in one observation.
    """
    return WARM_UP + window - 1


def volatility(prices: pd.DataFrame) -> pd.Series:
    """Return the spread of one-row log returns over the last 168 rows, for each row."""
    return np.log(prices["close"]).diff().rolling(LONG_ROWS).std().clip(lower=1e-6)


def make_features(prices: pd.DataFrame) -> pd.DataFrame:
    """Make the features of every row that has enough history.

    All are measured in units of volatility (the spread of one-row log returns over the last 168
    rows), so that a calm month and a wild one look alike, and cut off at ±5.

    * ``move``: log return from the row before;
    * ``short_trend``: log of the close over its mean of the last 24 rows;
    * ``long_trend``: log of the close over its mean of the last 168 rows;
    * ``range``: log of high over low.

    Args:
        prices: a table of prices with T rows, see :mod:`course_lib.trading.prices`.

    Returns:
        A table with the same index and the columns of ``FEATURES``. The first ``WARM_UP`` rows are
        NaN.
    """
    close = prices["close"]
    log_close = np.log(close)
    move = log_close.diff()
    table = pd.DataFrame(
        {
            "move": move,
            "short_trend": (log_close - np.log(close.rolling(SHORT_ROWS).mean())) / SHORT_ROWS**0.5,
            "long_trend": (log_close - np.log(close.rolling(LONG_ROWS).mean())) / LONG_ROWS**0.5,
            "range": np.log(prices["high"] / prices["low"]),
        }
    )
    return table.div(volatility(prices), axis=0).clip(-LIMIT, LIMIT)[list(FEATURES)]


def with_next_move(prices: pd.DataFrame, rows: int = 1) -> pd.DataFrame:
    """Make the same features and one that nobody can have: the move until the next decision.

    This is look-ahead, on purpose: an agent that does not get rich with it cannot learn at all.

    Args:
        prices: a table of prices with T rows.
        rows: from one decision to the next.

    Returns:
        A table as that of :func:`make_features`, with the column ``next_move`` in the same units.
    """
    log_close = np.log(prices["close"])
    move = (log_close.shift(-rows) - log_close) / rows**0.5
    next_move = (move / volatility(prices)).clip(-LIMIT, LIMIT).fillna(0.0)
    return make_features(prices).assign(next_move=next_move)
