"""Prices: the data that comes with the course, or a participant's own file.

Everything here works on one shape of table: a pandas DataFrame with the columns ``open``, ``high``,
``low``, ``close`` and ``volume`` (floats), indexed by ``timestamp`` in UTC, ascending, one row for
each hour (or other interval).
"""

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib.trading import price_file
from course_lib.trading.price_checks import COLUMNS, PriceFileError

DATA_FILE = Path(__file__).resolve().parents[2] / "data" / "btc_usd_hourly.csv.gz"
CONTENT_SHA256 = "a77a6c56d996cda581d782d8539010b5c539fa7b42efde8e51e78fd35ec4db85"
YEAR = pd.Timedelta(days=365)

__all__ = [
    "COLUMNS", "CONTENT_SHA256", "DATA_FILE", "PriceFileError", "load_prices", "period",
    "price_table", "rows_per_year", "split", "verify_data",
]  # fmt: skip


def verify_data(path: Path = DATA_FILE) -> str:
    """Check that the shipped data file is there and unchanged.

    Args:
        path: the packed file.

    Returns:
        The sha256 of the file's unpacked content, as hexadecimal digits.

    Raises:
        PriceFileError: if the file is missing, damaged or changed; the message says what to do.
    """
    remedy = "get it back with `git checkout -- data`, or clone the course again"
    try:
        content = gzip.decompress(Path(path).read_bytes())
    except FileNotFoundError:
        raise PriceFileError(f"{path} is missing; {remedy}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise PriceFileError(f"{path} cannot be unpacked ({error}); {remedy}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != CONTENT_SHA256:
        raise PriceFileError(f"{path} is not the file of the course (sha256 {found}); {remedy}")
    return found


def load_prices(
    path: str | Path | None = None, *, gaps: str = "error", min_rows: int = 2
) -> pd.DataFrame:
    """Load prices and check every row.

    Args:
        path: a CSV file, packed with gzip or not; the bitcoin prices of the course if None. It
            needs a header with a timestamp (or date, time, datetime) and open, high, low, close;
            volume is zero where the file has none. Capitals do not matter. Timestamps are UTC;
            a date and a time of day may stand in two columns.
        gaps: ``"error"`` refuses a file with missing rows; ``"keep"`` is for markets that close at
            night or at the weekend: rows follow each other as if no time had passed. Any interval
            will do, and is found by itself.
        min_rows: the fewest rows that are of use, such as the lead-in and the episode together.

    Returns:
        A table as described at the top of this module. ``attrs["interval"]`` holds the time from
        one row to the next as a :class:`pandas.Timedelta`.

    Raises:
        PriceFileError: if the file cannot be used; it names the file, the line, the column and what
            to do.
        ValueError: if ``gaps`` is neither of the two words.
    """
    if gaps not in ("error", "keep"):
        raise ValueError(f"gaps must be 'error' or 'keep', got {gaps!r}")
    return price_file.read(Path(DATA_FILE if path is None else path), gaps, min_rows)


def price_table(close: np.ndarray, *, interval: str = "1h") -> pd.DataFrame:
    """Make a table from 2020 on from closing prices alone, for made-up markets and tests.

    The open is the close before; high and low are the larger and the smaller of the two.

    Args:
        close: shape (T,), positive.
        interval: time from one row to the next.

    Raises:
        ValueError: if ``close`` is not one row of positive numbers.
    """
    close = np.asarray(close, dtype=float)
    if close.ndim != 1 or close.size < 1 or not (np.isfinite(close) & (close > 0)).all():
        raise ValueError("close must be one row of positive numbers")
    before = np.concatenate([close[:1], close[:-1]])
    columns = (before, np.maximum(before, close), np.minimum(before, close), close, 0 * close)
    times = pd.date_range("2020-01-01", periods=close.size, freq=interval, tz="UTC")
    index = times.rename("timestamp")
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)), index=index)
    table.attrs["interval"] = pd.Timedelta(interval)
    return table


def rows_per_year(prices: pd.DataFrame) -> float:
    """Return how many rows a year has, counted over the whole table.

    Hourly prices around the clock have 8,760; daily prices of a stock exchange about 252, because
    it closes at weekends. This is what yearly figures such as the Sharpe ratio are scaled with.

    Args:
        prices: a table of prices with at least two rows.

    Raises:
        ValueError: if there are fewer.
    """
    if len(prices) < 2:
        raise ValueError(f"prices must have at least 2 rows to tell an interval, got {len(prices)}")
    return (len(prices) - 1) / ((prices.index[-1] - prices.index[0]) / YEAR)


def split(prices: pd.DataFrame, shares: dict[str, float]) -> dict[str, tuple[str, str]]:
    """Divide the time of a table into periods that follow each other.

    Args:
        prices: a table of prices.
        shares: name -> share of the rows, in the order of time; together 1.

    Returns:
        name -> (first time, first time after it), as :func:`period` takes them.

    Raises:
        ValueError: if the shares do not add up to 1.
    """
    if any(share <= 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"shares must be above 0 and add up to 1, got {shares}")
    edges = (np.cumsum([0.0, *shares.values()]) * len(prices)).round().astype(int)
    after = prices.index[-1] + (prices.index[-1] - prices.index[-2])
    times = [str(time) for time in [*prices.index, after]]
    return {name: (times[edges[i]], times[edges[i + 1]]) for i, name in enumerate(shares)}


def _utc(time: str | pd.Timestamp) -> pd.Timestamp:
    given = pd.Timestamp(time)
    return given.tz_localize("UTC") if given.tzinfo is None else given.tz_convert("UTC")


def period(prices: pd.DataFrame, first: str, end: str, *, lead_in: int = 0) -> pd.DataFrame:
    """Cut out the rows from ``first`` up to ``end``, with some rows of history before.

    The environment only looks at the rows of the lead-in; it trades from ``first`` on.

    Args:
        prices: a table of prices.
        first: the first time to trade, such as ``"2019-01-01"`` (UTC).
        end: the first time that no longer belongs to the period.
        lead_in: rows of history in front of ``first``; fewer at the start of the table, where
            trading then starts later than ``first``.

    Raises:
        ValueError: if the period holds fewer than two rows.
    """
    index = pd.DatetimeIndex(prices.index)
    begin, stop = (int(index.searchsorted(_utc(time))) for time in (first, end))
    if stop - begin < 2:
        raise ValueError(
            f"there are {max(stop - begin, 0)} rows from {first} to {end}, at least 2 are needed; "
            f"the prices run from {index[0]} to {index[-1]}"
        )
    return prices.iloc[max(begin - lead_in, 0) : stop]
