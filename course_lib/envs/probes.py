"""Probe environments: so small that their q-values are known exactly.

When an agent fails on CartPole there are a hundred suspects. Each probe leaves only one or two:

============  =========================================  =================================
probe         what happens                               q-values
============  =========================================  =================================
OneReward     one step, reward 1                         1
SeenReward    one step, reward = the number seen         the number seen
LateReward    two steps, reward 0 then 1                 gamma, then 1
BestAction    one step, action 0 gives -1, action 1 +1   -1 and +1
EndOfTime     reward 1 per step; ends after one step,    terminated: 1
              terminated or truncated                    truncated: 1 / (1 - gamma)
============  =========================================  =================================
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Discrete


class _Probe(gym.Env):
    """What the probes share: one number to see, and two actions."""

    metadata = {"render_modes": []}  # noqa: RUF012  (Gymnasium's own form)
    observation_space = Box(-1.0, 1.0, (1,), np.float32)
    action_space = Discrete(2)

    def __init__(self) -> None:
        self.render_mode = None
        self._seen = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode."""
        super().reset(seed=seed)
        self._seen = self._first()
        return self._obs(), {}

    def _first(self) -> float:
        return 0.0

    def _obs(self) -> np.ndarray:
        return np.array([self._seen], dtype=np.float32)

    def _end(self, reward: float) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return self._obs(), reward, True, False, {}


class OneReward(_Probe):
    """One step, reward 1. A q-value other than 1: the loss or the optimizer is wrong."""

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """End with reward 1."""
        return self._end(1.0)


class SeenReward(_Probe):
    """One step, reward -1 or +1 as seen. Wrong q-values: the network is not fed what it sees."""

    def _first(self) -> float:
        return float(self.np_random.choice([-1.0, 1.0]))

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """End with the seen number as reward."""
        return self._end(self._seen)


class LateReward(_Probe):
    """Sees 0, then 1; reward 0, then 1. Wrong q-values: the discount or the next state."""

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Go from 0 to 1, or end with reward 1."""
        if self._seen == 1.0:
            return self._end(1.0)
        self._seen = 1.0
        return self._obs(), 0.0, False, False, {}


class BestAction(_Probe):
    """One step, action 1 is right. Wrong q-values: the wrong action's q-value is trained."""

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """End with reward +1 for action 1 and -1 for action 0."""
        return self._end(1.0 if action == 1 else -1.0)


class EndOfTime(_Probe):
    """Sees 0 for ever, reward 1 per step, ends after one step: by rule, or by the clock.

    Terminated, nothing comes after: the q-value is 1. Truncated, only our watching stops: the
    rewards would have gone on, 1 + gamma + gamma^2 + ... = 1 / (1 - gamma).

    Args:
        ending: ``"terminated"`` or ``"truncated"``.

    Raises:
        ValueError: if ``ending`` is neither.
    """

    def __init__(self, ending: Literal["terminated", "truncated"] = "truncated") -> None:
        if ending not in ("terminated", "truncated"):
            raise ValueError(f"ending must be 'terminated' or 'truncated', got {ending!r}")
        super().__init__()
        self.ending = ending

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """End with reward 1."""
        terminated = self.ending == "terminated"
        return self._obs(), 1.0, terminated, not terminated, {}


GAMMA = 0.5


@dataclass(frozen=True)
class Probe:
    """A probe and what a DQN must find in it.

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


def _probe(make: Callable, name: str, obs: list, q: list, suspect: str) -> Probe:
    return Probe(name, make, np.array(obs, np.float32)[:, None], np.array(q), suspect)


_ended, _cut_off = partial(EndOfTime, "terminated"), partial(EndOfTime, "truncated")
PROBES = (
    _probe(OneReward, "one reward", [0], [[1, 1]], "the loss or the optimizer step"),
    _probe(SeenReward, "seen reward", [-1, 1], [[-1, -1], [1, 1]], "obs and next_obs swapped"),
    _probe(LateReward, "late reward", [0, 1], [[0.5, 0.5], [1, 1]], "gamma, or next_obs"),
    _probe(BestAction, "best action", [0], [[-1, 1]], "the q-value of another action"),
    _probe(_ended, "terminated", [0], [[1, 1]], "bootstrapping where nothing follows"),
    _probe(_cut_off, "truncated", [0], [[2, 2]], "taking a truncation for the end of the world"),
)
