"""Answer to exercise 1.1; `make build` writes it from the lesson."""

import numpy as np


# EXERCISE 1.1
def epsilon_greedy(q_values, epsilon, rng):
    """Pick any action with probability epsilon, else a best one."""
    if rng.random() < epsilon:
        return int(rng.integers(len(q_values)))
    best = np.flatnonzero(q_values == q_values.max())
    return int(rng.choice(best))


ANSWER = epsilon_greedy
