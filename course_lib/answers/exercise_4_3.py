"""Answer to exercise 4.3; `make build` writes it from the lesson."""


# EXERCISE 4.3
def best_learning_rate(trials):
    """Return the learning rate with the highest median share."""
    medians = trials.groupby("learning_rate")["share"].median()
    return float(medians.idxmax())


ANSWER = best_learning_rate
