"""The numbers to judge by, each against numbers worked by hand."""

import numpy as np
import pandas as pd
import pytest

from course_lib.trading import environment, evaluation, fills, luck, markets, metrics

HOURS = 8_760.0


def run_of(net_worth: list[float], trades: int = 0, **changes) -> evaluation.Run:
    count = len(net_worth)
    fill = environment.Fill(0, "buy", 100.0, 2.5)
    values = {
        "name": "hand", "times": pd.date_range("2020-01-01", periods=count, freq="1h", tz="UTC"),
        "close": np.ones(count), "net_worth": np.array(net_worth),
        "positions": np.array([1, 1, 0, 0] * count)[: count - 1], "fills": (fill,) * trades,
        "rewards": np.zeros(count - 1), "at": fills.FillPrices(*np.ones((2, count - 1))),
    }  # fmt: skip
    return evaluation.Run(**{**values, **changes})


def test_metrics_worked_by_hand():
    run = run_of([100.0, 120.0, 90.0, 108.0, 110.0], trades=2)
    hold = run_of([100.0, 100.0, 100.0, 100.0, 125.0])
    numbers = evaluation.metrics(run, hold)
    assert numbers["net profit"] == pytest.approx(10.0)
    assert numbers["excess"] == pytest.approx(-15.0)
    assert numbers["excess %"] == pytest.approx(-15.0)  # of the 100 at first
    assert numbers["fees"] == pytest.approx(5.0)
    assert numbers["turnover cost"] == pytest.approx(0.05)  # 5 of 100 dollars
    assert numbers["drawdown"] == pytest.approx(0.25)  # from 120 to 90
    assert numbers["trades"] == 2
    assert numbers["trades a day"] == pytest.approx(12.0)  # 2 in 4 hours
    assert numbers["exposure"] == pytest.approx(0.5)
    assert np.isnan(evaluation.metrics(run)["excess"])
    assert np.isnan(evaluation.metrics(run)["excess %"])


def test_trades_a_day_and_ratios_follow_the_interval():
    net_worth = list(np.exp([0.0, 1.0, 4.0]))
    hourly = evaluation.metrics(run_of(net_worth, trades=1))
    daily = evaluation.metrics(run_of(net_worth, trades=1, rows_per_year=365.0))
    assert hourly["trades a day"] == pytest.approx(12.0)
    assert daily["trades a day"] == pytest.approx(0.5)
    for name in ("sharpe", "sharpe error"):
        assert hourly[name] / daily[name] == pytest.approx(24**0.5)


def test_sharpe_ratio_worked_by_hand():
    # growth +1, +3 (in logs): mean 2, sample spread sqrt(2)
    net_worth = np.exp([0.0, 1.0, 4.0])
    assert metrics.sharpe_ratio(net_worth, HOURS) == pytest.approx(2**0.5 * HOURS**0.5)
    assert metrics.sharpe_ratio(net_worth, 252.0) == pytest.approx(2**0.5 * 252**0.5)
    assert metrics.sharpe_ratio(np.full(5, 7.0), HOURS) == 0.0


def test_sortino_ratio_worked_by_hand():
    # growth +3, -1, +2, -2: mean 0.5; losses 1 and 2: root of (1 + 4) / 4
    net_worth = np.exp([0.0, 3.0, 2.0, 4.0, 2.0])
    expected = 0.5 / (5 / 4) ** 0.5 * HOURS**0.5
    assert metrics.sortino_ratio(net_worth, HOURS) == pytest.approx(expected)
    assert metrics.sortino_ratio(np.full(5, 7.0), HOURS) == 0.0
    assert metrics.sortino_ratio(np.array([1.0, 2.0]), HOURS) == float("inf")


def test_drawdown_worked_by_hand():
    assert metrics.drawdown(np.array([4.0, 2.0, 8.0, 6.0])).tolist() == [0.0, 0.5, 0.0, 0.25]
    assert metrics.max_drawdown(np.array([1.0, 2.0, 3.0])) == 0.0
    assert metrics.max_drawdown(np.array([4.0, 2.0, 8.0, 2.0])) == pytest.approx(0.75)


def test_the_error_of_a_sharpe_ratio_is_one_over_the_root_of_the_years():
    """Whatever the interval; and it is how far measured ratios lie from the truth."""
    rng = np.random.default_rng(0)
    for rows_per_year in (365.0, HOURS):
        growth = 0.01 * rng.standard_normal((200, int(rows_per_year / 4)))
        worth = np.exp(np.insert(np.cumsum(growth, axis=1), 0, 0, axis=1))
        errors = [luck.yearly_sharpe_error(one, rows_per_year) for one in worth]
        assert np.mean(errors) == pytest.approx(2.0, rel=0.05)
        spread = np.std([metrics.sharpe_ratio(one, rows_per_year) for one in worth])
        assert spread == pytest.approx(2.0, rel=0.15)
    assert luck.yearly_sharpe_error(np.ones(10), HOURS) == 0


def test_interval_of_a_mean_worked_by_hand():
    # mean 4, sample spread 2, error 2 / sqrt(3); Student's t with 2 degrees of freedom: 2.919986
    found = metrics.mean_interval([2.0, 4.0, 6.0])
    reach = 2.919986 * 2 / 3**0.5
    assert (found.value, found.low, found.high) == pytest.approx((4.0, 4 - reach, 4 + reach))
    assert found.count == 3
    assert str(metrics.mean_interval([2.0, 2.0])) == "+2.0 (+2.0 to +2.0)"


@pytest.mark.parametrize("count", [3, 10, 25])
def test_intervals_of_means_hold_the_truth_as_often_as_they_say(count):
    """With heavy tails as windows of a market have them; 90% within three standard errors."""
    rng = np.random.default_rng(count)
    found = [metrics.mean_interval(rng.standard_t(4, size=count)) for _ in range(1_000)]
    share = np.mean([one.low <= 0 <= one.high for one in found])
    assert 0.87 < share < 0.94


def test_interval_of_a_sum_of_blocks_worked_by_hand():
    # blocks of two: 1, 3, and a row left over; mean 2, error 1; t with 1 degree: 6.313752
    found = metrics.block_interval(np.array([0.5, 0.5, 1.0, 2.0, 1.0]), 2)
    reach = 6.313752 * 1.0 * 5 / 2
    assert (found.value, found.low, found.high) == pytest.approx((5.0, 5 - reach, 5 + reach))


def test_blocks_keep_the_promise_that_single_rows_break():
    rng = np.random.default_rng(0)
    hits = {1: 0, 100: 0}
    for _ in range(400):
        rows = np.convolve(rng.standard_normal(1_019), np.ones(20), mode="valid")
        for block in hits:
            found = metrics.block_interval(rows, block)
            hits[block] += found.low <= 0 <= found.high
    assert 0.84 < hits[100] / 400 < 0.95
    assert hits[1] / 400 < 0.5


def test_unusable_requests_are_refused():
    for block in (0, 6):
        with pytest.raises(ValueError, match=r"block must be in \[1, 5\]"):
            metrics.block_interval(np.zeros(10), block)
    with pytest.raises(ValueError, match="level"):
        metrics.mean_interval([1.0, 2.0], level=1.0)
    with pytest.raises(ValueError, match="at least 2 numbers"):
        metrics.mean_interval([1.0])


@pytest.mark.parametrize("bad", [{"fill": "last open"}, {"half_spread": 0.2}])
def test_fills_out_of_range_are_refused(bad):
    table = markets.sine_market(50, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=next(iter(bad))):
        fills.fill_prices(table, **bad)
