"""The check of exercise 7.1: exploring that lasts. Every expected number was worked by hand."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import Case, exercise
from course_lib.checks.diagnosis import Diagnosis, Slips
from course_lib.tryouts.mountain_car import (
    GREEDY,
    explored,
)

TIMES, NEAR = 2_000, 0.055  # five standard deviations of a share


@exercise(
    "7.1",
    parts={"keeps": 3, "draws": 2, "how long": 2, "greedy": 2, "chance": 2},
    hides=("course_lib.agents.dqn:explore",),
)
def check_explore(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Keeping first, then epsilon 1 and 0, then one in between."""
    seed, hold = int(rng.integers(1_000)), int(rng.integers(5, 12))
    once = partial(explored, attempt, seed=seed, num_actions=3, times=20)
    slips = Diagnosis(
        lambda: [_kinds(once(0, 4, epsilon=0.0, hold=9)), _kinds(once(1, 0, epsilon=0.0, hold=9))],
        [[[0, 3]], [[GREEDY, 0]]],
        (
            (lambda got: got[0] == [[3, 0]], "the action first, then the steps that are left"),
            (lambda got: got[1] == [[1, -1]], "0 steps left: nothing is kept any more"),
        ),
    ).slips
    for aspect, expected, held, left, epsilon in (
        ("action 0 with 3 steps left: 0 again, and 2 steps left", [0, 2], 0, 3, 0.0),
        ("action 2 with 1 step left: 2 again, and none left", [2, 0], 2, 1, 0.0),
        ("a kept action is not interrupted, with epsilon 1", [1, 4], 1, 5, 1.0),
        ("and not with epsilon 0.5", [1, 4], 1, 5, 0.5),
    ):
        yield Case(
            aspect,
            expected=[expected],
            got=lambda held=held, left=left, epsilon=epsilon: _kinds(
                once(held, left, epsilon=epsilon, hold=hold)
            ),
            hint="if steps_left > 0: return the held action, and one step less",
            part="keeps",
            slips=(
                *slips,
                ([[held, left]], "count down: one step less is left after this one"),
                ([[GREEDY, 0]], "while steps_left > 0 the held action goes on"),
                (lambda got: len({one[0] for one in got}) > 1,
                 "look at steps_left BEFORE you draw: a held action is not interrupted"),
            ),
        )  # fmt: skip
    yield from _fresh(attempt, seed, hold, rng, slips)


def _fresh(
    attempt: Callable, seed: int, hold: int, rng: np.random.Generator, slips: Slips
) -> Iterator[Case]:
    """What is chosen where nothing is kept."""
    several = partial(explored, attempt, 1, 0, seed=seed, times=TIMES)
    for number, best in ((3, GREEDY), (int(rng.integers(4, 6)), 1)):
        yield Case(
            f"with epsilon 1 it draws each of {number} actions equally often",
            expected=[1 / number] * number + [0],
            got=lambda number=number, best=best: _shares(
                several(epsilon=1.0, hold=3, num_actions=number, greedy=best), number
            ),
            atol=NEAR,
            hint="each of the actions, also the best one: rng.integers(num_actions)",
            part="draws",
            slips=(
                *slips,
                ([0] * number + [1], "it never explores: is it rng.random() < epsilon?"),
                ([0, 1] + [0] * (number - 1), "the held action is over: draw a new one"),
            ),
        )
    for length in (8, hold, 1):
        yield Case(
            f"a random action is kept for {length} steps: {length - 1} more after this one",
            expected=[length - 1],
            got=lambda length=length: _lefts(several(epsilon=1.0, hold=length, num_actions=3)),
            hint="a random action lasts `hold` steps in all",
            part="how long",
            slips=(
                *slips,
                ([length], "this step is the first of them: hold - 1 more"),
                ([0], "a random action is kept: hold - 1 more steps"),
            ),
        )
    epsilon = float(rng.choice([0.2, 0.3, 0.4]))
    between = partial(several, epsilon=epsilon, hold=hold, num_actions=3)
    yield Case(
        f"with epsilon {epsilon}, too, each random one is kept",
        expected=[hold - 1],
        got=lambda: _lefts(_random(between())),
        hint="ONE draw of rng.random() decides both: random and kept, or greedy and not kept",
        part="how long",
        slips=(
            *slips,
            ([hold], "this step is the first of them: hold - 1 more"),
            ([0], "a random action is kept: hold - 1 more steps"),
        ),
    )
    yield Case(
        "and those are drawn equally often, too",
        expected=[1 / 3] * 3 + [0],
        got=lambda: _shares(_random(between()), 3),
        atol=2 * NEAR,
        hint="draw twice: rng.random() < epsilon whether, and then rng.integers(num_actions) which",
        part="draws",
        slips=slips,
    )
    for best in (GREEDY, int(rng.integers(8, 20))):
        yield Case(
            f"with epsilon 0 it takes what greedy() gives, here {best}, and keeps nothing",
            expected=[[best, 0]],
            got=lambda best=best: _kinds(
                several(epsilon=0.0, hold=hold, num_actions=3, greedy=best)
            ),
            hint="return greedy(), and 0 steps left",
            part="greedy",
            slips=(
                *slips,
                ([[best, hold - 1]], "only RANDOM actions are kept; after a greedy one: 0"),
                ([[best, hold]], "only RANDOM actions are kept; after a greedy one: 0"),
            ),
        )
    yield Case(
        f"with epsilon {epsilon} it explores in {epsilon:.0%} of the choices",
        expected=epsilon,
        got=lambda: _random_share(between()),
        atol=NEAR,
        hint="explore when rng.random() < epsilon",
        part="chance",
        slips=(
            *slips,
            (1 - epsilon, "the wrong way round: explore when rng.random() < epsilon"),
        ),
    )
    yield Case(
        "the same dice give the same actions, and other dice others",
        expected=[True, True],
        got=lambda: _dice(lambda dice: several(epsilon=0.5, hold=2, num_actions=3, seed=dice)),
        hint="take every random number from rng, which was given",
        part="draws",
        slips=(([True, False], "take every random number from rng: make no dice of your own"),),
    )


def _kinds(found: list[list[int]] | None) -> list[list[int]] | None:
    """The different pairs."""
    return None if found is None else [list(one) for one in sorted({tuple(one) for one in found})]


def _lefts(found: list[list[int]] | None) -> list[int] | None:
    return None if found is None else sorted({one[1] for one in found})


def _shares(found: list[list[int]] | None, num_actions: int) -> list[float] | None:
    if found is None:
        return None
    actions = [one[0] for one in found]
    return [actions.count(action) / len(found) for action in (*range(num_actions), GREEDY)]


def _random(found: list[list[int]] | None) -> list[list[int]] | None:
    return None if found is None else [one for one in found if one[0] != GREEDY] or [[GREEDY, 0]]


def _random_share(found: list[list[int]] | None) -> float | None:
    return None if found is None else sum(one[0] != GREEDY for one in found) / len(found)


def _dice(told: Callable[[int], Any]) -> list[bool] | None:
    first, again, other = told(1), told(1), told(2)
    return None if first is None else [first == again, first != other]
