"""Answer to exercise 7.1; `make build` writes it from the lesson."""


# EXERCISE 7.1
def explore(greedy, held, steps_left, *, epsilon, hold, num_actions, rng):
    """Return the action, and for how many more steps it is kept."""
    if steps_left > 0:
        return held, steps_left - 1
    if rng.random() < epsilon:
        return int(rng.integers(num_actions)), hold - 1
    return greedy(), 0


ANSWER = explore
