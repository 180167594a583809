"""Train a :class:`~course_lib.agents.dqn.DQNAgent` while watching it."""

import contextlib
import copy
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from course_lib.agents.dqn import DQNAgent, one_thread
from course_lib.envs.rollouts import MakeEnv, play

Row = dict[str, float]


def train(
    agent: DQNAgent,
    *,
    num_steps: int,
    evaluate_on: MakeEnv,
    evaluate_every: int = 1_000,
    num_episodes: int = 20,
    target: float = float("inf"),
    window: int = 20,
    seed: int = 0,
    on_row: Callable[[list[Row]], Any] | None = None,
) -> list[Row]:
    """Train for at most ``num_steps`` steps; stop early when it plays well.

    The agent ends up with the weights of its best evaluation. That one was chosen for being the
    best, so its figure flatters: measure the result on another seed. Interrupting the cell ends
    the training and keeps what was learned.

    Args:
        agent: what to train.
        num_steps: environment steps at most.
        evaluate_on: environment for the greedy episodes, apart from the one trained on.
        evaluate_every: environment steps between two evaluations, rounded up to whole rounds.
        num_episodes: greedy episodes per evaluation.
        target: stop when an evaluation's mean return reaches this.
        window: training episodes that mean_return and max_return look back over.
        seed: start states of the evaluations.
        on_row: called with all rows so far after each round, such as ``live.update``.

    Returns:
        One row per round: env_steps, seconds, mean_return, max_return, loss, mean_q, epsilon, and
        greedy_return (nan where nothing was evaluated).
    """
    rows: list[Row] = []
    returns: list[float] = []
    best, best_weights = -np.inf, copy.deepcopy(agent.q_net.state_dict())
    start, due = time.perf_counter(), evaluate_every
    with contextlib.suppress(KeyboardInterrupt):
        for progress in agent.train(num_steps):
            returns = (returns + progress.returns)[-window:]
            greedy = float("nan")
            if progress.step >= due:
                due = progress.step + evaluate_every
                with one_thread():
                    games = play(agent.act, evaluate_on, num_episodes=num_episodes, seed=seed + due)
                greedy = float(games.mean())
            if greedy > best:
                best, best_weights = greedy, copy.deepcopy(agent.q_net.state_dict())
            rows.append(
                {
                    "env_steps": progress.step,
                    "seconds": time.perf_counter() - start,
                    "mean_return": float(np.mean(returns)) if returns else float("nan"),
                    "max_return": max(returns, default=float("nan")),
                    "loss": progress.loss,
                    "mean_q": progress.mean_q,
                    "epsilon": progress.epsilon,
                    "greedy_return": greedy,
                }
            )
            if on_row is not None:
                on_row(rows)
            if greedy >= target:
                break
    if np.isfinite(best):
        agent.q_net.load_state_dict(best_weights)
    return rows
