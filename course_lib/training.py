"""The one training loop: rows of progress, greedy episodes, the best weights, a target, a stop.

It knows neither PyTorch nor Ray: :func:`course_lib.agents.dqn_run.train` and
:func:`course_lib.rllib.runs.train` say how their algorithm steps, acts and keeps its weights.
"""

import copy
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from course_lib.envs.rollouts import MakeEnv, Policy, play, play_vector
from course_lib.torch_threads import torch_threads

Row = dict[str, float]
NAN = float("nan")
WINDOW = 20  # training episodes that figures and pictures look back over


def return_figures(recent: Sequence[float]) -> Row:
    """Return ``mean_return`` and ``max_return`` of the last training episodes; nan without any."""
    mean = float(np.mean(recent)) if recent else NAN
    return {"mean_return": mean, "max_return": max(recent, default=NAN)}


def train(
    rows: Iterable[Row],
    *,
    policy: Callable[[], Policy],
    weights: Callable[[], Any],
    restore: Callable[[Any], Any],
    evaluate_on: MakeEnv | gym.vector.VectorEnv | None = None,
    evaluate_every: int,
    num_episodes: int = 20,
    target: float = float("inf"),
    seed: int = 0,
    on_row: Callable[[list[Row]], Any] | None = None,
) -> list[Row]:
    """Go through ``rows``; stop early when it plays well, or when the cell is interrupted.

    At the end the weights of the best evaluation are restored, if there was one. That one was
    chosen for being the best, so its figure flatters: measure the result on another seed.

    Args:
        rows: each step of it trains a while; holds ``env_steps`` and ``seconds`` of training.
        policy: returns the greedy policy of the moment.
        weights: returns the weights of the moment.
        restore: takes what ``weights`` returned.
        evaluate_on: environment for greedy episodes, apart from the one trained on, or a vector
            of them, each for one episode; none are played if not given.
        evaluate_every: environment steps between two evaluations.
        num_episodes: greedy episodes per evaluation, where it is not a vector.
        target: stop when an evaluation's mean return reaches this.
        seed: start states of the evaluations.
        on_row: called with all rows so far after each of them, such as ``live.update``.

    Returns:
        The rows, with ``greedy_return`` (nan where nothing was evaluated); ``seconds`` includes
        the evaluations.
    """
    done: list[Row] = []
    due, best, kept, judging = evaluate_every, -np.inf, None, 0.0
    try:
        for row in rows:
            greedy, started = NAN, time.perf_counter()
            if evaluate_on is not None and row["env_steps"] >= due:
                due = int(row["env_steps"]) + evaluate_every
                with torch_threads(1):
                    if isinstance(evaluate_on, gym.vector.VectorEnv):
                        games = play_vector(policy(), evaluate_on, seed=seed + due)
                    else:
                        games = play(
                            policy(), evaluate_on, num_episodes=num_episodes, seed=seed + due
                        )
                greedy = float(games.mean())
            if greedy > best:
                best, kept = greedy, copy.deepcopy(weights())
            judging += time.perf_counter() - started
            done.append({**row, "seconds": row["seconds"] + judging, "greedy_return": greedy})
            if on_row is not None:
                on_row(done)
            if greedy >= target:
                break
    except KeyboardInterrupt:
        steps = f"{done[-1]['env_steps']:,.0f}" if done else "0"
        print(f"Stopped after {steps} steps; what was learned is kept.")
    if kept is not None:
        restore(kept)
    return done
