"""Small settings, batches and learners that the tests of course_lib.rllib share."""

import gymnasium as gym
import numpy as np
from ray.rllib.env.single_agent_episode import SingleAgentEpisode

from course_lib.columnar_dqn.algorithm import ColumnarDQNConfig

ENV = "CartPole-v1"
SPACES = (gym.spaces.Box(-np.inf, np.inf, (4,), np.float32), gym.spaces.Discrete(2))


def memory(capacity=2_000, **more):
    return {"type": "ColumnarReplay", "capacity": capacity, **more}


def small(config=None, *, runners=0, envs=1, seed=0, env=ENV, **training):
    """A configuration that trains a tiny network for a few hundred steps."""
    given = {
        "train_batch_size": 16,
        "training_intensity": 4,
        "num_steps_sampled_before_learning_starts": 64,
        "replay_buffer_config": memory(),
        **training,
    }
    return (
        (config or ColumnarDQNConfig())
        .environment(env)
        .env_runners(
            num_env_runners=runners, num_envs_per_env_runner=envs, rollout_fragment_length=32
        )
        .training(**given)
        .rl_module(model_config={"fcnet_hiddens": [16], "head_fcnet_hiddens": [16]})
        .reporting(min_sample_timesteps_per_iteration=128)
        .debugging(seed=seed)
    )


def columns(num_rows, seed=0):
    """Random transitions with random windows and importance weights."""
    rng = np.random.default_rng(seed)
    return {
        "obs": rng.normal(size=(num_rows, 4)).astype(np.float32),
        "new_obs": rng.normal(size=(num_rows, 4)).astype(np.float32),
        "actions": rng.integers(2, size=num_rows),
        "rewards": rng.normal(size=num_rows).astype(np.float32),
        "terminateds": rng.random(num_rows) < 0.3,
        "n_step": rng.integers(1, 4, size=num_rows).astype(np.float32),
        "weights": rng.uniform(0.2, 1.0, size=num_rows).astype(np.float32),
    }


def learner_of(cls, config, **training):
    """A learner without an algorithm around it."""
    config = config.copy(copy_frozen=False).training(**training)
    spaces = {"__env__": SPACES, "default_policy": SPACES}
    made = cls(config=config, module_spec=config.get_multi_rl_module_spec(spaces=spaces))
    made.build()
    return made


def stretches(num_rounds, *, seed=0, length=32):
    """Rounds of one stretch each from a random walk on CartPole, as an env runner returns them."""
    rng, env = np.random.default_rng(seed), gym.make(ENV)
    episode, rounds = None, []
    for _ in range(num_rounds):
        done, taken = [], 0
        while taken < length:
            if episode is None:
                episode = SingleAgentEpisode(len_lookback_buffer=0)
                episode.add_env_reset(env.reset(seed=int(rng.integers(2**31)))[0])
            action = int(rng.integers(2))
            obs, reward, terminated, truncated, _ = env.step(action)
            episode.add_env_step(obs, action, reward, terminated=terminated, truncated=truncated)
            taken += 1
            if episode.is_done:
                done.append(episode.to_numpy())
                episode = None
        if episode is not None and len(episode):
            going_on = episode.cut(len_lookback_buffer=1)
            done.append(episode.to_numpy())
            episode = going_on
        rounds.append(done)
    return rounds


def feed(monkeypatch, algo, rounds):
    """Let ``algo`` learn from these rounds, in place of what it would sample itself."""
    for number, episodes in enumerate(rounds):
        before = getattr(algo, "fed", 0)
        algo.fed = before
        monkeypatch.setattr(algo, "_collect", lambda episodes=episodes: _count(algo, episodes))
        monkeypatch.setattr(algo, "_num_steps", lambda: algo.fed)
        algo.training_step()
        assert algo.fed > before, f"round {number} was empty"


def _count(algo, episodes):
    algo.fed += sum(len(episode) for episode in episodes)
    return episodes


def weights_of(algo):
    return algo.learner_group.get_weights()["default_policy"]
