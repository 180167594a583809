"""Answer to exercise 3.4; `make build` writes it from the lesson."""


# EXERCISE 3.4
def epsilon_at(step: int, *, decay_steps: int, start: float, end: float) -> float:
    done = min(1.0, step / decay_steps)
    return start + done * (end - start)


ANSWER = epsilon_at
