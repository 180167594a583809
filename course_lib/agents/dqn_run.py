"""Train a :class:`~course_lib.agents.dqn.DQNAgent` while watching it."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from course_lib import training
from course_lib.agents.dqn import DQNAgent, DQNSettings
from course_lib.envs.probes import GAMMA, Probe
from course_lib.envs.rollouts import MakeEnv
from course_lib.training import Row

FOR_PROBES = DQNSettings(
    learning_rate=0.01,
    batch_size=32,
    capacity=500,
    learning_starts=64,
    gamma=GAMMA,
    train_every=16,
    num_updates=16,
    target_every=16,
    epsilon_end=1.0,
    hidden=(16,),
)


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
    return training.train(
        _rows(agent, num_steps, window),
        training.Evaluation(evaluate_on, evaluate_every, num_episodes, target, seed),
        policy=lambda: agent.act,
        weights=agent.q_net.state_dict,
        restore=agent.q_net.load_state_dict,
        on_row=on_row,
    )


def _rows(agent: DQNAgent, num_steps: int, window: int) -> Iterator[Row]:
    recent: deque[float] = deque(maxlen=window)
    seconds, started = 0.0, time.perf_counter()
    for progress in agent.train(num_steps):
        seconds += time.perf_counter() - started
        recent.extend(progress.returns)
        yield {
            "env_steps": progress.step,
            "seconds": seconds,
            **training.return_figures(recent),
            "loss": progress.loss,
            "mean_q": progress.mean_q,
            "epsilon": progress.epsilon,
        }
        started = time.perf_counter()


def learned_q_values(
    probe: Probe, *, seed: int = 0, num_steps: int = 800, **parts: Any
) -> np.ndarray:
    """Train a small DQN on a probe; return its q-values, shape (N, 2).

    Args:
        probe: one of ``envs.probes.PROBES``.
        seed: of the agent.
        num_steps: environment steps, about as many gradient steps.
        **parts: ``make_buffer``, ``loss`` or ``schedule``, to try another version of one of them.
    """
    agent = DQNAgent(probe.make(), FOR_PROBES, seed=seed, **parts)
    for _ in agent.train(num_steps):
        pass
    return agent.q_values(probe.obs)
