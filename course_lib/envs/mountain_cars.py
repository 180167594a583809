"""Many cars in one numpy step: Gymnasium's MountainCar, and other mountains.

The law of motion is that of A. Moore's car (1990), as in Sutton and Barto, example 10.1, and as
Gymnasium's ``MountainCar-v0`` computes it; a test drives both side by side.
"""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

LOW, HIGH = np.array([-1.2, -0.07]), np.array([0.6, 0.07])
FLAG = 0.5
NUM_ACTIONS = 3  # push to the left, not at all, to the right
GRAVITY, FORCE, MAX_STEPS = 0.0025, 0.001, 200


class MountainCars(gym.vector.VectorEnv):
    """``num_envs`` cars, each with episodes of its own.

    As with Gymnasium's vector environments, the step after the last one of an episode only begins
    the next: it takes no action and pays 0.

    Args:
        num_envs: cars, at least 1.
        gravity: pull along a slope of 1, per step; above 0.
        force: push of the engine, per step; above 0.
        max_steps: an episode is truncated after as many steps.

    Raises:
        ValueError: if a number is too small.
    """

    metadata = {"autoreset_mode": gym.vector.AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(
        self, num_envs: int, *, gravity: float = GRAVITY, force: float = FORCE,
        max_steps: int = MAX_STEPS,
    ) -> None:  # fmt: skip
        for name, value in (("num_envs", num_envs), ("max_steps", max_steps)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        for name, number in (("gravity", gravity), ("force", force)):
            if not number > 0:
                raise ValueError(
                    f"{name} must be above 0, got {number}; a mountain like Gymnasium's has "
                    f"gravity {GRAVITY} and force {FORCE}"
                )
        self.num_envs, self.max_steps = num_envs, max_steps
        self.gravity, self.force = gravity, force
        self.single_observation_space = gym.spaces.Box(*(LOW.astype("f"), HIGH.astype("f")))
        self.single_action_space = gym.spaces.Discrete(NUM_ACTIONS)
        batch = gym.vector.utils.batch_space
        self.observation_space = batch(self.single_observation_space, num_envs)
        self.action_space = batch(self.single_action_space, num_envs)
        self.cars = np.zeros((num_envs, 2))
        self.steps = np.zeros(num_envs, int)
        self.over = np.zeros(num_envs, bool)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Put all cars near the bottom, at rest; return obs, shape (num_envs, 2), and info."""
        super().reset(seed=seed)
        self._start(np.ones(self.num_envs, bool))
        return self.cars.copy(), {}

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one action with each car, shape (num_envs,).

        Returns:
            obs, shape (num_envs, 2), rewards, terminated, truncated, each (num_envs,), and info.
        """
        begins = self.over
        position, velocity = self.cars.T
        velocity = velocity + (np.asarray(actions) - 1) * self.force
        velocity -= np.cos(3 * position) * self.gravity
        velocity = velocity.clip(LOW[1], HIGH[1])
        position = (position + velocity).clip(LOW[0], HIGH[0])
        velocity[(position == LOW[0]) & (velocity < 0)] = 0  # the wall on the left
        self.cars = np.stack([position, velocity], axis=1)
        self.steps += 1
        if begins.any():
            self._start(begins)
        terminated = (self.cars[:, 0] >= FLAG) & ~begins
        truncated = (self.steps >= self.max_steps) & ~terminated & ~begins
        self.over = terminated | truncated
        return self.cars.copy(), -1.0 * ~begins, terminated, truncated, {}

    def _start(self, which: np.ndarray) -> None:
        self.cars[which, 0] = self.np_random.uniform(-0.6, -0.4, size=int(which.sum()))
        self.cars[which, 1] = 0
        self.steps[which] = 0


def drive(
    policy: Callable[[np.ndarray], np.ndarray], cars: MountainCars, *, seed: int
) -> np.ndarray:
    """Let each car drive one episode; return where it was, shape (num_envs, T + 1, 2).

    After the end of its episode a car's rows are nan. Its return is minus the number of its steps.

    Args:
        policy: obs, shape (num_envs, 2) -> actions, shape (num_envs,).
        cars: as many as episodes are wanted.
        seed: of the starts.
    """
    obs, _ = cars.reset(seed=seed)
    track, alive = [obs], np.ones(cars.num_envs, bool)
    while alive.any():
        obs, _, terminated, truncated, _ = cars.step(policy(obs))
        track.append(np.where(alive[:, None], obs, np.nan))
        alive &= ~(terminated | truncated)
    return np.stack(track, axis=1)


def arrived(track: np.ndarray) -> np.ndarray:
    """Whether each car of :func:`drive` came to the flag, shape (num_envs,)."""
    return np.nanmax(track[..., 0], axis=1) >= FLAG


def returns_of(track: np.ndarray) -> np.ndarray:
    """The return of each car of :func:`drive`, shape (num_envs,)."""
    return -(~np.isnan(track[:, 1:, 0])).sum(axis=1).astype(float)
