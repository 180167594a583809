"""Reading one price file: every complaint names the file, the line, the column and what to do.

Reading is here; whether the numbers and times make sense is in
:mod:`course_lib.trading.price_checks`.
"""

import csv
import gzip
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib.trading import price_checks
from course_lib.trading.price_checks import COLUMNS, PriceFileError, fail

ALIASES = {
    "timestamp": ("timestamp", "datetime", "date", "time", "date time", "open time", "unix"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v", "volume btc", "volume usd", "tick volume"),
}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
DATE = re.compile(r"(\d{4})[-./](\d\d)[-./](\d\d)")
TIME = re.compile(
    DATE.pattern + r"([T ]+\d\d?:\d\d(:\d\d(\.\d+)?)?)?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?"
)


def read(path: Path, gaps: str, min_rows: int) -> pd.DataFrame:
    """Read and check ``path``; see :func:`course_lib.trading.prices.load_prices`.

    Raises:
        PriceFileError: if the file cannot be used.
    """
    header, rows, lines = _rows(path)
    names = _names(header)
    where = _find_columns(path, names, header)
    _check_widths(path, header, rows, lines)
    times = _times(path, _time_cells(names, where, rows), lines)
    table = {}
    for name in COLUMNS:
        if name in where:
            cells = [row[where[name]] for row in rows]
            table[name] = _numbers(path, name, cells, lines)
        else:
            table[name] = np.zeros(len(rows))
    price_checks.check_prices(path, table, lines)
    price_checks.check_ticks(path, table, lines)
    interval = price_checks.check_order(path, times, lines, gaps)
    if len(rows) < min_rows:
        problem = f"the file ends after {len(rows)} rows of prices, at least {min_rows} are needed "
        problem += "(the look-back of the features, the window and the episode)"
        raise fail(path, lines[-1], "timestamp", problem, "use a longer file")
    prices = pd.DataFrame(table, index=times)
    prices.attrs["interval"] = interval
    return prices


def _rows(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Return the header, the rows that are not blank, and the line of each."""
    numbered = []
    for line, text in enumerate(_text(path).splitlines(), start=1):
        try:
            row = next(csv.reader([text], strict=True), [])
        except csv.Error as error:
            problem = f"this line is not CSV ({error})"
            raise fail(path, line, "timestamp", problem, "look for a stray quote") from None
        if any(cell.strip() for cell in row):
            numbered.append((line, row))
    if not numbered:
        remedy = "it needs a header line and rows of prices"
        raise fail(path, 1, "timestamp", "the file is empty", remedy)
    if len(numbered) == 1:
        problem = "there is a first line and there are no rows of prices under it"
        raise fail(path, numbered[0][0] + 1, "timestamp", problem, "add rows")
    return numbered[0][1], [row for _, row in numbered[1:]], [line for line, _ in numbered[1:]]


def _text(path: Path) -> str:
    """Return what the file says, unpacked."""
    if not path.is_file():
        raise PriceFileError(f"{path} is not a file; give the path of a CSV file")
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as error:
        raise PriceFileError(f"{path} cannot be read ({error}); save it again as CSV") from None
    for start, kind in ((b"PK", "an Excel or zip file"), (b"\xd0\xcf", "an old Excel file")):
        if content.startswith(start):
            problem, remedy = f"this is {kind}, not text", "export it as 'CSV UTF-8'"
            raise fail(path, 1, "timestamp", problem, remedy)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = f"{before.rsplit(b'\n', 1)[-1].count(b',') + 1} (of the commas)"
        problem = f"this is not text in UTF-8 ({error.reason})"
        remedy = "export it as 'CSV UTF-8'"
        raise fail(path, before.count(b"\n") + 1, column, problem, remedy) from None


def _names(header: list[str]) -> list[str]:
    return [re.sub(r"[\s_]+", " ", cell.strip(" \t<>").lower()) for cell in header]


def _find_columns(path: Path, names: list[str], header: list[str]) -> dict[str, int]:
    """Return the position of each column that was found.

    Raises:
        PriceFileError: if one is missing or there twice.
    """
    found: dict[str, int] = {}
    for column, aliases in ALIASES.items():
        for alias in aliases:
            if names.count(alias) > 1:
                problem = f"the column {alias!r} is there {names.count(alias)} times"
                raise fail(path, 1, column, problem, "keep one of them")
            if alias in names and column not in found:
                found[column] = names.index(alias)
    missing = [name for name in ("timestamp", *COLUMNS[:4]) if name not in found]
    if missing:
        problem = f"no column for {', '.join(missing)}; the header found is "
        problem += f"{', '.join(header)[:120]!r}"
        hint = "separate the columns with commas" if len(header) == 1 else "rename or add them"
        remedy = f"put the header in the first line, and {hint}"
        raise fail(path, 1, missing[0], problem, remedy)
    return found


def _check_widths(path: Path, header: list[str], rows: list[list[str]], lines: list[int]) -> None:
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            column = header[min(len(row), len(header) - 1)].strip()
            problem = f"{len(row)} cells where the header has {len(header)}"
            remedy = "look for a missing comma, or for a comma inside a number"
            raise fail(path, line, column, problem, remedy)


def _time_cells(names: list[str], where: dict[str, int], rows: list[list[str]]) -> list[str]:
    """Return the text of each time; a date and a time of day may stand in two columns."""
    first = where["timestamp"]
    if names[first] == "date" and "time" in names:
        second = names.index("time")
        return [f"{row[first].strip()} {row[second].strip()}".strip() for row in rows]
    return [row[first].strip() for row in rows]


def _times(path: Path, cells: list[str], lines: list[int]) -> pd.DatetimeIndex:
    """Parse timestamps; those without a time zone are UTC.

    Raises:
        PriceFileError: if one cannot be read or names another time zone.
    """
    times = [_time(cell, path, line) for cell, line in zip(cells, lines, strict=True)]
    return pd.DatetimeIndex(times, tz="UTC", name="timestamp").as_unit("s")


def _time(cell: str, path: Path, line: int) -> pd.Timestamp:
    try:
        if re.fullmatch(r"\d{10}(\.0+)?|\d{13}", cell):
            unit = "s" if len(cell) != 13 else "ms"
            return pd.Timestamp(int(cell.split(".")[0]), unit=unit)
        time = pd.Timestamp(DATE.sub(r"\1-\2-\3", cell, 1)) if TIME.fullmatch(cell) else pd.NaT
    except (ValueError, OverflowError):
        time = pd.NaT
    if time is pd.NaT:
        problem = f"{cell!r} is not a time" if cell else "the time is missing"
        raise fail(path, line, "timestamp", problem, "write it like 2019-05-01T13:00:00Z")
    if time.tzinfo is not None and time.utcoffset() != pd.Timedelta(0):
        problem = f"{cell!r} is in another time zone than UTC"
        remedy = "convert the column to UTC, for instance with pandas: times.dt.tz_convert('UTC')"
        raise fail(path, line, "timestamp", problem, remedy)
    return time.tz_localize(None)


def _numbers(path: Path, name: str, cells: list[str], lines: list[int]) -> np.ndarray:
    bad = next((i for i, cell in enumerate(cells) if not NUMBER.fullmatch(cell.strip())), None)
    if bad is None:
        values = np.array([float(cell) for cell in cells])
        if np.isfinite(values).all():
            return values
        bad = int(np.flatnonzero(~np.isfinite(values))[0])
    cell = cells[bad].strip()
    problem = f"{cell!r} is not a number" if cell else "the number is missing"
    remedy = "write it like 1234.5, without currency signs, thousands separators or words"
    raise fail(path, lines[bad], name, problem, remedy)
