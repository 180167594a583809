"""What the checks of lesson 06 do with a learner's code."""

import warnings
from collections.abc import Callable

import numpy as np
from gymnasium.utils.env_checker import check_env

from course_lib.tryouts.core import tryout

SIX_WORDS = 160  # characters of what Gymnasium's check says


@tryout
def visits_told(
    attempt: Callable, states: list[int], rewards: list[float], gamma: float
) -> list[list[float]] | None:
    """Return pairs of a state and its return, in the order of the states.

    Raises:
        TypeError: if it is no dict.
    """
    found = attempt(list(states), list(rewards), gamma)
    if found is None:
        return None
    if not isinstance(found, dict):
        raise TypeError(f"return a dict, state -> return; your function returned {found!r}")
    return [[float(state), float(found[state])] for state in sorted(found)]


@tryout
def spaces_told(attempt: Callable) -> list[float]:
    """Return whether boards are in the observation space, and how many actions there are."""
    env = attempt()
    first, _ = env.reset(seed=0)
    after = env.step(4)[0]
    space = env.observation_space
    strange = np.full_like(np.asarray(after), 3)
    return [
        float(space.contains(first)), float(space.contains(after)), float(space.contains(strange)),
        float(getattr(env.action_space, "n", -1)),
    ]  # fmt: skip


@tryout
def played(attempt: Callable, actions: list[int], games: int = 1) -> list[float] | None:
    """Play moves; return the board, then the reward, terminated and truncated of the last one.

    Args:
        attempt: the learner's class.
        actions: squares, at least one.
        games: how often the same moves are played, with a reset before each.
    """
    env = attempt()
    for _ in range(games):
        begun = env.reset(seed=1)
        if begun is None:
            return None
        for action in actions:
            outcome = env.step(action)
    if outcome is None:
        return None
    if not isinstance(outcome, tuple) or len(outcome) != 5:
        raise TypeError(
            "step returns five things: obs, reward, terminated, truncated, info; yours returned "
            f"{str(outcome)[:80]}"
        )
    board, reward, terminated, truncated, _ = outcome
    return [*np.asarray(board, float).ravel().tolist(), float(reward), float(terminated),
            float(truncated)]  # fmt: skip


@tryout
def first_board(attempt: Callable) -> list[float] | None:
    """Return the board that ``reset`` hands out, as it is after a move was made."""
    env = attempt()
    begun = env.reset(seed=1)
    if begun is None:
        return None
    if not isinstance(begun, tuple) or len(begun) != 2:
        raise TypeError(f"reset returns obs, info; yours returned {str(begun)[:80]}")
    if env.step(0) is None:
        return None
    return np.asarray(begun[0], float).ravel().tolist()


@tryout
def problem(attempt: Callable) -> str | None:
    """Return what Gymnasium's own check says of the class; an empty text if nothing."""
    env = attempt()
    if env is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_env(env, skip_render_check=True)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:SIX_WORDS]
    return ""
