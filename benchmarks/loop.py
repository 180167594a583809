"""The whole loop at the same number of gradient steps per environment step."""

import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym

from benchmarks import rllib_dqn
from benchmarks.core import Bar, Benchmark, Contender, Figures, Options, ratio
from course_lib.agents.dqn import DQNAgent
from course_lib.torch_threads import torch_threads

WARM_UP = 1_280


def rllib(
    config: Callable[[int], Any], num_steps: int, num_threads: int | None = 1
) -> Callable[[int], Figures]:
    """Steps per second of an RLlib algorithm after a warm-up."""

    def run(seed: int) -> Figures:
        with rllib_dqn.built(config(seed)) as algo:
            return rllib_dqn.window(algo, WARM_UP, num_steps=num_steps, num_threads=num_threads)

    return run


def sb3(num_threads: int, num_steps: int) -> Callable[[int], Figures]:
    """Steps per second of stable-baselines3 after a warm-up."""

    def run(seed: int) -> Figures:
        from stable_baselines3.common.callbacks import BaseCallback

        marks: list[tuple[int, float, int]] = []

        class Mark(BaseCallback):
            def _on_rollout_start(self) -> None:
                updates = self.model._n_updates  # type: ignore[attr-defined]
                marks.append((self.num_timesteps, time.perf_counter(), updates))

            def _on_step(self) -> bool:
                return True

        with torch_threads(num_threads):
            rllib_dqn.sb3(seed).learn(WARM_UP + num_steps + 256, callback=Mark())
        first, last = next(mark for mark in marks if mark[0] >= WARM_UP), marks[-1]
        steps, seconds, updates = (b - a for a, b in zip(first, last, strict=True))
        return {"steps_per_s": steps / seconds, "updates_per_step": updates / steps}

    return run


def plain(num_steps: int) -> Callable[[int], Figures]:
    """Steps per second of the course's plain DQN, on one thread, after a warm-up."""

    def run(seed: int) -> Figures:
        agent = DQNAgent(gym.make(rllib_dqn.ENV), seed=seed)
        marks = []
        with torch_threads(1):
            for progress in agent.train(WARM_UP + num_steps):
                marks.append((progress.step, time.perf_counter()))
        first, last = next(mark for mark in marks if mark[0] >= WARM_UP), marks[-1]
        steps, rounds = last[0] - first[0], marks.index(last) - marks.index(first)
        return {
            "steps_per_s": steps / (last[1] - first[1]),
            "updates_per_step": rounds * agent.settings.num_updates / steps,
        }

    return run


OURS, PEER = "ColumnarDQN (RLlib)", "stable-baselines3"
STOCK, DEFAULT = "stock DQN (RLlib), same settings", "stock DQN (RLlib), sampling by default"


def _contenders(long: int, short: int) -> list[Contender]:
    """Who is compared, over so many steps; stock RLlib over fewer."""
    return [
        Contender(OURS, rllib(rllib_dqn.columnar_config, long),
                  note="settings of notebook 03, 1 PyTorch thread"),
        Contender(STOCK, rllib(rllib_dqn.stock_config, short),
                  note="uniform EpisodeReplayBuffer, 8 environments, 1 PyTorch thread"),
        Contender(DEFAULT, rllib(rllib_dqn.stock_config_as_it_comes, short, None),
                  note="its default buffer, which is prioritised and does more work; 1 "
                  "environment, 4 steps per sample, threads as PyTorch sets them"),
        Contender("plain DQN of notebook 03 (no RLlib)", plain(long),
                  note="not double: one forward pass less; 1 environment"),
        Contender(f"{PEER}, 1 thread", sb3(1, long), "stable_baselines3"),
        Contender(f"{PEER}, 2 threads", sb3(2, long), "stable_baselines3"),
    ]  # fmt: skip


def benchmark(options: Options) -> Benchmark:
    """Environment steps per second, half a gradient step each."""
    return Benchmark(
        name="loop",
        question="Environment steps per second of the whole loop on CartPole, with half a gradient "
        "step (batch 64, network 4-256-256-2) per environment step. `updates_per_step` is what was "
        "counted.",
        contenders=_contenders(512, 256) if options.quick else _contenders(4_096, 1_024),
        units={"steps_per_s": "1/s", "updates_per_step": ""},
        bars=[
            Bar("steps per second, ColumnarDQN over stock DQN with the same settings",
                ratio(OURS, STOCK, "steps_per_s"), 10.0),
            Bar("for comparison: ColumnarDQN over stock DQN with its default sampling",
                ratio(OURS, DEFAULT, "steps_per_s")),
            Bar("for comparison: ColumnarDQN over stable-baselines3 with 1 thread",
                ratio(OURS, f"{PEER}, 1 thread", "steps_per_s")),
        ],
        open=rllib_dqn.start_ray,
        close=rllib_dqn.stop_ray,
    )  # fmt: skip
