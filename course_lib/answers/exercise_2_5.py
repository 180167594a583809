"""Answer to exercise 2.5; `make build` writes it from the lesson."""

import math


# EXERCISE 2.5
def search_seconds(num_trials, trial_seconds, cpus_per_trial, num_cpus):
    at_once = int(num_cpus / cpus_per_trial)
    if at_once == 0:
        return math.inf
    return math.ceil(num_trials / at_once) * trial_seconds


ANSWER = search_seconds
