"""Answer to exercise 7.3; `make build` writes it from the lesson."""


# EXERCISE 7.3
def the_clock():
    """Return what the clock does to the values, and to the real car."""
    return {"no end": "about -100", "an end": "well above -100", "real car": "about as many"}


ANSWER = the_clock
