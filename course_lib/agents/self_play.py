"""Temporal difference learning by self-play, on what is left of a game after one's own move.

An *afterstate* is the position that a player hands over. Its value is what the player who has just
moved may expect: 1 for a win, 0 for a loss, something between for a draw.

Source: Sutton & Barto, Reinforcement Learning, 2nd edition, sections 1.5 and 6.8.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course_lib.envs.tic_tac_toe import Game

FIRST_GUESS = 0.5


def learn(
    game: Game, *, num_seeds: int, num_games: int, learning_rate: float, epsilon: float,
    draw: float, rng: np.random.Generator, on_step: Callable[[int], object] = lambda games: None,
) -> tuple[np.ndarray, int]:  # fmt: skip
    """Let agents learn side by side, each by playing against itself.

    After each move, what the mover handed over last time moves towards the best that it can hand
    over now; at the end both players learn from the outcome. Nothing is learned from an answer that
    was only tried, so that a player does not count on mistakes.

    Args:
        game: all positions.
        num_seeds: number of agents, at least 1.
        num_games: of each, at least 1.
        learning_rate: in [0, 1].
        epsilon: share of random moves, in [0, 1].
        draw: what a draw is worth, where a win is worth 1 and a loss 0.
        rng: makes all choices.
        on_step: called after each move of all agents with the least number of games finished.

    Returns:
        Values of afterstates, shape (num_seeds, num_positions), and the least number of games that
        an agent has finished: all of them, unless an interrupt came, which keeps the values.

    Raises:
        ValueError: if a setting is out of range.
    """
    for name, value in (("learning_rate", learning_rate), ("epsilon", epsilon), ("draw", draw)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must be in [0, 1], got {value}")
    if num_seeds < 1 or num_games < 1:
        raise ValueError(f"num_seeds, num_games must be at least 1, got {num_seeds}, {num_games}")
    players = _Players(game, num_seeds, learning_rate)
    finished = np.zeros(num_seeds, dtype=int)
    try:
        while finished.min() < num_games:
            finished += players.move(epsilon, draw, rng)
            on_step(int(finished.min()))
    except KeyboardInterrupt:
        print(f"Stopped after {finished.min():,} of {num_games:,} games; the values are kept.")
    return players.values[:, game.alike], min(int(finished.min()), num_games)


class _Players:
    """Many games in progress, in each an agent that plays both sides."""

    def __init__(self, game: Game, num_seeds: int, learning_rate: float) -> None:
        self.game, self.rate = game, learning_rate
        self.values = np.full((num_seeds, len(game.over)), FIRST_GUESS)
        self.at = np.zeros(num_seeds, dtype=int)
        self.handed = np.full((num_seeds, 2), -1)  # by X and by O, last time
        self.meant = np.ones(num_seeds, dtype=bool)  # the last move was a best one
        self.turn = (game.boards != 0).sum(axis=1) % 2

    def move(self, epsilon: float, draw: float, rng: np.random.Generator) -> np.ndarray:
        """Let all agents move once and learn; return whose game is over."""
        own, turn = np.arange(len(self.at)), self.turn[self.at]
        choices = self.game.after[self.at]
        worth = np.where(choices >= 0, self.values[own[:, None], self.game.alike[choices]], -np.inf)
        best = worth.max(axis=1)
        self._towards(self.handed[own, turn], best, self.meant)
        draws = rng.random(choices.shape)
        greedy = np.where(worth == best[:, None], draws, -1.0)
        explore = (rng.random(len(own)) < epsilon)[:, None]
        action = np.where(explore, np.where(choices >= 0, draws, -1.0), greedy).argmax(axis=1)
        to, self.meant = choices[own, action], worth[own, action] == best
        won, over = self.game.won[to], self.game.over[to]
        self._towards(to, np.where(won, 1.0, draw), over)
        self._towards(self.handed[own, 1 - turn], np.where(won, 0.0, draw), over & self.meant)
        self.handed[own, turn] = to
        self.handed[over] = -1
        self.at = np.where(over, 0, to)
        return over

    def _towards(self, position: np.ndarray, target: np.ndarray, which: np.ndarray) -> None:
        own = np.flatnonzero(which & (position >= 0))
        place = (own, self.game.alike[position[own]])
        self.values[place] += self.rate * (target[own] - self.values[place])


class Record(NamedTuple):
    """How all games of one player against every possible opponent end."""

    wins: int
    draws: int
    losses: int


def against_everybody(game: Game, values: np.ndarray, *, first: bool) -> Record:
    """Play a greedy player against every possible opponent: all games, without exception.

    Where several moves are equally good to the player, all of them are followed.

    Args:
        game: all positions.
        values: of afterstates, shape (num_positions,).
        first: whether the player has X, and begins.

    Returns:
        The number of games that end so. No losses means that it cannot be beaten.
    """
    mine = 0 if first else 1
    marks = (game.boards != 0).sum(axis=1)
    ways = np.zeros((len(marks), 3), dtype=np.int64)
    for depth in range(9, -1, -1):  # full boards first
        ended = np.flatnonzero((marks == depth) & game.over)
        mover = (depth - 1) % 2  # who has just moved
        ways[ended, np.where(game.won[ended], 0 if mover == mine else 2, 1)] = 1
        goes_on = np.flatnonzero((marks == depth) & ~game.over)
        choices = game.after[goes_on]
        followed = choices >= 0
        if depth % 2 == mine:
            worth = np.where(followed, values[choices], -np.inf)
            followed &= np.isclose(worth, worth.max(axis=1, keepdims=True))
        ways[goes_on] = (ways[choices] * followed[..., None]).sum(axis=1)
    return Record(*(int(count) for count in ways[0]))


@dataclass(frozen=True)
class Player:
    """A greedy player, to play against.

    Attributes:
        game: all positions.
        values: of afterstates, shape (num_positions,).
    """

    game: Game
    values: np.ndarray

    def worth(self, board: np.ndarray) -> np.ndarray:
        """Return the value of each square to the player who is to move, NaN where it is taken."""
        choices = self.game.after[self.game.number(board)]
        return np.where(choices >= 0, self.values[choices], np.nan)

    def move(self, board: np.ndarray) -> int:
        """Return the square with the highest value, the first of several."""
        return int(np.nanargmax(self.worth(board)))


def lost_game(game: Game, values: np.ndarray, *, first: bool) -> list[int]:
    """Find a game that a greedy player loses, whatever the opponent must do for it.

    Args:
        game: all positions.
        values: of afterstates, shape (num_positions,).
        first: whether the player has X, and begins.

    Returns:
        The positions from the first to the last; empty if there is no such game.
    """
    mine = 0 if first else 1
    turn = (game.boards != 0).sum(axis=1) % 2

    def search(path: list[int]) -> list[int]:
        number = path[-1]
        if game.over[number]:
            return path if game.won[number] and turn[number] == mine else []
        choices = game.after[number][game.after[number] >= 0]
        if turn[number] == mine:
            choices = choices[np.isclose(values[choices], values[choices].max())]
        return next((found for one in choices if (found := search([*path, int(one)]))), [])

    return search([0])
