"""Q-learning with a table: one mouse after the other, and many side by side."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.core import Bar, Benchmark, Contender, Figures, Options, median
from course_lib import profiles
from course_lib.agents import tabular
from course_lib.envs.maze import MazeEnv
from course_lib.envs.maze_map import TRAP
from course_lib.envs.tables import SideBySide

USUAL: dict[str, Any] = {"learning_rate": 0.5, "gamma": 0.95, "epsilon": 0.1}


class Counting(MazeEnv):
    """Counts its steps: each is one update."""

    num_steps = 0

    def step(self, action: int) -> Any:
        """Take a step, and count it."""
        self.num_steps += 1
        return super().step(action)


def one_mouse(num_episodes: int) -> Callable[[int], Figures]:
    """The loop of notebook 01."""

    def run(seed: int) -> Figures:
        env, rng = Counting(), np.random.default_rng(seed)
        started = time.perf_counter()
        tabular.q_learning(env, num_episodes=num_episodes, rng=rng, **USUAL)
        seconds = time.perf_counter() - started
        return {"updates_per_s": env.num_steps / seconds, "seconds": seconds}

    return run


def side_by_side(num_seeds: int, num_episodes: int) -> Callable[[int], Figures]:
    """Many mice in one numpy step each; updates counted from the returns."""

    def run(seed: int) -> Figures:
        env, rng = MazeEnv(), np.random.default_rng(seed)
        started = time.perf_counter()
        world = SideBySide(
            env.model(), env.maze.state(env.maze.start), num_seeds=num_seeds,
            num_episodes=num_episodes, max_steps=env.max_steps, rng=rng,
        )  # fmt: skip
        _, returns = tabular.q_learning_many(world, **USUAL)
        seconds = time.perf_counter() - started
        return {"updates_per_s": count_steps(env, returns) / seconds, "seconds": seconds}

    return run


def count_steps(env: MazeEnv, returns: np.ndarray) -> int:
    """Steps behind these returns: -1 for each, but for the last one of an episode with cheese.

    Raises:
        ValueError: if the maze has traps, where a return does not tell the number of steps.
    """
    if env.STEP_REWARD != -1 or env.maze.find(TRAP):
        raise ValueError("steps can be counted only in a maze without traps")
    found = returns + env.max_steps > 0.5  # without cheese the return is -max_steps
    return int(np.where(found, env.CHEESE_REWARD + 1 - returns, env.max_steps).sum())


def benchmark(options: Options) -> Benchmark:
    """Updates per second, and the curve of notebook 01."""
    sizes = profiles.get("laptop").maze
    curve = f"{sizes.num_seeds} mice, {sizes.num_episodes} episodes (the curve of notebook 01)"
    many = "1,000 mice side by side"
    return Benchmark(
        name="tabular",
        question="Q-learning in the maze of notebook 01: updates per second, and seconds in all.",
        contenders=[
            Contender("one mouse, plain loop", one_mouse(20 if options.quick else 300)),
            Contender(curve, side_by_side(sizes.num_seeds, sizes.num_episodes)),
            Contender(many, side_by_side(1_000, 5 if options.quick else 100)),
        ],
        units={"updates_per_s": "1/s", "seconds": "s"},
        bars=[
            Bar("updates per second, 1,000 mice",
                lambda results: median(results, many, "updates_per_s"), 500_000),
            Bar(f"seconds of the {sizes.num_seeds}-seed curve",
                lambda results: median(results, curve, "seconds"), 2.0, at_most=True),
        ],
    )  # fmt: skip
