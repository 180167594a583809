"""Answer to exercise 7.4; `make build` writes it from the lesson."""

import numpy as np


# EXERCISE 7.4
def paired_interval(ours, theirs):
    """Return the ends of an interval for how much better ours is."""
    differences = ours - theirs
    reach = 2 * differences.std(ddof=1) / np.sqrt(len(differences))
    return differences.mean() - reach, differences.mean() + reach


ANSWER = paired_interval
