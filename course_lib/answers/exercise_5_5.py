"""Answer to exercise 5.5; `make build` writes it from the lesson."""


# EXERCISE 5.5
def best_actions(values, next_state, reward, terminated, gamma):
    """Return the best action of each state, by one look ahead."""
    return (reward + gamma * ~terminated * values[next_state]).argmax(axis=1)


ANSWER = best_actions
