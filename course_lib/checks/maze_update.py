"""The check of exercise 1.2: the update rule."""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from course_lib.checks.core import FROM_REFERENCE, Case, exercise, same


@exercise(
    "1.2",
    parts={"the target": 4, "the learning rate": 3, "the end of an episode": 3},
    hides=("course_lib.agents.tabular:td_update",),
)
def check_td_update(td_update: Callable[..., float], rng: np.random.Generator) -> Iterator[Case]:
    """The target, the step towards it, and the end of an episode; then with drawn numbers.

    What is drawn has next q-values of one sign, so that a zero would show. Where the step is looked
    at they are 0, and elsewhere a wrong step to the right target is forgiven: a mistake costs once.
    """
    after, nothing = np.array([4.0, 10.0, -3.0, 0.0]), np.zeros(4)
    target, step, end = "the target", "the learning rate", "the end of an episode"
    cases: list[tuple] = [
        ("with learning rate 1 it becomes the target: -1 + 0.9 * 10 = 8", 8.0,
         (5.0, -1.0, after, False, 1.0, 0.9), target,
         "the target is reward + gamma * the HIGHEST next q-value"),
        ("with learning rate 0.25 it goes a quarter of the way to a reward of 8: "
         "0.75 * 5 + 0.25 * 8 = 5.75", 5.75, (5.0, 8.0, nothing, False, 0.25, 0.9), step, WEIGHTS),
        ("with learning rate 0 nothing is learned", 5.0, (5.0, 8.0, nothing, False, 0.0, 0.9), step,
         "the old q-value keeps the weight 1 - learning_rate"),
        ("where the episode terminates nothing comes after: 0.5 * 5 + 0.5 * 20 = 12.5", 12.5,
         (5.0, 20.0, after, True, 0.5, 0.9), end, FUTURE),
    ]  # fmt: skip
    for aspect, rate, ends, part, hint in (
        (
            "with other numbers, too, it goes towards the target",
            0.7,
            False,
            target,
            "is gamma in it?",
        ),
        ("and the step towards it", 0.3, False, step, WEIGHTS),
        ("and the last step of an episode", 0.6, True, end, FUTURE),
    ):
        q_value, reward = rng.uniform(-9, 9, 2).tolist()
        row = rng.uniform(-9, 9, 4) + rng.choice([-10, 10])
        row, gamma = nothing if part == step else row, float(rng.uniform(0.2, 0.95))
        given = (q_value, reward, row, ends, rate, gamma)
        cases.append((aspect, FROM_REFERENCE, given, part, hint))
    habit, shrinks = _habits(td_update)
    for aspect, expected, given, part, hint in cases:
        q_value, reward, row, ends, rate, gamma = given
        usual, later = STEPS[0][0] if part == step else habit, 0.0 if ends else gamma * row.max()
        rewarded = gamma * reward if shrinks and part != target else reward
        got = partial(td_update, *given[:4], learning_rate=given[4], gamma=given[5])
        forgiven = (usual(q_value, rewarded + later, rate),)
        slips = tuple(_wrong_updates(*given))
        yield Case(aspect, expected, got, hint, part=part, slips=slips, forgives=forgiven)


WEIGHTS = "(1 - learning_rate) * q_value + learning_rate * target"
FUTURE = "here the target is the reward alone: multiply the future by (not terminated)"


Step = Callable[[float, float, float], float]
STEPS: tuple[tuple[Step, str], ...] = (
    (lambda q, target, rate: q + rate * (target - q), ""),
    (lambda q, target, rate: q + rate * target,
     "go TOWARDS the target: learning_rate * (target - q_value)"),
    (lambda q, target, rate: rate * q + (1 - rate) * target,
     f"{WEIGHTS}; are the two weights swapped?"),
    (lambda q, target, rate: target,
     "that is the target; the q-value still goes learning_rate of the way to it"),
    (lambda q, target, rate: q - rate * (target - q),
     f"that leads away from the target: {WEIGHTS}"),
)  # fmt: skip


def _habits(td_update: Callable[..., float]) -> tuple[Step, bool]:
    """Which step an answer takes everywhere, right or wrong, and whether gamma shrinks rewards.

    A habit is looked at by one part, and forgiven in the others.
    """
    q_value, reward, rate, gamma = 3.0, 7.0, 0.3, 0.8
    with contextlib.suppress(Exception):
        got = td_update(q_value, reward, np.zeros(4), False, learning_rate=rate, gamma=gamma)
        for shrinks, target in ((False, reward), (True, gamma * reward)):
            for step, _ in STEPS:
                if same(step(q_value, target, rate), got):
                    return step, shrinks
    return STEPS[0][0], False


def _wrong_updates(
    q_value: float, reward: float, row: np.ndarray, ends: bool, rate: float, gamma: float
) -> Iterator[tuple[float, str]]:
    """What usual mistakes give, where it differs from what is right."""
    goes_on, best = 0.0 if ends else 1.0, float(row.max())
    target = reward + goes_on * gamma * best
    right = q_value + rate * (target - q_value)
    for wrong, hint in (
        (gamma * (reward + goes_on * best), "gamma counts for the future alone, not for reward"),
        (reward + goes_on * gamma * float(row.argmax()),
         "np.argmax gives a place in the row; the value that stands there is next_q_values.max()"),
        (reward + goes_on * best, "is gamma in it?"),
        (reward + gamma * best, FUTURE),
    ):  # fmt: skip
        value = q_value + rate * (wrong - q_value)
        if abs(value - right) > 1e-6:
            yield value, hint
    for step, hint in STEPS[1:]:
        if abs((value := step(q_value, target, rate)) - right) > 1e-6:
            yield value, hint
