"""The shipped data, and what the loader says about files that cannot be used."""

import gzip
import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from course_lib.trading import prices
from course_lib.trading.prices import PriceFileError

ROOT = Path(__file__).resolve().parents[1]
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


def test_shipped_data_is_intact_and_complete():
    assert prices.verify_data() == prices.CONTENT_SHA256
    table = prices.load_prices()
    assert len(table) == 20_111
    assert table.index[0] == pd.Timestamp("2017-07-01 11:00", tz="UTC")
    assert table.index[-1] == pd.Timestamp("2019-10-17 09:00", tz="UTC")
    assert table.attrs["interval"] == pd.Timedelta(hours=1)
    assert (np.diff(table.index.to_numpy()) == np.timedelta64(1, "h")).all()
    assert not table.isna().any().any()
    assert table["close"].iloc[0] == 2509.17


def test_a_changed_or_missing_data_file_is_noticed(tmp_path):
    changed = tmp_path / "data.csv.gz"
    changed.write_bytes(gzip.compress(b"timestamp,open\n"))
    with pytest.raises(PriceFileError, match="not the file of the course"):
        prices.verify_data(changed)
    changed.write_bytes(prices.DATA_FILE.read_bytes()[:1000])
    with pytest.raises(PriceFileError, match="cannot be unpacked"):
        prices.verify_data(changed)
    with pytest.raises(PriceFileError, match="git checkout"):
        prices.verify_data(tmp_path / "none.csv.gz")


def test_conversion_sorts_renames_and_keeps_digits():
    spec = importlib.util.spec_from_file_location("make_data", ROOT / "scripts" / "make_data.py")
    make_data = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_data)
    source = (
        b"Timestamps are UTC timezone,https://www.CryptoDataDownload.com\r\n"
        b"date,symbol,open,high,low,close,volume_btc,volume\r\n"
        b"2019-10-17 12-PM,BTCUSD,2,4,1,3.10,5,15.5\r\n"
        b"2019-10-17 12-AM,BTCUSD,1,2,1,2,3,6\r\n"
    )
    expected = (
        b"timestamp,open,high,low,close,volume,volume_usd\n"
        b"2019-10-17T00:00:00Z,1,2,1,2,3,6\n"
        b"2019-10-17T12:00:00Z,2,4,1,3.10,5,15.5\n"
    )
    assert make_data.convert(source) == expected
    assert make_data.compress(expected) == make_data.compress(expected)
    shipped = gzip.decompress(prices.DATA_FILE.read_bytes())
    assert gzip.decompress(make_data.compress(shipped)) == shipped


def test_the_readme_names_the_checksums_in_use():
    assert prices.CONTENT_SHA256 in (ROOT / "data" / "README.md").read_text()


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


MALFORMED = {
    "no close": ([text.rsplit(",", 2)[0] for text in GOOD], "line 1", "close"),
    "no time": ([text.split(",", 1)[1] for text in GOOD], "line 1", "timestamp"),
    "semicolons": ([text.replace(",", ";") for text in GOOD], "line 1", "commas"),
    "a banner first": (["Data by somebody", *GOOD], "line 1", "first line"),
    "no header": (GOOD[1:], "line 1", "header"),
    "a column twice": (
        [f"{HEADER},close", *(f"{t},1" for t in GOOD[1:])],
        "line 1",
        "'close' is there 2 times",
    ),
    "newest first": ([HEADER, *GOOD[:0:-1]], "line 3, column timestamp", "sort"),
    "one row out of order": ([*GOOD, line(2)], "line 8, column timestamp", "sort"),
    "an hour twice": ([*GOOD, line(5)], "line 8, column timestamp", "twice"),
    "an hour missing": ([*GOOD, line(7)], "line 8, column timestamp", "1 rows are missing"),
    "half an hour": (
        [*GOOD, line(5).replace("05:00", "05:30")],
        "line 8, column timestamp",
        "only 0 days 00:30:00",
    ),
    "a word": (replaced(3, line(2, close="high")), "line 4, column close", "'high'"),
    "no number": (replaced(3, line(2, close="")), "line 4, column close", "missing"),
    "nan": (replaced(3, line(2, close="nan")), "line 4, column close", "not a number"),
    "infinite": (replaced(3, line(2, close="1e999")), "line 4, column close", "not a number"),
    "a currency sign": (replaced(3, line(2, close="$100")), "line 4, column close", "currency"),
    "a thousands separator": (
        replaced(3, line(2, close="1,000")),
        "line 4",
        "7 cells where the header has 6",
    ),
    "quoted thousands": (
        replaced(3, line(2, close='"1,000"')),
        "line 4, column close",
        "separators",
    ),
    "a cell short": (replaced(3, line(2).rsplit(",", 1)[0]), "line 4", "5 cells"),
    "negative": (replaced(3, line(2, close="-5")), "line 4, column close", "above zero"),
    "zero": (replaced(3, line(2, close="0")), "line 4, column close", "above zero"),
    "negative volume": (
        replaced(3, line(2, volume="-1")),
        "line 4, column volume",
        "negative",
    ),
    "high below low": (
        replaced(3, "2020-01-01T02:00:00Z,100,90,110,100,5"),
        "line 4, column high",
        "below low",
    ),
    "close above high": (replaced(3, line(2, close="111")), "line 4, column close", "high 110"),
    "open below low": (
        replaced(3, "2020-01-01T02:00:00Z,80,110,90,100,5"),
        "line 4, column open",
        "low 90",
    ),
    "another time zone": (
        [text.replace("Z", "+02:00") for text in GOOD],
        "line 2, column timestamp",
        "time zone",
    ),
    "no date": (replaced(3, "then,100,110,90,100,5"), "line 4, column timestamp", "'then'"),
    "empty date": (replaced(3, ",100,110,90,100,5"), "line 4, column timestamp", "missing"),
    "American date": (
        [text.replace("2020-01-01", "01/01/2020") for text in GOOD],
        "line 2, column timestamp",
        "2019-05-01T13:00:00Z",
    ),
    "month 13": (
        replaced(3, "2020-13-01T02:00:00Z,100,110,90,100,5"),
        "line 4, column timestamp",
        "not a time",
    ),
    "only a header": ([HEADER], "mine.csv", "no rows"),
    "empty": (b"", "mine.csv", "is empty"),
    "blank lines": (b"\n\n  \n", "mine.csv", "is empty"),
    "not text": (b"\xff\xfe\x00\x01" * 50, "mine.csv", "UTF-8"),
    "half a gzip": (gzip.compress(b"x" * 10_000)[:30], "mine.csv", "cannot be read"),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_files_are_refused_with_place_and_remedy(tmp_path, kind):
    lines, place, remedy = MALFORMED[kind]
    path = write(tmp_path, lines)
    with pytest.raises(PriceFileError) as error:
        prices.load_prices(path)
    message = str(error.value)
    assert str(path) in message
    assert place in message
    assert remedy in message


def test_missing_files_and_folders_are_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(PriceFileError, match="is not a file"):
            prices.load_prices(path)


def test_too_few_rows_are_refused(tmp_path):
    with pytest.raises(PriceFileError, match="at least 200 are needed"):
        prices.load_prices(write(tmp_path, GOOD), min_rows=200)


def test_period_has_its_lead_in_in_front():
    table = prices.price_table(np.linspace(100, 200, 100))
    cut = prices.period(table, "2020-01-02", "2020-01-03", lead_in=10)
    assert cut.index[10] == pd.Timestamp("2020-01-02", tz="UTC")
    assert cut.index[-1] == pd.Timestamp("2020-01-02 23:00", tz="UTC")
    assert len(cut) == 34
    with pytest.raises(ValueError, match="0 rows"):
        prices.period(table, "2030-01-01", "2031-01-01")


def test_price_table_is_consistent():
    table = prices.price_table(np.array([3.0, 1.0, 2.0]))
    assert table["open"].tolist() == [3.0, 3.0, 1.0]
    assert table["high"].tolist() == [3.0, 3.0, 2.0]
    assert table["low"].tolist() == [3.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="positive"):
        prices.price_table(np.array([1.0, -1.0]))
