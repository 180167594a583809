"""Tic-tac-toe: its boards, and all positions of an environment that plays it, as arrays.

The environment itself is what learners of lesson 06 write.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from course_lib.errors import CourseError

LINES = np.array(
    [[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 3, 6], [1, 4, 7], [2, 5, 8], [0, 4, 8], [2, 4, 6]]
)
MARKS = ".XO"


class BoardError(CourseError, ValueError):
    """A board that no game leads to, or that is none."""


def has_won(board: np.ndarray, player: int) -> bool:
    """Whether a player has three in a row.

    Args:
        board: shape (9,), row by row: 0 free, 1 X, 2 O.
        player: 1 for X, 2 for O.
    """
    return bool((np.asarray(board)[LINES] == player).all(axis=1).any())


def read_board(text: str) -> np.ndarray:
    """Read a board such as ``"X.. .O. ..."``; return it as an array of shape (9,).

    Args:
        text: nine of ``X``, ``O`` and ``.``, row by row; blanks and line ends do not count.

    Raises:
        BoardError: if it has not nine squares, holds something else, or cannot occur in a game.
    """
    squares = "".join(text.split())
    if len(squares) != 9 or set(squares) - set(MARKS):
        raise BoardError(f"a board is nine of X, O and . (free), row by row; got {text!r}")
    board = np.array([MARKS.index(mark) for mark in squares])
    check_board(board)
    return board


def board_text(board: np.ndarray) -> str:
    """Write a board as :func:`read_board` takes it, ``"X.. .O. ..."``."""
    marks = "".join(MARKS[int(mark)] for mark in np.ravel(board))
    return f"{marks[:3]} {marks[3:6]} {marks[6:]}"


def check_board(board: np.ndarray) -> None:
    """Refuse a board that no game leads to.

    Raises:
        BoardError: with the reason.
    """
    board = np.asarray(board)
    if board.shape != (9,) or not np.isin(board, (0, 1, 2)).all():
        raise BoardError(f"a board has nine numbers, 0 free, 1 X, 2 O; got {board.tolist()}")
    xs, os = int((board == 1).sum()), int((board == 2).sum())
    if xs - os not in (0, 1):
        raise BoardError(f"X begins and they take turns, so there are as many X as O or one more; "
                         f"this board has {xs} X and {os} O")  # fmt: skip
    if (has_won(board, 1) and xs == os) or (has_won(board, 2) and xs != os):
        raise BoardError("somebody has three in a row, and the other one went on: a game is over "
                         "with three in a row")  # fmt: skip


class Game(NamedTuple):
    """All positions of a game for two that take turns, numbered; number 0 is the first.

    Attributes:
        boards: shape (num_positions, 9).
        after: the position after each move, shape (num_positions, 9); -1 where it is not allowed.
        won: whether the player who has just moved has won, shape (num_positions,).
        over: whether the game is over, shape (num_positions,).
        alike: the lowest number of those that are the same when turned or mirrored, the same shape.
    """

    boards: np.ndarray
    after: np.ndarray
    won: np.ndarray
    over: np.ndarray
    alike: np.ndarray

    def number(self, board: np.ndarray) -> int:
        """Return the number of a board.

        Raises:
            BoardError: if it cannot occur.
        """
        check_board(board)
        found = np.flatnonzero((self.boards == board).all(axis=1))
        if not found.size:
            raise BoardError(f"no game leads to the board {np.asarray(board).tolist()}")
        return int(found[0])


def game_of(make: Callable[[], gym.Env]) -> Game:
    """Find all positions of a tic-tac-toe environment by playing every game in it.

    Args:
        make: makes the environment.

    Raises:
        CourseError: if it has more positions than tic-tac-toe.
    """
    env = make()
    first = _key(env.reset()[0])
    boards, numbers, ends = [first], {first: 0}, [(False, False)]
    paths: list[tuple[int, ...]] = [()]
    after: list[list[int]] = []
    for number, path in enumerate(paths):  # grows while it is walked
        row = [-1] * 9
        free = [] if ends[number][1] else [a for a in range(9) if boards[number][a] == 0]
        for action in free:
            board, reward, over = _replay(env, (*path, action))
            if board not in numbers:
                numbers[board] = len(boards)
                boards.append(board)
                paths.append((*path, action))
                ends.append((reward > 0, over))
            row[action] = numbers[board]
        after.append(row)
        if len(boards) > 6_000:
            raise CourseError(
                "this environment has more than 6,000 positions, tic-tac-toe 5,478: does the game "
                "end with three in a row, and do the players take turns?"
            )
    won, over = np.array(ends).T
    alike = np.array([min(numbers[turned] for turned in _turned(board)) for board in boards])
    return Game(np.array(boards), np.array(after), won, over, alike)


def _turned(board: tuple[int, ...]) -> set[tuple[int, ...]]:
    """The board turned by 0, 90, 180 and 270 degrees, and each of these mirrored."""
    square = np.reshape(board, (3, 3))
    turned = [np.rot90(square, quarters) for quarters in range(4)]
    return {_key(one) for one in (*turned, *(np.fliplr(one) for one in turned))}


def _replay(env: gym.Env, actions: tuple[int, ...]) -> tuple[tuple[int, ...], float, bool]:
    env.reset()
    for action in actions:
        board, reward, over, _, _ = env.step(action)
    return _key(board), float(reward), bool(over)


def _key(board: Any) -> tuple[int, ...]:
    return tuple(np.asarray(board).ravel().tolist())
