"""SARSA: Q-learning's sibling, that learns what it really does.

Source: Sutton & Barto, Reinforcement Learning, 2nd edition, section 6.4.
"""

from collections.abc import Callable

import numpy as np

from course_lib.agents.tabular import check_settings, epsilon_greedy_many, kept
from course_lib.envs.tables import Model, SideBySide


def sarsa_many(
    model: Model, starts: int | np.ndarray, *, num_seeds: int, num_episodes: int, max_steps: int,
    learning_rate: float, gamma: float, epsilon: float, rng: np.random.Generator,
    on_step: Callable[[SideBySide], object] = lambda world: None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Let many independent agents learn side by side by SARSA.

    The target is ``reward + gamma * (not terminated) * Q(next_obs, next_action)``, with the action
    that is taken next, also where it is a random one.

    Args:
        model: the rules; they draw the steps, no agent sees them.
        starts: the state in which every episode starts, or the probability of each state.
        num_seeds: number of agents, at least 1.
        num_episodes: episodes of each agent, at least 1.
        max_steps: an episode is truncated after as many steps.
        learning_rate: in [0, 1].
        gamma: discount, in [0, 1].
        epsilon: share of random actions, in [0, 1].
        rng: makes all choices.
        on_step: called after each step of all agents.

    Returns:
        Tables, shape (num_seeds, num_states, num_actions), and returns, shape (num_seeds,
        num_episodes). An interrupt keeps the tables, and the returns of the episodes that every
        agent has finished.

    Raises:
        ValueError: if a setting is out of range.
    """
    check_settings(num_episodes, learning_rate=learning_rate, gamma=gamma, epsilon=epsilon)
    world = SideBySide(
        model, starts, num_seeds=num_seeds, num_episodes=num_episodes, max_steps=max_steps, rng=rng
    )
    tables = np.zeros((num_seeds, *model.reward.shape[:2]))
    actions = epsilon_greedy_many(tables[world.going, world.obs], epsilon, rng)
    try:
        while world.going.size:
            own, at = world.going, world.obs[world.going]
            action = actions[own]
            to, reward, terminated, done = world.step(action)
            following = epsilon_greedy_many(tables[own, to], epsilon, rng)
            target = reward + gamma * ~terminated * tables[own, to, following]
            q_value = tables[own, at, action]
            tables[own, at, action] = q_value + learning_rate * (target - q_value)
            actions[own] = following
            again = own[done]
            if again.size:
                actions[again] = epsilon_greedy_many(tables[again, world.obs[again]], epsilon, rng)
            on_step(world)
    except KeyboardInterrupt:
        return tables, kept(world)
    return tables, world.returns
