"""Checks of lesson 05. Every expected number was worked by hand."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from course_lib.checks.core import ALONE, COPY, FROM_REFERENCE, Case, exercise
from course_lib.checks.planning_sweeps import check_value_iteration
from course_lib.checks.predictions import predictions
from course_lib.tryouts.core import call, leaves_alone
from course_lib.tryouts.planning import (
    actions_of,
    mended_leave_alone,
    mended_sweep,
    mended_update,
)

__all__ = [
    "check_back_up", "check_best_actions", "check_fog", "check_mended", "check_value_iteration",
]  # fmt: skip

NO, ENDS = np.array([False]), np.array([True])


@exercise(
    "5.1",
    parts={"the best action": 3, "the discount": 3, "the end": 3},
    hides=("course_lib.agents.planning:look_ahead",),
)
def check_back_up(back_up: Callable[..., float], rng: np.random.Generator) -> Iterator[Case]:
    """The best of several actions with gamma 1, then the discount and the end of a single one."""
    values = np.array([3.0, 10.0, 4.0, 7.0])
    best, discount, end = "the best action", "the discount", "the end"
    two = np.array([False, False])
    drawn, gamma = rng.uniform(5, 9, 4), float(rng.uniform(0.2, 0.8))
    places, rewards = rng.permutation(4)[:3], rng.uniform(-9, 9, 3)
    cases: list[tuple] = [
        ("2 + 4 and -1 + 10: 9", 9.0, (values, np.array([2, 1]), np.array([2.0, -1.0]), two, 1.0),
         best, BEST),
        ("also where all are negative: 4 - 15 and 10 - 20: -10", -10.0,
         (values, np.array([2, 1]), np.array([-15.0, -20.0]), two, 1.0), best, BEST),
        ("of other actions, too, it is the best", FROM_REFERENCE,
         (drawn, places, rewards, np.zeros(3, bool), 1.0), best, BEST),
        ("one action: -1 + 0.9 * 10 = 8", 8.0,
         (values, np.array([1]), np.array([-1.0]), NO, 0.9), discount, GAMMA),
        ("and with another gamma", FROM_REFERENCE,
         (drawn, places[:1], rewards[:1], NO, gamma), discount, GAMMA),
        ("one action that ends the episode: 5, and not 5 + 7", 5.0,
         (values, np.array([3]), np.array([5.0]), ENDS, 1.0), end, END),
        ("one that ends beside one that does not: 2 + 3 and 1: 5", 5.0,
         (values, np.array([0, 1]), np.array([2.0, 1.0]), np.array([False, True]), 1.0), end, EACH),
        ("two actions to one state, and only the first ends there: 2, 1 + 7, 3.5 + 3: 8", 8.0,
         (values, np.array([3, 3, 0]), np.array([2.0, 1.0, 3.5]), np.array([True, False, False]),
          1.0), end, EACH),
        ("another end", FROM_REFERENCE, (drawn, places[:1], abs(rewards[:1]), ENDS, 1.0), end, END),
    ]  # fmt: skip
    for aspect, expected, given, part, hint in cases:
        got = partial(call, back_up, *[np.array(one) for one in given[:4]], given[4])
        slips = tuple(_wrong_backups(*given))
        yield Case(aspect, expected, got, hint, part=part, slips=slips)
    whole = (drawn, places, rewards, np.array([False, True, False]), gamma)
    yield Case(ALONE, True, partial(leaves_alone, back_up, *whole), COPY, part=end)


BEST = "work out the q-value of each action, then take the highest of them"
GAMMA = "the value of the next state counts gamma times"
END = "where the episode terminates nothing follows: multiply the future by ~terminated"
LOOK_UP = "values[next_states] are the values of the next states"
EACH = "each action has its own `terminated`: no `if` for all of them, but a product for each"


def _wrong_backups(
    values: np.ndarray, places: np.ndarray, rewards: np.ndarray, ends: np.ndarray, gamma: float
) -> Iterator[tuple[float, str]]:
    """What usual mistakes give, where it differs from what is right."""
    after = values[places]
    q_values = rewards + gamma * ~ends * after
    nowhere = np.where(np.isin(places, places[ends]), 0, after)
    for wrong, hint in (
        ((rewards + gamma * nowhere).max(),
         "the STATE keeps its value: another action may lead there without an end"),
        ((rewards + ~ends * after).max(), GAMMA),
        ((rewards + gamma * after).max(), END),
        (rewards.max() + (gamma * ~ends * after).max(),
         "the best reward and the best next state may belong to two actions; add first, then max"),
        ((~ends * (rewards + gamma * after)).max(),
         "the reward of the last step counts; only what follows it is switched off"),
        ((rewards + gamma * ends * after).max(),
         "the future counts where it goes ON: ~terminated, not terminated"),
        (max(0.0, q_values.max()), "begin with the first q-value, not with 0: all may be negative"),
        ((rewards - gamma * ~ends * after).max(), "the value of the next state is ADDED"),
        (float(q_values.argmax()), "argmax gives the place of the best action; its value is max"),
        (q_values.mean(), BEST), (q_values.sum(), BEST),
        *(((rewards + gamma * ~ends * all_of_them).max(), LOOK_UP)
          for all_of_them in (values[: len(places)], values) if len(all_of_them) == len(places)
          or len(places) == 1),
        ((gamma * (rewards + ~ends * after)).max(), "gamma counts for the future alone"),
    ):  # fmt: skip
        if abs(wrong - q_values.max()) > 1e-6:
            yield float(wrong), hint


WORDS = {
    "A": ("right", "a ride can start here, so it was learned from"),
    "B": ("right", "in the middle, on the way from Y and B to G"),
    "C": ("never", "where the passenger has arrived the ride is over"),
    "D": ("wrong", "no good ride comes through this dead end with a passenger"),
    "E": ("wrong", "no good ride comes through this corner with a passenger"),
}
SAID = ("right", "wrong", "never")


@exercise("5.3", parts=dict.fromkeys(WORDS, 2))
def check_fog(fog: Callable[[], dict[str, str]]) -> Iterator[Case]:
    """One case per state; a test trains the travellers and holds these words against them."""
    hint = "the table at the end of section 4 measures it"
    yield from predictions(fog, WORDS, dict.fromkeys(WORDS, SAID), hint)


@exercise(
    "5.4",
    parts={"the planner": 4, "the learner": 4},
    hides=(
        "course_lib.agents.planning:sweep",
        "course_lib.agents.planning:look_ahead",
        "course_lib.agents.tabular:td_update",
    ),
)
def check_mended(mended: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Each function by numbers worked by hand, then by drawn ones."""
    go_on = [False, False]
    town = ([[0, 1], [2, 0], [2, 2]], [[-1.0, -1.0], [20.0, -10.0], [0.0, 0.0]],
            [go_on, [True, False], go_on])  # fmt: skip
    planner, learner = "the planner", "the learner"
    yield Case(
        "a delivery pays 20, and nothing follows it",
        expected=[9.0, 20.0, 25.0],
        got=partial(mended_sweep, mended, [10.0, 20.0, 50.0], town, 0.5),
        hint="max over the actions, axis=1, of reward + gamma * ~terminated * values[next_state]",
        part=planner,
        slips=(
            ([9.0, 45.0, 25.0], "the same passenger is delivered again and again: ~terminated"),
            ([19.0, 20.0, 50.0], "is gamma in it?"),
            ([9.0, 0.0, 25.0], "the reward of the last step counts; only what follows it does not"),
        ),
    )
    next_state, rewards = rng.integers(4, size=(4, 3)), rng.uniform(-9, 9, (4, 3))
    drawn = (next_state, rewards, rng.random((4, 3)) < 0.4)
    values, gamma = rng.uniform(3, 9, 4), float(rng.uniform(0.3, 0.8))
    yield Case(
        "and so it is in another town",
        got=partial(mended_sweep, mended, values, drawn, gamma),
        hint="max over the actions, axis=1, of reward + gamma * ~terminated * values[next_state]",
        part=planner,
    )
    yield Case(
        ALONE,
        expected=True,
        got=partial(mended_leave_alone, mended, 0, values, *drawn, gamma),
        hint=COPY,
        part=planner,
    )
    cases = [
        ("from 4 to 1 + 0.5 * 6 = 4", 4.0, (4.0, 1.0, [2.0, 6.0], False), (1.0, 0.5)),
        ("a quarter of the way from 4 to 8: 5", 5.0, (4.0, 3.0, [10.0, 6.0], False), (0.25, 0.5)),
        ("at the end of an episode to the reward alone: 7", 7.0, (4.0, 7.0, [3.0, 6.0], True),
         (1.0, 0.5)),
        ("also there only a part of the way: half of it from 4 to 7 is 5.5", 5.5,
         (4.0, 7.0, [3.0, 10.0], True), (0.5, 0.5)),
    ]  # fmt: skip
    q_value, reward, low, high = rng.uniform(1, 9, 4).tolist()
    rate = float(rng.uniform(0.3, 0.8))
    cases.append(("and with other numbers", FROM_REFERENCE,
                  (q_value, reward, [low, high], False), (rate, gamma)))  # fmt: skip
    for aspect, expected, given, (rate, discount) in cases:
        yield Case(
            aspect,
            expected,
            got=partial(mended_update, mended, *given, learning_rate=rate, gamma=discount),
            hint="q_value + learning_rate * (target - q_value): the old q-value is taken away once",
            part=learner,
            slips=tuple(_wrong_updates(*given, rate, discount)),
        )
    yield Case(
        ALONE,
        expected=True,
        got=partial(mended_leave_alone, mended, 1, q_value, reward, np.array([low, high]),
                    np.bool_(True), learning_rate=rate, gamma=gamma),
        hint=COPY,
        part=learner,
    )  # fmt: skip


def _wrong_updates(
    q_value: float, reward: float, after: list[float], ends: bool, rate: float, gamma: float
) -> Iterator[tuple[float, str]]:
    """What the talk's update gives, and two others, where it differs."""
    follows = 0.0 if ends else max(after)
    right = q_value + rate * (reward + gamma * follows - q_value)
    inside = (
        "the old q-value is taken away only gamma times: it belongs outside of gamma * max(...)"
    )
    for wrong, hint in (
        (reward + gamma * (follows - q_value), inside),
        (reward + gamma * follows, "go TOWARDS the target: take the old q-value away, too"),
        (reward + follows - q_value, "and gamma? The future counts gamma times"),
        (reward + gamma * max(after) - q_value, "where the episode terminates nothing follows"),
        *([((reward - q_value) / rate, "learning_rate counts at an end, too")] if ends else ()),
    ):
        if abs(q_value + rate * wrong - right) > 1e-6:
            yield q_value + rate * wrong, hint


@exercise(
    "5.5",
    parts={"the look ahead": 3, "the end": 2, "every state": 3},
    hides=("course_lib.agents.planning:look_ahead",),
)
def check_best_actions(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """The worked example with two discounts, an end, and a town that is drawn."""
    values = np.array([10.0, 2.0])
    town = [np.array([[0, 1], [0, 1]]), np.array([[-1.0, 5.0]] * 2), np.zeros((2, 2), bool)]
    value = "that is the value of the best action; its place in the row is argmax"
    ahead = (
        "q = reward + gamma * ~terminated * values[next_state], then for each state, a row of q, "
        "the number of its best action: argmax(axis=1)"
    )
    from_0 = "actions are counted from 0, as argmax does"
    for gamma, best in ((1.0, [0, 0]), (0.5, [1, 1])):
        yield Case(
            f"with gamma {gamma:g} action {best[0]} is better",
            expected=best,
            got=partial(actions_of, attempt, values, town, gamma),
            hint=ahead,
            part="the look ahead",
            slips=(
                ([9.0, 9.0] if gamma == 1 else [6.0, 6.0], value),
                ([best[0] + 1] * 2, from_0) if best[0] else ([1, 1], ahead),
            ),
        )
    dear = [town[0], np.full((2, 2), -1.0), town[2]]
    yield Case(
        "also where all are negative: -2001 against -1001",
        expected=[1, 1],
        got=partial(actions_of, attempt, np.array([-2000.0, -1000.0]), dear, 1.0),
        hint="begin with the first q-value, not with 0: all may be negative",
        part="the look ahead",
        slips=(([-1001.0, -1001.0], value), ([2, 2], from_0)),
    )
    ends = [town[0], town[1], np.array([[True, False]] * 2)]
    yield Case(
        "if the first one ends the episode, the second is better: -1 against 7",
        expected=[1, 1],
        got=partial(actions_of, attempt, values, ends, 1.0),
        hint="where the episode terminates nothing follows: ~terminated",
        part="the end",
        slips=(([7.0, 7.0], value), ([2, 2], from_0)),
    )
    drawn = [rng.integers(9, size=(9, 4)), rng.uniform(-9, 9, (9, 4)), rng.random((9, 4)) < 0.3]
    yield Case(
        "and in each state of another town",
        got=partial(actions_of, attempt, rng.uniform(-9, 9, 9), drawn, float(rng.uniform(0.5, 1))),
        hint=ahead,
        part="every state",
    )
    whole = (np.ones(9), *[part.copy() for part in drawn], 0.5)
    yield Case(ALONE, True, partial(leaves_alone, attempt, *whole), COPY, part="every state")
