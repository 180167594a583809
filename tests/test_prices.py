"""The shipped data, and tables of prices."""

import gzip
import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from course_lib.trading import prices
from course_lib.trading.prices import PriceFileError

ROOT = Path(__file__).resolve().parents[1]


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
    bitcoin, euro = make_data.SOURCES
    assert make_data.convert(bitcoin, source) == expected
    source = (
        b"Time,Open,High,Low,Close,Volume\r\n"
        b"02.01.2017 23:00:00.000,1.05227,1.05426,1.05226,1.05280,253139999.4\r\n"
        b"01.02.2017 07:00:00.000,1.1,1.3,1.0,1.2,7\r\n"
    )
    assert make_data.convert(euro, source) == (
        b"timestamp,open,high,low,close,volume\n"
        b"2017-01-02T23:00:00Z,1.05227,1.05426,1.05226,1.05280,253139999.4\n"
        b"2017-02-01T07:00:00Z,1.1,1.3,1.0,1.2,7\n"
    )
    assert make_data.compress(expected) == make_data.compress(expected)
    shipped = gzip.decompress(prices.DATA_FILE.read_bytes())
    assert gzip.decompress(make_data.compress(shipped)) == shipped


def test_the_readme_names_the_checksums_in_use():
    words = (ROOT / "data" / "README.md").read_text()
    assert prices.CONTENT_SHA256 in words
    files = sorted((ROOT / "data").glob("*.gz"))
    assert len(files) == 2
    for file in files:
        packed = file.read_bytes()
        for content in (packed, gzip.decompress(packed)):
            assert hashlib.sha256(content).hexdigest() in words, file


def test_the_second_market_closes_at_weekends_and_is_complete():
    table = prices.load_prices(ROOT / "data" / "eur_usd_hourly.csv.gz", gaps="keep")
    assert len(table) == 6_225
    assert table.index[0] == pd.Timestamp("2017-01-01 22:00", tz="UTC")
    assert table.index[-1] == pd.Timestamp("2017-12-29 21:00", tz="UTC")
    assert set(table.index.dayofweek) == {0, 1, 2, 3, 4, 6}, "it opens on Sunday evening"
    with pytest.raises(PriceFileError, match=r'GAPS = "keep"'):
        prices.load_prices(ROOT / "data" / "eur_usd_hourly.csv.gz")


def test_the_next_open_is_the_last_close_in_nearly_every_hour():
    """What notebook 04 and the environment say of this file."""
    table = prices.load_prices()
    same = table["open"].to_numpy()[1:] == table["close"].to_numpy()[:-1]
    assert round(100 * same.mean(), 2) == 99.95


def test_rows_per_year_follow_the_interval_and_the_gaps():
    hourly, daily = (prices.price_table(np.ones(50), interval=every) for every in ("1h", "1D"))
    assert prices.rows_per_year(hourly) == pytest.approx(8_760)
    assert prices.rows_per_year(daily) == pytest.approx(365)
    workdays = pd.date_range("2020-01-01", "2024-12-31", freq="B", tz="UTC")
    weekly_holes = pd.DataFrame({"close": 1.0}, index=workdays)
    assert prices.rows_per_year(weekly_holes) == pytest.approx(5 / 7 * 365, rel=0.01)
    with pytest.raises(ValueError, match="at least 2 rows"):
        prices.rows_per_year(hourly.iloc[:1])


def test_split_covers_every_row_once_in_the_order_of_time():
    table = prices.price_table(np.linspace(100, 200, 103))
    spans = prices.split(table, {"train": 0.6, "validation": 0.15, "test": 0.25})
    parts = [prices.period(table, *span) for span in spans.values()]
    pd.testing.assert_frame_equal(pd.concat(parts), table, check_freq=False)
    assert [len(part) for part in parts] == [62, 15, 26]
    with pytest.raises(ValueError, match="add up to 1"):
        prices.split(table, {"train": 0.6, "test": 0.5})


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
