"""CartPole until it plays well: the course, stable-baselines3 and stock RLlib."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import rllib_dqn
from benchmarks.core import (
    Bar,
    Benchmark,
    Contender,
    Figures,
    NotMeasured,
    Options,
    Results,
    median,
)
from benchmarks.judge import EPISODES, EVERY, Judge, share, until
from course_lib.rllib import runs

GOAL = 475.0


def rllib(config: Callable[[int], Any], max_steps: int, max_s: float) -> Callable[[int], Figures]:
    """Train an RLlib algorithm until the goal, the step limit or the time limit."""

    def run(seed: int) -> Figures:
        with rllib_dqn.built(config(seed)) as algo:
            referee = judge(runs.policy_of(algo), seed)
            row: Figures = {}
            for row in runs.iterate(algo, num_steps=max_steps):
                if referee.look(row["env_steps"]) or row["seconds"] > max_s:
                    break
            return referee.figures(row["seconds"], row["env_steps"])

    return run


def judge(act: Callable[[np.ndarray], np.ndarray], seed: int) -> Judge:
    """One who stops at :data:`GOAL`."""
    return Judge(act, rllib_dqn.ENV, seed=seed, stop=GOAL)


def sb3(num_threads: int, max_steps: int) -> Callable[[int], Figures]:
    """Train stable-baselines3's DQN until the goal or the step limit."""

    def run(seed: int) -> Figures:
        return until(
            rllib_dqn.sb3(seed), judge, seed, schedule=50_000, max_steps=max_steps,
            num_threads=num_threads,
        )  # fmt: skip

    return run


OURS, PEER = "ColumnarDQN (RLlib)", "stable-baselines3"


def _contenders(max_steps: int, limit_s: float, stock_seeds: int) -> list[Contender]:
    columnar = rllib(rllib_dqn.columnar_config, max_steps, 1e9)
    stock = rllib(rllib_dqn.stock_config, max_steps, limit_s)
    zoo = "settings of RL Zoo"
    return [
        Contender(OURS, columnar, note="settings of notebook 03, 1 PyTorch thread"),
        Contender(f"{PEER}, 1 thread", sb3(1, max_steps), "stable_baselines3", note=zoo),
        Contender(f"{PEER}, 2 threads", sb3(2, max_steps), "stable_baselines3", max_seeds=2,
                  note=f"{zoo}; two seeds, for `loop` compares the threads"),
        Contender("stock DQN (RLlib)", stock, max_seeds=stock_seeds,
                  note="settings of notebook 03, uniform EpisodeReplayBuffer, 1 PyTorch thread; "
                  f"stopped after {limit_s:.0f} s of training, at most {stock_seeds} seeds"),
    ]  # fmt: skip


def benchmark(options: Options) -> Benchmark:
    """Training time until 20 greedy episodes average 475."""
    most, limit_s = (3_000, 30.0) if options.quick else (50_000, 300.0)
    return Benchmark(
        name="cartpole",
        question=f"Seconds of training until {EPISODES} greedy episodes of CartPole average "
        f"{GOAL:.0f}, looked at every {EVERY:,} steps, off the clock; at most {most:,} steps. A "
        f"run that does not reach it counts with its time until it was stopped. `fresh_return`: "
        f"{EPISODES} more greedy episodes, which decided nothing.",
        contenders=_contenders(most, limit_s, options.stock_seeds),
        units={"seconds": "s", "env_steps": "", "steps_per_s": "1/s", "reached": "runs",
               "fresh_return": ""},
        bars=[
            Bar(f"share of ColumnarDQN's seeds that reach {GOAL:.0f}", share(OURS), 1.0),
            Bar(f"seconds, ColumnarDQN over {PEER} (its faster number of threads)",
                lambda results: median(results, OURS, "seconds") / _fastest(results, PEER), 1.0,
                at_most=True),
        ],
        open=rllib_dqn.start_ray,
        close=rllib_dqn.stop_ray,
    )  # fmt: skip


def _fastest(results: Results, prefix: str) -> float:
    names = [name for name in results if name.startswith(prefix) and results[name]]
    if not names:
        raise NotMeasured(prefix)
    return min(median(results, name, "seconds") for name in names)
