"""Looks at an agent while it learns, off the clock, by one rule for all contenders."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.core import Figures, NotMeasured, Results
from course_lib.envs.rollouts import play
from course_lib.torch_threads import torch_threads

EVERY, EPISODES = 1_000, 20
Act = Callable[[np.ndarray], np.ndarray]


class Judge:
    """Plays greedy episodes every 1,000 steps or so, on fresh start states, off the clock.

    Args:
        act: the policy of the moment.
        env: what is played, as ``play`` takes it.
        seed: of the run.
        stop: an evaluation with such a mean ends the run.
        goal: the mean of fresh episodes that counts as reached; if not given, ending the run does.
        num_episodes: of an evaluation.
        num_fresh: fresh episodes at the end, which decide nothing else.
        every: environment steps between two evaluations.
        play: called like :func:`course_lib.envs.rollouts.play`.
    """

    def __init__(
        self, act: Act, env: Any, *, seed: int, stop: float, goal: float | None = None,
        num_episodes: int = EPISODES, num_fresh: int = EPISODES, every: int = EVERY,
        play: Callable[..., np.ndarray] = play,
    ) -> None:  # fmt: skip
        self._play = play
        self._num_episodes, self._every = num_episodes, every
        self._act, self._env, self._seed = act, env, 1_000 * (seed + 1)
        self._stop, self._goal, self._num_fresh = stop, goal, num_fresh
        self._due = float(every)
        self.seconds, self.reached = 0.0, False

    def look(self, env_steps: float) -> bool:
        """Return whether the run is over; evaluates only when it is time to."""
        if env_steps >= self._due:
            self._due = (env_steps // self._every + 1) * self._every
            self._seed += 1
            started = time.perf_counter()
            with torch_threads(1):
                returns = self._play(
                    self._act, self._env, num_episodes=self._num_episodes, seed=self._seed
                )
            self.reached = bool(returns.mean() >= self._stop)
            self.seconds += time.perf_counter() - started
        return self.reached

    def figures(self, seconds: float, env_steps: float) -> Figures:
        """What is reported."""
        seed = 99_000 + self._seed
        fresh = self._play(self._act, self._env, num_episodes=self._num_fresh, seed=seed).mean()
        reached = self.reached if self._goal is None else fresh >= self._goal
        return {
            "seconds": seconds,
            "env_steps": env_steps,
            "steps_per_s": env_steps / seconds,
            "reached": float(reached),
            "fresh_return": float(fresh),
        }


def until(
    model: Any,
    judge: Callable[[Act, int], Judge],
    seed: int,
    *,
    schedule: int,
    max_steps: int,
    num_threads: int,
) -> Figures:
    """Train a model of stable-baselines3 until a judge ends it, or for ``max_steps``.

    Its schedules of ``epsilon`` are shares of ``schedule`` steps.
    """
    from stable_baselines3.common.callbacks import BaseCallback

    referee = judge(lambda obs: model.predict(obs, deterministic=True)[0], seed)

    class Look(BaseCallback):
        over = False

        def _on_rollout_start(self) -> None:
            self.over = referee.look(self.num_timesteps) or self.num_timesteps >= max_steps

        def _on_step(self) -> bool:
            return not self.over

    with torch_threads(num_threads):
        started = time.perf_counter()
        model.learn(schedule, callback=Look())
        seconds = time.perf_counter() - started - referee.seconds
    return referee.figures(seconds, model.num_timesteps)


def share(name: str) -> Callable[[Results], float]:
    """The share of a contender's runs that reached the goal.

    Raises:
        NotMeasured: if it has none, when it is called.
    """

    def of(results: Results) -> float:
        if not results.get(name):
            raise NotMeasured(name)
        return float(np.mean([row["reached"] for row in results[name]]))

    return of
