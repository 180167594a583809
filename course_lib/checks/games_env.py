"""The check of exercise 6.5: an environment that is written by the learner."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import Case, exercise
from course_lib.tryouts.games import first_board, played, problem, spaces_told

X_WINS, O_WINS = [0, 3, 1, 4, 2], [0, 3, 1, 4, 8, 5]
DRAWN = [0, 1, 2, 4, 3, 5, 7, 6, 8]
FULL_WIN = [0, 1, 2, 3, 4, 5, 7, 6, 8]  # the ninth move wins


@exercise(
    "6.5",
    parts={
        "the spaces": 2, "a move": 3, "a win": 3, "the end": 3, "a taken square": 3,
        "as Gymnasium wants it": 2,
    },
)  # fmt: skip
def check_tic_tac_toe(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Games whose ends are known, moves that are drawn, and Gymnasium's own check."""
    yield Case(
        "boards are in the observation space, a square with a 3 is not; there are 9 actions",
        expected=[1, 1, 0, 9],
        got=partial(spaces_told, attempt),
        hint="MultiDiscrete([3] * 9) and Discrete(9); boards are whole numbers (int64)",
        part="the spaces",
        slips=((lambda got: got[3] != 9, "there are nine actions: Discrete(9)"),
               (lambda got: got[2] == 1, "each square is 0, 1 or 2: MultiDiscrete([3] * 9)")),
    )  # fmt: skip
    yield from _moves(attempt, rng)
    yield from _ends(attempt)
    square = int(rng.integers(9))
    moves = [square, square]
    yield Case(
        "a taken square changes nothing, costs 1, and ends the game",
        expected=[*_board(moves[:1]), -1, 1, 0],
        got=partial(played, attempt, moves),
        hint="look first whether the square is free; if not: the board as it is, -1, True, False",
        part="a taken square",
        slips=(
            (lambda got: np.allclose(got[:9], _board(moves)), "it was written over"),
            (lambda got: got[9] == 0, "it costs 1: the reward is -1"),
            (lambda got: got[10] == 0, "it ends the game: terminated"),
        ),
    )
    yield Case(
        "Gymnasium's own check_env finds nothing",
        expected="",
        got=partial(problem, attempt),
        hint="it says what it misses",
        part="as Gymnasium wants it",
    )


def _moves(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Cases about single moves."""
    part = "a move"
    first, second, third = (int(one) for one in rng.permutation(9)[:3])
    yield Case(
        "X moves first, then O, then X, each on the square that is named; no reward yet",
        expected=[*_board([first, second, third]), 0, 0, 0],
        got=partial(played, attempt, [first, second, third]),
        hint="put self.player on the square, then let the other one move: 3 - self.player",
        part=part,
        slips=(
            (lambda got: sorted(got[:9]) == [0] * 6 + [1] * 3, "they take turns: 3 - self.player"),
            (lambda got: sorted(got[:9])[-3:] == [1, 2, 2], "X, the 1, moves first"),
        ),
    )
    yield Case(
        "after a reset everything is as at first: the board is empty, and X moves",
        expected=[*_board([first]), 0, 0, 0],
        got=partial(played, attempt, [first], 2),
        hint="reset makes a new board, and it is X's turn: self.player = 1",
        part=part,
    )
    yield Case(
        "a board that was handed out does not change any more",
        expected=[0] * 9,
        got=partial(first_board, attempt),
        hint="hand out a copy: self.board.copy()",
        part=part,
    )


def _ends(attempt: Callable) -> Iterator[Case]:
    """Cases about how a game ends."""
    won, over = "a win", "the end"
    late = "look for a win AFTER the mark was put, and BEFORE the turn goes to the other one"
    loses = "the reward is for the one who has just moved: 1 for a win"
    for who, moves in (("X", X_WINS), ("O", O_WINS)):
        yield Case(
            f"three in a row pay 1 to {who}, who made them",
            expected=1.0,
            got=partial(_told, attempt, moves, 9),
            hint="float(has_won(self.board, self.player))",
            part=won,
            slips=((-1.0, loses), (0.0, late)),
        )
    yield Case(
        "nobody has won before that",
        expected=0.0,
        got=partial(_told, attempt, X_WINS[:-1], 9),
        hint="a move that wins nothing pays 0",
        part=won,
    )
    for aspect, moves, ends in (
        ("three in a row end the game", X_WINS, 1.0),
        ("so does a full board", DRAWN, 1.0),
        ("also if the last square wins", FULL_WIN, 1.0),
        ("one move before, it goes on", DRAWN[:-1], 0.0),
    ):
        yield Case(
            aspect,
            expected=ends,
            got=partial(_told, attempt, moves, 10),
            hint="terminated is: somebody has won, or no square is free (self.board.all())",
            part=over,
        )
    yield Case(
        "no game is truncated: that is for clocks",
        expected=0.0,
        got=partial(_told, attempt, DRAWN, 11),
        hint="the fourth thing that step returns is truncated: False",
        part=over,
    )


def _board(moves: list[int]) -> list[float]:
    """The board after moves by X and O in turn; of a taken square the last one counts."""
    board = [0.0] * 9
    for number, square in enumerate(moves):
        board[square] = 1.0 + number % 2
    return board


def _told(attempt: Callable, moves: list[int], place: int) -> Any:
    found = played(attempt, moves)
    return None if found is None else found[place]
