"""Tile coding: several coarse grids, shifted against each other, and a sum of one number of each.

A state of real numbers lies in one tile of each grid. Its q-value is the sum of the weights of
these tiles, so near states share most of them, and what is learned at one is known at the next.

Source: Sutton & Barto, Reinforcement Learning, 2nd edition, sections 9.5.4 and 10.1.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from course_lib.agents.tabular import check_shares, epsilon_greedy_many

Row = dict[str, Any]


class Tiles:
    """Which tiles a state lies in.

    Args:
        low: of each number of a state, shape (D,).
        high: the same shape, each above ``low``. States beyond count as on the edge.
        num_tilings: grids, at least 1.
        num_tiles: of each grid in each direction, at least 1.

    Attributes:
        num_features: tiles of all grids together.

    Raises:
        ValueError: if a count is below 1, or the bounds do not fit.
    """

    def __init__(
        self, low: Sequence[float] | np.ndarray, high: Sequence[float] | np.ndarray, *,
        num_tilings: int = 8, num_tiles: int = 8,
    ) -> None:  # fmt: skip
        self.low, self.high = np.asarray(low, float), np.asarray(high, float)
        if self.low.shape != self.high.shape or self.low.ndim != 1:
            raise ValueError(f"low and high must have the same length, got {low} and {high}")
        if not (np.isfinite([self.low, self.high]).all() and (self.low < self.high).all()):
            raise ValueError(f"low must be below high, and both finite; got {low} and {high}")
        for name, value in (("num_tilings", num_tilings), ("num_tiles", num_tiles)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        self.num_tilings, self.num_tiles = num_tilings, num_tiles
        # Odd shifts of another size in each direction, so that no diagonal is preferred.
        odd = 2 * np.arange(len(self.low)) + 1
        self.shifts = np.arange(num_tilings)[:, None] * odd / num_tilings % 1
        side = num_tiles + 1
        self._places = side ** np.arange(len(self.low))
        self._first = np.arange(num_tilings) * side ** len(self.low)
        self._scale = num_tiles / (self.high - self.low)
        self.num_features = num_tilings * side ** len(self.low)

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """The numbers of the tiles of observations (N, D), one of each grid: (N, num_tilings)."""
        scaled = ((np.clip(obs, self.low, self.high) - self.low) * self._scale)[:, None]
        return (scaled + self.shifts).astype(int) @ self._places + self._first


def q_values(weights: np.ndarray, tiles: Tiles, obs: np.ndarray) -> np.ndarray:
    """Q-values of observations (N, D) by one agent's weights, shape (N, num_actions)."""
    return weights[tiles(obs)].sum(axis=1)


def sarsa(
    envs: gym.vector.VectorEnv, tiles: Tiles, *, num_steps: int, learning_rate: float,
    gamma: float, epsilon: float, rng: np.random.Generator, clock_is_the_end: bool = False,
    every: int = 1_000, on_row: Callable[[list[Row]], object] = lambda rows: None,
) -> tuple[np.ndarray, list[Row]]:  # fmt: skip
    """Let agents learn by SARSA side by side, each with an environment and weights of its own.

    Where every step costs, weights of 0 promise too much, and exploring by chance is not needed.
    An interrupt keeps what was learned.

    Args:
        envs: with Discrete actions; the step after an episode only begins the next.
        tiles: the grids over an observation.
        num_steps: of each agent.
        learning_rate: in [0, 1]; the tiles of a state share it.
        gamma: discount, in [0, 1].
        epsilon: share of random actions, in [0, 1].
        rng: makes all choices.
        clock_is_the_end: whether to learn that nothing follows where only the time was over.
        every: steps between two rows.
        on_row: called after each row with the rows so far.

    Returns:
        Weights, shape (num_envs, num_features, num_actions), and rows: env_steps of each agent,
        seconds, weights (a copy), and returns, a list for each agent of the episodes since.

    Raises:
        ValueError: if a setting is out of range, or the actions are not Discrete.
    """
    check_shares(learning_rate=learning_rate, gamma=gamma, epsilon=epsilon)
    space = envs.single_action_space
    if not isinstance(space, gym.spaces.Discrete):
        raise ValueError(f"tiles need Discrete actions, got {space}")
    own, rate = np.arange(envs.num_envs), learning_rate / tiles.num_tilings
    weights = np.zeros((envs.num_envs, tiles.num_features, int(space.n)))
    rows: list[Row] = []
    returns: list[list[float]] = [[] for _ in own]
    total, counts, began = np.zeros(len(own)), np.ones(len(own), bool), time.perf_counter()

    def look(obs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        place = (own[:, None], tiles(obs))
        known = weights[place].sum(axis=1)
        actions = epsilon_greedy_many(known, epsilon, rng)
        return place[1], known, actions, known[own, actions]

    at, _, actions, taken = look(envs.reset(seed=int(rng.integers(2**31)))[0])
    try:
        for step in range(1, num_steps + 1):
            obs, rewards, terminated, truncated, _ = envs.step(actions)
            over = terminated | truncated
            to, _, next_actions, following = look(obs)
            ends = over if clock_is_the_end else terminated
            errors = (rewards + gamma * ~ends * following - taken) * counts
            weights[own[:, None], at, actions[:, None]] += (rate * errors)[:, None]
            total += rewards
            for agent in np.flatnonzero(over):
                returns[agent].append(float(total[agent]))
                total[agent] = 0
            at, actions, counts = to, next_actions, ~over
            taken = weights[own[:, None], at, actions[:, None]].sum(axis=1)
            if step % every == 0 or step == num_steps:
                seconds = time.perf_counter() - began
                rows.append({"env_steps": step, "seconds": seconds, "weights": weights.copy(),
                             "returns": returns})  # fmt: skip
                returns = [[] for _ in own]
                on_row(rows)
    except KeyboardInterrupt:
        print(f"Stopped after {len(rows) * every:,} steps; the weights are kept.")
    return weights, rows
