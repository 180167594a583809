"""CartPole until it plays well: the course, stable-baselines3 and stock RLlib."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import rllib_dqn
from benchmarks.core import Bar, Benchmark, Contender, Figures, Results, ratio
from course_lib.envs.rollouts import play
from course_lib.rllib import runs

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
            self._due = env_steps + EVERY
            self._seed += 1
            started = time.perf_counter()
            with runs.torch_threads(1):
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


def rllib(build: Callable[[int], Any], max_steps: int, max_s: float) -> Callable[[int], Figures]:
    """Train an RLlib algorithm until the goal, the step limit or the time limit."""

    def run(seed: int) -> Figures:
        algo = build(seed)
        judge = Judge(runs.policy_of(algo), seed)
        row: Figures = {}
        for row in runs.iterate(algo, num_steps=max_steps):
            if judge.look(row["env_steps"]) or row["seconds"] > max_s:
                break
        figures = judge.figures(row["seconds"], row["env_steps"])
        runs.stop(algo)
        return figures

    return run


def sb3(threads: int, max_steps: int) -> Callable[[int], Figures]:
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

        with runs.torch_threads(threads):
            started = time.perf_counter()
            model.learn(50_000, callback=Look())
            seconds = time.perf_counter() - started - judge.seconds
        return judge.figures(seconds, model.num_timesteps)

    return run


def benchmark(quick: bool) -> Benchmark:
    """Training time until 20 greedy episodes average 475."""
    rllib_dqn.start_ray()
    most = 3_000 if quick else 50_000
    limit = 15.0 if quick else 300.0
    ours, peer = "ColumnarDQN (RLlib)", "stable-baselines3, 1 thread"
    return Benchmark(
        name="cartpole",
        question="Seconds of training until 20 greedy episodes of CartPole average 475. Evaluated "
        "every 1,000 steps, off the clock; at most 50,000 steps.",
        contenders=[
            Contender(ours, rllib(rllib_dqn.columnar, most, 1e9), note="settings of notebook 03"),
            Contender(peer, sb3(1, most), "stable_baselines3", note="settings of RL Zoo"),
            Contender("stable-baselines3, 2 threads", sb3(2, most), "stable_baselines3"),
            Contender("stock DQN (RLlib)", rllib(rllib_dqn.stock, most, limit), max_seeds=2,
                      note=f"notebook 03's settings, stopped after {limit:.0f} s; two seeds"),
        ],
        units={"seconds": "s", "env_steps": "", "steps_per_s": "1/s", "reached": "of 1",
               "fresh_return": "mean of 20"},
        bars=[
            Bar("share of ColumnarDQN's seeds that reach 475", _share(ours), 1.0),
            Bar("seconds, ColumnarDQN over stable-baselines3 (its faster setting)",
                lambda r: ratio(ours, _faster(r), "seconds")(r), 1.0, at_most=True),
        ],
        close=rllib_dqn.stop_ray,
    )  # fmt: skip


def _share(name: str) -> Callable[[Results], float]:
    return lambda results: float(np.mean([row["reached"] for row in results[name]]))


def _faster(results: Results) -> str:
    names = [name for name in results if name.startswith("stable") and results[name]]
    return min(names, key=lambda name: np.median([row["seconds"] for row in results[name]]))
