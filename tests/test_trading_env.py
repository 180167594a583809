"""The market environment: its contract, its options, and TensorTrade without TensorFlow."""

import itertools
import os
import subprocess
import sys
import textwrap

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from trading_kit import env_of, market, play

from course_lib.trading import environment, features


@pytest.mark.filterwarnings("ignore:.*alternative render modes.*")
@pytest.mark.parametrize("options", [{}, {"decide_every": 5}, {"reward": "pbr"}, {"min_hold": 4}])
def test_gymnasium_and_sb3_accept_the_environment(options):
    from stable_baselines3.common.env_checker import check_env as check_env_sb3

    env = environment.make_env(market(), random_start=True, episode_rows=50, **options)
    check_env(env, skip_render_check=True)
    check_env_sb3(env, skip_render_check=True)


def test_same_seed_same_episode():
    def look(env: gym.Env) -> list:
        obs, info = env.reset(seed=3)
        seen = [obs, info["row"]]
        env.action_space.seed(5)
        for _ in range(50):
            obs, reward, _, _, info = env.step(env.action_space.sample())
            seen += [obs, reward, info["net_worth"]]
        return seen

    make = lambda: environment.make_env(market(), random_start=True, episode_rows=60)  # noqa: E731
    one = make()
    for first, second in zip(look(one), look(make()), strict=True):
        np.testing.assert_array_equal(first, second)
    again = look(one)
    np.testing.assert_array_equal(again[-3], look(make())[-3])


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


def test_deciding_every_k_hours_limits_trades_and_keeps_positions_between():
    env = environment.make_env(market(), decide_every=6)
    play(env, itertools.cycle((1, 0)).__next__)
    changes = np.flatnonzero(np.diff(env.positions, prepend=0))
    assert (changes % 6 == 0).all()
    assert len(env.fills) == len(changes)


def test_a_position_is_kept_for_min_hold_rows():
    env = environment.make_env(market(), min_hold=4)
    obs, _ = env.reset()
    assert obs[-2:].tolist() == [0.0, 0.0], "the first trade may come at once"
    waits = []
    for _ in range(12):  # asks for the other position every time
        obs, _, _, _, _ = env.step(1 - env.position)
        waits.append(float(obs[-1]))
    assert env.positions == [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]
    assert waits == [0.75, 0.5, 0.25, 0.0] * 3
    assert [fill.row - env.first_row for fill in env.fills] == [0, 4, 8]


def test_min_hold_limits_any_stream_of_wishes():
    rng = np.random.default_rng(0)
    env = environment.make_env(market(600), min_hold=7)
    for _ in range(3):
        play(env, lambda: rng.integers(2))
        rows = [fill.row for fill in env.fills]
        assert len(rows) > 20
        assert np.diff(rows).min() >= 7


def test_min_hold_ends_with_the_episode():
    env = environment.make_env(market(), min_hold=50)
    env.reset()
    env.step(1)
    obs, _ = env.reset()
    assert obs[-1] == 0.0
    env.step(0)
    env.step(1)
    assert env.position == 1


def test_ruin_terminates():
    env = env_of([100, 100, 40, 40, 40], max_loss=0.5)
    env.reset()
    assert env.step(1)[2] is False
    _, _, terminated, truncated, _ = env.step(1)
    assert terminated
    assert not truncated


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


def test_what_an_agent_trades_with_reaches_both_of_its_environments():
    from course_lib.trading import agent

    given = {"decide_every": 3, "window": 5, "min_hold": 2}
    settings = agent.Settings(**given, fee=0.01, reward="pbr", episode_rows=20)
    train = agent.training_env(market(), settings)
    judge = agent.judging_env(market(), settings, 0.02)
    for env in (train, judge):
        assert {name: getattr(env, name) for name in given} == given
    assert (train.fee, train.reward_name, train.random_start) == (0.01, "pbr", True)
    assert (judge.fee, judge.reward_name, judge.random_start) == (0.02, "log_growth", False)
    assert (train.episode_rows, judge.episode_rows) == (20, 399 - judge.first_row)


def test_two_environments_do_not_disturb_each_other():
    one, two = (environment.make_env(market(seed=seed)) for seed in (1, 2))
    one.reset()
    one.step(1)
    two.reset()
    two.step(0)
    _, _, _, _, info = one.step(0)
    assert info["trades"] == 2
    assert two.fills == []


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
    ("name", "value"),
    [("fee", -0.1), ("fee", 0.6), ("cash", 0.0), ("window", 0), ("max_loss", 0.0),
     ("decide_every", 0), ("min_hold", 0), ("reward", "profit"), ("render_mode", "human"),
     ("episode_rows", 0), ("episode_rows", 1_000), ("window", 300)],
)  # fmt: skip
def test_options_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match="too few" if value in (1_000, 300) else name):
        environment.make_env(market(), **{name: value})


def test_wrong_actions_and_rows_are_named():
    env = environment.make_env(market(), episode_rows=50)
    env.reset()
    with pytest.raises(ValueError, match="action must be 0"):
        env.step(2)
    with pytest.raises(ValueError, match="row must be in"):
        env.reset(options={"row": 3})


def run_python(code: str, **environment_variables: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env={**os.environ, **environment_variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout + run.stderr


def test_tensortrade_is_imported_without_tensorflow_and_without_a_word(tmp_path):
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
    """, PYTHONPYCACHEPREFIX=str(tmp_path))  # fmt: skip
    assert out == "fine\n", "also where Python has not compiled it yet"


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
