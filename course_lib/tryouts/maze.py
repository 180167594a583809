"""What the checks of notebook 01 do with a learner's code."""

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from course_lib.envs.maze import MazeEnv
from course_lib.tryouts.core import tryout
from course_lib.tryouts.errors import Unfit

MICE, EPISODES, STEPS = 3, 150, 600
TOO_MANY = 60_000  # steps; 4,500 are enough
NO_CLOCK = 20_000  # steps; what ignores the clock is looked at where there is one


@tryout
def picks(
    epsilon_greedy: Callable, q_values: np.ndarray, epsilon: float, seed: int, times: int
) -> list[int]:
    """Return the actions picked for a row of q-values, one after the other with the same dice.

    Raises:
        Unfit: if one is no action.
    """
    dice = np.random.default_rng(seed)
    found = [epsilon_greedy(q_values.copy(), epsilon, dice) for _ in range(times)]
    if any(pick is None for pick in found):
        raise Unfit("your function returned None; does every branch return an action?")
    for pick in found:
        if not (isinstance(pick, int | np.integer) and 0 <= pick < len(q_values)):
            raise Unfit(
                f"your function returned {pick!r}; an action is a whole number from 0 to 3, "
                "the place of a q-value in the row, not the q-value"
            )
    return found


@tryout
def names_told(failing: Callable) -> list[str] | None:
    """Return the names that a function gives, in order.

    Raises:
        Unfit: if it gives one text instead.
    """
    names = failing()
    if isinstance(names, str):
        raise Unfit(f"return a set of names; your function returned {names!r}")
    return None if names is None else sorted({str(name) for name in names})


class Watched(gym.Wrapper):
    """An environment that objects to a loop that does not end."""

    over = False
    note: Callable[[Any], object] = staticmethod(id)

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
        self.note(action)
        outcome = super().step(action)
        self.over = outcome[2] or outcome[3]
        return outcome


@tryout
def episode(
    learn_episode: Callable, maze: Any, q_table: np.ndarray, *, seed: int,
    max_steps: int = NO_CLOCK, **settings: float,
) -> Any:  # fmt: skip
    """Play one episode of learning; return what the function gives back."""
    return _play(learn_episode, maze, q_table.copy(), seed, max_steps, settings)


@tryout
def table_after(
    learn_episode: Callable, maze: Any, q_table: np.ndarray, *, seed: int,
    max_steps: int = NO_CLOCK, strict: bool = False, **settings: float,
) -> np.ndarray:  # fmt: skip
    """Play the same episode; return the q-table, unless ``strict`` as an error left it."""
    table = q_table.copy()
    with contextlib.suppress(*(() if strict else (Exception, SystemExit))):
        _play(learn_episode, maze, table, seed, max_steps, settings)
    return table


def _play(
    learn_episode: Callable, maze: Any, table: np.ndarray, seed: int, max_steps: int,
    settings: dict[str, float],
) -> Any:  # fmt: skip
    env = Watched(MazeEnv(maze, max_steps=max_steps))
    return learn_episode(env, table, **settings, rng=np.random.default_rng(seed))


@tryout
def tables_learned(
    learn_episode: Callable, maze: Any, *, seed: int, **settings: float
) -> list[np.ndarray]:
    """Return the q-tables of three mice that learn from nothing, one after the other."""
    dice, tables, walked = np.random.default_rng(seed), [], itertools.count(1)

    def count(_: Any) -> None:
        if next(walked) > TOO_MANY:
            raise RuntimeError(f"after {TOO_MANY:,} steps your mice still had not learned the way")

    for _ in range(MICE):
        env, table = Watched(MazeEnv(maze, max_steps=NO_CLOCK)), np.zeros((maze.num_states, 4))
        env.note = count
        for _ in range(EPISODES):
            learn_episode(env, table, **settings, rng=dice)
        tables.append(table)
    return tables


@tryout
def actions_taken(learn_episode: Callable, maze: Any, epsilon: float) -> list[Any]:
    """Return 600 actions with a table in which action 2 is best, and nothing is learned."""
    taken: list[Any] = []
    env = Watched(MazeEnv(maze, max_steps=NO_CLOCK))
    env.note = taken.append
    table, dice = np.tile([0.0, 0.0, 1.0, 0.0], (maze.num_states, 1)), np.random.default_rng(1)
    while len(taken) < STEPS:
        before = len(taken)
        learn_episode(env, table.copy(), learning_rate=0.0, gamma=0.9, epsilon=epsilon, rng=dice)
        if len(taken) == before:
            break
    return taken
