"""The check of exercise 3.2: the target of a DQN."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import FROM_REFERENCE, Case, exercise
from course_lib.tryouts.cartpole import targets


@exercise(
    "3.2",
    parts={"the target": 4, "the end of an episode": 3, "row by row": 3},
    needs="torch",
    hides=("course_lib.agents.dqn:td_targets",),
)
def check_td_targets(td_targets: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Targets worked by hand, and targets of numbers that are drawn."""
    target, end, rowwise = "the target", "the end of an episode", "row by row"
    drawn = rng.normal(size=(4, 3)) - 3
    ends = [1.0, 0.0, 1.0, 0.0]
    for aspect, rewards, terminated, following, gamma, expected, part, hint in (
        (
            "reward 1, next q-values 2 and 5, gamma 0.9: 1 + 0.9 * 5",
            *([1.0], [0.0], [[2.0, 5.0]], 0.9, [5.5], target),
            "reward + gamma * (the largest next q-value)",
        ),
        (
            "terminated: nothing follows, the reward is all",
            *([1.0], [1.0], [[2.0, 5.0]], 0.9, [1.0], end),
            "at a terminal state the reward is all: multiply what follows by (1 - terminated)",
        ),
        (
            "a game that takes 1 per step: reward -1, next q-values -122 and -130, gamma 0.99",
            *([-1.0], [0.0], [[-122.0, -130.0]], 0.99, [-121.78], target),
            "the largest, not the one with the largest size; and mind the signs",
        ),
        (
            "three transitions at once: 0 + 0.5 * 4, 1 + 0.5 * 9, 2 + 0.5 * 6",
            *([0.0, 1.0, 2.0], [0.0] * 3, [[4.0, 2.0], [9.0, 9.0], [-2.0, 6.0]], 0.5),
            *([2.0, 5.5, 5.0], rowwise),
            "one maximum per row: next_q_values.max(dim=1).values",
        ),
        (
            "four other transitions",
            *(drawn[:, 0], [0.0] * 4, drawn, float(rng.uniform(0.3, 0.9)), FROM_REFERENCE, rowwise),
            "reward + gamma * the largest next q-value of the same row",
        ),
        (
            "four more, two of them terminated",
            *(drawn[:, 1], ends, drawn, float(rng.uniform(0.3, 0.9)), FROM_REFERENCE, end),
            "(1 - terminated) * gamma * the best next q-value, added to the reward",
        ),
    ):
        yield Case(
            aspect,
            expected=expected,
            got=partial(targets, td_targets, rewards, terminated, following, gamma),
            hint=hint,
            atol=1e-4,
            part=part,
            slips=(
                *((words, VALUES) for words in ("return_types.max", "integer tensors of a single")),
                *((words, MASK) for words in ("operator.invert", "Boolean value of Tensor")),
                *_wrong_targets(rewards, terminated, following, gamma),
            ),
        )


MASK = "terminated holds 0.0 or 1.0 for each row: (1 - terminated) switches the future off"
VALUES = "max(dim=1) gives values and their positions: take .max(dim=1).values"


def _wrong_targets(*given: Any) -> list[tuple[np.ndarray, str]]:
    """What usual mistakes make of a batch, where it differs from what is right."""
    rewards, terminated, following, gamma = (np.asarray(one, float) for one in given)
    best, mask = following.max(axis=1), 1 - terminated
    right = rewards + gamma * mask * best
    shape = "the shape must be (B,): .max(dim=1).values drops the column, keepdim keeps it"
    wrong = (
        (rewards + gamma * best, "is (1 - terminated) there?"),
        (mask * (rewards + gamma * best), "the reward of the last step counts: mask the rest only"),
        (rewards + mask * best, "is gamma there?"),
        (rewards + 0.9 * mask * best, "take the gamma that is given, not one of your own"),
        (rewards + 0.99 * mask * best, "take the gamma that is given, not one of your own"),
        (rewards + gamma * terminated * best, "(1 - terminated), not terminated: the future ends"),
        (rewards + gamma * mask * following.sum(axis=1), "the largest q-value, not the sum"),
        (gamma * (rewards + mask * best), "gamma counts for what follows alone"),
        (rewards + gamma * mask * following.argmax(axis=1), "argmax gives positions: take max"),
        (rewards - gamma * mask * best, "mind the signs: what follows is added"),
        (rewards + gamma * mask * following.max(), "one maximum for each row, not one for all"),
        (rewards + gamma * mask * following.mean(axis=1), "the largest q-value, not the mean"),
        (rewards + gamma * mask * following.min(axis=1), "the largest q-value, not the smallest"),
        (rewards + gamma * mask * best[:, None], shape),
        ((rewards + gamma * mask * best)[:, None], shape),
    )
    return [
        (value, hint)
        for value, hint in wrong
        if value.shape != right.shape or not np.allclose(value, right, atol=1e-3)
    ]
