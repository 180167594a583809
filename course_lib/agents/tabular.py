"""Q-learning with a table: one mouse, written to be read, and many mice at once, written for speed.

Source: Sutton & Barto, Reinforcement Learning, 2nd edition, section 6.5.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce

import gymnasium as gym
import numpy as np

from course_lib.envs.tables import SideBySide

OnStep = Callable[[SideBySide], object]


def nothing(world: SideBySide) -> None:
    """What is done after a step where nobody wants to see it."""


@dataclass
class Run:
    """What a training run leaves behind.

    Attributes:
        q_table: shape (num_states, num_actions).
        returns: undiscounted return of each finished episode.
    """

    q_table: np.ndarray
    returns: list[float] = field(default_factory=list)


def epsilon_greedy(q_values: np.ndarray, epsilon: float, rng: np.random.Generator) -> int:
    """Pick any action with probability ``epsilon``, else one with the highest q-value.

    Args:
        q_values: shape (num_actions,).
        epsilon: in [0, 1].
        rng: decides, and breaks ties between equally good actions.
    """
    if rng.random() < epsilon:
        return int(rng.integers(len(q_values)))
    best = np.flatnonzero(q_values == np.max(q_values))
    return int(best[rng.integers(len(best))])


def td_update(
    q_value: float,
    reward: float,
    next_q_values: np.ndarray,
    terminated: bool,
    *,
    learning_rate: float,
    gamma: float,
) -> float:
    """Move a q-value towards its target, and return the new one.

    ``target = reward + gamma * (not terminated) * max(next_q_values)``.

    Args:
        q_value: Q(obs, action) as it was.
        reward: of this step.
        next_q_values: Q(next_obs, .), shape (num_actions,).
        terminated: whether the episode ended here by its rules. Not true when only a time limit
            ended it: then the next state still has its worth.
        learning_rate: in [0, 1], also called alpha.
        gamma: discount, in [0, 1].
    """
    target = reward + gamma * (not terminated) * float(np.max(next_q_values))
    return (1 - learning_rate) * q_value + learning_rate * target


def learn_episode(
    env: gym.Env,
    q_table: np.ndarray,
    *,
    learning_rate: float,
    gamma: float,
    epsilon: float,
    rng: np.random.Generator,
) -> float:
    """Walk one episode and update the table after every step.

    Args:
        env: with Discrete observations and actions.
        q_table: shape (num_states, num_actions), changed in place.
        learning_rate: in [0, 1].
        gamma: discount, in [0, 1].
        epsilon: share of random actions, in [0, 1].
        rng: makes the agent's choices.

    Returns:
        The undiscounted return of the episode.
    """
    obs, _ = env.reset()
    total, done = 0.0, False
    while not done:
        action = epsilon_greedy(q_table[obs], epsilon, rng)
        next_obs, reward, terminated, truncated, _ = env.step(action)
        q_table[obs, action] = td_update(
            q_table[obs, action],
            float(reward),
            q_table[next_obs],
            terminated,
            learning_rate=learning_rate,
            gamma=gamma,
        )
        obs, done = next_obs, terminated or truncated
        total += float(reward)
    return total


def q_learning(
    env: gym.Env,
    *,
    num_episodes: int,
    learning_rate: float,
    gamma: float,
    epsilon: float,
    rng: np.random.Generator,
    q_table: np.ndarray | None = None,
    on_episode: Callable[[Run], object] | None = None,
) -> Run:
    """Learn a table of q-values by walking; an interrupt keeps what was learned.

    Without a ``q_table`` of yours the run so far is returned. With one, what was learned is in it
    and the interrupt goes on, so that a loop over several agents ends.

    Args:
        env: with Discrete observations and actions.
        num_episodes: at least 1.
        learning_rate: in [0, 1].
        gamma: discount, in [0, 1].
        epsilon: share of random actions, in [0, 1].
        rng: makes the agent's choices, and seeds the environment once.
        q_table: shape (num_states, num_actions), learned on in place; zeros if not given.
        on_episode: called after each episode with the run so far.

    Returns:
        The run, with as many returns as episodes were finished.

    Raises:
        ValueError: if a setting is out of range or a space is not Discrete.
    """
    settings = {"learning_rate": learning_rate, "gamma": gamma, "epsilon": epsilon}
    check_shares(**settings)
    if num_episodes < 1:
        raise ValueError(f"num_episodes must be at least 1, got {num_episodes}")
    run = Run(_empty_table(env) if q_table is None else q_table)
    env.reset(seed=int(rng.integers(2**31)))
    try:
        for _ in range(num_episodes):
            run.returns.append(learn_episode(env, run.q_table, rng=rng, **settings))
            if on_episode is not None:
                on_episode(run)
    except KeyboardInterrupt:
        if q_table is not None:
            raise
        print(f"Stopped after {len(run.returns)} of {num_episodes} episodes; the table is kept.")
    return run


def q_learning_many(
    world: SideBySide, *, learning_rate: float, gamma: float, epsilon: float,
    initial_value: float = 0.0, on_step: OnStep = nothing,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Let many independent mice learn side by side, one numpy step for all of them.

    Args:
        world: in which they walk; its ``rng`` makes the choices of all mice.
        learning_rate: in [0, 1].
        gamma: discount, in [0, 1].
        epsilon: share of random actions, in [0, 1].
        initial_value: what every entry of the tables says before the first step.
        on_step: called after each step of all mice, for a bar.

    Returns:
        Tables, shape (num_seeds, num_states, num_actions), and returns of the episodes, shape
        (num_seeds, num_episodes). An interrupt keeps the tables, and the returns of the episodes
        that every mouse has finished.

    Raises:
        ValueError: if a setting is out of range.
    """
    check_shares(learning_rate=learning_rate, gamma=gamma, epsilon=epsilon)
    tables = world.tables(initial_value)

    def act() -> None:
        mice, at = world.going, world.obs[world.going]
        action = epsilon_greedy_many(tables[mice, at], epsilon, world.rng)
        to, reward, terminated, _ = world.step(action)
        target = reward + gamma * ~terminated * highest(tables[mice, to])
        q_value = tables[mice, at, action]
        tables[mice, at, action] = q_value + learning_rate * (target - q_value)

    return tables, world.play(act, on_step)


def epsilon_greedy_many(
    q_values: np.ndarray, epsilon: float | np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """:func:`epsilon_greedy` for each row of ``q_values``, shape (N, num_actions).

    ``epsilon`` may be one for each row, shape (N,).
    """
    draws = rng.random(q_values.shape)
    greedy = np.where(q_values == highest(q_values)[:, None], draws, -1.0)
    explore = rng.random(len(q_values)) < epsilon
    return np.where(explore[:, None], draws, greedy).argmax(axis=1)


def highest(q_values: np.ndarray) -> np.ndarray:
    """``q_values.max(axis=1)``; numpy is faster on a few long columns than on many short rows."""
    return reduce(np.maximum, q_values.T)


def random_returns(env: gym.Env, *, num_episodes: int, rng: np.random.Generator) -> np.ndarray:
    """Returns of an agent that picks every action equally often, shape (num_episodes,)."""
    run = q_learning(
        env, num_episodes=num_episodes, learning_rate=0.0, gamma=0.0, epsilon=1.0, rng=rng
    )
    return np.array(run.returns)


def greedy_path(q_table: np.ndarray, env: gym.Env, rng: np.random.Generator) -> list[int]:
    """Follow the highest q-values from the start to the episode's end.

    Args:
        q_table: shape (num_states, num_actions).
        env: with Discrete observations and actions.
        rng: breaks ties.

    Returns:
        The states visited, the first and the last included.
    """
    obs, _ = env.reset(seed=int(rng.integers(2**31)))
    path, done = [int(obs)], False
    while not done:
        action = epsilon_greedy(q_table[obs], 0.0, rng)
        obs, _, terminated, truncated, _ = env.step(action)
        path.append(int(obs))
        done = terminated or truncated
    return path


def _empty_table(env: gym.Env) -> np.ndarray:
    spaces = (env.observation_space, env.action_space)
    sizes = [int(space.n) for space in spaces if isinstance(space, gym.spaces.Discrete)]
    if len(sizes) != 2:
        raise ValueError(f"a table needs Discrete observations and actions, got {spaces}")
    return np.zeros(sizes)


def check_shares(**shares: float) -> None:
    """Refuse a setting that is not in [0, 1]."""
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must be in [0, 1], got {value}")
