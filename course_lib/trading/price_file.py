"""Reading one price file: every complaint names the file, the line, the column and what to do."""

import csv
import gzip
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = ("open", "high", "low", "close", "volume")
ALIASES = {
    "timestamp": ("timestamp", "datetime", "date", "time", "date time", "open time", "unix"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v", "volume btc", "volume usd", "tick volume"),
}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class PriceFileError(ValueError):
    """A price file that cannot be used as it is."""


def read(path: Path, gaps: str, min_rows: int) -> pd.DataFrame:
    """Read and check ``path``; see :func:`course_lib.trading.prices.load_prices`.

    Raises:
        PriceFileError: if the file cannot be used.
    """
    header, rows, lines = _rows(path)
    where = _find_columns(path, header)
    _check_widths(path, header, rows, lines)
    times = _times(path, [row[where["timestamp"]] for row in rows], lines)
    table = {}
    for name in COLUMNS:
        if name in where:
            cells = [row[where[name]] for row in rows]
            table[name] = _numbers(path, name, cells, lines)
        else:
            table[name] = np.zeros(len(rows))
    _check_prices(path, table, lines)
    interval = _check_order(path, times, lines, gaps)
    if len(rows) < min_rows:
        raise PriceFileError(
            f"{path} holds {len(rows)} rows of prices, at least {min_rows} are needed "
            "(the look-back of the features, the window and the episode); use a longer file"
        )
    prices = pd.DataFrame(table, index=times)
    prices.attrs["interval"] = interval
    return prices


def _fail(path: Path, line: int, column: str, problem: str, remedy: str) -> PriceFileError:
    return PriceFileError(f"{path}, line {line}, column {column}: {problem}; {remedy}")


def _rows(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Return the header, the rows that are not blank, and the line of each."""
    if not path.is_file():
        raise PriceFileError(f"{path} is not a file; give the path of a CSV file")
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        reader = csv.reader(content.decode("utf-8-sig").splitlines())
        numbered = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (OSError, EOFError) as error:
        raise PriceFileError(f"{path} cannot be read ({error}); save it again as CSV") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise PriceFileError(
            f"{path} is not CSV text in UTF-8 ({error}); export it as 'CSV UTF-8'"
        ) from None
    if not numbered:
        raise PriceFileError(f"{path} is empty; it needs a header line and rows of prices")
    if len(numbered) == 1:
        raise PriceFileError(f"{path} has a first line and no rows of prices under it; add rows")
    return numbered[0][1], [row for _, row in numbered[1:]], [line for line, _ in numbered[1:]]


def _find_columns(path: Path, header: list[str]) -> dict[str, int]:
    """Return the position of each column that was found.

    Raises:
        PriceFileError: if one is missing or there twice.
    """
    names = [re.sub(r"[\s_]+", " ", cell.strip().lower()) for cell in header]
    found: dict[str, int] = {}
    for column, aliases in ALIASES.items():
        for alias in aliases:
            if names.count(alias) > 1:
                raise PriceFileError(
                    f"{path}, line 1: the column {alias!r} is there {names.count(alias)} times; "
                    "keep one of them"
                )
            if alias in names and column not in found:
                found[column] = names.index(alias)
    missing = [name for name in ("timestamp", *COLUMNS[:4]) if name not in found]
    if missing:
        hint = "separate the columns with commas" if len(header) == 1 else "rename or add them"
        raise PriceFileError(
            f"{path}, line 1: no column for {', '.join(missing)}; the header found is "
            f"{', '.join(header)[:120]!r}. Put the header in the first line, and {hint}"
        )
    return found


def _check_widths(path: Path, header: list[str], rows: list[list[str]], lines: list[int]) -> None:
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            raise PriceFileError(
                f"{path}, line {line}: {len(row)} cells where the header has {len(header)}; "
                "look for a missing comma, or for a comma inside a number"
            )


def _times(path: Path, cells: list[str], lines: list[int]) -> pd.DatetimeIndex:
    """Parse timestamps; those without a time zone are UTC.

    Raises:
        PriceFileError: if one cannot be read or names another time zone.
    """
    times = [_time(cell.strip(), path, line) for cell, line in zip(cells, lines, strict=True)]
    return pd.DatetimeIndex(times, tz="UTC", name="timestamp").as_unit("s")


def _time(cell: str, path: Path, line: int) -> pd.Timestamp:
    if re.fullmatch(r"\d{10}(\.0+)?|\d{13}", cell):
        return pd.Timestamp(int(cell.split(".")[0]), unit="s" if len(cell) != 13 else "ms")
    try:
        time = pd.Timestamp(cell) if re.match(r"\d{4}-\d\d-\d\d", cell) else pd.NaT
    except ValueError:
        time = pd.NaT
    if time is pd.NaT:
        problem = f"{cell!r} is not a time" if cell else "the time is missing"
        raise _fail(path, line, "timestamp", problem, "write it like 2019-05-01T13:00:00Z")
    if time.tzinfo is not None and time.utcoffset() != pd.Timedelta(0):
        raise _fail(
            path,
            line,
            "timestamp",
            f"{cell!r} is in another time zone than UTC",
            "convert the column to UTC, for instance with pandas: times.dt.tz_convert('UTC')",
        )
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
    raise _fail(path, lines[bad], name, problem, remedy)


def _check_prices(path: Path, table: dict[str, np.ndarray], lines: list[int]) -> None:
    """Check signs and that low and high enclose open and close, with a hair of rounding.

    Raises:
        PriceFileError: at the first row that fails.
    """
    high, low, hair = table["high"], table["low"], 1e-9 * table["high"]
    for name in COLUMNS:
        values = table[name]
        wrong = values < 0 if name == "volume" else values <= 0
        rule = "must not be negative" if name == "volume" else "must be above zero"
        _first(path, wrong, lines, name, [f"{{:g}} {rule}", values])
    _first(path, high + hair < low, lines, "high", ["high {:g} is below low {:g}", high, low])
    for name in ("open", "close"):
        values = table[name]
        outside = (values > high + hair) | (values < low - hair)
        text = f"{name} {{:g}} is not between low {{:g}} and high {{:g}}"
        _first(path, outside, lines, name, [text, values, low, high])


def _first(path: Path, wrong: np.ndarray, lines: list[int], column: str, says: list) -> None:
    """Refuse the first row that is wrong; ``says`` is a text and the columns that fill it."""
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        problem = says[0].format(*(values[i] for values in says[1:]))
        raise _fail(path, lines[i], column, problem, "correct or delete this row")


def _check_order(path: Path, times: pd.DatetimeIndex, lines: list[int], gaps: str) -> pd.Timedelta:
    """Return the time from one row to the next.

    Raises:
        PriceFileError: if times run backwards, repeat, or leave a gap that is not allowed.
    """
    if len(times) < 2:
        return pd.Timedelta(hours=1)
    steps = np.diff(times.to_numpy()).astype("timedelta64[s]").astype(int)
    for i in np.flatnonzero(steps <= 0)[:1]:
        line, time = lines[i + 1], times[i + 1]
        if steps[i] == 0:
            problem = f"{time} is there twice"
            remedy = "keep one of the two rows (local times repeat an hour in autumn: use UTC)"
        else:
            problem = f"{time} comes after {times[i]}"
            remedy = "sort the rows from old to new"
        raise _fail(path, line, "timestamp", problem, remedy)
    values, counts = np.unique(steps, return_counts=True)
    usual = int(values[counts.argmax()])
    for i in np.flatnonzero(steps != usual)[: 0 if gaps == "keep" else 1]:
        raise _fail(path, lines[i + 1], "timestamp", *_gap(times, int(i), int(steps[i]), usual))
    return pd.Timedelta(seconds=usual)


def _gap(times: pd.DatetimeIndex, i: int, step: int, usual: int) -> tuple[str, str]:
    """Describe a step that is not the usual one, and what can be done."""
    every = pd.Timedelta(seconds=usual)
    if step < usual:
        return (
            f"{times[i + 1]} is only {pd.Timedelta(seconds=step)} after the row before, the others "
            f"are {every} apart",
            "keep one row for each interval",
        )
    return (
        f"{math.ceil(step / usual) - 1} rows are missing between {times[i]} and {times[i + 1]} "
        f"(rows are {every} apart)",
        "add them, or pass gaps='keep' if this market closes (local times skip an hour in spring: "
        "use UTC)",
    )
