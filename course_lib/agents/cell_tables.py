"""Q-learning with a table of cells, where a state is real numbers: many tables side by side."""

import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from course_lib.agents.tabular import epsilon_greedy_many, highest

Cells = Callable[[np.ndarray], np.ndarray]
Row = dict[str, Any]


def learn(
    cells: Cells, num_cells: int, *, env_id: str, num_tables: int, num_steps: int,
    evaluate_every: int, target: float, learning_rate: float, gamma: float, epsilon: float,
    rng: np.random.Generator, on_row: Callable[[list[Row]], object] = lambda rows: None,
) -> tuple[np.ndarray, list[Row]]:  # fmt: skip
    """Let many agents learn side by side, each with an environment and a table of its own.

    A table that plays well enough in an evaluation stays as it is. At the end each is the one of
    its best evaluation, so measure the result anew. An interrupt keeps what was learned.

    Args:
        cells: the number of the cell of each observation, (N, ...) -> (N,).
        num_cells: numbers that there are.
        env_id: of an environment of two or more actions that has a vector version.
        num_tables: at least 1.
        num_steps: of each agent, at most.
        evaluate_every: steps between two evaluations of 20 greedy episodes.
        target: mean return in an evaluation that is well enough.
        learning_rate: in [0, 1].
        gamma: discount, in [0, 1].
        epsilon: share of random actions, in [0, 1].
        rng: makes all choices.
        on_row: called after each evaluation with the rows so far.

    Returns:
        Tables, shape (num_tables, num_cells, num_actions), and one row per evaluation: env_steps
        of each agent, seconds, and greedy, the mean return of each table.

    Raises:
        ValueError: if the environment's actions are not Discrete.
    """
    envs = _many(env_id, num_tables)
    own, space = np.arange(num_tables), envs.single_action_space
    if not isinstance(space, gym.spaces.Discrete):
        raise ValueError(f"a table needs Discrete actions, got {space}")
    tables = np.zeros((num_tables, num_cells, int(space.n)))
    best, scores, rows = tables.copy(), np.full(num_tables, -np.inf), []
    at, began = cells(envs.reset(seed=int(rng.integers(2**31)))[0]), time.perf_counter()
    counts = np.ones(num_tables, bool)  # not in the step that only begins a new episode
    try:
        for step in range(1, num_steps + 1):
            actions = epsilon_greedy_many(tables[own, at], epsilon, rng)
            obs, rewards, terminated, truncated, _ = envs.step(actions)
            to = cells(obs)
            target_q = rewards + gamma * ~terminated * highest(tables[own, to])
            errors = target_q - tables[own, at, actions]
            tables[own, at, actions] += learning_rate * errors * (counts & (scores < target))
            at, counts = to, ~(terminated | truncated)
            if step % evaluate_every == 0:
                greedy = play(tables, cells, env_id, seed=int(rng.integers(2**31))).mean(axis=1)
                better = (greedy > scores) & (scores < target)
                best[better], scores[better] = tables[better], greedy[better]
                seconds = time.perf_counter() - began
                rows.append({"env_steps": step, "seconds": seconds, "greedy": greedy})
                on_row(rows)
                if (scores >= target).all():
                    break
    except KeyboardInterrupt:
        print(f"Stopped after {len(rows) * evaluate_every:,} steps; the tables are kept.")
    return best, rows


def play(
    tables: np.ndarray, cells: Cells, env_id: str, *, num_episodes: int = 20, seed: int
) -> np.ndarray:
    """Returns of fresh greedy episodes of each table, shape (num_tables, num_episodes)."""
    own = np.repeat(np.arange(len(tables)), num_episodes)
    envs, total, alive = _many(env_id, len(own)), np.zeros(len(own)), np.ones(len(own), bool)
    obs, _ = envs.reset(seed=seed)
    while alive.any():
        obs, rewards, terminated, truncated, _ = envs.step(tables[own, cells(obs)].argmax(axis=1))
        total += rewards * alive
        alive &= ~(terminated | truncated)
    return total.reshape(len(tables), num_episodes)


def steps_to(rows: list[Row], target: float) -> np.ndarray:
    """Steps until each table first averaged ``target``, shape (num_tables,); nan where never."""
    if not rows:
        return np.array([np.nan])
    met = np.array([row["greedy"] for row in rows]) >= target
    steps = np.array([row["env_steps"] for row in rows], float)
    return np.where(met.any(axis=0), steps[met.argmax(axis=0)], np.nan)


def _many(env_id: str, count: int) -> gym.vector.VectorEnv:
    return gym.make_vec(env_id, num_envs=count, vectorization_mode="vector_entry_point")
