"""The check of exercise 1.3: one episode of learning."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import Case, exercise
from course_lib.envs.maze import MazeEnv
from course_lib.envs.maze_map import random_maze
from course_lib.tryouts.maze import actions_taken, episode, table_after, tables_learned


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
    given = {**GREEDY, "seed": 0}
    walked = np.asarray(table_after(learn_episode, "S.C", table, **given))
    changed = walked.copy()
    changed[0, 1], changed[1, 1] = 0.0, 4.0

    def cut_short() -> float:
        return table_after(learn_episode, "S.C", table, max_steps=1, strict=True, **given)[0][1]

    yield Case(
        "it returns the sum of the rewards: -1 + 20 = 19",
        expected=19.0,
        got=partial(episode, learn_episode, "S.C", table, **given),
        hint="add up every reward, and return the sum; who picks the action?",
        part="adds up the rewards",
        slips=(
            (17.0, "add up the rewards as they are: gamma belongs to the update alone"),
            (20.0, "add up every reward, the first too"),
            (-1.0, "add up every reward, the last too: is `return` inside the loop?"),
        ),
    )
    told = tuple((partial(_left, walked, entries), hint) for entries, hint in SIGNS)
    yield Case(
        "the first step is learned from: 0.5 * 0 + 0.5 * (-1 + 0.9 * 4) = 1.3",
        expected=1.3,
        got=walked[0, 1],
        hint="write the new value to q_table[obs, action], and BEFORE obs becomes next_obs",
        part="learns from each step",
        slips=told,
    )
    yield Case(
        "the step onto the cheese has no future: 0.5 * 4 + 0.5 * 20 = 12",
        expected=12.0,
        got=walked[1, 1],
        hint="hand terminated to td_update",
        part="knows the end",
        slips=told,
    )
    yield Case(
        "no other entry of the table changes",
        expected=table,
        got=changed,
        hint="write to q_table[obs, action] only",
        part="learns from each step",
    )
    yield Case(
        "an episode cut short by the clock still counts on the future: again 1.3",
        expected=1.3,
        got=cut_short,
        hint="hand terminated to td_update, not terminated or truncated, which ends the loop",
        part="knows the clock",
        slips=told,
    )
    yield from _drawn_episodes(learn_episode, rng, told)


GREEDY = {"learning_rate": 0.5, "gamma": 0.9, "epsilon": 0.0}
USUAL = {"learning_rate": 0.5, "gamma": 0.95, "epsilon": 0.1}


# What the two entries of the first walk hold in the end, and the mistake that it shows.
SIGNS = (
    ((0.0, 4.0), "nothing was written into the table that was given: assign to "
     "q_table[obs, action], and to no copy of q_table"),
    ((10.65, 4.0), "the mouse never moves on: at the end of each step obs becomes next_obs"),
    ((1.3, 4.0), "the last step teaches as well: learn from it before the loop ends"),
    ((0.0, 12.0), "the first step teaches as well"),
)  # fmt: skip


def _left(walked: np.ndarray, entries: tuple[float, float], _: Any) -> bool:
    """Whether the first walk left these entries."""
    return np.allclose((walked[0, 1], walked[1, 1]), entries)


def _drawn_episodes(
    learn_episode: Callable, rng: np.random.Generator, told: tuple
) -> Iterator[Case]:
    """One greedy walk with a table that is drawn, and learning from nothing in a small maze."""
    maze = random_maze(4, 5, rng)
    table, (rate, gamma) = rng.normal(size=(maze.num_states, 4)), rng.uniform(0.2, 0.8, 2).tolist()
    seeds = rng.integers(2**30, size=3).tolist()
    given = {"seed": seeds[0], "learning_rate": rate, "gamma": gamma, "epsilon": 0.0}
    walk = (learn_episode, maze, table)
    yield Case(
        "the sum is right in another maze",
        got=partial(episode, *walk, **given),
        hint="take each action by epsilon_greedy(q_table[obs], epsilon, rng)",
        part="adds up the rewards",
        slips=told,
    )
    yield Case(
        "and so is every entry of its table",
        got=table_after(*walk, **given),
        hint="one entry per step, q_table[obs, action], with the learning_rate and gamma given",
        part="learns from each step",
        slips=told,
    )
    yield Case(
        "with epsilon 1 all its steps are at random, with epsilon 0.5 half of them",
        expected=[0.25, 0.625],
        got=lambda: [_share_of_best(learn_episode, maze, epsilon) for epsilon in (1.0, 0.5)],
        hint="take each action by epsilon_greedy, with the epsilon that is given",
        atol=0.1,
        part="learns a way",
    )
    yield Case(
        "after 150 episodes the greedy way is the shortest",
        expected=True,
        got=lambda: _learns_a_way(learn_episode, maze, seeds[1:]),
        hint="does every step write into the table?",
        part="learns a way",
        slips=told,
    )


def _learns_a_way(learn_episode: Callable, maze: Any, seeds: list[int]) -> bool:
    """Whether two of three mice learn the shortest way; an unlucky three get a second chance."""
    for seed in seeds:
        tables = np.asarray(tables_learned(learn_episode, maze, seed=seed, **USUAL))
        if sum(_greedy_steps(table, maze) == maze.shortest_steps for table in tables) >= 2:
            return True
    return False


def _share_of_best(learn_episode: Callable, maze: Any, epsilon: float) -> float:
    """Share of the steps that take the best action of a table that does not change."""
    taken = actions_taken(learn_episode, maze, epsilon)
    return float(np.mean([action == 2 for action in taken])) if taken else 0.0


def _greedy_steps(table: np.ndarray, maze: Any) -> int:
    """Steps of the greedy way to the end of the episode."""
    env = MazeEnv(maze)
    obs, _ = env.reset()
    for number in range(1, maze.num_states + 1):
        obs, _, terminated, _, _ = env.step(int(np.argmax(table[obs])))
        if terminated:
            return number
    return -1
