"""A policy as a table does what the network does in the environment, row by row."""

import numpy as np
import pytest
from trading_kit import market

from course_lib.trading import agent, environment, evaluation, fills, markets, policy_table


def rule(obs: np.ndarray) -> np.ndarray:
    """Some policy that depends on the market and on the position: one column for each."""
    return ((np.sin(7 * obs[:, -9]) + 0.6 * obs[:, 96]) > 0.2).astype(int)


@pytest.mark.parametrize(("decide_every", "min_hold"), [(1, 1), (24, 1), (5, 1), (1, 7), (4, 10)])
@pytest.mark.parametrize("fill", fills.FILLS)
def test_the_table_trades_as_the_environment_does(monkeypatch, decide_every, min_hold, fill):
    settings = agent.Settings(decide_every=decide_every, min_hold=min_hold, fill=fill, fee=0.002)
    env = agent.judging_env(market(1_500), settings, settings.fee)
    monkeypatch.setattr(policy_table.runs, "policy_of", lambda module: rule)
    asked = policy_table.ask(None, env)
    assert asked.shape == (2, env.episode_rows)
    phases = range(decide_every)
    positions = policy_table.follow(
        asked, phases=phases, decide_every=decide_every, min_hold=min_hold
    )
    for phase in {0, decide_every // 2, decide_every - 1}:
        run = evaluation.run_policy(
            lambda obs, info: int(rule(obs[None])[0]),
            settings.make_env(market(1_500), fee=0.002, max_loss=1.0,
                              episode_rows=env.episode_rows - phase),
            name="agent",
            row=env.first_row + phase,
        )  # fmt: skip
        assert 2 < len(run.fills) < env.episode_rows - 5
        np.testing.assert_array_equal(positions[phase, phase:], run.positions)
        assert not positions[phase, :phase].any()
        growth = markets.growth_of(run.close, run.positions, 0.002, run.at)
        np.testing.assert_allclose(run.net_worth, 10_000 * growth, rtol=1e-7)


@pytest.mark.parametrize("num_rows", [1, 4, 599])
def test_a_table_is_written_and_read_back(num_rows):
    asked = np.random.default_rng(num_rows).integers(2, size=(2, num_rows))
    text = policy_table.pack(asked)
    assert len(text) <= num_rows / 2 + 8
    np.testing.assert_array_equal(policy_table.unpack(text, num_rows), asked)


def test_what_a_trader_sees_in_every_row_is_what_the_environment_shows():
    env = environment.make_env(market(), min_hold=3)
    seen = env.all_observations(0)
    obs, _ = env.reset()
    for row in range(20):
        np.testing.assert_array_equal(seen[row], obs)
        obs, *_ = env.step(0)
