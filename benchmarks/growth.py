"""One env runner against two where the environment is slow."""

from collections.abc import Callable

import gymnasium as gym

from benchmarks import rllib_dqn
from benchmarks.core import Bar, Benchmark, Contender, Figures, Options, ratio

SLEEP_S, WARM_UP = 0.002, 512
FEW, MORE = 1 / 16, 1 / 4  # gradient steps per environment step


def clocked(
    num_env_runners: int, updates_per_step: float, seconds: float
) -> Callable[[int], Figures]:
    """Steps per second, with so many gradient steps of batch 64 per environment step."""

    def run(seed: int) -> Figures:
        from ray.tune import register_env

        from course_lib.rllib.scaling import Waiting

        register_env("slow", lambda _: Waiting(gym.make(rllib_dqn.ENV), SLEEP_S))
        intensity = updates_per_step * rllib_dqn.SHARED["train_batch_size"]
        config = rllib_dqn.columnar_config(
            seed,
            training_intensity=intensity,
            num_steps_sampled_before_learning_starts=WARM_UP // 2,
        )
        config.environment("slow").env_runners(
            num_env_runners=num_env_runners, num_envs_per_env_runner=1, rollout_fragment_length=64
        )
        with rllib_dqn.built(config) as algo:
            return rllib_dqn.window(algo, WARM_UP, seconds=seconds)

    return run


def benchmark(options: Options) -> Benchmark:
    """Steps per second with one and with two env runners."""
    seconds = 1.0 if options.quick else 5.0
    names = {
        (runners, updates): f"{runners} env runner{'s' * (runners > 1)}, {said}"
        for updates, said in ((FEW, "few updates"), (MORE, "more updates"))
        for runners in (1, 2)
    }
    return Benchmark(
        name="growth",
        question="Environment steps per second where each step of the environment takes 2 ms more. "
        f"ColumnarDQN, 256-256, batch 64; few updates: {FEW:g} gradient steps per environment "
        f"step, more: {MORE:g}. Sampling and learning take turns, so only sampling gets faster.",
        contenders=[Contender(name, clocked(*of, seconds)) for of, name in names.items()],
        units={"steps_per_s": "1/s", "updates_per_step": ""},
        bars=[
            Bar(f"2 env runners over 1, {updates:g} gradient steps per environment step",
                ratio(names[2, updates], names[1, updates], "steps_per_s"), 1.7)
            for updates in (FEW, MORE)
        ],
        open=rllib_dqn.start_ray,
        close=rllib_dqn.stop_ray,
    )  # fmt: skip
