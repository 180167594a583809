"""The whole loop at the same number of gradient steps per environment step."""

import time
from collections.abc import Callable
from typing import Any

from benchmarks import rllib_dqn
from benchmarks.core import Bar, Benchmark, Contender, Figures, ratio
from course_lib.rllib import runs


def rllib(build: Callable[[int], Any], warm_up: int, num_steps: int) -> Callable[[int], Figures]:
    """Steps per second of an RLlib algorithm after a warm-up."""

    def run(seed: int) -> Figures:
        algo = build(seed)
        rows = list(runs.iterate(algo, num_steps=warm_up + num_steps))
        runs.stop(algo)
        first = next(row for row in rows if row["env_steps"] >= warm_up)
        steps = rows[-1]["env_steps"] - first["env_steps"]
        return {"steps_per_s": steps / (rows[-1]["seconds"] - first["seconds"])}

    return run


def sb3(threads: int, warm_up: int, num_steps: int) -> Callable[[int], Figures]:
    """Steps per second of stable-baselines3 after a warm-up."""

    def run(seed: int) -> Figures:
        from stable_baselines3.common.callbacks import BaseCallback

        marks: list[tuple[int, float]] = []

        class Mark(BaseCallback):
            def _on_rollout_start(self) -> None:
                marks.append((self.num_timesteps, time.perf_counter()))

            def _on_step(self) -> bool:
                return True

        with runs.torch_threads(threads):
            rllib_dqn.sb3(seed).learn(warm_up + num_steps + 256, callback=Mark())
        first = next(mark for mark in marks if mark[0] >= warm_up)
        return {"steps_per_s": (marks[-1][0] - first[0]) / (marks[-1][1] - first[1])}

    return run


def benchmark(quick: bool) -> Benchmark:
    """Environment steps per second, half a gradient step each."""
    rllib_dqn.start_ray()
    scale = 4 if quick else 1
    long, short = 4_096 // scale, 1_024 // scale
    ours, stock = "ColumnarDQN (RLlib)", "stock DQN (RLlib)"
    return Benchmark(
        name="loop",
        question="Environment steps per second of the whole loop on CartPole, with half a gradient "
        "step (batch 64, network 4-256-256-2) per environment step.",
        contenders=[
            Contender(ours, rllib(rllib_dqn.columnar, 1_280, long)),
            Contender(stock, rllib(rllib_dqn.stock, 1_280, short)),
            Contender("stable-baselines3, 1 thread", sb3(1, 1_280, long), "stable_baselines3"),
            Contender("stable-baselines3, 2 threads", sb3(2, 1_280, long), "stable_baselines3"),
        ],
        units={"steps_per_s": "1/s"},
        bars=[Bar("ColumnarDQN over stock DQN", ratio(ours, stock, "steps_per_s"), 10.0)],
        close=rllib_dqn.stop_ray,
    )
