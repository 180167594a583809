"""Answer to exercise 4.4; `make build` writes it from the lesson."""

from ray.tune import register_env

from course_lib.columnar_dqn.algorithm import ColumnarDQNConfig


# EXERCISE 4.4
def trading_dqn(make, settings, seed):
    """Return the configuration of a DQN for the environment that make() makes."""
    register_env(f"trading-{seed}", lambda _: make())
    config = ColumnarDQNConfig().environment(f"trading-{seed}").debugging(seed=seed)
    config.env_runners(num_envs_per_env_runner=8, rollout_fragment_length=16, num_env_runners=0)
    config.reporting(min_sample_timesteps_per_iteration=512, min_time_s_per_iteration=0)
    config.rl_module(model_config={"fcnet_hiddens": [64, 64], "fcnet_activation": "relu"})
    config.training(
        lr=settings.learning_rate,
        gamma=settings.gamma,
        n_step=settings.n_step,
        training_intensity=32.0,
        target_network_update_freq=500,
        epsilon=[[0, 1.0], [settings.num_steps // 2, 0.02]],
    )
    return config.training(train_batch_size=64, grad_clip=10.0)


ANSWER = trading_dqn
