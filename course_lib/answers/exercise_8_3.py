"""Answer to exercise 8.3; `make build` writes it from the lesson."""

import torch


# EXERCISE 8.3
def clipped(ratio, advantage, clip):
    """Return what PPO makes large, for each step."""
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


ANSWER = clipped
