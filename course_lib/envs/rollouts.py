"""Play whole episodes with a fixed policy: what evaluation and animations are made of."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

Policy = Callable[[np.ndarray], np.ndarray]
MakeEnv = str | Callable[..., gym.Env]


def make(env: MakeEnv, **kwargs: Any) -> gym.Env:
    """Make an environment from a registered name, or call ``env`` to get one."""
    return gym.make(env, **kwargs) if isinstance(env, str) else env(**kwargs)


def play(policy: Policy, env: MakeEnv, *, num_episodes: int = 20, seed: int) -> np.ndarray:
    """Play ``num_episodes`` episodes side by side and return their returns.

    All episodes step together, so the policy is asked once per step for all of them.

    Args:
        policy: maps observations, shape (N, ...), to actions, shape (N,).
        env: a registered name, or a callable that makes an environment.
        num_episodes: at least 1.
        seed: fixes the start states; another seed gives new ones.

    Returns:
        Undiscounted returns, shape (num_episodes,).

    Raises:
        ValueError: if ``num_episodes`` is below 1.
    """
    if num_episodes < 1:
        raise ValueError(f"num_episodes must be at least 1, got {num_episodes}")
    envs = [make(env) for _ in range(num_episodes)]
    starts = np.random.default_rng(seed).integers(2**31, size=num_episodes)
    obs = [one.reset(seed=int(start))[0] for one, start in zip(envs, starts, strict=True)]
    returns = np.zeros(num_episodes)
    alive = list(range(num_episodes))
    while alive:
        actions = policy(np.stack([obs[i] for i in alive]))
        going = []
        for i, action in zip(alive, actions, strict=True):
            obs[i], reward, terminated, truncated, _ = envs[i].step(action)
            returns[i] += reward
            if not (terminated or truncated):
                going.append(i)
        alive = going
    for one in envs:
        one.close()
    return returns


def play_vector(policy: Policy, envs: gym.vector.VectorEnv, *, seed: int) -> np.ndarray:
    """Play one episode in each environment of a vector and return their returns.

    Args:
        policy: maps observations, shape (num_envs, ...), to actions, shape (num_envs, ...).
        envs: whether an episode begins anew at once does not matter.
        seed: fixes the start states.

    Returns:
        Undiscounted returns, shape (num_envs,).
    """
    obs, _ = envs.reset(seed=seed)
    returns, alive = np.zeros(envs.num_envs), np.ones(envs.num_envs, bool)
    while alive.any():
        obs, rewards, terminated, truncated, _ = envs.step(policy(obs))
        returns += rewards * alive
        alive &= ~(terminated | truncated)
    return returns


def random_policy(env: MakeEnv, *, rng: np.random.Generator) -> Policy:
    """A policy that picks each of a Discrete space's actions equally often."""
    probe = make(env)
    space = probe.action_space
    probe.close()
    if not isinstance(space, gym.spaces.Discrete):
        raise ValueError(f"random_policy needs a Discrete action space, got {space}")
    first, count = int(space.start), int(space.n)
    return lambda obs: first + rng.integers(count, size=len(obs))
