"""The probes of ``course_lib.envs.probes`` with their exact q-values, and a DQN run on each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np

from course_lib.agents.dqn import DQNAgent, DQNSettings
from course_lib.envs import probes

GAMMA = 0.5
SETTINGS = DQNSettings(
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


@dataclass(frozen=True)
class Probe:
    """A probe environment and what a DQN must find in it.

    Attributes:
        name: for reports.
        make: makes the environment.
        obs: the observations to ask for, shape (N, 1).
        q_values: the exact q-values at gamma 0.5, shape (N, 2), worked by hand.
        suspect: what to look at when they come out wrong.
    """

    name: str
    make: Callable[[], gym.Env]
    obs: np.ndarray
    q_values: np.ndarray
    suspect: str


def _probe(
    name: str, make: Callable, obs: list[float], q: list[list[float]], suspect: str
) -> Probe:
    return Probe(name, make, np.array(obs, np.float32)[:, None], np.array(q), suspect)


PROBES = (
    _probe("one reward", probes.OneReward, [0], [[1, 1]], "the loss or the optimizer step"),
    _probe(
        "seen reward", probes.SeenReward, [-1, 1], [[-1, -1], [1, 1]], "obs and next_obs swapped"
    ),
    _probe("late reward", probes.LateReward, [0, 1], [[0.5, 0.5], [1, 1]], "gamma, or next_obs"),
    _probe("best action", probes.BestAction, [0], [[-1, 1]], "the q-value of another action"),
    _probe(
        "terminated",
        partial(probes.EndOfTime, "terminated"),
        [0],
        [[1, 1]],
        "bootstrapping where nothing follows",
    ),
    _probe(
        "truncated",
        partial(probes.EndOfTime, "truncated"),
        [0],
        [[2, 2]],
        "taking a truncation for the end of the world",
    ),
)


def learned_q_values(
    probe: Probe, *, seed: int = 0, num_steps: int = 800, **parts: Any
) -> np.ndarray:
    """Train a small DQN on ``probe``; return its q-values, shape (N, 2).

    Args:
        probe: one of ``PROBES``.
        seed: of the agent.
        num_steps: environment steps, about as many gradient steps.
        **parts: ``make_buffer``, ``loss`` or ``schedule``, to try another version of one of them.
    """
    agent = DQNAgent(probe.make(), SETTINGS, seed=seed, **parts)
    for _ in agent.train(num_steps):
        pass
    return agent.q_values(probe.obs)
