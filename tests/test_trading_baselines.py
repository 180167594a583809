"""Baselines, the known market, perfect foresight, and the numbers to judge by."""

import itertools

import numpy as np
import pandas as pd
import pytest
from trading_kit import LEAD, market

from course_lib.trading import baselines, environment, evaluation, fills, markets, prices


@pytest.mark.parametrize("fill", [None, *fills.FILLS])
@pytest.mark.parametrize("fee", [0.0, 0.001, 0.02, 0.2])
@pytest.mark.parametrize("seed", range(5))
def test_foresight_is_the_best_of_all_positions(seed, fee, fill):
    """Against every one of the 2^9 possible ways to trade ten prices."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.03 * rng.standard_normal(10)))
    table = prices.price_table(close).assign(open=close * rng.uniform(0.98, 1.02, 10))
    at = fill and fills.fill_prices(table, fill, 0.004)
    best = markets.perfect_foresight(close, fee, at)
    every = [
        markets.growth_of(close, np.array(positions), fee, at)[-1]
        for positions in itertools.product((0, 1), repeat=9)
    ]
    assert best.growth == pytest.approx(max(every))
    assert markets.growth_of(close, best.positions, fee, at)[-1] == pytest.approx(best.growth)
    assert best.num_trades == np.abs(np.diff(best.positions, prepend=0)).sum()


def test_foresight_worked_by_hand():
    # 100 -> 110 gains 10%, 110 -> 99 loses 10%, 99 -> 198 doubles; a trade costs 1%
    best = markets.perfect_foresight(np.array([100.0, 110.0, 99.0, 198.0]), 0.01)
    assert best.positions.tolist() == [1, 0, 1]
    assert best.growth == pytest.approx(0.99 * 1.1 * 0.99 * 0.99 * 2.0)
    # at 10% a trade, getting out and in again costs more than the fall
    best = markets.perfect_foresight(np.array([100.0, 110.0, 108.0, 198.0]), 0.1)
    assert best.positions.tolist() == [1, 1, 1]
    assert best.growth == pytest.approx(0.9 * 1.98)
    # nothing to gain: stay in cash
    assert markets.perfect_foresight(np.array([3.0, 2.0, 1.0]), 0.0).growth == 1.0


def test_foresight_in_the_environment_earns_what_it_says():
    table = market()
    env = environment.make_env(table)
    run = evaluation.run_policy(baselines.foresight(env), env, name="best")
    best = markets.perfect_foresight(run.close, 0.001, run.at)
    assert run.net_worth[-1] == pytest.approx(10_000 * best.growth, rel=1e-4)
    assert len(run.fills) == best.num_trades


def test_sine_market_has_its_period_and_its_noise():
    rng = np.random.default_rng(0)
    clean = markets.sine_market(48 * 20, rng=rng, noise=0.0)["close"].to_numpy()
    np.testing.assert_allclose(clean[48:], clean[:-48], atol=0.02)
    assert clean.max() == pytest.approx(100 * np.exp(0.05), rel=1e-3)


@pytest.mark.parametrize("make", [markets.sine_market, markets.regime_market])
def test_markets_follow_their_seed_and_refuse_what_is_out_of_range(make):
    one, same, other = (make(300, rng=np.random.default_rng(n))["close"] for n in (4, 4, 5))
    pd.testing.assert_series_equal(one, same)
    assert not np.array_equal(one, other)
    slope = {"slope": 0.2} if make is markets.regime_market else {"amplitude": 0.6}
    for wrong in ({"num_rows": 1}, {"period": 2}, {"noise": -1}, slope):
        with pytest.raises(ValueError, match="must be"):
            make(**{"num_rows": 100, "rng": np.random.default_rng(0), **wrong})
    with pytest.raises(ValueError, match="even number, got 7"):
        markets.regime_market(100, rng=np.random.default_rng(0), period=7)


def test_regime_market_changes_its_ways_and_stays_in_range():
    table = markets.regime_market(5_000, rng=np.random.default_rng(0), noise=0.0)
    moves = np.diff(np.log(table["close"]))
    slope = 24 * 0.002
    day = np.convolve(moves, np.ones(24), mode="valid")
    for regime in (slope, -slope):
        assert np.isclose(day, regime, atol=1e-3).mean() > 0.1, "a climb and a slide"
    steady = np.isclose(np.abs(day), slope, atol=1e-3)
    assert 0.1 < 1 - steady.mean() < 0.9, "and something else"
    assert np.abs(np.log(table["close"] / 100)).max() < 1.3
    assert np.abs(moves).max() < 0.01, "no jump where regimes meet"


def test_baselines_trade_as_they_say():
    table = market()
    env = environment.make_env(table)
    rng = np.random.default_rng(1)
    cash = evaluation.run_policy(baselines.cash, env, name="cash")
    assert len(cash.fills) == 0
    assert (cash.net_worth == 10_000).all()
    hold = evaluation.run_policy(baselines.buy_and_hold, env, name="hold")
    assert len(hold.fills) == 1
    assert hold.net_worth[-1] == pytest.approx(9_990 * hold.close[-1] / hold.at.buy[0], rel=1e-6)
    mix = evaluation.mix(hold, 0.3)
    assert mix.net_worth == pytest.approx(7_000 + 0.3 * hold.net_worth)
    numbers = evaluation.metrics(mix, hold)
    assert (numbers["exposure"], numbers["fees"]) == pytest.approx((0.3, 3.0))
    busy = baselines.random_trades(17, env.episode_rows, env.first_row, rng)
    assert len(evaluation.run_policy(busy, env, name="random").fills) == 17
    with pytest.raises(ValueError, match="num_trades"):
        baselines.random_trades(11, 10, 0, rng)
    with pytest.raises(ValueError, match="fast"):
        baselines.moving_average_cross(table, fast=20, slow=10)


def test_moving_average_cross_is_in_coin_when_the_short_mean_is_above():
    close = np.concatenate([np.full(300, 100.0), np.full(60, 110.0)])
    policy = baselines.moving_average_cross(prices.price_table(close), fast=2, slow=10)
    assert [policy(None, {"row": row}) for row in (299, 300, 305, 315)] == [0, 1, 1, 0]


def test_runs_over_other_hours_are_not_compared():
    env = environment.make_env(market(), episode_rows=50)
    run = evaluation.run_policy(baselines.cash, env, name="cash")
    other = evaluation.run_policy(baselines.cash, env, name="later", row=LEAD + 1)
    with pytest.raises(ValueError, match="same hours"):
        evaluation.metrics(run, other)


def test_a_run_is_complete_and_its_table_readable():
    table = market()
    env = environment.make_env(table)
    runs = {
        name: evaluation.run_policy(policy, env, name=name)
        for name, policy in (("cash", baselines.cash), ("hold", baselines.buy_and_hold))
    }
    for run in runs.values():
        assert len(run.times) == len(run.close) == len(run.net_worth) == len(run.positions) + 1
        assert run.times[0] == table.index[LEAD]
        assert run.times[-1] == table.index[-1]
    shown = evaluation.table(list(runs.values()), runs["hold"])
    assert list(shown.index) == ["cash", "hold"]
    assert shown.loc["hold", "excess"] == 0
    assert len(evaluation.table([runs["cash"], runs["cash"]])) == 2, (
        "one row each, same name or not"
    )


def test_pictures_are_drawn_from_arrays():
    from matplotlib.figure import Figure

    from course_lib import plots

    table = market()
    env = environment.make_env(table)
    run = evaluation.run_policy(baselines.foresight(env), env, name="best")
    ax = Figure().subplots()
    plots.plot_trades(run.times, run.close, run.positions, ax=ax, title="t")
    marks = {line.get_label(): len(line.get_xdata()) for line in ax.lines}
    buys = sum(fill.side == "buy" for fill in run.fills)
    assert marks[f"buy ({buys})"] == buys
    assert f"sell ({len(run.fills) - buys})" in marks
    with pytest.raises(ValueError, match="T - 1"):
        plots.plot_trades(run.times, run.close, run.positions[1:])
    many = {"one": run.net_worth, "two": np.stack([run.net_worth, run.net_worth + 1])}
    assert len(plots.plot_equity(run.times, many, ax=Figure().subplots()).lines) == 2
