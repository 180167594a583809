"""Building, training, evaluating, saving and watching an RLlib run."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ray.rllib.algorithms.dqn.dqn import DQNConfig
from ray.rllib.algorithms.ppo import PPOConfig
from rllib_kit import ENV, small

from course_lib import training
from course_lib.columnar_dqn.algorithm import ColumnarDQNConfig
from course_lib.rllib import runs

pytestmark = pytest.mark.usefixtures("local_ray")


def test_loading_from_an_empty_folder_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="save"):
        runs.load(tmp_path)


RUNNERS = pytest.mark.parametrize("runners", [0, pytest.param(1, marks=pytest.mark.slow)])


@RUNNERS
def test_training_ends_with_the_weights_of_the_best_evaluation(built, monkeypatch, runners):
    algo = built(small(runners=runners))
    figures, seen, obs = iter([5.0, 50.0, 20.0]), [], np.ones((1, 4))

    def fake_play(policy, env, **_):
        seen.append(runs.q_values(algo, obs))
        return np.array([next(figures)])

    monkeypatch.setattr(training, "play", fake_play)
    rows = runs.train(algo, num_steps=384, evaluate_on=ENV, evaluate_every=128)
    assert [row["greedy_return"] for row in rows] == [5, 50, 20]
    np.testing.assert_allclose(runs.q_values(algo, obs), seen[1], rtol=1e-6)
    assert not np.allclose(seen[1], seen[2])
    weights = algo.learner_group.get_weights()["default_policy"]
    own = algo.get_module().state_dict()
    for name, weight in own.items():
        np.testing.assert_array_equal(weight.numpy(), weights[name])


@RUNNERS
def test_the_mean_return_counts_whole_episodes(built, runners):
    """On CartPole a return is a number of steps, so all returns add up to the steps taken."""
    algo = built(small(runners=runners))
    *_, last = runs.iterate(algo, num_steps=1_000, window=100_000)
    recent = last["mean_return"]
    assert 8 <= recent <= last["max_return"]
    count = algo.metrics.peek(("env_runners", "num_episodes_lifetime"))
    assert last["env_steps"] - 200 <= recent * count <= last["env_steps"]


def test_iterations_in_which_no_episode_ends_keep_the_last_figures(built):
    """One step of 32 poles per iteration: at first no pole falls."""
    config = small(envs=32).env_runners(rollout_fragment_length=1)
    config.reporting(min_sample_timesteps_per_iteration=32)
    rows = list(runs.iterate(built(config), num_steps=900))
    known = np.isfinite([row["mean_return"] for row in rows])
    assert not known[0] and known[-1]
    assert (np.diff(known.astype(int)) >= 0).all()  # once known, it stays known


def test_other_algorithms_act_and_are_evaluated(built):
    config = (
        PPOConfig()
        .environment(ENV)
        .env_runners(num_env_runners=0)
        .training(train_batch_size_per_learner=128, minibatch_size=64, num_epochs=1)
    )
    algo = built(config)
    (row,) = runs.iterate(algo, num_steps=100)
    assert np.isnan(row["epsilon"]) and np.isfinite(row["loss"])
    assert runs.act(algo, np.zeros(4)) in (0, 1)
    one = runs.evaluate(algo, ENV, num_episodes=3, seed=1)
    assert one.shape == (3,)
    assert one.tolist() == runs.evaluate(algo, ENV, num_episodes=3, seed=1).tolist()
    with pytest.raises(ValueError, match="q-values"):
        runs.q_values(algo, np.zeros((1, 4)))


def test_training_gives_pytorchs_threads_back(built):
    before = torch.get_num_threads()
    next(runs.iterate(built(small()), num_steps=100))
    assert torch.get_num_threads() == before


def test_epsilon_follows_the_schedule():
    config = DQNConfig().training(epsilon=[(0, 1.0), (100, 0.5), (200, 0.1)])
    found = [runs.epsilon_at(config, steps) for steps in (0, 50, 150, 900)]
    assert found == pytest.approx([1.0, 0.75, 0.3, 0.1])
    assert runs.epsilon_at(DQNConfig().training(epsilon=0.3), 5) == 0.3


def test_stopping_leaves_no_empty_folder_behind():
    algo = runs.build(small())
    folder = Path(algo.logdir)
    assert folder.is_dir()
    runs.stop(algo)
    assert not folder.exists()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_three_rewards_in_the_target_let_news_travel_farther(seed):
    def mean_q(n_step):
        config = (
            ColumnarDQNConfig().environment("CartPole-v1")
            .env_runners(num_envs_per_env_runner=8, rollout_fragment_length=32)
            .training(
                lr=2.3e-3, train_batch_size=64, training_intensity=32, dueling=False,
                double_q=False, n_step=n_step, target_network_update_freq=256,
                num_steps_sampled_before_learning_starts=1_000, epsilon=[(0, 1.0), (8_000, 0.04)],
                replay_buffer_config={"type": "ColumnarReplay", "capacity": 100_000},
            )
            .debugging(seed=seed).reporting(min_sample_timesteps_per_iteration=512)
        )  # fmt: skip
        algo = runs.build(config)
        rows = list(runs.iterate(algo, num_steps=2_560))
        runs.stop(algo)
        return rows[-1]["mean_q"]

    assert mean_q(3) > 1.3 * mean_q(1)
