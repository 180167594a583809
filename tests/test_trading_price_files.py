"""A participant's own file: what the loader accepts, and what it says about the rest."""

import gzip
import re
from pathlib import Path

import pandas as pd
import pytest

from course_lib.trading import prices
from course_lib.trading.prices import PriceFileError

HEADER = "timestamp,open,high,low,close,volume"


def line(hour: int, *, close: str = "100", day: int = 1, volume: str = "5") -> str:
    return f"2020-01-{day:02d}T{hour:02d}:00:00Z,100,110,90,{close},{volume}"


GOOD = [HEADER, *(line(hour) for hour in range(6))]


def write(tmp_path: Path, lines: list[str] | bytes) -> Path:
    path = tmp_path / "mine.csv"
    path.write_bytes(lines if isinstance(lines, bytes) else "\n".join(lines).encode() + b"\n")
    return path


def replaced(index: int, text: str) -> list[str]:
    return [text if number == index else old for number, old in enumerate(GOOD)]


@pytest.mark.parametrize(
    "lines",
    [
        GOOD,
        [text.replace("Z", "") for text in GOOD],
        [text.replace("Z", "+00:00") for text in GOOD],
        [text.replace("T", " ").replace("Z", "") for text in GOOD],
        ["Date,Open,High,Low,Close,Volume", *GOOD[1:]],
        ["Date,Open,High,Low,Close,Volume BTC", *GOOD[1:]],
        ["\ufeff" + HEADER, *GOOD[1:], "", ""],
        ["unix,open,high,low,close", *(f"{1577836800 + 3600 * i},1,1,1,1" for i in range(6))],
        [
            "<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICK_VOLUME>",
            *(f"2020.01.01,{hour:02d}:00:00,1,1,1,1,7" for hour in range(6)),
        ],
        ["time,open,high,low,close", *(f"{1577836800000 + 3600000 * i},1,1,1,1" for i in range(6))],
    ],
)
def test_files_that_mean_the_same_are_accepted(tmp_path, lines):
    table = prices.load_prices(write(tmp_path, lines))
    assert len(table) == 6
    assert list(table.columns) == list(prices.COLUMNS)
    assert table.index[0] == pd.Timestamp("2020-01-01", tz="UTC")


def test_a_file_without_volume_has_zero_volume(tmp_path):
    lines = [text.rsplit(",", 1)[0] for text in GOOD]
    assert (prices.load_prices(write(tmp_path, lines))["volume"] == 0).all()


def test_other_intervals_and_packed_files(tmp_path):
    lines = [HEADER, *(line(0, day=day) for day in range(1, 8))]
    path = tmp_path / "daily.csv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert prices.load_prices(path).attrs["interval"] == pd.Timedelta(days=1)


def test_gaps_can_be_kept_for_markets_that_close(tmp_path):
    path = write(tmp_path, [*GOOD, line(9), line(10)])
    assert len(prices.load_prices(path, gaps="keep")) == 8
    with pytest.raises(ValueError, match="gaps must be"):
        prices.load_prices(path, gaps="fill")


# fmt: off
MALFORMED = {
    "no close": ([text.rsplit(",", 2)[0] for text in GOOD], "line 1, column close", "rename"),
    "no time": ([text.split(",", 1)[1] for text in GOOD], "line 1, column timestamp", "rename"),
    "semicolons": ([text.replace(",", ";") for text in GOOD], "line 1, column timestamp", "commas"),
    "a banner first": (["Data by somebody", *GOOD], "line 1, column timestamp", "first line"),
    "no header": (GOOD[1:], "line 1, column timestamp", "header"),
    "a column twice": ([f"{HEADER},close", *(f"{t},1" for t in GOOD[1:])], "line 1, column close",
        "'close' is there 2 times"),
    "newest first": ([HEADER, *GOOD[:0:-1]], "line 3, column timestamp", "sort"),
    "one row out of order": ([*GOOD, line(2)], "line 8, column timestamp", "sort"),
    "an hour twice": ([*GOOD, line(5)], "line 8, column timestamp", "twice"),
    "an hour missing": ([*GOOD, line(7)], "line 8, column timestamp", "1 row is missing"),
    "half an hour": ([*GOOD, line(5).replace("05:00", "05:30")], "line 8, column timestamp",
        "only 0 days 00:30:00"),
    "a word": (replaced(3, line(2, close="high")), "line 4, column close", "'high'"),
    "no number": (replaced(3, line(2, close="")), "line 4, column close", "missing"),
    "nan": (replaced(3, line(2, close="nan")), "line 4, column close", "not a number"),
    "infinite": (replaced(3, line(2, close="1e999")), "line 4, column close", "not a number"),
    "a currency sign": (replaced(3, line(2, close="$100")), "line 4, column close", "currency"),
    "a thousands separator": (replaced(3, line(2, close="1,000")), "line 4, column volume",
        "7 cells where the header has 6"),
    "quoted thousands": (replaced(3, line(2, close='"1,000"')), "line 4, column close",
        "separators"),
    "a cell short": (replaced(3, line(2).rsplit(",", 1)[0]), "line 4, column volume", "5 cells"),
    "negative": (replaced(3, line(2, close="-5")), "line 4, column close", "above zero"),
    "zero": (replaced(3, line(2, close="0")), "line 4, column close", "above zero"),
    "negative volume": (replaced(3, line(2, volume="-1")), "line 4, column volume", "negative"),
    "high below low": (replaced(3, "2020-01-01T02:00:00Z,100,90,110,100,5"), "line 4, column high",
        "below low"),
    "close above high": (replaced(3, line(2, close="111")), "line 4, column close", "high 110"),
    "open below low": (replaced(3, "2020-01-01T02:00:00Z,80,110,90,100,5"), "line 4, column open",
        "low 90"),
    "another time zone": ([text.replace("Z", "+02:00") for text in GOOD],
        "line 2, column timestamp", "time zone"),
    "no date": (replaced(3, "then,100,110,90,100,5"), "line 4, column timestamp", "'then'"),
    "empty date": (replaced(3, ",100,110,90,100,5"), "line 4, column timestamp", "missing"),
    "American date": ([text.replace("2020-01-01", "01/01/2020") for text in GOOD],
        "line 2, column timestamp", "2019-05-01T13:00:00Z"),
    "month 13": (replaced(3, "2020-13-01T02:00:00Z,100,110,90,100,5"), "line 4, column timestamp",
        "not a time"),
    "only a header": ([HEADER], "line 2, column timestamp", "no rows"),
    "empty": (b"", "line 1, column timestamp", "is empty"),
    "blank lines": (b"\n\n  \n", "line 1, column timestamp", "is empty"),
    "not text": (b"\xff\xfe\x00\x01" * 50, "line 1, column 1", "UTF-8"),
    "a byte that is not UTF-8": ("\n".join(replaced(3, line(2, close="100\xa3"))).encode("latin-1"),
        "line 4, column 5", "UTF-8"),
    "an Excel file": (b"PK\x03\x04 and more", "line 1, column timestamp", "Excel"),
    "an old Excel file": (b"\xd0\xcf\x11\xe0 and more", "line 1, column timestamp", "Excel"),
    "two files after each other": ([*GOOD, *GOOD], "line 8, column timestamp", "'timestamp'"),
    "an open quote": (replaced(3, line(2).replace("100,", '"100,', 1)), "line 4, column timestamp",
        "stray quote"),
    "a decimal comma": (replaced(3, line(2, close='"100,5"')), "line 4, column close", "'100,5'"),
    "a percentage": (replaced(3, line(2, close="5%")), "line 4, column close", "'5%'"),
    "an Excel error": (replaced(3, line(2, close="#N/A")), "line 4, column close", "'#N/A'"),
    "null": (replaced(3, line(2, close="null")), "line 4, column close", "'null'"),
    "a name of a zone": ([text.replace("Z", " EST") for text in GOOD], "line 2, column timestamp",
        "not a time"),
    "a serial number of Excel": (replaced(1, "43831.5,100,110,90,100,5"),
        "line 2, column timestamp", "not a time"),
    "30 February": (replaced(3, "2020-02-30T02:00:00Z,100,110,90,100,5"),
        "line 4, column timestamp", "not a time"),
    "a bad tick": (replaced(3, "2020-01-01T02:00:00Z,100,11000,90,10000,5"), "line 4, column close",
        "bad tick"),
    "a bad low": (replaced(3, "2020-01-01T02:00:00Z,100,110,0.9,100,5"), "line 4, column low",
        "bad tick"),
    "single trades, no bars": (
        [HEADER, *(f"2020-01-01T00:{m:02d}:00Z,100,110,90,100,5" for m in (0, 1, 3, 6, 10, 15))],
        "line 4, column timestamp", "follow no interval"),
}
# fmt: on
WHOLE_FILE = {  # nothing in them can be pointed at
    "half a gzip": (gzip.compress(b"x" * 10_000)[:30], "cannot be read"),
    "a broken gzip": (b"\x1f\x8b\x08 and not a gzip at all", "cannot be read"),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_files_are_refused_with_place_and_remedy(tmp_path, kind):
    lines, place, remedy = MALFORMED[kind]
    path = write(tmp_path, lines)
    with pytest.raises(PriceFileError) as error:
        prices.load_prices(path)
    message = str(error.value)
    place_named = re.match(rf"{re.escape(str(path))}, line \d+, column [^:]+: .+; .+", message)
    assert place_named, "file, line, column, problem and remedy"
    assert place in message
    assert remedy in message


def test_there_are_many_kinds():
    assert len(MALFORMED) >= 45


@pytest.mark.parametrize("kind", WHOLE_FILE)
def test_files_that_cannot_be_opened_are_refused_with_a_remedy(tmp_path, kind):
    content, problem = WHOLE_FILE[kind]
    path = write(tmp_path, content)
    with pytest.raises(PriceFileError) as error:
        prices.load_prices(path)
    assert str(error.value).startswith(str(path))
    assert problem in str(error.value)
    assert "save it again as CSV" in str(error.value)


def test_missing_files_and_folders_are_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(PriceFileError, match="is not a file"):
            prices.load_prices(path)


def test_too_few_rows_are_refused(tmp_path):
    with pytest.raises(PriceFileError, match="at least 200 are needed"):
        prices.load_prices(write(tmp_path, GOOD), min_rows=200)
