"""The DQN loss on one minibatch: the numbers of RLlib's, without its logging.

Source: Mnih et al. 2015 (target network, Huber loss); van Hasselt et al. 2016 (double DQN);
Sutton & Barto 2e, section 7.1 (n-step returns).
"""

from typing import Any

import torch
from ray.rllib.algorithms.dqn.dqn_learner import QF_NEXT_PREDS, QF_PREDS, QF_TARGET_NEXT_PREDS
from torch import Tensor
from torch.nn import functional


def dqn_loss(batch: dict[str, Tensor], out: dict[str, Tensor], config: Any) -> tuple[Tensor, ...]:
    """Compare the q-values of the actions taken with their n-step targets.

    Args:
        batch: columns ``actions``, ``rewards`` (n-step returns), ``terminateds``, ``n_step`` and
            ``weights``, each of shape (B,).
        out: what the network says of obs and next_obs, each of shape (B, num_actions).
        config: ``gamma``, ``double_q`` and ``td_error_loss_fn``.

    Returns:
        The loss, shape (), and without gradients: the q-values of the actions taken, shape (B,),
        and the absolute td errors, shape (B,).
    """
    taken = out[QF_PREDS].gather(1, batch["actions"].long()[:, None]).squeeze(1)
    with torch.no_grad():
        following = out[QF_TARGET_NEXT_PREDS]
        judge = out[QF_NEXT_PREDS] if config.double_q else following
        best = following.gather(1, judge.argmax(dim=1, keepdim=True)).squeeze(1)
        discount = config.gamma ** batch["n_step"] * ~batch["terminateds"]
        targets = batch["rewards"] + discount * best
    distance = functional.huber_loss if config.td_error_loss_fn == "huber" else functional.mse_loss
    loss = (batch["weights"] * distance(taken, targets, reduction="none")).mean()
    values = taken.detach()
    return loss, values, (values - targets).abs()
