"""Answer to exercise 1.5; `make build` writes it from the lesson."""


# EXERCISE 1.5
def worth_from_afar(steps, gamma):
    """Discounted return of walking `steps` steps straight to the cheese."""
    worth = 20.0
    for _ in range(steps - 1):
        worth = -1 + gamma * worth
    return worth


ANSWER = worth_from_afar
