"""What the checks of lesson 06 do with a learner's code."""

import numbers
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.utils.env_checker import check_env

from course_lib.envs.tic_tac_toe import LINES, board_text
from course_lib.tryouts.core import tryout
from course_lib.tryouts.errors import Unfit

MOST_WORDS = 190  # characters of what Gymnasium's check says


@tryout
def visits_told(
    attempt: Callable, states: list[int], rewards: list[float], gamma: float
) -> list[list[float]] | None:
    """Return pairs of a state and its return, in the order of the states.

    Raises:
        Unfit: if it is no dict.
    """
    found = attempt(list(states), list(rewards), gamma)
    if found is None:
        return None
    if not isinstance(found, dict):
        raise Unfit(f"return a dict, state -> return; your function returned {found!r}")
    if strange := [key for key in found if not isinstance(key, numbers.Real)]:
        raise Unfit(f"its keys are states, which are numbers; one is {strange[0]!r}")
    for value in found.values():
        if np.ndim(value):
            raise Unfit(f"each state has ONE return, a number; one of yours is {value!r}")
    return [[float(state), float(found[state])] for state in sorted(found)]


@tryout
def spaces_told(attempt: Callable) -> list[float]:
    """Return whether boards are in the observation space, and how many actions there are."""
    env = attempt()
    first = _begin(env)
    env.step(4)
    after = _step(env, 0)[0]
    space = env.observation_space
    strange = np.full_like(np.asarray(after), 3)
    return [
        float(space.contains(first)), float(space.contains(after)), float(space.contains(strange)),
        float(getattr(env.action_space, "n", -1)),
    ]  # fmt: skip


@tryout
def played(attempt: Callable, actions: list[int], games: int = 1) -> dict[str, Any]:
    """Play moves; return the board in words, and what the last move gave.

    Args:
        attempt: the learner's class.
        actions: squares, at least one.
        games: how often the same moves are played, with a reset before each.
    """
    env = attempt()
    for _ in range(games):
        _begin(env)
        for action in actions:
            outcome = _step(env, action)
    board, reward, terminated, truncated, _ = outcome
    return {"board": _in_words(board), "reward": float(reward), "terminated": bool(terminated),
            "truncated": bool(truncated)}  # fmt: skip


@tryout
def lines_won(attempt: Callable) -> list[float]:
    """Let X make each of the eight lines; return the reward of each last move."""
    rewards = []
    for line in LINES.tolist():
        env = attempt()
        others = [square for square in range(9) if square not in line][:2]
        _begin(env)
        for square in (line[0], others[0], line[1], others[1]):
            env.step(square)
        rewards.append(float(_step(env, line[2])[1]))
    return rewards


@tryout
def two_boards(attempt: Callable) -> list[str]:
    """Let two games begin, and move in one; return the boards of both, in words."""
    one, other = attempt(), attempt()
    _begin(one)
    _step(one, 0)
    _begin(other)
    return [_in_words(_step(one, 1)[0]), _in_words(_step(other, 8)[0])]


@tryout
def first_marks(attempt: Callable, games: int) -> str:
    """Return the marks that the first moves of games with other seeds put."""
    env, marks = attempt(), []
    for seed in range(games):
        _begin(env, seed)
        marks.append(_in_words(_step(env, 0)[0])[:1])
    return "".join(marks)


@tryout
def handed_out(attempt: Callable) -> list[str]:
    """Return boards as they look later: of reset, of a move, and of a move onto a taken square."""
    env = attempt()
    boards = [_begin(env), _step(env, 0)[0]]
    _step(env, 1)
    seen = [_in_words(board) for board in boards]
    env = attempt()
    _begin(env)
    _step(env, 0)
    board = _step(env, 0)[0]
    before = _in_words(board)
    _begin(env)
    _step(env, 8)
    return [*seen, "unchanged" if _in_words(board) == before else _in_words(board)]


def _begin(env: Any, seed: int = 1) -> Any:
    begun = env.reset(seed=seed)
    if begun is None:
        raise Unfit("`reset` returned None; it returns obs and info")
    if not isinstance(begun, tuple) or len(begun) != 2:
        raise Unfit("`reset` returns two things, obs and info")
    return begun[0]


def _step(env: Any, action: int) -> tuple:
    outcome = env.step(action)
    if outcome is None:
        raise Unfit("`step` returned None; it returns five things")
    if not isinstance(outcome, tuple) or len(outcome) != 5:
        raise Unfit("`step` returns five things: obs, reward, terminated, truncated, info")
    return outcome


def _in_words(board: Any) -> str:
    """Write a board in words; what is none stays as it is."""
    flat = np.asarray(board).ravel().tolist()
    if len(flat) != 9 or not set(flat) <= {0, 1, 2}:
        return str(flat)
    return board_text(np.array(flat))


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
        return f"{type(error).__name__}: {error}"[:MOST_WORDS]
    return ""
