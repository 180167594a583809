"""Answer to exercise 5.2; `make build` writes it from the lesson."""

import numpy as np


# EXERCISE 5.2
def value_iteration(next_state, reward, terminated, gamma, tolerance):
    """Return the values of all states before the first sweep and after each."""
    found = [np.zeros(len(reward))]
    while True:
        old = found[-1]
        new = (reward + gamma * ~terminated * old[next_state]).max(axis=1)
        found.append(new)
        if np.abs(new - old).max() <= tolerance:
            return found


ANSWER = value_iteration
