"""The DQN of notebook 03, as the course, RLlib and stable-baselines3 build it."""

from typing import Any

ENV = "CartPole-v1"
NETWORK = {"fcnet_hiddens": [256, 256], "fcnet_activation": "relu", "head_fcnet_hiddens": []}
SHARED = {
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


def configure(config: Any, buffer: str, seed: int, **training: Any) -> Any:
    """Apply notebook 03's settings to an RLlib config."""
    return (
        config.environment(ENV)
        .env_runners(num_env_runners=0, num_envs_per_env_runner=8, rollout_fragment_length=32)
        .training(
            **{**SHARED, **training}, replay_buffer_config={"type": buffer, "capacity": 100_000}
        )
        .rl_module(model_config=NETWORK)
        .reporting(min_sample_timesteps_per_iteration=256, min_time_s_per_iteration=0)
        .debugging(seed=seed)
    )


def columnar(seed: int, **training: Any) -> Any:
    """Build ColumnarDQN as notebook 03 does."""
    from course_lib.rllib import runs
    from course_lib.rllib.columnar_dqn import ColumnarDQNConfig

    return runs.build(configure(ColumnarDQNConfig(), "ColumnarReplay", seed, **training))


def stock(seed: int) -> Any:
    """Build RLlib's own DQN with the same settings and a uniform buffer."""
    from ray.rllib.algorithms.dqn.dqn import DQNConfig

    from course_lib.rllib import runs

    return runs.build(configure(DQNConfig(), "EpisodeReplayBuffer", seed))


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
    """A Ray of this machine's size, for what needs one."""
    import ray

    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")


def stop_ray() -> None:
    """Stop the Ray that :func:`start_ray` started."""
    import ray

    ray.shutdown()
