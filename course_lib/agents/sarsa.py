"""SARSA: Q-learning's sibling, that learns what it really does.

Source: Sutton & Barto, Reinforcement Learning, 2nd edition, section 6.4.
"""

import numpy as np

from course_lib.agents.tabular import OnStep, check_shares, epsilon_greedy_many, nothing
from course_lib.envs.tables import SideBySide


def sarsa_many(
    world: SideBySide, *, learning_rate: float, gamma: float, epsilon: float,
    on_step: OnStep = nothing,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Let many agents learn side by side, as ``q_learning_many`` does, by SARSA.

    The target is ``reward + gamma * (not terminated) * Q(next_obs, next_action)``, with the action
    that is taken next, also where it is a random one.
    """
    check_shares(learning_rate=learning_rate, gamma=gamma, epsilon=epsilon)
    tables = world.tables()
    actions = epsilon_greedy_many(tables[world.going, world.obs], epsilon, world.rng)

    def act() -> None:
        own, at = world.going, world.obs[world.going]
        action = actions[own]
        to, reward, terminated, done = world.step(action)
        actions[own] = epsilon_greedy_many(tables[own, to], epsilon, world.rng)
        target = reward + gamma * ~terminated * tables[own, to, actions[own]]
        q_value = tables[own, at, action]
        tables[own, at, action] = q_value + learning_rate * (target - q_value)
        again = own[done]
        if again.size:
            first = tables[again, world.obs[again]]
            actions[again] = epsilon_greedy_many(first, epsilon, world.rng)

    return tables, world.play(act, on_step)
