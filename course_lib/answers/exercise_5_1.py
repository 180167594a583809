"""Answer to exercise 5.1; `make build` writes it from the lesson."""


# EXERCISE 5.1
def back_up(values, next_states, rewards, terminated, gamma):
    """Return the value of a state: that of its best action, one step ahead."""
    q_values = rewards + gamma * ~terminated * values[next_states]
    return float(q_values.max())


ANSWER = back_up
