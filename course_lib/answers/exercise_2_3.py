"""Answer to exercise 2.3; `make build` writes it from the lesson."""

import numpy as np


# EXERCISE 2.3
def how_drawn(values, low, high):
    if len(set(values)) == 1:
        return "the same"
    if min(values) < low or max(values) > high:
        return "outside"
    small = np.mean(np.array(values) < (low * high) ** 0.5)
    return "by factors" if small > 0.3 else "evenly"


ANSWER = how_drawn
