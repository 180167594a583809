"""The stopwatches of course_lib.rllib.profiling, without looking at how long anything takes."""

from types import SimpleNamespace

import pytest
from ray.rllib.algorithms.dqn.dqn import DQNConfig
from rllib_kit import memory, small

from course_lib.rllib import profiling

pytestmark = pytest.mark.usefixtures("local_ray")
EPISODES = {"type": "EpisodeReplayBuffer", "capacity": 2_000}


@pytest.mark.parametrize(
    ("config", "buffer"),
    [(None, memory()), (None, memory(alpha=0.6)), (DQNConfig(), EPISODES)],
    ids=["columnar", "prioritised", "stock"],
)
def test_every_station_is_timed_and_left_as_it_was(built, config, buffer):
    algo = built(small(config, replay_buffer_config=buffer))
    places = [algo.env_runner, algo.local_replay_buffer, algo.learner_group]
    connector = algo.learner_group._learner._learner_connector
    shares = []
    spent = profiling.where_time_goes(algo, num_steps=200, on_step=shares.append)
    assert set(spent.seconds) == set(profiling.PARTS)
    assert all(spent.seconds[part] > 0 for part in ("play", "store", "draw", "learn", "rest"))
    assert (spent.seconds["unpack"] > 0) == (config is not None)  # columns need no unpacking
    left = [value for place in places for value in vars(place).values()]
    assert not any(isinstance(value, profiling._Timed) for value in left)
    assert algo.learner_group._learner._learner_connector is connector
    assert spent.num_steps >= 200
    assert spent.num_updates == pytest.approx(spent.num_steps * 4 / 16, abs=2)
    assert shares[-1] == 1.0 and shares == sorted(shares)
    assert sum(spent.ms_per_update.values()) == pytest.approx(1e3 * spent.total / spent.num_updates)


def test_what_happens_in_other_processes_cannot_be_timed():
    algo = SimpleNamespace(env_runner=object(), config=small(runners=1))
    with pytest.raises(ValueError, match="num_env_runners=0"):
        profiling.where_time_goes(algo, num_steps=10)
