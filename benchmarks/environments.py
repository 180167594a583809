"""Steps per second of the environments alone."""

import itertools
import time
from collections.abc import Callable, Iterator

import gymnasium as gym
import numpy as np

from benchmarks.core import Benchmark, Contender, Figures, Options
from course_lib.envs.corridor import CorridorEnv
from course_lib.envs.maze import MazeEnv

Actions = Callable[[gym.Env, int], Iterator[int]]


def anything(env: gym.Env, seed: int) -> Iterator[int]:
    """Random actions, drawn beforehand."""
    draws = np.random.default_rng(seed).integers(env.action_space.n, size=4_096)  # type: ignore[attr-defined]
    return itertools.cycle(draws.tolist())


def clocked(make: Callable[[], gym.Env], num_steps: int, actions: Actions = anything) -> Callable:
    """Steps per second, resets included."""

    def run(seed: int) -> Figures:
        env = make()
        stream = actions(env, seed)
        env.reset(seed=seed)
        started = time.perf_counter()
        for action in itertools.islice(stream, num_steps):
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return {"steps_per_s": num_steps / (time.perf_counter() - started)}

    return run


def trading() -> gym.Env:
    """A week of bitcoin per episode, as in notebook 04's training."""
    from course_lib.trading import agent, prices

    return agent.training_env(prices.load_prices(), agent.Settings())


def benchmark(options: Options) -> Benchmark:
    """Environment steps per second."""
    many, few = (2_000, 300) if options.quick else (50_000, 5_000)
    hold: Actions = lambda env, seed: itertools.repeat(1)  # noqa: E731
    flip: Actions = lambda env, seed: itertools.cycle([1, 0])  # noqa: E731
    return Benchmark(
        name="environments",
        question="Steps per second of one environment in one process, resets included.",
        contenders=[
            Contender("maze", clocked(MazeEnv, many)),
            Contender("corridor", clocked(CorridorEnv, many)),
            Contender("CartPole (Gymnasium), as a yardstick",
                      clocked(lambda: gym.make("CartPole-v1"), many)),
            Contender("trading, holding", clocked(trading, few, hold)),
            Contender("trading, random actions", clocked(trading, few)),
            Contender("trading, a trade every step", clocked(trading, few, flip)),
        ],
        units={"steps_per_s": "1/s"},
    )  # fmt: skip
