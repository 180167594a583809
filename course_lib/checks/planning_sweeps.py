"""The check of exercise 5.2: sweeps, and when to stop."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import ALONE, COPY, Case, exercise
from course_lib.tryouts.planning import sweeps_leave_alone, swept

STOP = "stop after the first sweep in which the largest change is not over the tolerance"
EARLY = (
    lambda got: isinstance(got, str),
    "the list ends too early: go on as long as a value changes by more than the tolerance",
)
AXIS = (
    ("invalid index to scalar",
     "max() alone gives one number for the whole table; axis=1 gives one for each state"),
    *((words, "is it axis=1? axis=0 gives one value for each action, not for each state")
      for words in ("inhomogeneous", "broadcast", "out of bounds")),
)  # fmt: skip


@exercise(
    "5.2",
    parts={"the first sweep": 3, "the sweeps after it": 3, "the end": 3, "the stop": 3},
    hides=(
        "course_lib.agents.planning:value_iteration",
        "course_lib.agents.planning:sweep",
        "course_lib.agents.planning:look_ahead",
    ),
)
def check_value_iteration(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Ways with one action in each state, and towns with several where the best one is meant.

    Each way leads to a state that pays nothing for ever, so that it settles with gamma 1, and
    without ends: what is wrong in one part does not spoil the others.
    """
    first, later, end, stop = "the first sweep", "the sweeps after it", "the end", "the stop"
    one_way = way([-1.0, 20.0])
    yield Case(
        "before the first sweep all values are 0",
        expected=[0.0, 0.0, 0.0],
        got=partial(_row, attempt, one_way, 1.0, 0),
        hint="the list begins with np.zeros(num_states)",
        part=first,
        slips=(*AXIS, ([19.0, 20.0, 0.0], "append a new array each time; this one changed later")),
    )
    several = drawn_town(rng)
    yield Case(
        "after it each state is worth its best reward",
        expected=several[1].max(axis=1),
        got=partial(_row, attempt, several, 0.5, 1),
        hint="max over the actions, axis=1: one value for each state",
        part=first,
        slips=(EARLY, *AXIS),
    )
    yield Case(
        "the second sweep: -1 + 0.5 * 20 = 9",
        expected=[9.0, 20.0, 0.0],
        got=partial(_row, attempt, one_way, 0.5, 2),
        hint="the second sweep looks up the values of the first, gamma times",
        part=later,
        slips=(EARLY, *AXIS, ([19.0, 20.0, 0.0], "is gamma in it?")),
    )
    yield Case(
        "it asks the values of the sweep before, for all states at once",
        expected=[0.0, 1.0, 2.0, 2.0],
        got=partial(_row, attempt, back_way([1.0, 1.0, 1.0]), 1.0, 2),
        hint="back up all states from the OLD values, and write into a new array",
        part=later,
        slips=(EARLY, *AXIS),
    )
    rewards, gamma = rng.uniform(-9, 9, 4), float(rng.uniform(0.2, 0.8))
    yield Case(
        "the third sweep of another way",
        got=partial(_row, attempt, way(rewards), gamma, 3),
        hint="each sweep starts from the values of the one before",
        part=later,
        slips=(EARLY, *AXIS),
    )
    ended = (*several[:2], np.arange(15).reshape(5, 3) % 2 == 1)
    yield Case(ALONE, True, partial(sweeps_leave_alone, attempt, ended, 0.5), COPY, part=later)
    for aspect, town in (
        ("nothing follows an end: 20, and not 20 + 50", way([-1.0, 20.0, 50.0], ends=1)),
        ("nor another one", way(rng.uniform(5, 9, 4), ends=2)),
    ):
        yield Case(
            aspect,
            expected=_exactly(town),
            got=partial(_row, attempt, town, 1.0, -1),
            hint="where the episode terminates nothing follows: ~terminated",
            part=end,
        )
    yield from _stops(attempt, rng, stop)


def _stops(attempt: Callable, rng: np.random.Generator, part: str) -> Iterator[Case]:
    length = int(rng.integers(5, 9))
    fixed = "a fixed number of sweeps; stop when nothing changes any more"
    last = "the last sweep, which changed nothing, belongs into the list, too"
    largest = "take the largest change; and the sweep in which it is small belongs into the list"
    share = "the tolerance is meant as it is, not as a share of the values: rtol=0"
    for aspect, expected, town, gamma, tolerance, hint in (
        ("the third sweep of -1, 20 changed nothing, and is the last", 4, way([-1.0, 20.0]), 1.0,
         1e-9, f"the zeros and three sweeps: {STOP}"),
        ("where all values fall it goes on as well", length + 2, way([-1.0] * length), 1.0, 1e-9,
         f"take the size of the change, np.abs: {STOP}"),
        ("a change by 1 is one also where values are large: 1000000 and then 1", 4,
         way([1e6, 1.0]), 1.0, 1e-9,
         f"{share}; {STOP}"),
        ("of changes by 1, 1/2, 1/4, 1/8 the third is the first one not over 0.25", 4,
         way([1.0, 0.5, 0.25, 0.125]), 1.0, 0.25,
         f"compare with the tolerance that is given: {STOP}"),
    ):  # fmt: skip
        yield Case(
            aspect,
            expected=float(expected),
            got=partial(_count, attempt, town, gamma, tolerance),
            hint=hint,
            part=part,
            slips=(
                (lambda got: got > 50, fixed),
                (
                    float(expected - 1),
                    largest
                    if tolerance > 0.1
                    else f"{last}; or: {share}"
                    if town[1].max() > 99
                    else last,
                ),
            ),
        )


def way(rewards: Any, *, ends: int = -1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One action in each state: it leads to the next state; the last pays nothing for ever.

    Args:
        rewards: of the states but the last.
        ends: the state whose action ends the episode, if any.
    """
    count = len(rewards) + 1
    after = np.minimum(np.arange(count) + 1, count - 1)[:, None]
    return after, np.array([*rewards, 0.0])[:, None], (np.arange(count) == ends)[:, None]


def back_way(rewards: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A way from the last state down to state 0, which pays 0 for ever: bad in place."""
    count = len(rewards) + 1
    after = np.maximum(np.arange(count) - 1, 0)[:, None]
    return after, np.array([0.0, *rewards])[:, None], np.zeros((count, 1), bool)


def drawn_town(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Five states and three actions, each to a state further on; the last pays nothing."""
    rewards = rng.uniform(-9, 9, (5, 3))
    rewards[4] = 0.0
    after = np.array([rng.integers(min(s + 1, 4), 5, size=3) for s in range(5)])
    return after, rewards, np.zeros((5, 3), bool)


def _exactly(town: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """The values of a way with gamma 1: sums of its rewards, from behind, up to the end."""
    worth = np.zeros(len(town[1]))
    for state in reversed(range(len(worth) - 1)):
        worth[state] = town[1][state, 0] + (0 if town[2][state, 0] else worth[state + 1])
    return worth


def _row(attempt: Callable, town: tuple, gamma: float, number: int) -> Any:
    rows = swept(attempt, town, gamma, 1e-9)
    if rows is not None and number and any(rows[0]):  # the zeros are missing: that costs once
        rows = [[0.0] * len(rows[0]), *rows]
    if rows is not None and len(rows) <= max(number, 0):
        return f"a list of {len(rows)}"
    return None if rows is None else rows[number]


def _count(attempt: Callable, town: tuple, gamma: float, tolerance: float) -> float | None:
    rows = swept(attempt, town, gamma, tolerance)
    return None if rows is None else float(len(rows) + any(rows[0]))
