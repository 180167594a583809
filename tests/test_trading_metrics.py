"""The numbers to judge by, each against numbers worked by hand."""

import numpy as np
import pandas as pd
import pytest

from course_lib.trading import environment, evaluation, metrics

HOURS = 8_760.0


def run_of(net_worth: list[float], trades: int = 0, **changes) -> evaluation.Run:
    count = len(net_worth)
    fill = environment.Fill(0, "buy", 100.0, 2.5)
    values = {
        "name": "hand", "times": pd.date_range("2020-01-01", periods=count, freq="1h", tz="UTC"),
        "close": np.ones(count), "net_worth": np.array(net_worth),
        "positions": np.array([1, 1, 0, 0] * count)[: count - 1], "fills": (fill,) * trades,
        "rewards": np.zeros(count - 1),
    }  # fmt: skip
    return evaluation.Run(**{**values, **changes})


def test_metrics_worked_by_hand():
    run = run_of([100.0, 120.0, 90.0, 108.0, 110.0], trades=2)
    hold = run_of([100.0, 100.0, 100.0, 100.0, 125.0])
    numbers = evaluation.metrics(run, hold)
    assert numbers["net profit"] == pytest.approx(10.0)
    assert numbers["excess"] == pytest.approx(-15.0)
    assert numbers["excess %"] == pytest.approx(-12.0)  # 110 / 125
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
    assert hourly["sharpe"] / daily["sharpe"] == pytest.approx(24**0.5)


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


def test_excess_growth_adds_up_to_the_ratio_of_the_ends():
    run, hold = np.array([10.0, 12.0, 9.0]), np.array([10.0, 10.0, 12.0])
    excess = metrics.excess_growth(run, hold)
    assert excess == pytest.approx([np.log(1.2), np.log(0.75) - np.log(1.2)])
    assert metrics.percent(excess.sum()) == pytest.approx(-25.0)  # 9 / 12


def test_blocks_of_everything_leave_no_doubt():
    """A block as long as the history always holds every row once: the interval is a point."""
    excess = 0.01 * np.random.default_rng(0).standard_normal(50)
    found = metrics.excess_interval(excess, block=50, rng=np.random.default_rng(1))
    assert found.low == pytest.approx(found.value)
    assert found.high == pytest.approx(found.value)


def test_interval_of_two_rows_worked_by_hand():
    # blocks of one row: totals are 2a, a + b or 2b with chances 1/4, 1/2, 1/4
    excess = np.log([1.1, 1.2])
    found = metrics.excess_interval(excess, block=1, level=0.9, rng=np.random.default_rng(0))
    assert found.value == pytest.approx(32.0)  # 1.1 x 1.2
    assert found.low == pytest.approx(21.0)  # 1.1 x 1.1
    assert found.high == pytest.approx(44.0)  # 1.2 x 1.2


def test_interval_covers_the_truth_about_as_often_as_it_says():
    """Correlated rows with mean 0: blocks keep the promise that single rows break."""
    rng = np.random.default_rng(0)
    hits = {1: 0, 50: 0}
    for _ in range(200):
        shocks = rng.standard_normal(1_050)
        excess = 1e-3 * np.convolve(shocks, np.ones(20), mode="valid")[:1_000]
        for block in hits:
            found = metrics.excess_interval(excess, block=block, rng=rng, num_draws=400)
            hits[block] += found.low <= 0 <= found.high
    assert hits[50] / 200 > 0.75
    assert hits[1] / 200 < 0.5


def test_windows_are_drawn_whole():
    """Five equal seeds of one window count once: two windows leave a wide interval."""
    found = metrics.spread_interval([[-1.0] * 5, [3.0] * 5], rng=np.random.default_rng(0))
    assert found == metrics.Interval(1.0, -1.0, 3.0)
    sure = metrics.spread_interval([[2.0, 2.0]] * 6, rng=np.random.default_rng(0))
    assert sure == metrics.Interval(2.0, 2.0, 2.0)
    assert str(sure) == "+2.0 (+2.0 to +2.0)"


def test_seeds_within_windows_are_drawn_too():
    found = metrics.spread_interval([[0.0, 10.0]], rng=np.random.default_rng(0))
    assert (found.low, found.value, found.high) == (0.0, 5.0, 10.0)


def test_unusable_requests_are_refused():
    rng = np.random.default_rng(0)
    for block in (0, 11):
        with pytest.raises(ValueError, match=r"block must be in \[1, 10\]"):
            metrics.excess_interval(np.zeros(10), block=block, rng=rng)
    with pytest.raises(ValueError, match="level"):
        metrics.excess_interval(np.zeros(10), block=2, rng=rng, level=1.0)
    with pytest.raises(ValueError, match="at least one window"):
        metrics.spread_interval([[1.0], []], rng=rng)
