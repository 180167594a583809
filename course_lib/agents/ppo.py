"""PPO: a policy and a value side by side, and steps that are not too long.

Source: Schulman et al. 2017, "Proximal policy optimization algorithms"; the advantages are those of
Schulman et al. 2016, "High-dimensional continuous control using generalized advantage estimation".
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from course_lib.agents.actor_critic import ActorCritics
from course_lib.torch_threads import torch_threads

Row = dict[str, Any]


@dataclass(frozen=True)
class PPOSettings:
    """Settings of :func:`ppo`; the defaults suit CartPole.

    Attributes:
        learning_rate: of Adam, at the start; it falls to 0.
        gamma: discount per step.
        lambda_: between one step (0) and whole episodes (1), see lesson 06.
        num_steps: of each environment between two rounds of learning.
        num_epochs: times that each step is learned from.
        batch_size: steps of each agent per gradient step.
        clip: how far a probability may move, as a share.
        entropy_weight: reward for staying undecided.
        hidden: units per hidden layer.
        max_grad_norm: longer gradients of an agent are shortened to this length.
    """

    learning_rate: float = 3e-3
    gamma: float = 0.99
    lambda_: float = 0.95
    num_steps: int = 128
    num_epochs: int = 8
    batch_size: int = 128
    clip: float = 0.2
    entropy_weight: float = 0.0
    hidden: tuple[int, ...] = (32, 32)
    max_grad_norm: float = 0.5


def clipped(ratio: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """PPO's objective of each step, to be made large.

    Beyond ``1 - clip`` to ``1 + clip`` there is nothing more to gain; what is lost counts in full.

    Args:
        ratio: new probability of what was done over the old, any shape.
        advantage: the same shape.
        clip: in (0, 1).
    """
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


def gae(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, over: Tensor, *,
    gamma: float, lambda_: float,
) -> Tensor:  # fmt: skip
    """Generalised advantages, time along the first axis; all arguments of one shape (T, ...).

    Args:
        rewards: of each step.
        values: of the state in which it was taken.
        next_values: of the state in which it ended, also where the time was over.
        terminated: 1 where nothing follows.
        over: 1 where the episode ended, terminated or not.
        gamma: discount per step.
        lambda_: 0 for one step, 1 for all.
    """
    found, total = torch.zeros_like(rewards), torch.zeros_like(rewards[0])
    surprises = rewards + gamma * (1 - terminated) * next_values - values
    for step in reversed(range(len(rewards))):
        total = surprises[step] + gamma * lambda_ * (1 - over[step]) * total
        found[step] = total
    return found


def ppo(
    envs: gym.vector.VectorEnv, *, num_agents: int, num_steps: int, seed: int,
    settings: PPOSettings | None = None,
    objective: Callable[[Tensor, Tensor, float], Tensor] = clipped,
    on_row: Callable[[list[Row]], object] = lambda rows: None,
) -> tuple[ActorCritics, list[Row]]:  # fmt: skip
    """Let several agents learn side by side, each in environments of its own.

    An interrupt keeps what was learned.

    Args:
        envs: divided among the agents; the step after an episode only begins the next.
        num_agents: S, a divisor of ``envs.num_envs``.
        num_steps: of each agent.
        seed: of weights, starts and actions.
        settings: see :class:`PPOSettings`.
        objective: called like :func:`clipped`.
        on_row: called after each round with the rows so far.

    Returns:
        The agents, and rows: env_steps of each agent, seconds, and returns, a list for each agent
        of the episodes that ended since.

    Raises:
        ValueError: if the environments cannot be divided, or the actions are of another kind.
    """
    settings = settings or PPOSettings()
    if num_agents < 1 or envs.num_envs % num_agents:
        raise ValueError(f"{envs.num_envs} environments cannot be shared by {num_agents} agents")
    agents = ActorCritics(envs, num_agents, settings.hidden, seed=seed)
    optimizer = torch.optim.Adam(
        agents.parameters(), lr=settings.learning_rate, eps=1e-5, fused=True
    )
    a_round = settings.num_steps * (envs.num_envs // num_agents)
    rows: list[Row] = []
    began, world = time.perf_counter(), Worlds(envs, num_agents, seed)
    try:
        with torch.random.fork_rng(), torch_threads(1):
            torch.manual_seed(seed)
            while (done := len(rows) * a_round) < num_steps:
                for group in optimizer.param_groups:
                    group["lr"] = settings.learning_rate * (1 - done / num_steps)
                experience = world.collect(agents, settings)
                for _ in range(settings.num_epochs):
                    _learn(agents, optimizer, experience, settings, objective)
                rows.append({"env_steps": done + a_round, "returns": world.returns,
                             "seconds": time.perf_counter() - began})  # fmt: skip
                world.returns = [[] for _ in range(num_agents)]
                on_row(rows)
    except KeyboardInterrupt:
        print(f"Stopped after {len(rows) * a_round:,} steps; what was learned is kept.")
    return agents, rows


@dataclass
class Experience:
    """Steps of S agents, (S, T * N) each; ``counts`` is 0 where a step only began an episode."""

    obs: Tensor
    actions: Tensor
    log_probs: Tensor
    advantages: Tensor
    targets: Tensor
    counts: Tensor


class Worlds:
    """The environments between two rounds.

    Args:
        envs: divided among the agents.
        num_agents: S.
        seed: of the starts.
    """

    def __init__(self, envs: gym.vector.VectorEnv, num_agents: int, seed: int) -> None:
        self._envs, self._num_agents = envs, num_agents
        self._obs = self._as_seen(envs.reset(seed=seed)[0])
        self._counts = np.ones(envs.num_envs, bool)
        self._totals = np.zeros(envs.num_envs)
        self.returns: list[list[float]] = [[] for _ in range(num_agents)]

    def _as_seen(self, obs: np.ndarray) -> Tensor:
        seen = torch.as_tensor(obs, dtype=torch.float32)
        return seen.view(self._num_agents, -1, seen[0].numel())

    def collect(self, agents: ActorCritics, settings: PPOSettings) -> Experience:
        """Act for a round."""
        rows = []
        for _ in range(settings.num_steps):
            obs, counts = self._obs, self._counts
            with torch.no_grad():
                policy = agents.policy(obs)
                actions = policy.sample()
                log_probs = policy.log_prob(actions)
            after, rewards, terminated, truncated, _ = self._envs.step(agents.for_env(actions))
            over = terminated | truncated
            self._note(rewards, over)
            self._obs, self._counts = self._as_seen(after), ~over
            flags = (rewards, terminated, over, counts)
            flat = (torch.as_tensor(one, dtype=torch.float32) for one in flags)
            shaped = (one.view(self._num_agents, -1) for one in flat)
            rows.append((obs, actions, log_probs, self._obs, *shaped))
        columns = [torch.stack(column) for column in zip(*rows, strict=True)]
        obs, actions, log_probs, next_obs, rewards, terminated, ended, begun = columns
        with torch.no_grad():
            values, next_values = (
                agents.values(one.transpose(0, 1).flatten(1, 2))
                .view(self._num_agents, len(rows), -1).transpose(0, 1)
                for one in (obs, next_obs)
            )  # fmt: skip
        # A step that only begins an episode says nothing, and nothing passes through it.
        found = gae(
            rewards, values, next_values, terminated, torch.maximum(ended, 1 - begun),
            gamma=settings.gamma, lambda_=settings.lambda_,
        )  # fmt: skip
        parts = (obs, actions, log_probs, found, found + values, begun)
        return Experience(*(one.transpose(0, 1).flatten(1, 2) for one in parts))

    def _note(self, rewards: np.ndarray, over: np.ndarray) -> None:
        self._totals += rewards
        each = len(over) // self._num_agents
        for number in np.flatnonzero(over):
            self.returns[number // each].append(float(self._totals[number]))
            self._totals[number] = 0


def ppo_loss(
    agents: ActorCritics, batch: Experience, settings: PPOSettings,
    objective: Callable[[Tensor, Tensor, float], Tensor] = clipped,
) -> Tensor:  # fmt: skip
    """The sum of the agents' losses: minus the objective, half the squared error of the values."""
    policy = agents.policy(batch.obs)
    ratio = (policy.log_prob(batch.actions) - batch.log_probs).exp()
    gain = objective(ratio, batch.advantages, settings.clip)
    if settings.entropy_weight:
        gain = gain + settings.entropy_weight * policy.entropy()
    misses = (agents.values(batch.obs) - batch.targets) ** 2
    shares = batch.counts / batch.counts.sum(dim=1, keepdim=True).clamp(min=1)
    return ((0.5 * misses - gain) * shares).sum()


def _learn(
    agents: ActorCritics, optimizer: torch.optim.Optimizer, experience: Experience,
    settings: PPOSettings, objective: Callable[[Tensor, Tensor, float], Tensor],
) -> None:  # fmt: skip
    """Go once through the steps of a round, in a drawn order."""
    order = torch.randperm(experience.counts.shape[1])
    for rows in order.split(settings.batch_size):
        batch = Experience(*(part[:, rows] for part in vars(experience).values()))
        batch.advantages = _evened(batch.advantages, batch.counts)
        optimizer.zero_grad()
        ppo_loss(agents, batch, settings, objective).backward()
        _shorten(agents, settings.max_grad_norm)
        optimizer.step()


def _evened(advantages: Tensor, counts: Tensor) -> Tensor:
    """Each agent's advantages with mean 0 and size 1."""
    total = counts.sum(dim=1, keepdim=True).clamp(min=1)
    centred = (advantages - (advantages * counts).sum(dim=1, keepdim=True) / total) * counts
    return centred / ((centred**2).sum(dim=1, keepdim=True) / total).sqrt().clamp(min=1e-8)


def _shorten(agents: ActorCritics, limit: float) -> None:
    """Shorten each agent's gradient to ``limit``, where it is longer."""
    slopes = [weights.grad for weights in agents.parameters() if weights.grad is not None]
    norm = torch.stack([(slope**2).flatten(1).sum(dim=1) for slope in slopes]).sum(dim=0).sqrt()
    factor = (limit / (norm + 1e-6)).clamp(max=1)
    for slope in slopes:
        slope *= factor.view(-1, *[1] * (slope.dim() - 1))


def curves(rows: list[Row], window: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """The mean return of each agent's last ``window`` episodes, after each round.

    Args:
        rows: of :func:`ppo`.
        window: episodes to look back over.

    Returns:
        Environment steps, shape (R,), and means, shape (S, R), from the round on in which every
        agent has ended an episode.
    """
    means = np.full((len(rows[0]["returns"]) if rows else 0, len(rows)), np.nan)
    for agent, row in enumerate(means):
        recent: deque[float] = deque(maxlen=window)
        for number, one in enumerate(rows):
            recent.extend(one["returns"][agent])
            row[number] = np.mean(recent) if recent else np.nan
    begun = ~np.isnan(means).any(axis=0)
    return np.array([row["env_steps"] for row in rows], float)[begun], means[:, begun]
