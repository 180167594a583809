"""Checks of notebook 01. Every expected number was worked by hand."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from course_lib.checks.core import Case, exercise
from course_lib.checks.maze_episode import check_learn_episode
from course_lib.checks.maze_update import check_td_update
from course_lib.tryouts.maze import names_told, picks

__all__ = [
    "check_epsilon_greedy", "check_failing_settings", "check_learn_episode", "check_td_update",
    "check_worth_from_afar",
]  # fmt: skip


@exercise(
    "1.1",
    parts={"picks the best": 3, "explores": 3, "mixes the two": 2, "breaks ties fairly": 2},
    hides=("course_lib.agents.tabular:epsilon_greedy",),
)
def check_epsilon_greedy(
    epsilon_greedy: Callable[[np.ndarray, float, np.random.Generator], int],
    rng: np.random.Generator,
) -> Iterator[Case]:
    """Epsilon 0 is greedy with fair ties, epsilon 1 is uniform, 0.2 is in between."""
    q_values = np.array([1.0, 3.0, 2.0, -5.0])
    seed = int(rng.integers(2**30))

    def shares(values: np.ndarray, epsilon: float) -> np.ndarray:
        found = np.asarray(picks(epsilon_greedy, values, epsilon, seed, 4000))
        return np.array([np.mean(found == action) for action in range(4)])

    once_more = partial(picks, epsilon_greedy, q_values, 0.5, 7, 100)

    yield Case(
        "with epsilon 0 it always picks the highest q-value",
        expected=[0, 1, 0, 0],
        got=lambda: shares(q_values, 0.0),
        hint="did you pick the action with np.argmax, and compare rng.random() < epsilon?",
        part="picks the best",
    )
    yield Case(
        "with epsilon 1 it picks every action equally often",
        expected=[0.25, 0.25, 0.25, 0.25],
        got=lambda: shares(q_values, 1.0),
        atol=0.04,
        hint="an exploring mouse picks among ALL actions: rng.integers(len(q_values))",
        part="explores",
        slips=(
            (
                [0, 1, 0, 0],
                "it never explores: is rng.random() < epsilon there, the right way round?",
            ),
        ),
    )
    yield Case(
        "the same dice pick the same actions",
        expected=True,
        got=lambda: once_more() == once_more(),
        hint="take every random number from rng, which was given: then a run can be repeated",
        part="explores",
    )
    yield Case(
        "with epsilon 0.2 the best action gets 0.8 + 0.2 / 4 of the picks",
        expected=[0.05, 0.85, 0.05, 0.05],
        got=lambda: shares(q_values, 0.2),
        atol=0.04,
        hint="explore when rng.random() < epsilon; an exploring mouse may pick the best one, too",
        part="mixes the two",
    )
    yield Case(
        "equally good actions are picked equally often",
        expected=[0.5, 0, 0.5, 0],
        got=lambda: shares(np.array([2.0, 0.0, 2.0, 1.0]), 0.0),
        atol=0.04,
        hint="np.argmax always takes the first; np.flatnonzero(q_values == q_values.max()) "
        "lists all the best",
        part="breaks ties fairly",
    )
    yield from _drawn_shares(shares, rng)


def _drawn_shares(shares: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """The same three questions about q-values and an epsilon that are drawn."""
    drawn = rng.permutation([4.0, -1.0, 0.5, -6.5])
    yield Case(
        "so it does with other q-values",
        got=lambda: shares(drawn, 0.0),
        hint="pick by the q-values that are given",
        part="picks the best",
    )
    epsilon = float(rng.choice([0.4, 0.5, 0.6]))
    yield Case(
        "another epsilon gives other shares",
        expected=np.where(drawn == drawn.max(), 1 - epsilon, 0) + epsilon / 4,
        got=lambda: shares(drawn, epsilon),
        atol=0.05,
        hint="explore when rng.random() < epsilon",
        part="mixes the two",
    )
    tied = rng.permutation([-2.0, -2.0, -2.0, -7.0])
    yield Case(
        "three equally good actions share the picks",
        expected=np.where(tied == tied.max(), 1 / 3, 0),
        got=lambda: shares(tied, 0.0),
        atol=0.05,
        hint="take all that reach q_values.max(), however many they are",
        part="breaks ties fairly",
    )


REASONS = {
    "epsilon 0": "works: every step costs 1, so whatever was tried looks worse than the rest",
    "epsilon 1": "works: the WALK stays random, and the ledger learns from random walks too",
    "discount 0": "fails: only the next reward counts, so the cheese is seen from next to it only",
    "discount 1": "works: here every episode ends, so the sum of the rewards stays finite",
    "learning rate 0": "fails: then nothing is ever written into the ledger",
    "learning rate 0.05": "fails: the news of the cheese hardly moves in so few episodes",
    "learning rate 1": "works: nothing here is random, so the newest target is always right",
}
SETTINGS = (
    "epsilon 0",
    "epsilon 1",
    "discount 0",
    "discount 1",
    "learning rate 0",
    "learning rate 0.05",
    "learning rate 1",
)


@exercise(
    "1.4",
    parts={"epsilon": 2, "the discount": 3, "the learning rate": 3},
)
def check_failing_settings(failing: Callable[[], set[str]]) -> Iterator[Case]:
    """One case per setting; a test trains the mice and holds these answers against them."""

    def known() -> bool | None:
        names = names_told(failing)
        return None if names is None else bool(names) and set(names) <= set(SETTINGS)

    def named(kind: str) -> list[str] | None:
        names = names_told(failing)
        return None if names is None else [name for name in names if name.startswith(kind)]

    yield Case(
        "some settings fail, and their names are from the list",
        expected=True,
        got=known,
        hint="copy the names of those that fail from the text above",
        part="epsilon",
    )
    for kind, part in KINDS.items():
        of_kind = [name for name in SETTINGS if name.startswith(kind)]
        yield Case(
            "; ".join(f"{name} {REASONS[name]}" for name in of_kind),
            got=partial(named, kind),
            hint=f"think again of {', '.join(of_kind)}; or try them with the slider below",
            part=part,
            otherwise=f"of {part} not all is right",  # an aspect would tell the answer
        )


KINDS = {"epsilon": "epsilon", "discount": "the discount", "learning rate": "the learning rate"}


@exercise(
    "1.5",
    parts={"the last step": 2, "the steps before": 3, "the discount": 3},
)
def check_worth_from_afar(
    worth: Callable[[int, float], float], rng: np.random.Generator
) -> Iterator[Case]:
    """The exact q-value of the best action, some steps away from the cheese."""
    for aspect, steps, gamma, expected, part, hint in WORTHS:
        yield Case(aspect, expected, partial(worth, steps, gamma), hint, part=part)
    steps, gamma = int(rng.integers(5, 12)), float(rng.uniform(0.5, 0.99))
    hint = "each further step away: -1 + gamma * the worth one step nearer"
    got = partial(worth, steps, gamma)
    yield Case("many steps away, with another gamma", got=got, hint=hint, part="the discount")
    got = partial(worth, steps + 2, 1.0)
    yield Case("with gamma 1 each step costs 1", got=got, hint=hint, part="the steps before")


WORTHS = (
    (
        "one step away it is worth 20",
        1,
        0.9,
        20.0,
        "the last step",
        "the last step earns +20 and no -1",
    ),
    (
        "two steps away: -1 + 0.9 * 20 = 17",
        2,
        0.9,
        17.0,
        "the steps before",
        "the next step's worth counts gamma times",
    ),
    (
        "three steps away: -1 + 0.9 * 17 = 14.3",
        3,
        0.9,
        14.3,
        "the steps before",
        "each further step away: -1 + gamma * the worth one step nearer",
    ),
    (
        "a mouse that counts only the next reward sees -1",
        3,
        0.0,
        -1.0,
        "the discount",
        "with gamma 0 nothing after this step counts",
    ),
)
