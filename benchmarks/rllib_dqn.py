"""The DQN of notebook 03, as the course, RLlib and stable-baselines3 build it, and a clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from course_lib import quiet
from course_lib.torch_threads import torch_threads

ENV = "CartPole-v1"
NETWORK = {"fcnet_hiddens": [256, 256], "fcnet_activation": "relu", "head_fcnet_hiddens": []}
SHARED: dict[str, Any] = {
    "lr": 2.3e-3,
    "train_batch_size": 64,
    "training_intensity": 32,
    "gamma": 0.99,
    "n_step": 3,
    "double_q": True,
    "dueling": False,
    "target_network_update_freq": 256,
    "num_steps_sampled_before_learning_starts": 1_000,
    "epsilon": [(0, 1.0), (8_000, 0.04)],
    "grad_clip": 10.0,
}
COLUMNS = {"type": "ColumnarReplay", "capacity": 100_000}
EPISODES = {"type": "EpisodeReplayBuffer", "capacity": 100_000}


def configure(config: Any, buffer: dict[str, Any], seed: int, **training: Any) -> Any:
    """Apply notebook 03's settings to an RLlib config, one row of figures per 256 steps."""
    return (
        config.environment(ENV)
        .env_runners(num_env_runners=0, num_envs_per_env_runner=8, rollout_fragment_length=32)
        .training(**{**SHARED, **training}, replay_buffer_config=dict(buffer))
        .rl_module(model_config=dict(NETWORK))
        .reporting(min_sample_timesteps_per_iteration=256, min_time_s_per_iteration=0)
        .debugging(seed=seed)
    )


def columnar_config(seed: int, **training: Any) -> Any:
    """ColumnarDQN as notebook 03 configures it; a test compares the two."""
    from course_lib.columnar_dqn.algorithm import ColumnarDQNConfig

    return configure(ColumnarDQNConfig(), COLUMNS, seed, **training)


def stock_config(seed: int) -> Any:
    """RLlib's own DQN with the same settings, and its uniform replay buffer."""
    from ray.rllib.algorithms.dqn.dqn import DQNConfig

    return configure(DQNConfig(), EPISODES, seed)


def stock_config_as_it_comes(seed: int) -> Any:
    """The same, with the replay buffer and the one environment that RLlib's DQN has by default.

    It samples 4 steps at a time where the default is 3 (``n_step``): RLlib rounds the gradient
    steps per sample to a whole number, and for 3 steps it would take 2 where 1.5 are asked for.
    """
    from ray.rllib.algorithms.dqn.dqn import DQNConfig

    default = DQNConfig()
    config = configure(DQNConfig(), default.replay_buffer_config, seed)
    return config.env_runners(
        num_envs_per_env_runner=default.num_envs_per_env_runner, rollout_fragment_length=4
    )


@contextmanager
def built(config: Any) -> Iterator[Any]:
    """An algorithm, stopped at the end."""
    from course_lib.rllib import runs

    algo = runs.build(config)
    try:
        yield algo
    finally:
        runs.stop(algo)


def iterations(algo: Any, num_threads: int | None = 1) -> Iterator[dict[str, float]]:
    """Train for ever; after each iteration yield what was done so far.

    Yields:
        ``env_steps``, ``seconds`` (in ``algo.train()``) and ``trained`` (transitions replayed).
    """
    from course_lib.rllib import runs

    seconds = 0.0
    while True:
        started = perf_counter()
        with torch_threads(num_threads):
            result = algo.train()
        seconds += perf_counter() - started
        env_steps, trained = runs.counts(result)
        yield {"env_steps": env_steps, "seconds": seconds, "trained": trained}


def window(
    algo: Any,
    warm_up: int,
    *,
    num_steps: float = 0,
    seconds: float = 0,
    num_threads: int | None = 1,
) -> dict[str, float]:
    """Measure for so many steps and seconds at least, after a warm-up of so many steps.

    Returns:
        ``steps_per_s``, and ``updates_per_step``: gradient steps of batch 64 per environment step.
    """
    rows = iterations(algo, num_threads)
    first = next(row for row in rows if row["env_steps"] >= warm_up)
    last = next(
        row
        for row in rows
        if row["env_steps"] >= first["env_steps"] + num_steps
        and row["seconds"] >= first["seconds"] + seconds
    )
    done = {name: last[name] - first[name] for name in first}
    return {
        "steps_per_s": done["env_steps"] / done["seconds"],
        "updates_per_step": done["trained"] / SHARED["train_batch_size"] / done["env_steps"],
    }


def sb3(seed: int) -> Any:
    """stable-baselines3's DQN with the settings that RL Zoo publishes for CartPole."""
    from stable_baselines3 import DQN

    return DQN(
        "MlpPolicy",
        ENV,
        learning_rate=2.3e-3,
        batch_size=64,
        buffer_size=100_000,
        learning_starts=1_000,
        gamma=0.99,
        target_update_interval=10,
        train_freq=256,
        gradient_steps=128,
        exploration_fraction=0.16,
        exploration_final_eps=0.04,
        policy_kwargs={"net_arch": [256, 256]},
        device="cpu",
        seed=seed,
    )


def start_ray() -> None:
    """A Ray of two cores, for what needs one."""
    import ray

    if not ray.is_initialized():
        ray.init(num_cpus=2, **quiet.RAY)


def stop_ray() -> None:
    """Stop the Ray that :func:`start_ray` started."""
    import ray

    ray.shutdown()
