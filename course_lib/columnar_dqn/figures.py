"""What is worth reporting of many gradient steps, collected cheaply and reduced once."""

from collections import defaultdict
from typing import Any

import torch
from ray.rllib.algorithms.dqn.dqn_learner import (
    QF_LOSS_KEY,
    QF_MAX_KEY,
    QF_MEAN_KEY,
    QF_MIN_KEY,
    TD_ERROR_MEAN_KEY,
)
from ray.rllib.utils.metrics import TD_ERROR_KEY


class Figures:
    """Keeps tensors during a call and averages them at the end.

    It also stands in for RLlib's own logger while RLlib's loss runs: that logger takes longer per
    minibatch than a small network's backward pass.
    """

    def __init__(self) -> None:
        self._losses: list[torch.Tensor] = []
        self._q_values: list[torch.Tensor] = []
        self._td_errors: list[torch.Tensor] = []
        self._others: dict[str, list[Any]] = defaultdict(list)

    def add(
        self, loss: torch.Tensor, q_values: torch.Tensor | None = None, td_errors: Any = None
    ) -> None:
        """Keep what one gradient step had: loss (), q-values (B,) and td errors (B,)."""
        self._losses.append(loss.detach())
        if q_values is not None:
            self._q_values.append(q_values)
        if td_errors is not None:
            self._td_errors.append(td_errors)

    def log_value(self, key: Any, value: Any, **_: Any) -> None:
        """RLlib's call for one figure, key (module, name)."""
        if key[-1] == TD_ERROR_KEY:
            self._td_errors.append(value.detach())
        else:
            self._others[key[-1]].append(value)

    def log_dict(self, values: dict[str, Any], **_: Any) -> None:
        """RLlib's call for several figures of one module."""
        for name, value in values.items():
            self._others[name].append(value)

    @property
    def td_errors(self) -> torch.Tensor:
        """All td errors, shape (num_rows,), in the order of the batch."""
        return torch.cat(self._td_errors)

    def reduced(self) -> dict[str, float]:
        """One number per figure, under RLlib's names: means, but for the largest and smallest q."""
        found = {name: _mean(values) for name, values in self._others.items()}
        found["total_loss"] = found[QF_LOSS_KEY] = _mean(self._losses)
        if self._q_values:
            q_values = torch.cat(self._q_values)
            found[QF_MEAN_KEY] = float(q_values.mean())
            found[QF_MIN_KEY], found[QF_MAX_KEY] = float(q_values.min()), float(q_values.max())
            found[TD_ERROR_MEAN_KEY] = float(self.td_errors.mean())
        return found


def _mean(values: list[Any]) -> float:
    return float(torch.stack([torch.as_tensor(value).detach().float() for value in values]).mean())
