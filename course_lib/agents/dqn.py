"""DQN in plain PyTorch, written to be read from top to bottom.

A deep Q-network replaces the table of Q-learning by a neural network. Three things keep that
stable: a replay memory, a target network that is copied now and then, and a loss that grows only
linearly for large errors.

Source: Mnih et al. 2015, "Human-level control through deep reinforcement learning".
"""

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from course_lib.torch_threads import torch_threads


class Batch(NamedTuple):
    """Transitions, one per row: obs and next_obs (B, ...), the others (B,)."""

    obs: Tensor
    actions: Tensor
    rewards: Tensor
    next_obs: Tensor
    terminated: Tensor


class ReplayBuffer:
    """The last ``capacity`` transitions, each part in an array of its own.

    When it is full, a new transition overwrites the oldest.

    Args:
        capacity: number of transitions kept, at least 1.
        obs_shape: shape of one observation.
        rng: picks the samples.
    """

    def __init__(self, capacity: int, obs_shape: tuple[int, ...], rng: np.random.Generator) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, got {capacity}")
        self.obs = np.zeros((capacity, *obs_shape), np.float32)
        self.actions = np.zeros(capacity, np.int64)
        self.rewards = np.zeros(capacity, np.float32)
        self.next_obs = np.zeros((capacity, *obs_shape), np.float32)
        self.terminated = np.zeros(capacity, np.float32)
        self.capacity, self.num_added, self.rng = capacity, 0, rng

    def __len__(self) -> int:
        return min(self.num_added, self.capacity)

    def add(
        self, obs: np.ndarray, action: int, reward: float, next_obs: np.ndarray,
        terminated: bool, truncated: bool,
    ) -> None:  # fmt: skip
        """Store one transition. ``truncated`` is left out on purpose: the world goes on."""
        row = self.num_added % self.capacity
        self.obs[row], self.actions[row], self.rewards[row] = obs, action, reward
        self.next_obs[row], self.terminated[row] = next_obs, terminated
        self.num_added += 1

    def sample(self, batch_size: int) -> Batch:
        """Draw ``batch_size`` transitions, each equally likely each time.

        Raises:
            ValueError: if nothing is stored yet.
        """
        if not len(self):
            raise ValueError("the replay buffer is empty; add transitions before sampling")
        rows = self.rng.integers(len(self), size=batch_size)
        columns = (self.obs, self.actions, self.rewards, self.next_obs, self.terminated)
        return Batch(*(torch.from_numpy(column[rows]) for column in columns))


def make_q_network(num_inputs: int, num_actions: int, hidden: tuple[int, ...]) -> nn.Sequential:
    """A network from an observation to one q-value per action."""
    sizes = (num_inputs, *hidden)
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], num_actions))


def td_targets(
    rewards: Tensor, terminated: Tensor, next_q_values: Tensor, *, gamma: float
) -> Tensor:
    """What the q-values should have been: the reward and the best that can follow it.

    Args:
        rewards: shape (B,).
        terminated: shape (B,), 1 where nothing follows. A truncated episode counts as 0.
        next_q_values: shape (B, num_actions), the target network's view of the next state.
        gamma: discount per step.

    Returns:
        Targets, shape (B,).
    """
    return rewards + gamma * (1 - terminated) * next_q_values.max(dim=1).values


def dqn_loss(
    q_net: Callable[[Tensor], Tensor],
    target_net: Callable[[Tensor], Tensor],
    batch: Batch,
    *,
    gamma: float,
    distance: Callable[[Tensor, Tensor], Tensor] = nn.functional.smooth_l1_loss,
) -> Tensor:
    """Mean Huber loss (or other distance) of the taken actions' q-values from their targets."""
    taken = q_net(batch.obs).gather(1, batch.actions[:, None]).squeeze(1)
    with torch.no_grad():  # the target is a fixed number, not something to improve
        next_q_values = target_net(batch.next_obs)
        targets = td_targets(batch.rewards, batch.terminated, next_q_values, gamma=gamma)
    return distance(taken, targets)


def epsilon_at(step: int, *, decay_steps: int, start: float = 1.0, end: float = 0.04) -> float:
    """Probability of a random action: a straight line from ``start`` to ``end``, then flat."""
    done = min(1.0, step / decay_steps)
    return start + done * (end - start)


def explore(
    greedy: Callable[[], int], held: int, steps_left: int, *, epsilon: float, hold: int,
    num_actions: int, rng: np.random.Generator,
) -> tuple[int, int]:  # fmt: skip
    """Epsilon-greedy in which a random action is kept for ``hold`` steps; 1 is the usual kind.

    Source: Dabney, Ostrovski and Barreto 2021, "Temporally-extended epsilon-greedy exploration".

    Args:
        greedy: returns the action that seems best.
        held: the action before.
        steps_left: for how many more steps it is kept.
        epsilon: probability of a random action where none is kept.
        hold: steps that a random action lasts, at least 1.
        num_actions: how many there are.
        rng: draws.

    Returns:
        The action, and for how many more steps it is kept.
    """
    if steps_left > 0:
        return held, steps_left - 1
    if rng.random() < epsilon:
        return int(rng.integers(num_actions)), hold - 1
    return greedy(), 0


@dataclass(frozen=True)
class DQNSettings:
    """Settings of :class:`DQNAgent`; the defaults suit CartPole.

    They start from the tuned settings that RL Zoo publishes for stable-baselines3.

    Attributes:
        learning_rate: of Adam.
        batch_size: transitions per gradient step.
        capacity: transitions in the replay buffer.
        learning_starts: steps taken before the first gradient step.
        gamma: discount per step.
        train_every: environment steps between two rounds of gradient steps.
        num_updates: gradient steps per round.
        target_every: gradient steps between two copies into the target network.
        epsilon_decay_steps: steps until epsilon has reached its end.
        epsilon_end: probability of a random action from then on.
        hold: steps that a random action is kept.
        hidden: units per hidden layer.
        max_grad_norm: longer gradients are shortened to this length.
    """

    learning_rate: float = 2.3e-3
    batch_size: int = 64
    capacity: int = 100_000
    learning_starts: int = 1_000
    gamma: float = 0.99
    train_every: int = 256
    num_updates: int = 128
    target_every: int = 128
    epsilon_decay_steps: int = 8_000
    epsilon_end: float = 0.04
    hold: int = 1
    hidden: tuple[int, ...] = (256, 256)
    max_grad_norm: float = 10.0


@dataclass
class Progress:
    """What has happened since the report before.

    Attributes:
        step: environment steps so far.
        returns: returns of the episodes that ended since.
        loss: mean loss of the gradient steps since; nan before the first.
        mean_q: mean q-value of the actions in the last batch; nan before the first.
        epsilon: probability of a random action now.
    """

    step: int
    returns: list[float]
    loss: float
    mean_q: float
    epsilon: float


class DQNAgent:
    """An agent that learns q-values with a network.

    Args:
        env: what it will be trained on; Box observations, Discrete actions.
        settings: see :class:`DQNSettings`.
        seed: fixes the network's first weights, the exploration and the samples.
        make_buffer: makes the replay memory, called like :class:`ReplayBuffer`.
        loss: called like :func:`dqn_loss`.
        schedule: called like :func:`epsilon_at`.
        explore: called like :func:`explore`.
    """

    def __init__(
        self,
        env: gym.Env,
        settings: DQNSettings | None = None,
        *,
        seed: int,
        make_buffer: Callable[..., Any] = ReplayBuffer,
        loss: Callable[..., Tensor] = dqn_loss,
        schedule: Callable[..., float] = epsilon_at,
        explore: Callable[..., tuple[int, int]] = explore,
    ) -> None:
        if not isinstance(env.action_space, gym.spaces.Discrete):
            raise ValueError(f"DQN needs Discrete actions, got {env.action_space}")
        self.env, self.settings = env, settings or DQNSettings()
        self.rng = np.random.default_rng(seed)
        obs_shape = env.observation_space.shape or ()
        self.num_actions = int(env.action_space.n)
        with torch.random.fork_rng():  # seed this network only, nobody else's randomness
            torch.manual_seed(seed)
            self.q_net = make_q_network(
                int(np.prod(obs_shape)), self.num_actions, self.settings.hidden
            )
        self.target_net = copy.deepcopy(self.q_net)
        self.buffer = make_buffer(self.settings.capacity, obs_shape, self.rng)
        self.weights = list(self.q_net.parameters())
        self.optimizer = torch.optim.Adam(self.weights, lr=self.settings.learning_rate, fused=True)
        self._loss, self._schedule, self._explore = loss, schedule, explore
        self.num_updates, self.step, self.mean_q = 0, 0, float("nan")

    def q_values(self, obs: np.ndarray) -> np.ndarray:
        """Q-values of observations of shape (N, ...), as an array of shape (N, num_actions)."""
        with torch.no_grad(), torch_threads(1):
            return self.q_net(torch.as_tensor(obs, dtype=torch.float32)).numpy()

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Greedy actions for observations of shape (N, ...), shape (N,)."""
        return self.q_values(obs).argmax(axis=1)

    def train(self, num_steps: int) -> Iterator[Progress]:
        """Take ``num_steps`` more steps in the environment, with a report after each round.

        Stopping the loop at any report keeps what was learned; calling again goes on.
        """
        settings, env = self.settings, self.env
        obs, _ = env.reset(seed=int(self.rng.integers(2**31)))
        returns: list[float] = []
        total, last = 0.0, self.step + num_steps
        action, steps_left = 0, 0
        while self.step < last:
            epsilon = self.epsilon
            action, steps_left = self._explore(
                lambda obs=obs: int(self.act(obs[None])[0]), action, steps_left, epsilon=epsilon,
                hold=settings.hold, num_actions=self.num_actions, rng=self.rng,
            )  # fmt: skip
            next_obs, reward, terminated, truncated, _ = env.step(action)
            self.buffer.add(obs, action, float(reward), next_obs, terminated, truncated)
            obs, total, self.step = next_obs, total + float(reward), self.step + 1
            if terminated or truncated:
                returns.append(total)
                obs, total, steps_left = env.reset()[0], 0.0, 0
            if self.step % settings.train_every == 0 or self.step == last:
                loss = self.learn() if self.step >= settings.learning_starts else float("nan")
                yield Progress(self.step, returns, loss, self.mean_q, epsilon)
                returns = []

    @property
    def epsilon(self) -> float:
        """Probability of a random action at the present step."""
        return self._schedule(
            self.step,
            decay_steps=self.settings.epsilon_decay_steps,
            start=1.0,
            end=self.settings.epsilon_end,
        )

    def learn(self) -> float:
        """Take one round of gradient steps; return their mean loss."""
        with torch_threads(1):
            return float(np.mean([self.update() for _ in range(self.settings.num_updates)]))

    def update(self) -> float:
        """Take one gradient step; return its loss."""
        batch = self.buffer.sample(self.settings.batch_size)
        loss = self._loss(self.q_net, self.target_net, batch, gamma=self.settings.gamma)
        self.optimizer.zero_grad()
        loss.backward()
        self._shorten_gradients()
        self.optimizer.step()
        self.num_updates += 1
        if self.num_updates % self.settings.target_every == 0:
            self.target_net.load_state_dict(self.q_net.state_dict())
            self.mean_q = float(self.q_net(batch.obs).detach().mean())
        return loss.item()

    def _shorten_gradients(self) -> None:
        """Scale all gradients by one factor where they are too long together; most are not."""
        limit = self.settings.max_grad_norm
        gradients = [weights.grad for weights in self.weights if weights.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if norm > limit:  # `clip_grad_norm_` would also write the short ones anew, times 1
            nn.utils.clip_grads_with_norm_(self.weights, limit, norm)
