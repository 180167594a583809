"""Answer to exercise 4.5; `make build` writes it from the lesson."""


# EXERCISE 4.5
def lost_to_fees(trades_per_day, days, fee):
    """Return the fraction of the money that fees take."""
    return 1.0 - (1.0 - fee) ** (trades_per_day * days)


ANSWER = lost_to_fees
