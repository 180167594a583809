"""DQN agents with one fault each, to be told apart by probes."""

from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, nn

from course_lib.agents import dqn
from course_lib.agents.dqn_run import learned_q_values
from course_lib.envs.probes import PROBES

ASKED = ("late reward", "best action", "terminated", "truncated")


squared_loss = partial(dqn.dqn_loss, distance=nn.functional.mse_loss)


class ClockIsTheEnd(dqn.ReplayBuffer):
    """A memory that takes a time limit for the end of the world."""

    def add(self, *given: Any) -> None:
        """Store ``terminated or truncated``."""
        obs, action, reward, next_obs, terminated, truncated = given
        super().add(obs, action, reward, next_obs, terminated or truncated, truncated)


def _never_bootstraps(*given: Any, gamma: float) -> Tensor:
    return dqn.dqn_loss(*given, gamma=0.0)


def _always_bootstraps(q_net: Any, target_net: Any, batch: Any, *, gamma: float) -> Tensor:
    never = batch._replace(terminated=batch.terminated * 0)
    return dqn.dqn_loss(q_net, target_net, never, gamma=gamma)


def _old_obs(q_net: Any, target_net: Any, batch: Any, *, gamma: float) -> Tensor:
    return dqn.dqn_loss(q_net, target_net, batch._replace(next_obs=batch.obs), gamma=gamma)


FAULTS: dict[str, dict[str, Any]] = {
    "never bootstraps": {"loss": _never_bootstraps},
    "always bootstraps": {"loss": _always_bootstraps},
    "clock is the end": {"make_buffer": ClockIsTheEnd},
    "old obs": {"loss": _old_obs},
    "squared loss": {"loss": squared_loss},
}


def error_at(probe_name: str, fault: str, *, seed: int = 0) -> float:
    """Train an agent with a fault on a probe; return the largest error of its q-values."""
    probe = next(probe for probe in PROBES if probe.name == probe_name)
    found = learned_q_values(probe, seed=seed, **FAULTS[fault])
    return float(np.abs(found - probe.q_values).max())
