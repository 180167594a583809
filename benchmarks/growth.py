"""One env runner against two where the environment is slow."""

import time
from collections.abc import Callable

import gymnasium as gym

from benchmarks import rllib_dqn
from benchmarks.core import Bar, Benchmark, Contender, Figures, ratio
from course_lib.rllib import runs

SLEEP_S = 0.002


class Slow(gym.Wrapper):
    """CartPole of which each step takes 2 ms more, as a simulator or a robot would."""

    def step(self, action):
        """Wait, then step."""
        time.sleep(SLEEP_S)
        return self.env.step(action)


def clocked(num_env_runners: int, seconds: float) -> Callable[[int], Figures]:
    """Steps per second, one gradient step of batch 64 per four environment steps."""

    def run(seed: int) -> Figures:
        from ray.tune import register_env

        from course_lib.rllib.columnar_dqn import ColumnarDQNConfig

        register_env("slow", lambda _: Slow(gym.make(rllib_dqn.ENV)))
        config = rllib_dqn.configure(
            ColumnarDQNConfig(), "ColumnarReplay", seed, training_intensity=16
        )
        config.environment("slow").env_runners(
            num_env_runners=num_env_runners, num_envs_per_env_runner=1, rollout_fragment_length=64
        )
        algo = runs.build(config)
        rows = runs.iterate(algo, num_steps=10**9)
        first = next(row for row in rows if row["env_steps"] > 1_100)  # learning has begun
        last = next(row for row in rows if row["seconds"] > first["seconds"] + seconds)
        runs.stop(algo)
        steps = last["env_steps"] - first["env_steps"]
        return {"steps_per_s": steps / (last["seconds"] - first["seconds"])}

    return run


def benchmark(quick: bool) -> Benchmark:
    """Steps per second with one and with two env runners."""
    rllib_dqn.start_ray()
    seconds = 1.0 if quick else 6.0
    one, two = "1 env runner", "2 env runners"
    return Benchmark(
        name="growth",
        question="Environment steps per second where each step of the environment takes 2 ms more, "
        "with one gradient step per four environment steps (256-256, batch 64).",
        contenders=[Contender(one, clocked(1, seconds)), Contender(two, clocked(2, seconds))],
        units={"steps_per_s": "1/s"},
        bars=[Bar("2 env runners over 1", ratio(two, one, "steps_per_s"), 1.7)],
        close=rllib_dqn.stop_ray,
    )
