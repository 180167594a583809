"""Answer to exercise 3.1; `make build` writes it from the lesson."""

import numpy as np
import torch

from course_lib.agents.dqn import Batch


# EXERCISE 3.1
class Memory:
    def __init__(self, capacity: int, obs_shape: tuple[int, ...], rng: np.random.Generator):
        self.obs, self.next_obs = np.zeros((2, capacity, *obs_shape), np.float32)
        self.actions = np.zeros(capacity, np.int64)
        self.rewards, self.ends = np.zeros((2, capacity), np.float32)
        self.capacity, self.num_added, self.rng = capacity, 0, rng

    def __len__(self) -> int:
        return min(self.num_added, self.capacity)

    def add(self, obs, action, reward, next_obs, terminated, truncated) -> None:
        row = self.num_added % self.capacity
        self.obs[row], self.next_obs[row], self.actions[row] = obs, next_obs, action
        self.rewards[row], self.ends[row] = reward, terminated
        self.num_added += 1

    def sample(self, batch_size: int) -> Batch:
        rows = self.rng.integers(len(self), size=batch_size)
        columns = (self.obs, self.actions, self.rewards, self.next_obs, self.ends)
        return Batch(*(torch.from_numpy(column[rows]) for column in columns))


ANSWER = Memory
