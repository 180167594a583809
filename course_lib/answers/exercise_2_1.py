"""Answer to exercise 2.1; `make build` writes it from the lesson."""


# EXERCISE 2.1
def mean_time(stride, pace, risk, length):
    steps = length / stride
    return steps * (1 / pace + risk * 4)


ANSWER = mean_time
