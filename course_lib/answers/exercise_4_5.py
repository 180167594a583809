"""Answer to exercise 4.5; `make build` writes it from the lesson."""


# EXERCISE 4.5
def needed_hit_rate(move, fee):
    """Return the share of right bets at which gains, losses and fees cancel."""
    return (move + 2 * fee) / (2 * move)


ANSWER = needed_hit_rate
