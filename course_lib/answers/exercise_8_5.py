"""Answer to exercise 8.5; `make build` writes it from the lesson."""

import torch


# EXERCISE 8.5
def preference_loss(left, right, prefers_left):
    """Return how badly rewards explain what was preferred, on average."""
    log_left = torch.nn.functional.logsigmoid(left - right)
    log_right = torch.nn.functional.logsigmoid(right - left)
    return -(prefers_left * log_left + (1 - prefers_left) * log_right).mean()


ANSWER = preference_loss
