"""Train a :class:`~course_lib.agents.dqn.DQNAgent` while watching it."""

import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from course_lib import training
from course_lib.agents.dqn import DQNAgent, DQNSettings
from course_lib.envs.probes import GAMMA, Probe
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
    agent: DQNAgent, *, num_steps: int, evaluate_every: int = 1_000, **more: Any
) -> list[Row]:
    """Train for at most ``num_steps`` more steps; stop early when it plays well.

    Args:
        agent: what to train.
        num_steps: environment steps at most.
        evaluate_every: environment steps between two evaluations, rounded up to whole rounds.
        **more: ``evaluate_on``, ``target``, ``on_row`` and more of :func:`training.train`, which
            says what happens to the weights and when the cell is interrupted.

    Returns:
        One row per round: env_steps, seconds, mean_return, max_return, loss, mean_q, epsilon, and
        greedy_return (nan where nothing was evaluated).
    """
    return training.train(
        _rows(agent, num_steps),
        policy=lambda: agent.act,
        weights=agent.q_net.state_dict,
        restore=agent.q_net.load_state_dict,
        evaluate_every=evaluate_every,
        **more,
    )


def _rows(agent: DQNAgent, num_steps: int) -> Iterator[Row]:
    recent: deque[float] = deque(maxlen=training.WINDOW)
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


def learned_q_values(probe: Probe, *, seed: int = 0, **parts: Any) -> np.ndarray:
    """Train a small DQN on a probe for 800 steps; return its q-values, shape (N, 2).

    Args:
        probe: one of ``envs.probes.PROBES``.
        seed: of the agent.
        **parts: ``make_buffer``, ``loss`` or ``schedule``, to try another version of one of them.
    """
    agent = DQNAgent(probe.make(), FOR_PROBES, seed=seed, **parts)
    for _ in agent.train(800):
        pass
    return agent.q_values(probe.obs)
