"""CartPole until it plays well: the course, stable-baselines3 and stock RLlib."""

import time
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
from course_lib.envs.rollouts import play
from course_lib.rllib import runs
from course_lib.torch_threads import torch_threads

GOAL, EVERY, EPISODES = 475.0, 1_000, 20


class Judge:
    """Plays 20 greedy episodes every 1,000 steps, on fresh start states, off the clock."""

    def __init__(self, act: Callable[[np.ndarray], np.ndarray], seed: int) -> None:
        self._act, self._seed = act, 1_000 * (seed + 1)
        self._due = float(EVERY)
        self.seconds, self.reached = 0.0, False

    def look(self, env_steps: float) -> bool:
        """Return whether the goal is reached; evaluates only when it is time to."""
        if env_steps >= self._due:
            self._due = (env_steps // EVERY + 1) * EVERY
            self._seed += 1
            started = time.perf_counter()
            with torch_threads(1):
                returns = play(self._act, rllib_dqn.ENV, num_episodes=EPISODES, seed=self._seed)
            self.reached = bool(returns.mean() >= GOAL)
            self.seconds += time.perf_counter() - started
        return self.reached

    def figures(self, seconds: float, env_steps: float) -> Figures:
        """What is reported; 'fresh' plays 20 episodes more, which decided nothing."""
        fresh = play(self._act, rllib_dqn.ENV, num_episodes=EPISODES, seed=99_000 + self._seed)
        return {
            "seconds": seconds,
            "env_steps": env_steps,
            "steps_per_s": env_steps / seconds,
            "reached": float(self.reached),
            "fresh_return": float(fresh.mean()),
        }


def rllib(config: Callable[[int], Any], max_steps: int, max_s: float) -> Callable[[int], Figures]:
    """Train an RLlib algorithm until the goal, the step limit or the time limit."""

    def run(seed: int) -> Figures:
        with rllib_dqn.built(config(seed)) as algo:
            judge = Judge(runs.policy_of(algo), seed)
            row: Figures = {}
            for row in runs.iterate(algo, num_steps=max_steps):
                if judge.look(row["env_steps"]) or row["seconds"] > max_s:
                    break
            return judge.figures(row["seconds"], row["env_steps"])

    return run


def sb3(num_threads: int, max_steps: int) -> Callable[[int], Figures]:
    """Train stable-baselines3's DQN until the goal or the step limit."""

    def run(seed: int) -> Figures:
        from stable_baselines3.common.callbacks import BaseCallback

        model = rllib_dqn.sb3(seed)
        judge = Judge(lambda obs: model.predict(obs, deterministic=True)[0], seed)

        class Look(BaseCallback):
            over = False

            def _on_rollout_start(self) -> None:
                self.over = judge.look(self.num_timesteps) or self.num_timesteps >= max_steps

            def _on_step(self) -> bool:
                return not self.over

        with torch_threads(num_threads):
            started = time.perf_counter()
            model.learn(50_000, callback=Look())
            seconds = time.perf_counter() - started - judge.seconds
        return judge.figures(seconds, model.num_timesteps)

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
            Bar(f"share of ColumnarDQN's seeds that reach {GOAL:.0f}", _share(OURS), 1.0),
            Bar(f"seconds, ColumnarDQN over {PEER} (its faster number of threads)",
                lambda results: median(results, OURS, "seconds") / _fastest(results, PEER), 1.0,
                at_most=True),
        ],
        open=rllib_dqn.start_ray,
        close=rllib_dqn.stop_ray,
    )  # fmt: skip


def _share(name: str) -> Callable[[Results], float]:
    def share(results: Results) -> float:
        if not results.get(name):
            raise NotMeasured(name)
        return float(np.mean([row["reached"] for row in results[name]]))

    return share


def _fastest(results: Results, prefix: str) -> float:
    names = [name for name in results if name.startswith(prefix) and results[name]]
    if not names:
        raise NotMeasured(prefix)
    return min(median(results, name, "seconds") for name in names)
