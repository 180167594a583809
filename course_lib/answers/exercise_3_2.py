"""Answer to exercise 3.2; `make build` writes it from the lesson."""


# EXERCISE 3.2
def td_targets(rewards, terminated, next_q_values, *, gamma):
    return rewards + gamma * (1 - terminated) * next_q_values.max(dim=1).values


ANSWER = td_targets
