"""RLlib's DQN network, with a cheaper forward pass for training."""

from typing import Any

import torch
from ray.rllib.algorithms.dqn.dqn_learner import QF_NEXT_PREDS, QF_PREDS, QF_TARGET_NEXT_PREDS
from ray.rllib.algorithms.dqn.torch.default_dqn_torch_rl_module import DefaultDQNTorchRLModule
from ray.rllib.core.columns import Columns


class ColumnarDQNTorchRLModule(DefaultDQNTorchRLModule):
    """The same network and the same numbers as RLlib's.

    For double DQN, RLlib sends obs and next_obs through the network as one batch, and so also
    computes gradients of the half that the loss never uses. Here next_obs goes without. And RLlib
    walks through all layers at each call to say whether this is training: here only if it changed.
    """

    def forward_exploration(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Actions with exploration, as RLlib's."""
        if self.training:
            self.eval()
        with torch.no_grad():
            return self._forward_exploration(batch, **kwargs)

    def forward_inference(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Greedy actions, as RLlib's."""
        if self.training:
            self.eval()
        with torch.no_grad():
            return self._forward_inference(batch, **kwargs)

    def forward_train(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Q-values of obs and next_obs, as RLlib's."""
        if not self.training:
            self.train()
        return self._forward_train(batch, **kwargs)

    def _forward_train(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        if not self.uses_double_q or self.num_atoms > 1 or Columns.STATE_IN in batch:
            return super()._forward_train(batch, **kwargs)
        following = {Columns.OBS: batch[Columns.NEXT_OBS]}
        q_values = self.compute_q_values({Columns.OBS: batch[Columns.OBS]})[QF_PREDS]
        with torch.no_grad():
            next_q_values = self.compute_q_values(following)[QF_PREDS]
            target_q_values = self.forward_target(following)[QF_PREDS]
        return {
            QF_PREDS: q_values,
            QF_NEXT_PREDS: next_q_values,
            QF_TARGET_NEXT_PREDS: target_q_values,
        }
