"""Checks of lesson 06. Every expected number was worked by hand."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from course_lib.checks.core import ALONE, COPY, FROM_REFERENCE, Case, exercise
from course_lib.checks.games_env import check_tic_tac_toe
from course_lib.checks.predictions import predictions
from course_lib.tryouts.core import call, leaves_alone
from course_lib.tryouts.games import visits_told

__all__ = [
    "check_first_visit_returns", "check_n_step_target", "check_sarsa_target", "check_tic_tac_toe",
    "check_two_ways",
]  # fmt: skip


@exercise(
    "6.1",
    parts={"the return": 4, "the first visit": 4, "the discount": 2},
    hides=("course_lib.agents.monte_carlo:first_visit_returns",),
)
def check_first_visit_returns(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Returns without a second visit and without a discount, then each of these alone."""
    later = "add up the rewards from there on, from behind: following = reward + gamma * following"
    first = "of several visits the first one counts: the one with the most steps after it"

    def counted(visited: list[int]) -> tuple:
        missing = "states are missing: return after the loop, when all have their return"
        strange = "it holds states that were not visited: begin each time with an empty dict"
        return ((lambda got: len(got) < len(set(visited)), missing),
                (lambda got: len(got) > len(set(visited)), strange))  # fmt: skip

    yield Case(
        "states 3, 1, 2 that pay 1, 0, 5 (pairs of state and return)",
        expected=[[1, 5], [2, 5], [3, 6]],
        got=partial(visits_told, attempt, [3, 1, 2], [1, 0, 5], 1.0),
        hint=later,
        part="the return",
        slips=(
            *counted([1, 2, 3]),
            ([[1, 1], [2, 6], [3, 1]], "these are the rewards UP TO the state; count what follows"),
            ([[1, 0], [2, 5], [3, 1]], "that is the reward of the step; all that follows counts"),
            ([[1, 5], [2, 0], [3, 5]], "the reward of the state's own step belongs to its return"),
        ),
    )
    length = int(rng.integers(5, 8))
    states = [int(one) for one in rng.permutation(length)]
    rewards = rng.uniform(-9, 9, length).tolist()
    yield Case(
        "and in another episode",
        got=partial(visits_told, attempt, states, rewards, 1.0),
        hint=later,
        part="the return",
        slips=counted(states),
    )
    yield Case(
        "state 0 twice: all three rewards follow its first visit",
        expected=[[0, 7], [1, 6]],
        got=partial(visits_told, attempt, [0, 1, 0], [1, 2, 4], 1.0),
        hint=first,
        part="the first visit",
        slips=(
            ([[0, 4], [1, 6]], "that followed the LAST visit of state 0; the first one counts"),
            ([[0, 5.5], [1, 6]], "that is the mean over its visits; only the first one counts"),
            ([[0, 11], [1, 6]], "that is the sum over its visits; only the first one counts"),
        ),
    )
    yield Case(
        "also where less followed it than a later visit: -3 + 2 + 4 = 3, and not 4",
        expected=[[0, 3], [1, 6]],
        got=partial(visits_told, attempt, [0, 1, 0], [-3, 2, 4], 1.0),
        hint=first,
        part="the first visit",
        slips=(([[0, 4], [1, 6]], "4 followed a LATER visit of state 0; the first one counts"),),
    )
    yield Case(
        "and where it is 0: -6 + 2 + 4",
        expected=[[0, 0], [1, 6]],
        got=partial(visits_told, attempt, [0, 1, 0], [-6, 2, 4], 1.0),
        hint="a return of 0 is a return: ask `state in returns`, not whether it is 0",
        part="the first visit",
        slips=(*counted([0, 1]),),
    )
    walked = [int(one) for one in rng.integers(3, size=9)]
    paid = rng.uniform(-9, 9, 9).tolist()
    yield Case(
        "and with other states that come again",
        got=partial(visits_told, attempt, walked, paid, 1.0),
        hint=first,
        part="the first visit",
        slips=counted(walked),
    )
    gamma = float(rng.uniform(0.2, 0.8))
    for aspect, expected, discount in (
        ("8 two steps later with gamma 0.5: 2", [[0, 2], [1, 4], [2, 8]], 0.5),
        ("and with another gamma", FROM_REFERENCE, gamma),
    ):
        yield Case(
            aspect,
            expected=expected,
            got=partial(visits_told, attempt, [0, 1, 2], [0, 0, 8], discount),
            hint="each step further on counts gamma times",
            part="the discount",
            slips=(
                ([[0, 8], [1, 8], [2, 8]], "is gamma in it?"),
                ([[0, 1], [1, 2], [2, 4]], "the first reward counts once, the next gamma times"),
            ),
        )
    got = partial(leaves_alone, attempt, [3, 1, 2], [1, 0, 5], 0.5)
    yield Case(ALONE, True, got, COPY, part="the return")


NOT = "`~` turns arrays around; of Python's own False it makes -1: write (not terminated)"


@exercise(
    "6.2",
    parts={"the next action": 4, "the discount": 2, "the end": 3},
)
def check_sarsa_target(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """The next action with gamma 1, then the discount, then the end, with one q-value each."""
    following, discount, end = "the next action", "the discount", "the end"
    row, gamma = rng.uniform(3, 9, 4), float(rng.uniform(0.2, 0.8))
    worst, reward = int(row.argmin()), float(rng.uniform(-9, 9))
    cases: list[tuple] = [
        ("it goes by the action that is taken next: -1 + 4, and not -1 + 10", 3.0,
         (-1.0, np.array([6.0, 10.0, 4.0]), 2, False, 1.0), following),
        ("whichever that is", FROM_REFERENCE, (reward, row, worst, False, 1.0), following),
        ("also action 0, with neither the highest nor the lowest: -1 + 6", 5.0,
         (-1.0, np.array([6.0, 10.0, 4.0]), 0, False, 1.0), following),
        ("-1 + 0.5 * 4 = 1", 1.0, (-1.0, np.array([4.0, 4.0]), 1, False, 0.5), discount),
        ("and with another gamma", FROM_REFERENCE,
         (reward, np.full(3, row[0]), 1, False, gamma), discount),
        ("at the end the reward alone: 5", 5.0, (5.0, np.array([4.0, 4.0]), 1, True, 1.0), end),
        ("another end", FROM_REFERENCE, (reward, np.full(3, row[0]), 2, True, 1.0), end),
        ("an end that pays 0", 0.0, (0.0, np.array([4.0, 4.0]), 1, True, 1.0), end),
    ]  # fmt: skip
    hints = {
        following: "the q-value of the action really taken next: next_q_values[next_action]",
        discount: "the next q-value counts gamma times, the reward once",
        end: "where the episode terminates nothing follows: multiply by (not terminated)",
    }
    for aspect, expected, given, part in cases:
        reward, row, action, ends, gamma = given
        got = partial(call, attempt, reward, row.copy(), action, ends, gamma)
        slips = tuple(_wrong_targets(*given))
        yield Case(aspect, expected, got, hints[part], part=part, slips=slips)
    got = partial(leaves_alone, attempt, 1.0, np.array([4.0, 2.0]), 1, True, 0.5)
    yield Case(ALONE, True, got, COPY, part=end)


def _wrong_targets(
    reward: float, row: np.ndarray, action: int, ends: bool, gamma: float
) -> Iterator[tuple[float, str]]:
    """What usual mistakes give, where it differs from what is right."""
    right = reward + gamma * (not ends) * row[action]
    for wrong, hint in (
        (reward + gamma * (not ends) * row.max(), "max is Q-learning's; here the next action says"),
        (reward + gamma * (not ends) * row.min(), "not the lowest: the one that is taken"),
        (reward + gamma * (not ends) * row.mean(), "not the mean: the one action that is taken"),
        (
            right if ends or action else reward,
            "action 0 is an action like any other; and the "
            "future counts where it has NOT terminated",
        ),
        (right if ends else reward, "the future counts where it has NOT terminated"),
        (reward + gamma * (not ends) * action, "next_action is a place in the row, not the value"),
        (reward + (not ends) * row[action], "is gamma in it?"),
        (gamma * (reward + (not ends) * row[action]), "gamma counts for the future alone"),
        (reward + gamma * row[action], "nothing follows the end: (not terminated)"),
        (
            0.0 * reward if ends else right,
            "the reward of the last step counts; only what follows it is switched off",
        ),
        (reward + gamma * (not ends) * row[0], "next_action says which of the q-values"),
        (
            reward + gamma * (-1 - ends) * row[action],
            NOT if ends else f"the next q-value is ADDED; or: {NOT}",
        ),
    ):
        if abs(wrong - right) > 1e-6:
            yield float(wrong), hint


WAYS: dict[str, tuple[str, str]] = {
    "Q-learning": ("edge", "it counts on the greedy walker, who never slips"),
    "SARSA": ("away", "it counts on the walker that explores, for whom the edge is dear"),
    "more while learning": ("SARSA", "it does not fall"),
    "more when greedy": ("Q-learning", "13 steps are fewer"),
}


WHO, WHERE = ("Q-learning", "SARSA"), ("edge", "away")


@exercise("6.3", parts=dict.fromkeys(WAYS, 2))
def check_two_ways(attempt: Callable[[], dict[str, str]]) -> Iterator[Case]:
    """One case per entry; a test lets the agents learn and holds these words against them."""
    words = {entry: WHERE if entry in WHO else WHO for entry in WAYS}
    yield from predictions(attempt, WAYS, words, "the picture below shows it")


@exercise(
    "6.4",
    parts={"the rewards": 3, "the value after them": 3, "the end": 3},
    hides=("course_lib.agents.n_step:n_step_targets", "course_lib.agents.n_step:lambda_targets"),
)
def check_n_step_target(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Rewards without a value behind them, a value behind zeros, and an end without a discount."""
    first, behind, end = "the rewards", "the value after them", "the end"
    rewards, gamma = rng.uniform(-9, 9, 4).tolist(), float(rng.uniform(0.2, 0.8))
    value = float(rng.uniform(3, 9))
    cases: list[tuple] = [
        ("rewards 1, 2, 4 with gamma 0.5, and nothing of worth behind: 1 + 1 + 1 = 3", 3.0,
         ([1.0, 2.0, 4.0], 0.0, False, 0.5), first),
        ("so it is with four others", FROM_REFERENCE, (rewards, 0.0, False, gamma), first),
        ("a value of 16 after three rewards of 0: 16 / 8 = 2", 2.0,
         ([0.0] * 3, 16.0, False, 0.5), behind),
        ("after one reward it is the target of notebook 01: 0.5 * 16 = 8", 8.0,
         ([0.0], 16.0, False, 0.5), behind),
        ("another value, after four", FROM_REFERENCE, ([0.0] * 4, value, False, gamma), behind),
        ("at the end nothing follows: 3 + 4, and no 16", 7.0, ([3.0, 4.0], 16.0, True, 1.0), end),
        ("nor there", FROM_REFERENCE, (rewards, value, True, 1.0), end),
    ]  # fmt: skip
    hints = {
        first: "the first reward counts once, the next gamma times, then gamma**2 times",
        behind: "after n rewards the value counts gamma**n times",
        end: "where the episode has terminated the value counts 0; the rewards still count",
    }
    for aspect, expected, given, part in cases:
        got = partial(call, attempt, list(given[0]), *given[1:])
        slips = tuple(_wrong_sums(*given))
        yield Case(aspect, expected, got, hints[part], part=part, slips=slips)
    yield Case(
        "the end changes nothing of the rewards before it",
        expected=0.0,
        got=partial(_at_the_end, attempt, rewards, value, gamma),
        hint=hints[end],
        part=end,
    )
    got = partial(leaves_alone, attempt, [1.0, 2.0], 16.0, False, 0.5)
    yield Case(ALONE, True, got, COPY, part=first)


def _at_the_end(
    attempt: Callable, rewards: list[float], value: float, gamma: float
) -> float | None:
    """How far the target at an end is from that with nothing of worth behind."""
    ended = call(attempt, list(rewards), value, True, gamma)
    return None if ended is None else ended - call(attempt, list(rewards), 0.0, False, gamma)


def _wrong_sums(
    rewards: list[float], value: float, ends: bool, gamma: float
) -> Iterator[tuple[float, str]]:
    """What usual mistakes give, where it differs from what is right."""
    n, powers = len(rewards), gamma ** np.arange(len(rewards))
    paid, after = float(powers @ rewards), 0.0 if ends else value
    right = paid + gamma**n * after
    for wrong, hint in (
        (paid - gamma**n * after, f"the value is ADDED to the rewards; or: {NOT}"),
        (paid + gamma ** (n - 1) * after, "one gamma is missing: the value comes AFTER n rewards"),
        (paid + gamma ** (n + 1) * after, "one gamma too many before the value"),
        (paid + gamma * after, "after n rewards the value counts gamma**n times, not once"),
        (paid + after, "the value is discounted, too: gamma**n"),
        (sum(rewards) + gamma**n * after, "the rewards are discounted, too"),
        (gamma * paid + gamma**n * after, "the first reward counts once: gamma**0"),
        (float(powers[::-1] @ rewards) + gamma**n * after,
         "the other way round: the LAST reward is discounted most"),
        (paid + gamma**n * value, "the episode has terminated: nothing follows"),
        (paid + (-1 - ends) * gamma**n * value, NOT),
    ):  # fmt: skip
        if abs(wrong - right) > 1e-6:
            yield wrong, hint
