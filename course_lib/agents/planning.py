"""Planning: the best values of states, computed from the rules, without a single step.

Source: Sutton & Barto, Reinforcement Learning, 2nd edition, sections 3.6, 4.3 and 4.4.
"""

import numpy as np

from course_lib.envs.tables import Model
from course_lib.errors import CourseError


class EndlessPlanError(CourseError, ValueError):
    """The values of a plan do not settle."""


def look_ahead(values: np.ndarray, model: Model, gamma: float) -> np.ndarray:
    """Return the q-value of each action, one step ahead of ``values``.

    Of each outcome ``reward + gamma * (not terminated) * values[s']``, times its probability.

    Args:
        values: shape (num_states,).
        model: the rules.
        gamma: discount, in [0, 1].

    Returns:
        Shape (num_states, num_actions).
    """
    later = gamma * ~model.terminated * values[model.next_state]
    return (model.probability * (model.reward + later)).sum(axis=2)


def sweep(values: np.ndarray, model: Model, gamma: float) -> np.ndarray:
    """Return new values, shape (num_states,): of each state the q-value of its best action."""
    return look_ahead(values, model, gamma).max(axis=1)


def value_iteration(
    model: Model, gamma: float, *, tolerance: float = 1e-9, max_sweeps: int = 10_000
) -> np.ndarray:
    """Sweep over all states until nothing changes by more than ``tolerance``.

    Args:
        model: the rules.
        gamma: discount, in [0, 1].
        tolerance: the largest change of the last sweep, at least 0.
        max_sweeps: when to give up.

    Returns:
        The values after each sweep, shape (num_sweeps + 1, num_states), zeros first. Those after
        ``k`` sweeps are the best expected return of ``k`` steps, the last ones V*.

    Raises:
        EndlessPlanError: if they still change after ``max_sweeps``.
        ValueError: if gamma or the tolerance is out of range.
    """
    _check(gamma)
    if tolerance < 0:
        raise ValueError(f"tolerance must be at least 0, got {tolerance}")
    found = [np.zeros(len(model.reward))]
    for _ in range(max_sweeps):
        found.append(sweep(found[-1], model, gamma))
        change = np.abs(found[-1] - found[-2]).max()
        if change <= tolerance:
            return np.array(found)
    raise EndlessPlanError(
        f"after {max_sweeps:,} sweeps values still change by {change:.3g}; they settle if gamma is "
        "below 1, or if every way through the states pays less and less until it ends"
    )


def best_values(model: Model, gamma: float, *, tolerance: float = 1e-9) -> np.ndarray:
    """Return V*, the best discounted return from each state, shape (num_states,)."""
    return value_iteration(model, gamma, tolerance=tolerance)[-1]


def policy_within(model: Model, policy: np.ndarray, steps: int, gamma: float = 1.0) -> np.ndarray:
    """Return what each state is worth under a policy if only ``steps`` steps are left.

    Args:
        model: the rules.
        policy: the action in each state, shape (num_states,).
        steps: at least 0; an environment's time limit.
        gamma: discount, in [0, 1].

    Returns:
        Shape (num_states,).
    """
    _check(gamma)
    values = np.zeros(len(model.reward))
    for _ in range(steps):
        values = look_ahead(values, model, gamma)[np.arange(len(values)), policy]
    return values


def policy_values(model: Model, policy: np.ndarray, gamma: float) -> np.ndarray:
    """Return what each state is worth under a policy: the solution of linear equations.

    Args:
        model: the rules.
        policy: the action in each state, shape (num_states,), int; or the probability of each
            action, shape (num_states, num_actions).
        gamma: discount, in [0, 1]; with 1 the policy must end from every state.

    Returns:
        Shape (num_states,).

    Raises:
        EndlessPlanError: if the equations have no one solution.
        ValueError: if gamma or the policy's shape does not fit.
    """
    _check(gamma)
    num_states, num_actions = model.reward.shape[:2]
    chance = np.eye(num_actions)[policy] if np.ndim(policy) == 1 else np.asarray(policy)
    if chance.shape != (num_states, num_actions):
        raise ValueError(
            f"policy must have shape ({num_states},) or ({num_states}, {num_actions}), "
            f"got {np.shape(policy)}"
        )
    weight = chance[:, :, None] * model.probability
    goes = np.zeros((num_states, num_states))
    states = np.broadcast_to(np.arange(num_states)[:, None, None], weight.shape)
    np.add.at(goes, (states, model.next_state), weight * ~model.terminated)
    try:
        return np.linalg.solve(
            np.eye(num_states) - gamma * goes, (weight * model.reward).sum(axis=(1, 2))
        )
    except np.linalg.LinAlgError as error:
        raise EndlessPlanError(
            "this policy never ends from some state, so with gamma 1 it has no value; take a gamma "
            "below 1"
        ) from error


def _check(gamma: float) -> None:
    if not 0 <= gamma <= 1:
        raise ValueError(f"gamma must be in [0, 1], got {gamma}")
