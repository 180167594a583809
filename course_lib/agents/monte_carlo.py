"""First-visit Monte Carlo control: wait for the end of the episode, then learn from what came.

Source: Sutton & Barto, Reinforcement Learning, 2nd edition, section 5.4.
"""

from collections.abc import Callable, Sequence

import numpy as np

from course_lib.agents.tabular import check_settings, epsilon_greedy_many, kept
from course_lib.envs.tables import Model, SideBySide

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
    model: Model, starts: int | np.ndarray, *, num_seeds: int, num_episodes: int, max_steps: int,
    gamma: float, half: float, rng: np.random.Generator,
    on_step: Callable[[SideBySide], object] = lambda world: None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Let many independent agents learn side by side from whole episodes.

    A q-value is the mean of all first-visit returns so far. Nothing is learned before an episode
    is over.

    Args:
        model: the rules; they draw the steps, no agent sees them.
        starts: the state in which every episode starts, or the probability of each state.
        num_seeds: number of agents, at least 1.
        num_episodes: episodes of each agent, at least 1.
        max_steps: an episode is truncated after as many steps; what would have come is not counted.
        gamma: discount, in [0, 1].
        half: episodes after which epsilon is 1/2, above 0.
        rng: makes all choices.
        on_step: called after each step of all agents.

    Returns:
        Tables, shape (num_seeds, num_states, num_actions), and returns, shape (num_seeds,
        num_episodes). An interrupt keeps the tables, and the returns of the episodes that every
        agent has finished.

    Raises:
        ValueError: if a setting is out of range.
    """
    check_settings(num_episodes, gamma=gamma)
    if half <= 0:
        raise ValueError(f"half must be above 0, got {half}")
    world = SideBySide(
        model, starts, num_seeds=num_seeds, num_episodes=num_episodes, max_steps=max_steps, rng=rng
    )
    tables = np.zeros((num_seeds, *model.reward.shape[:2]))
    counts = np.zeros_like(tables)
    walked = np.zeros((2, num_seeds, max_steps), dtype=int)  # states and actions
    earned = np.zeros((num_seeds, max_steps))
    try:
        while world.going.size:
            own, at, step = world.going, world.obs[world.going], world.steps[world.going]
            epsilon = glie(world.episode[own], half)
            action = epsilon_greedy_many(tables[own, at], epsilon, rng)
            _, reward, _, done = world.step(action)
            walked[:, own, step], earned[own, step] = (at, action), reward
            for one, last in zip(own[done], step[done] + 1, strict=True):
                states, actions = walked[:, one, :last]
                found = first_visit_returns(states, actions, earned[one, :last], gamma)
                for (state, tried), value in found.items():
                    counts[one, state, tried] += 1
                    error = value - tables[one, state, tried]
                    tables[one, state, tried] += error / counts[one, state, tried]
            on_step(world)
    except KeyboardInterrupt:
        return tables, kept(world)
    return tables, world.returns
