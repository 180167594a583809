"""Answer to exercise 3.3; `make build` writes it from the lesson."""

import torch
from torch import nn

from course_lib.answers.exercise_3_2 import td_targets


# EXERCISE 3.3
def dqn_loss(q_net, target_net, batch, *, gamma):
    taken = q_net(batch.obs).gather(1, batch.actions[:, None]).squeeze(1)
    with torch.no_grad():
        next_q_values = target_net(batch.next_obs)
        targets = td_targets(batch.rewards, batch.terminated, next_q_values, gamma=gamma)
    return nn.functional.smooth_l1_loss(taken, targets)


ANSWER = dqn_loss
