"""The one training loop: rows of progress, greedy episodes, the best weights, a target, a stop.

It knows neither PyTorch nor Ray: :func:`course_lib.agents.dqn_run.train` and
:func:`course_lib.rllib.runs.train` say how their algorithm steps, acts and keeps its weights.
"""

import contextlib
import copy
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib.envs.rollouts import MakeEnv, Policy, play
from course_lib.torch_threads import torch_threads

Row = dict[str, float]
NAN = float("nan")


@dataclass(frozen=True)
class Evaluation:
    """When and how the training is judged.

    Attributes:
        env: for greedy episodes, apart from the one trained on; none are played if None.
        every: environment steps between two evaluations.
        num_episodes: greedy episodes each time.
        target: stop when their mean return reaches this.
        seed: start states. Measure the result on another seed.
    """

    env: MakeEnv | None
    every: int
    num_episodes: int = 20
    target: float = float("inf")
    seed: int = 0

    def mean_return(self, policy: Policy, seed: int) -> float:
        """Play greedy episodes; return their mean return, nan where none are to be played."""
        if self.env is None:
            return NAN
        with torch_threads(1):
            return float(play(policy, self.env, num_episodes=self.num_episodes, seed=seed).mean())


def return_figures(recent: Sequence[float]) -> Row:
    """Return ``mean_return`` and ``max_return`` of the last training episodes; nan without any."""
    mean = float(np.mean(recent)) if recent else NAN
    return {"mean_return": mean, "max_return": max(recent, default=NAN)}


def train(
    rows: Iterable[Row],
    evaluation: Evaluation,
    *,
    policy: Callable[[], Policy],
    weights: Callable[[], Any],
    restore: Callable[[Any], Any],
    on_row: Callable[[list[Row]], Any] | None = None,
) -> list[Row]:
    """Go through ``rows``; stop early when it plays well, or when the cell is interrupted.

    At the end the weights of the best evaluation are restored, if there was one.

    Args:
        rows: each step of it trains a while; holds ``env_steps`` and ``seconds`` of training.
        evaluation: when and how to judge.
        policy: returns the greedy policy of the moment.
        weights: returns the weights of the moment.
        restore: takes what ``weights`` returned.
        on_row: called with all rows so far after each of them, such as ``live.update``.

    Returns:
        The rows, with ``greedy_return`` (nan where nothing was evaluated); ``seconds`` includes
        the evaluations.
    """
    done: list[Row] = []
    due, best, kept, judging = evaluation.every, -np.inf, None, 0.0
    with contextlib.suppress(KeyboardInterrupt):
        for row in rows:
            greedy, started = NAN, time.perf_counter()
            if row["env_steps"] >= due:
                due = int(row["env_steps"]) + evaluation.every
                greedy = evaluation.mean_return(policy(), evaluation.seed + due)
            if greedy > best:
                best, kept = greedy, copy.deepcopy(weights())
            judging += time.perf_counter() - started
            done.append({**row, "seconds": row["seconds"] + judging, "greedy_return": greedy})
            if on_row is not None:
                on_row(done)
            if greedy >= evaluation.target:
                break
    if kept is not None:
        restore(kept)
    return done
