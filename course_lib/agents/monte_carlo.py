"""First-visit Monte Carlo control: wait for the end of the episode, then learn from what came.

Source: Sutton & Barto, Reinforcement Learning, 2nd edition, section 5.4.
"""

from collections.abc import Sequence

import numpy as np

from course_lib.agents.tabular import OnStep, check_shares, epsilon_greedy_many, nothing
from course_lib.envs.tables import SideBySide

Values = Sequence[float] | np.ndarray


def first_visit_returns(
    states: Values, actions: Values, rewards: Values, gamma: float
) -> dict[tuple[int, int], float]:
    """Return the discounted return that followed the first visit of each (state, action).

    Args:
        states: visited, one for each step, without the one after the last step.
        actions: taken, one for each step.
        rewards: one for each step.
        gamma: discount, in [0, 1].
    """
    returns: dict[tuple[int, int], float] = {}
    following = 0.0
    for state, action, reward in zip(states[::-1], actions[::-1], rewards[::-1], strict=True):
        following = reward + gamma * following
        returns[int(state), int(action)] = following  # an earlier visit overwrites a later one
    return returns


def glie(episode: np.ndarray, half: float) -> np.ndarray:
    """Epsilon that falls for ever and never ends: 1 at first, 1/2 after ``half`` episodes.

    Greedy in the limit with infinite exploration: the sum of all epsilons is infinite.
    """
    return half / (half + episode)


def monte_carlo_many(
    world: SideBySide, *, gamma: float, half: float, on_step: OnStep = nothing
) -> tuple[np.ndarray, np.ndarray]:
    """Let many agents learn side by side, as ``q_learning_many`` does, from whole episodes.

    A q-value is the mean of all first-visit returns so far. Nothing is learned before an episode
    is over; what would have come after a time limit is not counted.

    Args:
        world: in which they walk; its ``rng`` makes all choices.
        gamma: discount, in [0, 1].
        half: episodes after which epsilon is 1/2, above 0.
        on_step: called after each step of all agents.

    Raises:
        ValueError: if a setting is out of range.
    """
    check_shares(gamma=gamma)
    if half <= 0:
        raise ValueError(f"half must be above 0, got {half}")
    tables = world.tables()
    counts = np.zeros_like(tables)
    walked = np.zeros((2, len(tables), world.max_steps), dtype=int)  # states and actions
    earned = np.zeros((len(tables), world.max_steps))

    def act() -> None:
        own, at, step = world.going, world.obs[world.going], world.steps[world.going]
        epsilon = glie(world.episode[own], half)
        action = epsilon_greedy_many(tables[own, at], epsilon, world.rng)
        _, reward, _, done = world.step(action)
        walked[:, own, step], earned[own, step] = (at, action), reward
        for one, last in zip(own[done], step[done] + 1, strict=True):
            states, actions = walked[:, one, :last]
            found = first_visit_returns(states, actions, earned[one, :last], gamma)
            for (state, tried), value in found.items():
                counts[one, state, tried] += 1
                error = value - tables[one, state, tried]
                tables[one, state, tried] += error / counts[one, state, tried]

    return tables, world.play(act, on_step)
