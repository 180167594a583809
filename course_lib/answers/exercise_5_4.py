"""Answer to exercise 5.4; `make build` writes it from the lesson."""


# EXERCISE 5.4
def mended():
    """Return the sweep and the update, both right."""

    def sweep(values, next_state, reward, terminated, gamma):
        return (reward + gamma * ~terminated * values[next_state]).max(axis=1)

    def update(q_value, reward, next_q_values, terminated, *, learning_rate, gamma):
        target = reward + gamma * (not terminated) * next_q_values.max()
        return q_value + learning_rate * (target - q_value)

    return sweep, update


ANSWER = mended
