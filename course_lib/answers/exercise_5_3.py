"""Answer to exercise 5.3; `make build` writes it from the lesson."""


# EXERCISE 5.3
def fog():
    """Return one word for each of the five states."""
    return {"A": "right", "B": "right", "C": "never", "D": "wrong", "E": "wrong"}


ANSWER = fog
