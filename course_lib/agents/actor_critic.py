"""A policy beside a value function, one pair for each of several agents."""

from collections.abc import Callable

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, Normal

from course_lib.agents.many_networks import ManyNetworks
from course_lib.torch_threads import torch_threads


class ActorCritics(nn.Module):
    """A policy and a value function for each of S agents.

    Args:
        envs: what they act in; Discrete or Box actions.
        num_agents: S.
        hidden: units per hidden layer.
        seed: of the first weights.
    """

    def __init__(
        self, envs: gym.vector.VectorEnv, num_agents: int, hidden: tuple[int, ...], *, seed: int
    ) -> None:
        super().__init__()
        space, self.num_agents = envs.single_action_space, num_agents
        num_inputs = int(np.prod(envs.single_observation_space.shape or ()))
        self.discrete = isinstance(space, gym.spaces.Discrete)
        if isinstance(space, gym.spaces.Discrete):
            num_outputs = int(space.n)
        elif isinstance(space, gym.spaces.Box):
            num_outputs = int(np.prod(space.shape))
            middle, reach = (space.high + space.low) / 2, (space.high - space.low) / 2
            self.middle, self.reach = torch.as_tensor(middle), torch.as_tensor(reach)
        else:
            raise ValueError(f"these policies need Discrete or Box actions, got {space}")
        sizes = (num_agents, num_inputs)
        self.actor = ManyNetworks(*sizes, num_outputs, hidden, seed=seed, last=0.01)
        self.critic = ManyNetworks(*sizes, 1, hidden, seed=seed + 1, last=1.0)
        self.log_std = nn.Parameter(torch.zeros(num_agents, 1, num_outputs))

    def policy(self, obs: Tensor) -> Distribution:
        """What is done in states (S, N, D): how likely each action, or where a bell curve lies."""
        outputs = self.actor(obs)
        if self.discrete:
            return Categorical(logits=outputs)
        return Independent(Normal(outputs, self.log_std.exp().expand_as(outputs)), 1)

    def values(self, obs: Tensor) -> Tensor:
        """What states (S, N, D) are worth, (S, N)."""
        return self.critic(obs)[..., 0]

    def for_env(self, actions: Tensor) -> np.ndarray:
        """Actions (S, N, ...) as the environments take them, (S * N, ...)."""
        flat = actions.flatten(0, 1)
        if self.discrete:
            return flat.numpy()
        return (self.middle + self.reach * flat.clamp(-1, 1)).numpy()

    def best(self, agent: int) -> Callable[[np.ndarray], np.ndarray]:
        """An agent's policy without chance: obs (N, D) -> actions (N, ...)."""

        def act(obs: np.ndarray) -> np.ndarray:
            for_all = np.broadcast_to(obs, (self.num_agents, *np.shape(obs)))
            actions = self.greedy(for_all.reshape(-1, *np.shape(obs)[1:]))
            return actions.reshape(self.num_agents, len(obs), *actions.shape[1:])[agent]

        return act

    def greedy(self, obs: np.ndarray) -> np.ndarray:
        """All agents' actions without chance: obs (S * N, D), agent by agent -> (S * N, ...)."""
        seen = torch.as_tensor(np.array(obs, dtype=np.float32))
        with torch.no_grad(), torch_threads(1):
            outputs = self.actor(seen.view(self.num_agents, -1, seen.shape[-1]))
        return self.for_env(outputs.argmax(dim=-1) if self.discrete else outputs)
