"""How far a target looks ahead: one step, n steps, or to the end; and all of these mixed.

Source: Sutton & Barto, Reinforcement Learning, 2nd edition, sections 7.1 and 12.1.
"""

import numpy as np

from course_lib.envs.tables import SideBySide


def n_step_targets(
    rewards: np.ndarray, next_values: np.ndarray, terminated: bool, n: int, gamma: float
) -> np.ndarray:
    """Return the n-step target of each step of an episode.

    ``reward + gamma * next reward + ... + gamma^n * value of the state n steps on``; where the
    episode is over before, the sum ends there, and nothing follows if it was by the rules.

    Args:
        rewards: shape (T,).
        next_values: of the state after each step, shape (T,).
        terminated: whether the last step ended the episode by its rules.
        n: steps to look ahead, at least 1; T or more is Monte Carlo.
        gamma: discount, in [0, 1].

    Returns:
        Shape (T,).

    Raises:
        ValueError: if ``n`` is below 1 or the shapes differ.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    rewards, values = _values(rewards, next_values, terminated)
    targets = np.empty(len(rewards))
    for step in range(len(rewards)):
        stop = min(step + n, len(rewards))
        ahead = gamma ** np.arange(stop - step)
        targets[step] = ahead @ rewards[step:stop] + gamma ** (stop - step) * values[stop - 1]
    return targets


def lambda_targets(
    rewards: np.ndarray, next_values: np.ndarray, terminated: bool, lambda_: float, gamma: float
) -> np.ndarray:
    """Return the lambda target of each step: the n-step targets, mixed with weights lambda^(n-1).

    From behind: ``reward + gamma * ((1 - lambda) * value of the next state + lambda * the next
    step's target)``.

    Args:
        rewards: shape (T,).
        next_values: of the state after each step, shape (T,).
        terminated: whether the last step ended the episode by its rules.
        lambda_: 0 looks one step ahead, 1 to the end.
        gamma: discount, in [0, 1].

    Returns:
        Shape (T,).

    Raises:
        ValueError: if ``lambda_`` is out of range or the shapes differ.
    """
    if not 0 <= lambda_ <= 1:
        raise ValueError(f"lambda must be in [0, 1], got {lambda_}")
    rewards, values = _values(rewards, next_values, terminated)
    targets = np.empty(len(rewards))
    following = values[-1]
    for step in reversed(range(len(rewards))):
        following = rewards[step] + gamma * ((1 - lambda_) * values[step] + lambda_ * following)
        targets[step] = following
    return targets


def evaluate_many(
    world: SideBySide, policy: np.ndarray, *, learning_rate: float, gamma: float,
    n: int | None = None, lambda_: float | None = None,
) -> np.ndarray:  # fmt: skip
    """Let learners find out what a policy is worth, each from its own episodes.

    After each episode every visited state moves towards its target.

    Args:
        world: in which they walk; all episodes start in one state.
        policy: the action in each state, shape (num_states,).
        learning_rate: in [0, 1].
        gamma: discount, in [0, 1].
        n: steps that a target looks ahead; or
        lambda_: how n-step targets are mixed. One of the two.

    Returns:
        The value of the start after each episode, shape (num_seeds, num_episodes).

    Raises:
        ValueError: if both or neither of ``n`` and ``lambda_`` are given.
    """
    if (n is None) == (lambda_ is None):
        raise ValueError(f"give n or lambda_, one of the two; got {n} and {lambda_}")
    num_seeds = len(world.returns)
    values, found = np.zeros((num_seeds, len(policy))), np.zeros_like(world.returns)
    walked = np.zeros((num_seeds, world.max_steps + 1), dtype=int)
    earned = np.zeros((num_seeds, world.max_steps))

    def act() -> None:
        own, at, step = world.going, world.obs[world.going], world.steps[world.going]
        episode = world.episode[own]
        to, reward, terminated, done = world.step(policy[at])
        walked[own, step], walked[own, step + 1], earned[own, step] = at, to, reward
        for one, last, ends, number in zip(
            own[done], step[done] + 1, terminated[done], episode[done], strict=True
        ):
            states = walked[one, : last + 1]
            given = (earned[one, :last], values[one, states[1:]], bool(ends))
            if n is not None:
                targets = n_step_targets(*given, n, gamma)
            else:
                targets = lambda_targets(*given, lambda_ or 0.0, gamma)
            for state, target in zip(states[:-1], targets, strict=True):
                values[one, state] += learning_rate * (target - values[one, state])
            found[one, number] = values[one, states[0]]

    return found[:, : world.play(act, lambda world: None).shape[1]]


def _values(
    rewards: np.ndarray, next_values: np.ndarray, terminated: bool
) -> tuple[np.ndarray, np.ndarray]:
    rewards, values = np.asarray(rewards, float), np.array(next_values, float)
    if rewards.ndim != 1 or rewards.shape != values.shape or not len(rewards):
        raise ValueError(
            f"rewards and next_values must have the same shape (T,), got {rewards.shape} and "
            f"{values.shape}"
        )
    if terminated:
        values[-1] = 0.0
    return rewards, values
