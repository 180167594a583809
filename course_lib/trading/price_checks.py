"""Whether the numbers and times of a price file make sense."""

from pathlib import Path

import numpy as np
import pandas as pd

from course_lib.errors import CourseError

COLUMNS = ("open", "high", "low", "close", "volume")
BAD_TICK = 10.0
"""A price so many times above or below both of its neighbours was never traded at."""


class PriceFileError(CourseError, ValueError):
    """A price file that cannot be used as it is."""


def fail(path: Path, line: int, column: str, problem: str, remedy: str) -> PriceFileError:
    """Return an error that names the place, the problem and the remedy."""
    return PriceFileError(f"{path}, line {line}, column {column}: {problem}; {remedy}")


def check_prices(path: Path, table: dict[str, np.ndarray], lines: list[int]) -> None:
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


def check_ticks(path: Path, table: dict[str, np.ndarray], lines: list[int]) -> None:
    """Refuse a price that is ten times what stands before and after it, or a tenth.

    One wrong number of that size would be all that an agent learns from, and all of its profit.

    Raises:
        PriceFileError: at the first such price.
    """
    body = [np.minimum(table["open"], table["close"]), np.maximum(table["open"], table["close"])]
    for name in ("close", "open", "high", "low"):
        values = table[name]
        before, after = np.append(values[1:2], values[:-1]), np.append(values[1:], values[-2:-1])
        low, high = np.minimum(before, after), np.maximum(before, after)
        if name in ("high", "low"):
            low, high = np.minimum(low, body[0]), np.maximum(high, body[1])
        wrong = (values > BAD_TICK * high) | (values < low / BAD_TICK)
        text = f"{name} {{:g}} stands between {{:g}} and {{:g}}: that looks like a bad tick"
        _first(path, wrong, lines, name, [text, values, before, after])


def _first(path: Path, wrong: np.ndarray, lines: list[int], column: str, says: list) -> None:
    """Refuse the first row that is wrong; ``says`` is a text and the columns that fill it."""
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        problem = says[0].format(*(values[i] for values in says[1:]))
        raise fail(
            path,
            lines[i],
            column,
            problem,
            "correct this row, or delete it and say that rows are missing (gaps='keep')",
        )


def check_order(path: Path, times: pd.DatetimeIndex, lines: list[int], gaps: str) -> pd.Timedelta:
    """Return the interval: the most frequent time from one row to the next.

    Raises:
        PriceFileError: if times run backwards, repeat, follow no interval, or leave a gap that is
            not allowed.
    """
    if len(times) < 2:
        return pd.Timedelta(hours=1)
    steps = np.diff(times.to_numpy()).astype("timedelta64[s]").astype(int)
    for i in np.flatnonzero(steps <= 0)[:1]:
        raise fail(path, lines[i + 1], "timestamp", *_backwards(times, int(i), int(steps[i])))
    values, counts = np.unique(steps, return_counts=True)
    usual = int(values[counts.argmax()])
    if counts.max() < 0.5 * len(steps):
        i = int(np.flatnonzero(steps != usual)[0])
        problem = "the rows follow no interval: the most frequent step from row to row is "
        problem += f"{pd.Timedelta(seconds=usual)}, and fewer than half of the steps are that"
        remedy = "make bars of one length first, for instance with pandas: resample('1h').ohlc()"
        raise fail(path, lines[i + 1], "timestamp", problem, remedy)
    wrong = 2 * steps < usual if gaps == "keep" else steps != usual
    for i in np.flatnonzero(wrong)[:1]:
        raise fail(path, lines[i + 1], "timestamp", *_gap(times, int(i), int(steps[i]), usual))
    return pd.Timedelta(seconds=usual)


def _backwards(times: pd.DatetimeIndex, i: int, step: int) -> tuple[str, str]:
    """Describe a time that does not come after the one before, and what can be done."""
    if step == 0:
        remedy = "keep one of the two rows (local times repeat an hour in autumn: use UTC)"
        return f"{times[i + 1]} is there twice", remedy
    return f"{times[i + 1]} comes after {times[i]}", "sort the rows from old to new"


def _gap(times: pd.DatetimeIndex, i: int, step: int, usual: int) -> tuple[str, str]:
    """Describe a step that is not the usual one, and what can be done."""
    every, here = pd.Timedelta(seconds=usual), pd.Timedelta(seconds=step)
    if step < usual:
        problem = f"{times[i + 1]} is only {here} after the row before, the others are {every} "
        return problem + "apart", "keep one row for each interval"
    missing = -(-step // usual) - 1
    rows = "1 row is" if missing == 1 else f"{missing} rows are"
    return (
        f"{rows} missing between {times[i]} and {times[i + 1]} (rows are {every} apart)",
        "add them, or pass gaps='keep' (in notebook 04: GAPS = \"keep\", on a command line: --gaps "
        "keep) if this market closes (local times skip an hour in spring: use UTC)",
    )
