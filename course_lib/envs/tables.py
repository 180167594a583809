"""Finite environments as arrays: their rules, and many episodes of them in one numpy step.

Gymnasium's Taxi, FrozenLake and CliffWalking hold their rules as ``env.unwrapped.P``, the maze as
``env.unwrapped.model()``. As arrays they are what planning works on.
"""

from collections.abc import Callable
from typing import NamedTuple

import gymnasium as gym
import numpy as np
from tqdm import tqdm


class Model(NamedTuple):
    """The rules of a finite environment. K outcomes are possible after each action, often one.

    Attributes:
        next_state: shape (num_states, num_actions, K), int.
        reward: of the step, the same shape.
        terminated: whether the episode ends there by its rules, the same shape, bool.
        probability: of the outcome, the same shape; sums to 1 over the last axis.
    """

    next_state: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    probability: np.ndarray

    @classmethod
    def certain(cls, next_state: np.ndarray, reward: np.ndarray, terminated: np.ndarray) -> "Model":
        """Make a model in which each action has one outcome; arrays of (num_states, num_actions).

        Raises:
            ValueError: if the shapes differ.
        """
        shapes = {np.shape(part) for part in (next_state, reward, terminated)}
        if len(shapes) != 1 or len(next(iter(shapes))) != 2:
            raise ValueError(
                "next_state, reward and terminated must each have shape (num_states, num_actions), "
                f"got {', '.join(str(np.shape(part)) for part in (next_state, reward, terminated))}"
            )
        parts = [np.asarray(part)[..., None] for part in (next_state, reward, terminated)]
        return cls(parts[0], parts[1].astype(float), parts[2].astype(bool), np.ones(parts[0].shape))

    def outcomes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return next_state, reward and terminated, each of shape (num_states, num_actions).

        Raises:
            ValueError: if an action has several outcomes.
        """
        if self.probability.shape[2] > 1:
            raise ValueError(
                f"an action here has up to {self.probability.shape[2]} outcomes, so it has no one "
                "next state; take each outcome times its probability"
            )
        return self.next_state[..., 0], self.reward[..., 0], self.terminated[..., 0]


def model_of(env: gym.Env) -> Model:
    """Return the rules of one of Gymnasium's small worlds, or of a maze.

    Args:
        env: Taxi, FrozenLake, CliffWalking or another with a table ``P``; or a maze.

    Raises:
        ValueError: if the environment does not tell its rules.
    """
    world = env.unwrapped
    if hasattr(world, "model"):
        return world.model()
    if not hasattr(world, "P"):
        raise ValueError(
            f"{world} does not tell its rules: planning needs a table `P`, as Taxi-v3, "
            "FrozenLake-v1 and CliffWalking-v1 have, or a method `model`, as the maze has"
        )
    table = [[world.P[state][action] for action in world.P[state]] for state in world.P]
    most = max(len(outcomes) for row in table for outcomes in row)
    padded = [[one + [(0.0, one[0][1], 0.0, True)] * (most - len(one)) for one in row]
              for row in table]  # fmt: skip
    parts = [np.array([[[outcome[part] for outcome in one] for one in row] for row in padded])
             for part in range(4)]  # fmt: skip
    probability, next_state, reward, terminated = parts
    return Model(next_state.astype(int), reward.astype(float), terminated.astype(bool), probability)


class SideBySide:
    """Many agents, each in its own copy of one finite environment, one numpy step for all.

    Attributes:
        obs: the state of each agent, shape (num_seeds,).
        going: numbers of the agents that have episodes left.
        returns: undiscounted returns, shape (num_seeds, num_episodes).
        episode: how many episodes each agent has finished, shape (num_seeds,).
        steps: how many steps each agent has taken in its episode, shape (num_seeds,).
    """

    def __init__(
        self, model: Model, starts: int | np.ndarray, *, num_seeds: int, num_episodes: int,
        max_steps: int, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        """Put each agent on a start.

        Args:
            model: the rules.
            starts: the state in which every episode starts, or the probability of each state.
            num_seeds: number of agents, at least 1.
            num_episodes: of each agent, at least 1.
            max_steps: an episode is truncated after as many steps.
            rng: draws starts and outcomes.

        Raises:
            ValueError: if a number is below 1, or ``starts`` does not fit the model.
        """
        for name, value in (("num_seeds", num_seeds), ("num_episodes", num_episodes),
                            ("max_steps", max_steps)):  # fmt: skip
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        num_states = len(model.reward)
        if np.ndim(starts) and np.shape(starts) != (num_states,):
            raise ValueError(f"starts must be one state, or a probability for each of {num_states} "
                             f"states; got shape {np.shape(starts)}")  # fmt: skip
        self.model, self.starts, self.max_steps, self.rng = model, starts, max_steps, rng
        self.num_episodes = num_episodes
        self.returns = np.zeros((num_seeds, num_episodes))
        self.going = np.arange(num_seeds)
        self.obs = self._start(num_seeds)
        self.steps, self.episode = np.zeros((2, num_seeds), dtype=int)
        self._sure = model.probability.shape[2] == 1
        self._up_to = model.probability.cumsum(axis=2)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Let the agents in ``going`` act; those whose episode is over start the next one.

        Args:
            actions: shape (len(going),).

        Returns:
            The next state, the reward, ``terminated``, and ``terminated`` or truncated, of each.
        """
        own, at = self.going, self.obs[self.going]
        place = (at, actions, 0 if self._sure else self._draw(at, actions))
        to, reward = self.model.next_state[place], self.model.reward[place]
        terminated = self.model.terminated[place]
        self.returns[own, self.episode[own]] += reward
        self.steps[own] += 1
        done = terminated | (self.steps[own] >= self.max_steps)
        self.obs[own] = to
        over = own[done]
        if over.size:
            self.obs[over], self.steps[over] = self._start(over.size), 0
            self.episode[over] += 1
            self.going = own[self.episode[own] < self.num_episodes]
        return to, reward, terminated, done

    def play(
        self, act: Callable[[], object], on_step: Callable[["SideBySide"], object]
    ) -> np.ndarray:
        """Let the agents act until their episodes are over.

        Args:
            act: lets all agents in ``going`` take a step, and learn.
            on_step: called after each of them, for a bar.

        Returns:
            The returns. An interrupt keeps those of the episodes that every agent has finished.
        """
        try:
            while self.going.size:
                act()
                on_step(self)
        except KeyboardInterrupt:
            done = max(int(self.episode.min()), 1)
            tqdm.write(
                f"Stopped after {done} of {self.num_episodes} episodes; the tables are kept."
            )
            return self.returns[:, :done]
        return self.returns

    def tables(self, value: float = 0.0) -> np.ndarray:
        """Return a table for each agent, shape (num_seeds, num_states, num_actions)."""
        return np.full((len(self.returns), *self.model.reward.shape[:2]), float(value))

    def _draw(self, at: np.ndarray, actions: np.ndarray) -> np.ndarray:
        up_to = self._up_to[at, actions]
        drawn = self.rng.random((len(at), 1)) * up_to[:, -1:]
        return (drawn >= up_to).sum(axis=1)

    def _start(self, count: int) -> np.ndarray:
        if np.ndim(self.starts) == 0:
            return np.full(count, self.starts)
        return self.rng.choice(np.size(self.starts), size=count, p=self.starts)
