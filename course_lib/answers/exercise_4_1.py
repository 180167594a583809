"""Answer to exercise 4.1; `make build` writes it from the lesson."""


# EXERCISE 4.1
def trade(cash, coin, price, fee, target):
    """Return (cash, coin, fee in dollars) after moving everything to the target position."""
    if target == 1 and cash > 0:
        paid = fee * cash
        return 0.0, (cash - paid) / price, paid
    if target == 0 and coin > 0:
        paid = fee * coin * price
        return coin * price - paid, 0.0, paid
    return cash, coin, 0.0


ANSWER = trade
