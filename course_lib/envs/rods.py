"""Many rods in one numpy step: Gymnasium's Pendulum, whose own environments move one at a time.

A rod hangs from an axle and is turned by a force between -2 and 2, too weak to lift it at one go.
The law of motion is that of Gymnasium's ``Pendulum-v1``; a test moves both side by side.
"""

from typing import Any

import gymnasium as gym
import numpy as np

MOST_FORCE, MOST_SPEED, MAX_STEPS = 2.0, 8.0, 200
GRAVITY, STEP_S = 10.0, 0.05


class Rods(gym.vector.VectorEnv):
    """``num_envs`` rods, each with episodes of its own.

    As with Gymnasium's vector environments, the step after the last one of an episode only begins
    the next: it takes no action and pays 0.

    An observation is cosine and sine of the angle (0 is upright) and the speed in radians per
    second, an action the force; a step costs by the angle, the speed and the force.

    Args:
        num_envs: rods, at least 1.
        max_steps: an episode is truncated after as many steps.

    Raises:
        ValueError: if a number is below 1.
    """

    metadata = {"autoreset_mode": gym.vector.AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(self, num_envs: int, *, max_steps: int = MAX_STEPS) -> None:
        for name, value in (("num_envs", num_envs), ("max_steps", max_steps)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        self.num_envs, self.max_steps = num_envs, max_steps
        reach = np.array([1, 1, MOST_SPEED], np.float32)
        self.single_observation_space = gym.spaces.Box(-reach, reach)
        self.single_action_space = gym.spaces.Box(-MOST_FORCE, MOST_FORCE, (1,))
        batch = gym.vector.utils.batch_space
        self.observation_space = batch(self.single_observation_space, num_envs)
        self.action_space = batch(self.single_action_space, num_envs)
        self.angle, self.speed = np.zeros(num_envs), np.zeros(num_envs)
        self.steps, self.over = np.zeros(num_envs, int), np.zeros(num_envs, bool)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Let all rods begin at any angle; return obs, shape (num_envs, 3), and info."""
        super().reset(seed=seed)
        self._start(np.ones(self.num_envs, bool))
        return self._obs(), {}

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Turn each rod by a force, shape (num_envs, 1).

        Returns:
            obs, shape (num_envs, 3), rewards, terminated, truncated, each (num_envs,), and info.
        """
        begins = self.over
        force = np.clip(np.asarray(actions, float)[:, 0], -MOST_FORCE, MOST_FORCE)
        angle = (self.angle + np.pi) % (2 * np.pi) - np.pi
        rewards = -(angle**2 + 0.1 * self.speed**2 + 0.001 * force**2) * ~begins
        speed = self.speed + (1.5 * GRAVITY * np.sin(self.angle) + 3 * force) * STEP_S
        self.speed = speed.clip(-MOST_SPEED, MOST_SPEED)
        self.angle = self.angle + self.speed * STEP_S
        self.steps += 1
        if begins.any():
            self._start(begins)
        self.over = (self.steps >= self.max_steps) & ~begins
        return self._obs(), rewards, np.zeros(self.num_envs, bool), self.over.copy(), {}

    def _obs(self) -> np.ndarray:
        parts = (np.cos(self.angle), np.sin(self.angle), self.speed)
        return np.stack(parts, axis=1).astype(np.float32)

    def _start(self, which: np.ndarray) -> None:
        count = int(which.sum())
        self.angle[which] = self.np_random.uniform(-np.pi, np.pi, count)
        self.speed[which] = self.np_random.uniform(-1, 1, count)
        self.steps[which] = 0
