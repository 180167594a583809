"""A participant's own prices: a daily stock and a 15-minute currency pair, all the way through."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from trading_kit import LEAD

from course_lib.trading import (
    baselines,
    environment,
    evaluation,
    features,
    lookahead,
    markets,
    metrics,
    prices,
)  # fmt: skip


def write_bars(path: Path, times: pd.DatetimeIndex, close: np.ndarray, digits: int) -> Path:
    """Write OHLCV bars whose closes are ``close``."""
    table = prices.price_table(np.round(close, digits)).rename(columns=str.title)
    table.index = times.strftime("%Y-%m-%dT%H:%M:%SZ")
    table.to_csv(path, index_label="Date", float_format=f"%.{digits}f")
    return path


def stock(folder: Path, rows: int = 700) -> Path:
    """Daily closes of a share that goes up; closed at weekends."""
    times = pd.date_range("2019-01-01", periods=rows, freq="B", tz="UTC")
    steps = 0.0005 + 0.012 * np.random.default_rng(0).standard_normal(rows)
    return write_bars(folder / "share.csv", times, 80 * np.exp(np.cumsum(steps)), 2)


def currency(folder: Path, rows: int = 2_000) -> Path:
    """Euros in dollars every quarter of an hour, five decimals; closed at weekends."""
    times = pd.date_range("2020-01-06", periods=3 * rows, freq="15min", tz="UTC")
    times = times[times.dayofweek < 5][:rows]
    steps = 0.0003 * np.random.default_rng(1).standard_normal(rows)
    return write_bars(folder / "eurusd.csv", times, 1.1 * np.exp(np.cumsum(steps)), 5)


MARKETS = {  # name: (maker, interval, rows a year, near enough)
    "stock": (stock, pd.Timedelta(days=1), 261.0),
    "currency": (currency, pd.Timedelta(minutes=15), 4 * 24 * 261.0),
}


def fall(folder: Path, rows: int = 1_500) -> Path:
    """Hourly prices below a cent that lose 99% of their value."""
    times = pd.date_range("2021-01-01", periods=rows, freq="1h", tz="UTC")
    steps = -0.003 + 0.01 * np.random.default_rng(2).standard_normal(rows)
    return write_bars(folder / "fall.csv", times, 0.005 * np.exp(np.cumsum(steps)), 10)


ROOT = Path(__file__).resolve().parents[1]
each_market = pytest.mark.parametrize("name", MARKETS)


def load(name: str, folder: Path) -> pd.DataFrame:
    return prices.load_prices(MARKETS[name][0](folder), gaps="keep")


@each_market
def test_the_interval_is_found_and_years_follow_it(name, tmp_path):
    table = load(name, tmp_path)
    assert table.attrs["interval"] == MARKETS[name][1]
    assert prices.rows_per_year(table) == pytest.approx(MARKETS[name][2], rel=0.08)
    with pytest.raises(prices.PriceFileError, match="gaps='keep'"):
        prices.load_prices(MARKETS[name][0](tmp_path))


@each_market
def test_features_have_the_same_size_in_every_market(name, tmp_path):
    table = features.make_features(load(name, tmp_path)).iloc[features.WARM_UP :]
    assert not table.isna().any().any()
    assert 0.8 < table["move"].std() < 1.2
    leaks = lookahead.find_leaks(
        features.make_features, load(name, tmp_path), rng=np.random.default_rng(0)
    )
    assert leaks == []


@each_market
def test_environment_and_baselines_run_on_it(name, tmp_path):
    table = load(name, tmp_path)
    env = environment.make_env(table, fee=0.0002, asset="MINE")
    policies = {
        "hold": baselines.buy_and_hold,
        "cross": baselines.moving_average_cross(table),
        "best": baselines.foresight(env),
    }
    runs = {name: evaluation.run_policy(p, env, name=name) for name, p in policies.items()}
    close = table["close"].to_numpy()[LEAD:]
    for run in runs.values():
        expected = 10_000 * markets.growth_of(close, run.positions, 0.0002, run.at)
        np.testing.assert_allclose(run.net_worth, expected, rtol=1e-7)
    assert runs["best"].net_profit > max(runs["hold"].net_profit, runs["cross"].net_profit)


@each_market
def test_yearly_figures_follow_the_interval(name, tmp_path):
    table = load(name, tmp_path)
    env = environment.make_env(table, fee=0.0)
    run = evaluation.run_policy(baselines.buy_and_hold, env, name="hold")
    numbers = evaluation.metrics(run)
    growth = np.diff(np.log(run.net_worth))
    years = prices.rows_per_year(table)
    assert numbers["sharpe"] == pytest.approx(growth.mean() / growth.std(ddof=1) * years**0.5)
    assert numbers["sortino"] == metrics.sortino_ratio(run.net_worth, years)
    days = (run.times[-1] - run.times[0]) / pd.Timedelta(days=1)
    assert numbers["trades a day"] == pytest.approx(1 / days, rel=0.05)


@pytest.mark.parametrize("name", ["stock", pytest.param("currency", marks=pytest.mark.slow)])
def test_an_agent_trains_on_it(name, tmp_path, local_ray):
    from course_lib.trading import agent

    table = load(name, tmp_path)
    spans = prices.split(table, {"train": 0.7, "test": 0.3})
    train, test = (prices.period(table, *span, lead_in=LEAD) for span in spans.values())
    settings = agent.Settings(num_steps=600, episode_rows=50)
    config = agent.dqn_config(lambda: agent.training_env(train, settings), settings, seed=0)
    module, rows = agent.train_agent(config, settings.num_steps)
    assert rows[-1]["env_steps"] >= 600
    run = evaluation.run_policy(agent.greedy(module), environment.make_env(test), name="agent")
    assert run.times[-1] == table.index[-1]
    assert np.isfinite(run.net_worth).all()


def test_who_loses_nearly_all_is_out_and_still_compared(tmp_path):
    table = prices.load_prices(fall(tmp_path))
    env = environment.make_env(table)
    hold = evaluation.run_policy(baselines.buy_and_hold, env, name="hold")
    cash = evaluation.run_policy(baselines.cash, env, name="cash")
    assert len(env.net_worths) == len(cash.net_worth)
    ruined = int(np.argmax(hold.net_worth < 1_000))
    assert 0 < ruined < len(hold.net_worth) - 100
    assert (hold.net_worth[ruined:] == hold.net_worth[ruined]).all()
    assert not hold.positions[ruined:].any()
    numbers = evaluation.metrics(cash, hold)
    assert numbers["excess %"] == pytest.approx(100 - hold.net_worth[-1] / 100)
    shown = environment.make_env(table, render_mode="ansi")
    shown.reset()
    close = table["close"].iloc[shown.row]
    assert close < 0.01
    assert f"price {close:.4g} USD" in str(shown.render())


def test_where_nothing_can_be_earned_who_loses_nothing_has_it_all(tmp_path):
    from course_lib.trading import agent

    table = prices.price_table(100 * 0.99 ** np.arange(400))
    settings = agent.Settings(decide_every=24)
    env = agent.judging_env(table, settings, 0.001)
    for policy, share in ((baselines.cash, 1.0), (baselines.buy_and_hold, 0.0)):
        run = evaluation.run_policy(policy, env, name="any")
        assert agent.growth_of_foresight(run, settings) == share


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("make", [stock, currency, fall])
def test_notebook_04_runs_on_it_from_top_to_bottom(make, tmp_path):
    own = make(tmp_path)
    notebook = nbformat.read(ROOT / "notebooks" / "solutions" / "04_trading_agent.ipynb", 4)
    changes = {
        "MY_PRICES = None": f"MY_PRICES = {str(own)!r}",
        'GAPS = "error"': 'GAPS = "keep"',
    }
    for old, new in changes.items():
        assert sum(old in cell.source for cell in notebook.cells) == 1
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new)
    mine, result = tmp_path / "mine.ipynb", tmp_path / "result.json"
    nbformat.write(notebook, mine)
    run = subprocess.run(
        [sys.executable, str(ROOT / "tests/notebook_runner.py"), str(mine), str(tmp_path / "r")],
        env={**os.environ, "COURSE_PROFILE": "smoke", "COURSE_STRICT_CHECKS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, result.read_text()[:3_000] + run.stderr[-2_000:]
