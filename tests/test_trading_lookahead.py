"""No look-ahead: features, scaling, observations, rewards, baselines; and the check itself."""

import numpy as np
import pandas as pd
import pytest
from trading_kit import market

from course_lib.trading import baselines, environment, features, lookahead

ROW = 350


@pytest.fixture
def table() -> pd.DataFrame:
    return market(500)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def futures(table: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    return table, lookahead.with_other_future(table, ROW, rng)


def test_another_future_has_the_same_past(table, rng):
    _, changed = futures(table, rng)
    pd.testing.assert_frame_equal(changed.iloc[: ROW + 1], table.iloc[: ROW + 1])
    names = ["open", "high", "low", "close"]
    assert (changed[names].iloc[ROW + 1 :] > table[names].iloc[ROW + 1 :]).all().all()
    assert (changed["high"] >= changed["close"]).all()
    with pytest.raises(ValueError, match="last_row must be in"):
        lookahead.with_other_future(table, 499, rng)


def test_features_and_their_scaling_see_no_future(table, rng):
    assert lookahead.find_leaks(features.make_features, table, rng=rng) == []


@pytest.mark.parametrize("options", [{}, {"min_hold": 5}, {"window": 3}])
@pytest.mark.parametrize("reward", environment.REWARDS)
def test_observations_and_rewards_see_no_future(table, rng, reward, options):
    """The same actions before and after the change: all that was seen and paid is the same."""
    seen, paid, following = [], [], []
    for one in futures(table, rng):
        env = environment.make_env(one, reward=reward, fee=0.01, **options)
        obs, info = env.reset()
        observations, rewards = [obs], []
        while info["row"] < ROW:
            obs, reward_now, _, _, info = env.step(int(info["row"] % 7 < 3))
            observations.append(obs)
            rewards.append(reward_now)
        seen.append(np.array(observations))
        paid.append(np.array(rewards))
        following.append(env.step(1 - env.position if not options else 1))
    np.testing.assert_array_equal(*seen)
    np.testing.assert_array_equal(*paid)
    assert not np.array_equal(following[0][0], following[1][0]), "the change must show right after"


def test_random_starts_do_not_depend_on_prices(table, rng):
    starts = [
        [
            environment.make_env(one, random_start=True, episode_rows=50).reset(seed=s)[1]["row"]
            for s in range(20)
        ]
        for one in futures(table, rng)
    ]
    assert starts[0] == starts[1]


def test_the_moving_average_cross_sees_no_future(table, rng):
    def positions(one: pd.DataFrame) -> np.ndarray:
        policy = baselines.moving_average_cross(one)
        return np.array([policy(np.empty(0), {"row": row}) for row in range(len(one))])

    assert lookahead.find_leaks(positions, table, rng=rng) == []


def scaled_by_everything(table):
    return (table["close"] - table["close"].mean()) / table["close"].std()


def highest_of_all(table):
    return table["close"] / table["close"].max()


def centred_mean(table):
    return table["close"].rolling(5, center=True).mean()


def next_move(table):
    return np.log(table["close"]).diff().shift(-1)


def filled_from_behind(table):
    return table["close"].rolling(30).mean().bfill()


def ranked(table):
    return table["close"].rank(pct=True)


def counted_from_the_end(table):
    return np.arange(len(table))[::-1]


LEAKS = [scaled_by_everything, highest_of_all, centred_mean, next_move, ranked,
         counted_from_the_end]  # fmt: skip


@pytest.mark.parametrize("leaky", LEAKS)
def test_deliberate_leaks_are_found(leaky, table, rng):
    found = lookahead.find_leaks(leaky, table, rng=rng)
    assert found
    assert all(leak.moved_row <= leak.last_row for leak in found)
    assert "came out differently" in str(found[0])


def test_a_leak_of_one_row_is_pinned_to_its_row(table, rng):
    for leak in lookahead.find_leaks(next_move, table, rng=rng):
        assert leak.moved_row == leak.last_row


def test_what_leaks_only_at_the_start_needs_a_cut_there(table, rng):
    """Filling the first rows from behind is invisible later, so short tables are worth a try."""
    assert lookahead.find_leaks(filled_from_behind, table.iloc[:30], rng=rng, num_cuts=20)


def test_unusable_requests_are_refused(table, rng):
    with pytest.raises(ValueError, match="at least 20 rows"):
        lookahead.find_leaks(features.make_features, table.iloc[:5], rng=rng)
    with pytest.raises(ValueError, match="one row for each"):
        lookahead.find_leaks(lambda one: one["close"].iloc[1:], table, rng=rng)
