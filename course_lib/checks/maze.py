"""Checks of notebook 01. Every expected number was worked by hand."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np

from course_lib.checks.core import Case, exercise
from course_lib.envs.maze import MazeEnv
from course_lib.envs.maze_map import random_maze


class Watched(gym.Wrapper):
    """An environment that objects to a loop that does not end."""

    over = False

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        self.over = False
        return super().reset(**options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step, unless the episode is over.

        Raises:
            RuntimeError: if it is.
        """
        if self.over:
            raise RuntimeError("your loop went on after the episode had terminated or truncated")
        outcome = super().step(action)
        self.over = outcome[2] or outcome[3]
        return outcome


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
    dice = rng.spawn(1)[0]

    def shares(values: np.ndarray, epsilon: float) -> np.ndarray:
        picks = [epsilon_greedy(values.copy(), epsilon, dice) for _ in range(4000)]
        if None in picks:
            raise TypeError("your function returned None; does every branch return an action?")
        return np.bincount(np.asarray(picks, dtype=int), minlength=4) / len(picks)

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


@exercise(
    "1.2",
    parts={"the target": 4, "the learning rate": 3, "the end of an episode": 3},
    hides=("course_lib.agents.tabular:td_update",),
)
def check_td_update(td_update: Callable[..., float], rng: np.random.Generator) -> Iterator[Case]:
    """The target, the step towards it, and the end of an episode."""
    after, nothing = np.array([4.0, 10.0, -3.0, 0.0]), np.zeros(4)
    yield Case(
        "with learning rate 1 it becomes the target: -1 + 0.9 * 10 = 8",
        expected=8.0,
        got=lambda: td_update(5.0, -1.0, after, False, learning_rate=1.0, gamma=0.9),
        hint="the target is reward + gamma * the HIGHEST next q-value",
        part="the target",
    )
    yield Case(
        "with learning rate 0.25 it goes a quarter of the way to a reward of 8: "
        "0.75 * 5 + 0.25 * 8 = 5.75",
        expected=5.75,
        got=lambda: td_update(5.0, 8.0, nothing, False, learning_rate=0.25, gamma=0.9),
        hint="(1 - learning_rate) * q_value + learning_rate * target; are the two weights swapped?",
        part="the learning rate",
    )
    yield Case(
        "with learning rate 0 nothing is learned",
        expected=5.0,
        got=lambda: td_update(5.0, 8.0, nothing, False, learning_rate=0.0, gamma=0.9),
        hint="the old q-value keeps the weight 1 - learning_rate",
        part="the learning rate",
    )
    yield Case(
        "where the episode terminates nothing comes after: 0.5 * 5 + 0.5 * 20 = 12.5",
        expected=12.5,
        got=lambda: td_update(5.0, 20.0, after, True, learning_rate=0.5, gamma=0.9),
        hint="here the target is the reward alone: multiply the future by (not terminated)",
        part="the end of an episode",
    )
    yield from _drawn_updates(td_update, rng)


DRAWN_UPDATES = (
    ("so is the target of other numbers", 1.0, False, "the target", "is gamma in it?"),
    (
        "and the step towards it",
        0.3,
        False,
        "the learning rate",
        "the old q-value has the weight 1 - learning_rate",
    ),
    (
        "and the last step of an episode",
        0.6,
        True,
        "the end of an episode",
        "multiply the future by (not terminated), and nothing else",
    ),
)


def _drawn_updates(td_update: Callable[..., float], rng: np.random.Generator) -> Iterator[Case]:
    """Numbers that are drawn; all next q-values have one sign, so that a zero would show.

    Where the step is looked at they are 0, so that a mistake in the target costs nothing there.
    """
    for text, rate, ends, part, hint in DRAWN_UPDATES:
        q_value, reward = rng.uniform(-9, 9, 2).tolist()
        row = rng.uniform(-9, 9, 4) + rng.choice([-10, 10])
        if part == "the learning rate":
            row = np.zeros(4)
        got = partial(
            td_update,
            q_value,
            reward,
            row,
            ends,
            learning_rate=rate,
            gamma=float(rng.uniform(0.2, 0.95)),
        )
        yield Case(text, got=got, hint=hint, part=part)


@exercise(
    "1.3",
    parts={
        "adds up the rewards": 2,
        "learns from each step": 3,
        "knows the end": 2,
        "knows the clock": 2,
        "learns a way": 3,
    },
    hides=("course_lib.agents.tabular:learn_episode",),
)
def check_learn_episode(
    learn_episode: Callable[..., float], rng: np.random.Generator
) -> Iterator[Case]:
    """Two steps to the cheese, one step cut short by the clock, and mazes that are drawn."""
    table = np.array([[-9.0, 0.0, -9.0, -9.0], [-9.0, 4.0, -9.0, -9.0], [100.0] * 4])
    walked = table.copy()

    def walk(q_table: np.ndarray, **options: Any) -> float:
        env = Watched(MazeEnv("S.C", **options))
        return learn_episode(env, q_table, **GREEDY, rng=np.random.default_rng(0))

    yield Case(
        "it returns the sum of the rewards: -1 + 20 = 19",
        expected=19.0,
        got=lambda: walk(walked),
        hint="add up every reward, without gamma, and return the sum; who picks the action?",
        part="adds up the rewards",
    )
    yield Case(
        "the first step is learned from: 0.5 * 0 + 0.5 * (-1 + 0.9 * 4) = 1.3",
        expected=1.3,
        got=walked[0, 1],
        hint="write the new value to q_table[obs, action], and BEFORE obs becomes next_obs",
        part="learns from each step",
    )
    yield Case(
        "the step onto the cheese has no future: 0.5 * 4 + 0.5 * 20 = 12",
        expected=12.0,
        got=walked[1, 1],
        hint="hand terminated to td_update",
        part="knows the end",
    )
    changed = walked.copy()
    changed[0, 1], changed[1, 1] = 0.0, 4.0
    yield Case(
        "no other entry of the table changes",
        expected=table,
        got=changed,
        hint="write to q_table[obs, action] only",
        part="learns from each step",
    )
    cut = table.copy()
    yield Case(
        "an episode cut short by the clock still counts on the future: again 1.3",
        expected=1.3,
        got=lambda: (walk(cut, max_steps=1), cut[0, 1])[1],
        hint="hand terminated to td_update, not terminated or truncated; that ends only the loop",
        part="knows the clock",
    )
    yield from _drawn_episodes(learn_episode, rng)


GREEDY = {"learning_rate": 0.5, "gamma": 0.9, "epsilon": 0.0}
USUAL = {"learning_rate": 0.5, "gamma": 0.95, "epsilon": 0.1}


def _drawn_episodes(learn_episode: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """One greedy walk with a table that is drawn, and learning from nothing in a small maze."""
    maze = random_maze(4, 5, rng)
    start_table, dice = rng.normal(size=(maze.num_states, 4)), rng.spawn(2)
    table, (rate, gamma) = start_table.copy(), rng.uniform(0.2, 0.8, 2).tolist()

    def walk() -> float:
        env = Watched(MazeEnv(maze, max_steps=25))
        options = {"learning_rate": rate, "gamma": gamma, "epsilon": 0.0}
        return learn_episode(env, table, **options, rng=dice[0])

    yield Case(
        "the sum is right in another maze",
        got=walk,
        hint="take each action by epsilon_greedy, with the q-values of the state it is taken in",
        part="adds up the rewards",
    )
    yield Case(
        "and so is every entry of its table",
        got=table,
        hint="one entry per step: q_table[obs, action]",
        part="learns from each step",
    )
    yield Case(
        "after 150 episodes the greedy way is the shortest",
        expected=True,
        got=lambda: _learns_a_way(learn_episode, maze, dice[1]),
        hint="does it explore with epsilon, and does every step write into the table?",
        part="learns a way",
    )


def _learns_a_way(learn_episode: Callable, maze: Any, rng: np.random.Generator) -> bool:
    """Whether two of three mice learn the shortest way; an unlucky three get a second chance."""
    for _ in range(2):
        found = 0
        for _ in range(3):
            env, table = Watched(MazeEnv(maze)), np.zeros((maze.num_states, 4))
            for _ in range(150):
                learn_episode(env, table, **USUAL, rng=rng)
            found += _greedy_steps(table, maze) == maze.shortest_steps
        if found >= 2:
            return True
    return False


def _greedy_steps(table: np.ndarray, maze: Any) -> int:
    """Steps of the greedy way to the end of the episode."""
    env = MazeEnv(maze)
    obs, _ = env.reset()
    for number in range(1, maze.num_states + 1):
        obs, _, terminated, _, _ = env.step(int(np.argmax(table[obs])))
        if terminated:
            return number
    return -1


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
    hides=("course_lib.checks.maze:REASONS",),
)
def check_failing_settings(failing: Callable[[], set[str]]) -> Iterator[Case]:
    """One case per setting; a test trains the mice and holds these answers against them."""

    def given() -> set[str] | None:
        names = failing()
        if isinstance(names, str):
            raise TypeError(f"return a set of names; your function returned {names!r}")
        return None if names is None else {str(name) for name in names}

    def known() -> bool | None:
        names = given()
        return None if names is None else bool(names) and names <= set(SETTINGS)

    def named(name: str) -> bool | None:
        names = given()
        return None if names is None else name in names

    yield Case(
        "some settings fail, and their names are from the list",
        expected=True,
        got=known,
        hint="copy the names of those that fail from the text above",
        part="epsilon",
    )
    kinds = {"epsilon": "epsilon", "discount": "the discount", "learning rate": "the learning rate"}
    for name in SETTINGS:
        yield Case(
            f"{name} {REASONS.get(name, '')}",
            got=partial(named, name),
            hint="try it with the slider below",
            part=kinds[name.rsplit(" ", 1)[0]],
            otherwise=f"{name}: not so",  # an aspect would tell the answer
        )


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
