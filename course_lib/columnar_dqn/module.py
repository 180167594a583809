"""RLlib's DQN network, with a cheaper forward pass for training."""

from typing import Any, Self

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

    def setup(self) -> None:
        """Build the layers; a network that only acts is never in training."""
        super().setup()
        if self.inference_only:
            self.eval()

    def train(self, mode: bool = True) -> Self:
        """Tell all layers whether this is training, if it is news; ``eval`` comes here too."""
        return self if self.training == mode else super().train(mode)

    def forward_exploration(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Actions with exploration, as RLlib's."""
        with torch.no_grad():
            return super().forward_exploration(batch, **kwargs)

    def forward_inference(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Greedy actions, as RLlib's."""
        with torch.no_grad():
            return super().forward_inference(batch, **kwargs)

    def _forward_train(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Q-values of obs and next_obs; RLlib documents this as the method to override."""
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
