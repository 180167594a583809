"""REINFORCE: a policy that is learned without q-values, from whole episodes.

A network gives a probability for each action. After an episode, what was done is made more likely
in proportion to what came of it.

Source: Williams 1992, "Simple statistical gradient-following algorithms for connectionist
reinforcement learning"; Sutton & Barto, 2nd edition, sections 13.1 to 13.4.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical

from course_lib.agents.many_networks import ManyNetworks
from course_lib.torch_threads import torch_threads

Row = dict[str, Any]


class Episodes(NamedTuple):
    """Whole episodes of S agents, N of each, in T steps; after its end an episode's rows are 0.

    obs (S, N, T, D), actions (S, N, T), rewards (S, N, T), alive (S, N, T): whether it went on.
    """

    obs: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    alive: np.ndarray

    @property
    def returns(self) -> np.ndarray:
        """Undiscounted, shape (S, N)."""
        return self.rewards.sum(axis=2)


def log_prob_loss(logits: Tensor, actions: Tensor, weights: Tensor) -> Tensor:
    """What REINFORCE makes small: minus the mean of log-probability times weight.

    Args:
        logits: shape (B, num_actions), the policy's outputs.
        actions: shape (B,), which were taken.
        weights: shape (B,), how good that turned out to be.

    Returns:
        A scalar. Its gradient points away from actions of positive weight: descend.
    """
    return -(Categorical(logits=logits).log_prob(actions) * weights).mean()


def rewards_to_go(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """The discounted sum of this and all later rewards, along the last axis; same shape."""
    found = np.zeros_like(rewards, dtype=float)
    total = np.zeros(rewards.shape[:-1])
    for step in reversed(range(rewards.shape[-1])):
        total = rewards[..., step] + gamma * total
        found[..., step] = total
    return found


def advantages(to_go: np.ndarray) -> np.ndarray:
    """How much better than the other episodes at the same step: each column less its mean.

    Args:
        to_go: shape (num_episodes, T); nan where an episode is over.

    Returns:
        The same shape, nan in the same places.
    """
    alive = ~np.isnan(to_go)
    count = np.maximum(alive.sum(axis=0), 1)
    return to_go - np.where(alive, to_go, 0).sum(axis=0) / count


def play_episodes(
    envs: gym.vector.VectorEnv, networks: ManyNetworks, num_agents: int, dice: torch.Generator
) -> Episodes:
    """Let each agent play its share of the environments, once each.

    Args:
        envs: Discrete actions; as many for each agent.
        networks: the agents' policies.
        num_agents: S.
        dice: draws starts and actions.
    """
    seed = int(torch.randint(2**31 - 1, (1,), generator=dice))
    obs, _ = envs.reset(seed=seed)
    alive, steps = np.ones(envs.num_envs, bool), []
    while alive.any():
        seen = torch.as_tensor(obs, dtype=torch.float32).view(num_agents, -1, obs.shape[-1])
        with torch.no_grad():
            chances = networks(seen).softmax(dim=-1).flatten(0, 1)
        actions = torch.multinomial(chances, 1, generator=dice)[:, 0].numpy()
        after, rewards, terminated, truncated, _ = envs.step(actions)
        steps.append((obs * alive[:, None], actions * alive, rewards * alive, alive.copy()))
        obs, alive = after, alive & ~(terminated | truncated)
    columns = (np.stack(column, axis=1) for column in zip(*steps, strict=True))
    return Episodes(*(one.reshape(num_agents, -1, *one.shape[1:]) for one in columns))


def whole_returns(episodes: Episodes, gamma: float) -> np.ndarray:
    """Each step weighs what the whole episode returned: (S, N, T)."""
    first = rewards_to_go(episodes.rewards, gamma)[..., :1]
    return first * episodes.alive


def returns_to_go(episodes: Episodes, gamma: float) -> np.ndarray:
    """Each step weighs what came after it: (S, N, T)."""
    return rewards_to_go(episodes.rewards, gamma) * episodes.alive


def with_baseline(
    episodes: Episodes, gamma: float,
    advantages: Callable[[np.ndarray], np.ndarray] = advantages,
) -> np.ndarray:  # fmt: skip
    """Each step weighs how much better it was than the agent's other episodes then: (S, N, T)."""
    to_go = np.where(episodes.alive, rewards_to_go(episodes.rewards, gamma), np.nan)
    found = np.zeros_like(to_go)
    for agent, alive in enumerate(episodes.alive):
        last = int(alive.any(axis=0).sum())  # after that no episode of this agent goes on
        found[agent, :, :last] = advantages(to_go[agent, :, :last])
    return np.nan_to_num(found)


def reinforce(
    envs: gym.vector.VectorEnv, *, num_agents: int, num_rounds: int, learning_rate: float,
    gamma: float, seed: int, weigh: Callable[[Episodes, float], np.ndarray] = with_baseline,
    loss: Callable[[Tensor, Tensor, Tensor], Tensor] = log_prob_loss,
    hidden: tuple[int, ...] = (32,), on_row: Callable[[list[Row]], object] = lambda rows: None,
) -> tuple[ManyNetworks, list[Row]]:  # fmt: skip
    """Let several agents learn side by side, each from episodes of its own.

    An interrupt keeps what was learned.

    Args:
        envs: Discrete actions; divided among the agents.
        num_agents: S, a divisor of ``envs.num_envs``.
        num_rounds: each plays one episode in every environment, and takes one gradient step.
        learning_rate: of Adam.
        gamma: discount per step.
        seed: of weights, starts and actions.
        weigh: episodes, gamma -> the weight of each step, (S, N, T).
        loss: called like :func:`log_prob_loss`, for each agent.
        hidden: units per hidden layer.
        on_row: called after each round with the rows so far.

    Returns:
        The policies, and rows: round, env_steps of each agent, seconds, returns (S, N).

    Raises:
        ValueError: if the environments cannot be divided, or the actions are not Discrete.
    """
    space = envs.single_action_space
    if not isinstance(space, gym.spaces.Discrete):
        raise ValueError(f"these policies need Discrete actions, got {space}")
    if num_agents < 1 or envs.num_envs % num_agents:
        raise ValueError(f"{envs.num_envs} environments cannot be shared by {num_agents} agents")
    num_inputs = int(np.prod(envs.single_observation_space.shape or ()))
    networks = ManyNetworks(num_agents, num_inputs, int(space.n), hidden, seed=seed)
    optimizer = torch.optim.Adam(networks.parameters(), lr=learning_rate)
    dice, rows, began = torch.Generator().manual_seed(seed), [], time.perf_counter()
    env_steps = np.zeros(num_agents)
    try:
        with torch_threads(1):
            for number in range(1, num_rounds + 1):
                episodes = play_episodes(envs, networks, num_agents, dice)
                step_weights = _evened(weigh(episodes, gamma), episodes.alive)
                optimizer.zero_grad()
                agents_loss(networks, episodes, step_weights, loss).backward()
                optimizer.step()
                env_steps = env_steps + episodes.alive.sum(axis=(1, 2))
                rows.append({"round": number, "env_steps": env_steps, "returns": episodes.returns,
                             "seconds": time.perf_counter() - began})  # fmt: skip
                on_row(rows)
    except KeyboardInterrupt:
        print(f"Stopped after {len(rows)} rounds; what was learned is kept.")
    return networks, rows


def agents_loss(
    networks: ManyNetworks, episodes: Episodes, step_weights: np.ndarray,
    loss: Callable[[Tensor, Tensor, Tensor], Tensor] = log_prob_loss,
) -> Tensor:  # fmt: skip
    """The sum of all agents' losses, each over the steps that it took."""
    obs = torch.as_tensor(episodes.obs, dtype=torch.float32).flatten(1, 2)
    logits = networks(obs)
    total = torch.zeros(())
    for agent, alive in enumerate(episodes.alive.reshape(len(obs), -1)):
        taken = torch.as_tensor(episodes.actions[agent].reshape(-1)[alive])
        own = torch.as_tensor(step_weights[agent].reshape(-1)[alive], dtype=torch.float32)
        total = total + loss(logits[agent][torch.as_tensor(alive)], taken, own)
    return total


def _evened(step_weights: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """Divide each agent's weights by their size, so that one learning rate fits all three kinds."""
    size = np.sqrt((step_weights**2).sum(axis=(1, 2)) / alive.sum(axis=(1, 2)))
    return step_weights / np.maximum(size, 1e-8)[:, None, None]


@torch_threads(1)
def gradients(networks: ManyNetworks, episodes: Episodes, step_weights: np.ndarray) -> np.ndarray:
    """The gradient of the first agent by each episode alone, shape (N, num_weights)."""
    found = []
    for number in range(episodes.obs.shape[1]):
        one = Episodes(*(part[:1, number : number + 1] for part in episodes))
        networks.zero_grad()
        steps = int(one.alive.sum())
        (agents_loss(networks, one, step_weights[:1, number : number + 1]) * steps).backward()
        slopes = (weights.grad for weights in networks.parameters())
        parts = [slope[0].flatten() for slope in slopes if slope is not None]
        found.append(torch.cat(parts).numpy())
    return np.stack(found)


def greedy(networks: ManyNetworks, agent: int) -> Callable[[np.ndarray], np.ndarray]:
    """The policy that takes an agent's most likely action: obs (N, D) -> actions (N,)."""

    def policy(obs: np.ndarray) -> np.ndarray:
        seen = torch.as_tensor(np.asarray(obs), dtype=torch.float32)
        with torch.no_grad(), torch_threads(1):
            outputs = networks(seen.expand(len(networks.weights[0]), *seen.shape))
        return outputs[agent].argmax(dim=-1).numpy()

    return policy
