"""The check of exercise 6.5: an environment that is written by the learner."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import Case, exercise
from course_lib.tryouts.games import (
    first_marks,
    handed_out,
    lines_won,
    played,
    problem,
    spaces_told,
    two_boards,
)

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
               (lambda got: got[2] == 1 or (got[0] == 1 and got[1] == 0),
                "each square is 0, 1 or 2: MultiDiscrete([3] * 9)")),
    )  # fmt: skip
    yield from _moves(attempt, rng)
    yield from _ends(attempt)
    square = int(rng.integers(9))
    yield Case(
        "a taken square changes nothing, costs 1, and ends the game",
        expected=told([square], -1.0, True),
        got=partial(played, attempt, [square, square]),
        hint="look first whether the square is free; if not: the board as it is, -1, True, False",
        part="a taken square",
        slips=(
            (lambda got: "O" in got["board"], "it was written over"),
            (lambda got: got["reward"] != -1, "it costs 1: the reward is -1"),
            (lambda got: not got["terminated"], "it ends the game: terminated"),
        ),
    )
    own, other = (int(one) for one in rng.permutation(9)[:2])
    yield Case(
        "so it is with a square that is one's own",
        expected=told([own, other], -1.0, True),
        got=partial(played, attempt, [own, other, own]),
        hint="a square is taken, whoever took it: self.board[action] != 0",
        part="a taken square",
    )
    yield Case(
        "and with one that is the other's",
        expected=told([own, other], -1.0, True),
        got=partial(played, attempt, [own, other, other]),
        hint="a square is taken, whoever took it: self.board[action] != 0",
        part="a taken square",
    )
    yield Case(
        "Gymnasium's own check_env finds nothing",
        expected="",
        got=partial(problem, attempt),
        hint="it says what it misses",
        part="as Gymnasium wants it",
        otherwise="Gymnasium's own check_env objects",
        slips=(
            (
                lambda got: "Most likely the environment reset" in got,
                "begin `reset` with super().reset(seed=seed)",
            ),
        ),
    )


def _moves(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Cases about single moves."""
    part = "a move"
    late = "hand out the board as it is AFTER the move"
    first, second, third = (int(one) for one in rng.permutation(9)[:3])
    early = (lambda got: got["terminated"], "it is not over yet: `all` squares taken, not `any`")
    yield Case(
        f"X on square {first}, O on {second}, X on {third} (from 0 on); no reward yet",
        expected=told([first, second, third], 0.0, False),
        got=partial(played, attempt, [first, second, third]),
        hint="put self.player on the square that is named, counted from 0",
        part=part,
        slips=(
            (lambda got: got["board"].count(".") == 7, late),
            (lambda got: got["board"].count("X") == 3, "they take turns: 3 - self.player"),
            (
                lambda got: (
                    got["board"].replace(" ", "")[first] == "X" and got["board"].count("O") == 2
                ),
                "they take turns, and X comes again: 3 - self.player",
            ),
            (lambda got: got["board"].count("O") == 2, "X, the 1, moves first"),
            early,
        ),
    )
    yield Case(
        "after a reset everything is as at first: the board is empty, and X moves",
        expected=told([first], 0.0, False),
        got=partial(played, attempt, [first], 2),
        hint="reset makes a new board, and it is X's turn: self.player = 1",
        part=part,
        slips=(
            (lambda got: got["board"].count(".") == 9, late),
            (lambda got: got["board"].count("O") == 1, "X, the 1, moves first"),
            (lambda got: got["reward"] < 0, "reset makes a new board: this one was still in use"),
            early,
        ),
    )
    yield Case(
        "X moves first in every game",
        expected="XXXXXXXX",
        got=partial(first_marks, attempt, 8),
        hint="reset sets self.player = 1, in every game",
        part=part,
        slips=(("........", late),),
    )
    yield Case(
        "two games at a time have a board each",
        expected=["XO. ... ...", "... ... ..X"],
        got=partial(two_boards, attempt),
        hint="the board belongs to `self`, and reset makes a new one",
        part=part,
        slips=((["X.. ... ...", "... ... ..."], late),),
    )
    yield Case(
        "boards that were handed out do not change any more",
        expected="... ... ... | X.. ... ... | unchanged",
        got=partial(_later, attempt),
        hint="hand out a copy each time: self.board.copy()",
        part=part,
        slips=(
            ("... ... ... | ... ... ... | unchanged", late),
            (
                lambda got: got.count("X") == 1 and "O" not in got and got[14] != "X",
                "squares are counted from 0: the action is the place in the board",
            ),
        ),
    )


def _ends(attempt: Callable) -> Iterator[Case]:
    """Cases about how a game ends."""
    won, over = "a win", "the end"
    late = (
        "look for a win of self.player, AFTER the mark was put, and BEFORE the turn goes to the "
        "other one"
    )
    loses = "the reward is for the one who has just moved: 1 for a win"
    for who, moves in (("X", X_WINS), ("O", O_WINS)):
        yield Case(
            f"three in a row pay 1 to {who}, who made them",
            expected=1.0,
            got=partial(_told, attempt, moves, "reward"),
            hint="float(has_won(self.board, self.player))",
            part=won,
            slips=((-1.0, loses), (0.0, late)),
        )
    yield Case(
        "and so does each of the eight lines",
        expected=[1.0] * 8,
        got=partial(lines_won, attempt),
        hint="rows, columns and both diagonals: has_won knows them",
        part=won,
        slips=(([-1.0] * 8, loses), ([0.0] * 8, late)),
    )
    yield Case(
        "also on the last free square",
        expected=1.0,
        got=partial(_told, attempt, FULL_WIN, "reward"),
        hint="a full board is no draw if the last mark made three in a row",
        part=won,
        slips=((-1.0, loses),),
    )
    for aspect, moves in (("nobody has won before that", X_WINS[:-1]), ("a draw pays 0", DRAWN)):
        yield Case(
            aspect,
            expected=0.0,
            got=partial(_told, attempt, moves, "reward"),
            hint="1 for three in a row, else 0",
            part=won,
        )
    for aspect, moves, ends in (
        ("three in a row end the game", X_WINS, True),
        ("so does a full board", DRAWN, True),
        ("also if the last square wins", FULL_WIN, True),
        ("one move before, it goes on", DRAWN[:-1], False),
    ):
        yield Case(
            aspect,
            expected=ends,
            got=partial(_told, attempt, moves, "terminated"),
            hint="terminated is: somebody has won, or no square is free (self.board.all())",
            part=over,
        )
    for aspect, moves, ends in (
        ("and so does one in the second game", DRAWN, True),
        ("before which it goes on, too", DRAWN[:-1], False),
    ):
        yield Case(
            aspect,
            expected=ends,
            got=lambda moves=moves: played(attempt, moves, 2)["terminated"],
            hint="what is counted has to begin anew in reset; or ask the board: self.board.all()",
            part=over,
        )
    yield Case(
        "no game is truncated: that is for clocks",
        expected=False,
        got=partial(_told, attempt, DRAWN, "truncated"),
        hint="the fourth thing that step returns is truncated: False",
        part=over,
    )


def told(moves: list[int], reward: float, terminated: bool) -> dict[str, Any]:
    """What is right after moves by X and O in turn."""
    marks = ["."] * 9
    for number, square in enumerate(moves):
        marks[square] = "XO"[number % 2]
    board = " ".join("".join(marks[row : row + 3]) for row in (0, 3, 6))
    return {"board": board, "reward": reward, "terminated": terminated, "truncated": False}


def _told(attempt: Callable, moves: list[int], what: str) -> Any:
    return played(attempt, moves)[what]


def _later(attempt: Callable) -> str:
    return " | ".join(handed_out(attempt))
