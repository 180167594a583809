"""The market environment: contract, money, no look-ahead, and TensorTrade without TensorFlow."""

import subprocess
import sys
import textwrap

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.trading import environment, features, markets, prices

FLAT = 100 + np.sin(np.arange(features.lead_in(24)))  # a lead-in of any shape


def env_of(close: list[float] | np.ndarray, **options) -> environment.TradingEnv:
    """An environment whose traded prices, after the lead-in, are ``close``."""
    table = prices.price_table(np.round(np.concatenate([FLAT, close]), 2))
    return environment.make_env(table, **options)


def market(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    return markets.sine_market(rows, rng=np.random.default_rng(seed), noise=0.01)


@pytest.mark.filterwarnings("ignore:.*alternative render modes.*")
@pytest.mark.parametrize("options", [{}, {"decide_every": 5}, {"reward": "pbr"}])
def test_gymnasium_and_sb3_accept_the_environment(options):
    from stable_baselines3.common.env_checker import check_env as check_env_sb3

    env = environment.make_env(market(), random_start=True, episode_rows=50, **options)
    check_env(env, skip_render_check=True)
    check_env_sb3(env, skip_render_check=True)


def test_same_seed_same_episode():
    def play(env: gym.Env) -> list:
        obs, info = env.reset(seed=3)
        seen = [obs, info["row"]]
        env.action_space.seed(5)
        for _ in range(50):
            obs, reward, _, _, info = env.step(env.action_space.sample())
            seen += [obs, reward, info["net_worth"]]
        return seen

    make = lambda: environment.make_env(market(), random_start=True, episode_rows=60)  # noqa: E731
    one = make()
    for first, second in zip(play(one), play(make()), strict=True):
        np.testing.assert_array_equal(first, second)
    again = play(one)
    np.testing.assert_array_equal(again[-3], play(make())[-3])


def test_random_starts_differ_and_leave_room_for_the_episode():
    env = environment.make_env(market(), random_start=True, episode_rows=200)
    starts = {env.reset(seed=seed)[1]["row"] for seed in range(200)}
    assert starts == set(range(env.first_row, 400 - 200))


def test_an_earlier_random_start_leaves_no_trace():
    env = environment.make_env(market(), episode_rows=100)
    fresh, _ = env.reset()
    env.reset(options={"row": 250})
    again, info = env.reset()
    np.testing.assert_array_equal(fresh, again)
    assert info["row"] == env.first_row


def test_ledger_of_five_trades_worked_by_hand():
    """10,000 dollars, fee 1%: buy at 100, sell at 110, buy at 50, sell at 40, buy at 80."""
    env = env_of([100, 110, 50, 40, 80, 90], fee=0.01)
    env.reset()
    expected = [
        # action, cash, coin, fees so far, net worth at the next price
        (1, 0.0, 99.0, 100.0, 10_890.0),  # 9,900 buy 99 coins; 99 x 110
        (0, 10_781.1, 0.0, 208.9, 10_781.1),  # 10,890 - 108.90
        (1, 0.0, 213.46578, 316.711, 8_538.63),  # 10,673.289 buy 213.46578; x 40
        (0, 8_453.24, 0.0, 402.097, 8_453.24),  # 8,538.6312 - 85.386312
        (1, 0.0, 104.608901, 486.629, 9_414.80),  # 8,368.712 buy 104.6089; x 90
    ]
    for action, cash, coin, fees, worth in expected:
        _, _, _, _, info = env.step(action)
        assert info["cash"] == pytest.approx(cash, abs=0.02)
        assert info["coin"] == pytest.approx(coin, abs=3e-4)
        assert info["fees"] == pytest.approx(fees, abs=0.02)
        assert info["net_worth"] == pytest.approx(worth, abs=0.03)
    assert info["trades"] == 5
    assert [fill.side for fill in env.fills] == ["buy", "sell", "buy", "sell", "buy"]


@settings(max_examples=25, deadline=None)
@given(
    actions=st.lists(st.integers(0, 1), min_size=1, max_size=40),
    fee=st.sampled_from([0.0, 0.0005, 0.001, 0.01, 0.1]),
    seed=st.integers(0, 1000),
)
def test_no_money_is_made_or_lost_but_by_prices_and_fees(actions, fee, seed):
    rng = np.random.default_rng(seed)
    env = env_of(100 * np.exp(np.cumsum(0.03 * rng.standard_normal(42))), fee=fee, max_loss=1.0)
    _, info = env.reset()
    cash_before, coin_before, price, fees = info["cash"], info["coin"], info["price"], 0.0
    for action in actions:
        _, _, _, _, info = env.step(action)
        # at the price of the trade, what is in the wallets changed by the fee and nothing else
        held_before = cash_before + coin_before * price
        held_after = info["cash"] + info["coin"] * price
        assert held_after + (info["fees"] - fees) == pytest.approx(held_before, abs=0.02)
        worth = info["cash"] + info["coin"] * info["price"]
        assert info["net_worth"] == pytest.approx(worth, abs=0.01)
        cash_before, coin_before, price, fees = (
            info["cash"],
            info["coin"],
            info["price"],
            info["fees"],
        )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), fee=st.sampled_from([0.0, 0.001, 0.01]))
def test_tensortrade_agrees_with_plain_arithmetic(seed, fee):
    rng = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(0.02 * rng.standard_normal(60))), 2)
    positions = rng.integers(2, size=59)
    env = env_of(close, fee=fee)
    env.reset()
    for position in positions:
        env.step(int(position))
    expected = 10_000 * markets.growth_of(close, positions, fee)
    np.testing.assert_allclose(env.net_worths, expected, rtol=2e-5)


def test_rewards_add_up_to_the_log_growth():
    for decide_every in (1, 7):
        env = environment.make_env(market(), decide_every=decide_every)
        env.reset(seed=0)
        env.action_space.seed(0)
        total, over = 0.0, False
        while not over:
            _, reward, terminated, truncated, info = env.step(env.action_space.sample())
            total += reward
            over = terminated or truncated
        assert truncated
        assert not terminated
        assert total == pytest.approx(100 * np.log(info["net_worth"] / 10_000), abs=1e-6)
        assert info["row"] == 399
        assert len(env.positions) == 399 - env.first_row


def test_log_growth_counts_the_fee_and_pbr_does_not():
    flat = [100.0, 100.0, 100.0, 110.0]
    rewards = {}
    for name in environment.REWARDS:
        env = env_of(flat, fee=0.01, reward=name)
        env.reset()
        rewards[name] = [env.step(1)[1], env.step(1)[1], env.step(1)[1]]
    assert rewards["log_growth"] == pytest.approx(
        [100 * np.log(0.99), 0.0, 100 * np.log(1.1)], abs=1e-4
    )
    assert rewards["pbr"] == pytest.approx([0.0, 0.0, 10.0])


def test_deciding_every_k_hours_limits_trades_and_keeps_positions_between():
    env = environment.make_env(market(), decide_every=6)
    env.reset()
    action, over = 1, False
    while not over:
        _, _, terminated, truncated, _ = env.step(action)
        action, over = 1 - action, terminated or truncated
    changes = np.flatnonzero(np.diff(env.positions, prepend=0))
    assert (changes % 6 == 0).all()
    assert len(env.fills) == len(changes)


def test_ruin_terminates():
    env = env_of([100, 100, 40, 40, 40], max_loss=0.5)
    env.reset()
    assert env.step(1)[2] is False
    _, _, terminated, truncated, _ = env.step(1)
    assert terminated
    assert not truncated


def test_the_future_does_not_reach_observations_or_features():
    table = market(500)
    row = 350
    changed = table.copy()
    columns = ["open", "high", "low", "close"]
    changed.loc[changed.index[row + 1] :, columns] *= np.linspace(1.5, 3.0, 500 - row - 1)[:, None]
    seen = []
    for one in (table, changed):
        env = environment.make_env(one)
        obs, info = env.reset()
        rows = [obs]
        while info["row"] < row:
            obs, _, _, _, info = env.step(info["row"] % 3 == 0)
            rows.append(obs)
        seen.append((np.array(rows), env.step(0)[0]))
    np.testing.assert_array_equal(seen[0][0], seen[1][0])
    assert not np.array_equal(seen[0][1], seen[1][1]), "the change must show right after"
    before, after = features.make_features(table), features.make_features(changed)
    pd.testing.assert_frame_equal(before.iloc[: row + 1], after.iloc[: row + 1])


def test_the_same_check_catches_a_leak():
    table = market(300)
    changed = table.copy()
    changed.iloc[200:, 3] *= 2.0

    def leaky(one: pd.DataFrame) -> pd.Series:
        return (one["close"] - one["close"].mean()) / one["close"].std()

    assert not leaky(table).iloc[:200].equals(leaky(changed).iloc[:200])


def test_observation_holds_the_features_of_the_window_and_the_position():
    table = market()
    env = environment.make_env(table, window=5)
    obs, info = env.reset()
    wanted = features.make_features(table).to_numpy()[info["row"] - 4 : info["row"] + 1]
    np.testing.assert_allclose(obs[:-1].reshape(5, 4), wanted, rtol=1e-5)
    assert obs[-1] == 0
    obs, _, _, _, info = env.step(1)
    wanted = features.make_features(table).to_numpy()[info["row"] - 4 : info["row"] + 1]
    np.testing.assert_allclose(obs[:-1].reshape(5, 4), wanted, rtol=1e-5)
    assert obs[-1] == 1
    assert not features.make_features(table).iloc[features.WARM_UP :].isna().any().any()


def test_two_environments_do_not_disturb_each_other():
    one, two = (environment.make_env(market(seed=seed)) for seed in (1, 2))
    one.reset()
    one.step(1)
    two.reset()
    two.step(0)
    _, _, _, _, info = one.step(0)
    assert info["trades"] == 2
    assert two.fills == []


def test_the_cost_of_a_step_does_not_grow_with_the_number_of_trades():
    env = environment.make_env(market(1_500))
    env.reset()
    for step in range(1_000):
        env.step(step % 2 == 0)
    assert len(env.fills) == 1_000
    broker = env._broker
    assert len(broker.executed) <= 1
    assert len(broker.unexecuted) == 0
    assert len(broker.trades) == 0


def test_prices_with_many_decimals_are_not_rounded_to_cents():
    close = np.concatenate([1 + 0.01 * np.sin(np.arange(191)), [1.08351, 1.08352, 1.08371]])
    table = prices.price_table(np.round(close, 5))
    env = environment.make_env(table, fee=0.0, asset="EUR")
    env.reset()
    env.step(1)
    _, _, _, _, info = env.step(1)
    assert info["net_worth"] == pytest.approx(10_000 * 1.08371 / 1.08351, abs=0.001)
    assert environment.price_decimals(np.array([1.5, 2.25])) == 2
    assert environment.price_decimals(np.array([1 / 3])) == 8


def test_large_sums_are_exchanged_in_full():
    env = env_of([100.0, 200.0, 200.0], cash=50_000_000.0)
    env.reset()
    _, _, _, _, info = env.step(1)
    assert info["cash"] == pytest.approx(0.0, abs=0.02)
    assert info["net_worth"] == pytest.approx(2 * 50_000_000 * 0.999, rel=1e-6)


def test_rendering():
    text = env_of([100.0, 110.0, 120.0], render_mode="ansi")
    text.reset()
    text.step(1)
    assert "2020-01-08 23:00 UTC | price 110.00 USD" not in text.render()
    assert "price 110.00 USD" in text.render()
    assert "1 trades" in text.render()
    picture = env_of([100.0, 110.0, 120.0], render_mode="rgb_array")
    picture.reset()
    before = picture.render()
    picture.step(1)
    after = picture.render()
    assert before.shape == after.shape == (320, 640, 3)
    assert before.dtype == np.uint8
    assert (before != after).any()
    silent = env_of([100.0, 110.0])
    silent.reset()
    assert silent.render() is None


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"fee": -0.1}, "fee"),
        ({"fee": 0.6}, "fee"),
        ({"cash": 0.0}, "cash"),
        ({"window": 0}, "window"),
        ({"max_loss": 0.0}, "max_loss"),
        ({"decide_every": 0}, "decide_every"),
        ({"reward": "profit"}, "reward"),
        ({"render_mode": "human"}, "render_mode"),
        ({"episode_rows": 0}, "episode_rows"),
        ({"episode_rows": 1_000}, "too few"),
        ({"window": 300}, "too few"),
    ],
)
def test_options_out_of_range_are_named(options, word):
    with pytest.raises(ValueError, match=word):
        environment.make_env(market(), **options)


def test_wrong_actions_and_rows_are_named():
    env = environment.make_env(market(), episode_rows=50)
    env.reset()
    with pytest.raises(ValueError, match="action must be 0"):
        env.step(2)
    with pytest.raises(ValueError, match="row must be in"):
        env.reset(options={"row": 3})


def run_python(code: str, **environment_variables: str) -> str:
    import os

    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, **environment_variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout


def test_tensortrade_is_imported_without_tensorflow():
    out = run_python("""
        import sys
        import course_lib.trading.environment
        import matplotlib
        style = dict(matplotlib.rcParams)
        assert "tensortrade" not in sys.modules
        assert "ray" not in sys.modules
        assert "torch" not in sys.modules
        from course_lib.trading import tensortrade_import
        import tensortrade.agents
        assert tensortrade_import.stand_in_for_agents()
        assert not hasattr(tensortrade.agents, "DQNAgent")
        assert "tensorflow" not in sys.modules
        assert dict(matplotlib.rcParams) == style, "figures look as before"
        print("fine")
    """)
    assert "fine" in out


def test_tensortrade_keeps_its_agents_where_tensorflow_is_installed(tmp_path):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text(
        "import sys\n"
        "from unittest.mock import MagicMock\n"
        "def __getattr__(name):\n"
        "    if name.startswith('__'):\n"
        "        raise AttributeError(name)\n"
        "    return type('Fake', (), {'__getattr__': lambda self, n: MagicMock()})()\n"
        "for name in ('keras', 'keras.layers', 'keras.models', 'keras.optimizers'):\n"
        "    sys.modules['tensorflow.' + name] = MagicMock()\n"
    )
    out = run_python(
        """
        import sys
        from course_lib.trading import tensortrade_import
        assert "tensorflow" in sys.modules
        assert not tensortrade_import.stand_in_for_agents()
        import tensortrade.agents
        assert hasattr(tensortrade.agents, "DQNAgent")
        from course_lib.trading import environment, prices
        import numpy as np
        env = environment.make_env(prices.price_table(100 + np.sin(np.arange(250))))
        env.reset()
        env.step(1)
        print("fine")
        """,
        PYTHONPATH=str(tmp_path),
    )
    assert "fine" in out
