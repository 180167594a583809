"""Lesson 06."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from course_lib.answers import answer
from course_lib.envs.tic_tac_toe import LINES, has_won
from mutants import Mutant, lost

EXAMPLES: dict[str, dict[str, Any]] = {
    "6.1": {"states": [0, 1, 0, 2], "rewards": [0.0, 0.0, 0.0, 1.0], "gamma": 0.9},
    "6.2": {
        "reward": -1.0,
        "next_q_values": np.array([4.0, 10.0]),
        "next_action": 0,
        "terminated": False,
        "gamma": 0.5,
    },
    "6.3": {},
    "6.4": {"rewards": [1.0, 2.0, 4.0], "value": 16.0, "terminated": False, "gamma": 0.5},
    "6.5": {},
}


def visits(*, which="first", gamma=True, own=True, forwards=False):
    """First-visit returns with one thing changed."""

    def attempt(states, rewards, gamma_):
        discount, found = gamma_ if gamma else 1.0, {}
        for t, state in enumerate(states):
            rest = rewards[: t + 1][::-1] if forwards else rewards[t if own else t + 1 :]
            found.setdefault(state, []).append(
                sum(discount**k * reward for k, reward in enumerate(rest))
            )
        ways = {
            "first": lambda one: one[0],
            "last": lambda one: one[-1],
            "mean": np.mean,
            "highest": max,
        }
        return {state: ways.get(which, sum)(one) for state, one in found.items()}

    return attempt


def _reward_only(states, rewards, gamma):
    return dict(reversed(list(zip(states, rewards, strict=True))))


def _keeps_its_dict():
    def attempt(states, rewards, gamma, kept={}):  # noqa: B006  (the mistake)
        kept.update(visits()(states, rewards, gamma))
        return kept

    return attempt


def _discounts_the_first(states, rewards, gamma):
    return {state: gamma * one for state, one in visits()(states, rewards, gamma).items()}


def target(*, pick=None, gamma=True, mask=True, everything=False):
    """The SARSA target with one thing changed."""

    def attempt(reward, next_q_values, next_action, terminated, gamma_):
        discount = gamma_ if gamma else 1.0
        after = next_q_values[next_action] if pick is None else pick(next_q_values, next_action)
        after = after * (not terminated or not mask)
        return discount * (reward + after) if everything else reward + discount * after

    return attempt


def said(**changed: str) -> Callable[[], dict[str, str]]:
    """The right words, with some changed."""
    words = {key.replace("_", " "): word for key, word in changed.items()}
    return lambda: {**answer("6.3")(), **words}


def far(*, power=0, gamma=True, mask=True, start=0, flat=False, backwards=False):
    """The n-step target with one thing changed."""

    def attempt(rewards, value, terminated, gamma_):
        discount, rewards = gamma_, list(rewards)[:: -1 if backwards else 1]
        inner = discount if gamma else 1.0
        paid = sum(inner ** (k + start) * reward for k, reward in enumerate(rewards))
        steps = 1 if flat else len(rewards) + power
        return paid + discount**steps * value * (not terminated or not mask)

    return attempt


def game(
    *, copies=True, turns=True, clears=True, first=1, ends=True, fills=True, taken="ends", pays=1.0,
    looks="before", actions=9, marks=3, spaces=True, five=True, info=True, kind=np.int64, draws=0.0,
    full=np.all, sees=8, last=1.0, own=False, begins=False, super_=True, early=False, count_from=0,
):  # fmt: skip
    """The environment with one thing changed."""

    class Attempt(gym.Env):
        metadata = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012

        def __init__(self, render_mode=None):
            self.render_mode = render_mode
            self.board, self.player = np.zeros(9, dtype=kind), first
            if spaces:
                self.observation_space = gym.spaces.MultiDiscrete([marks] * 9)
                self.action_space = gym.spaces.Discrete(actions)

        def seen(self):
            return self.board.copy() if copies is True else self.board

        def wins(self, player):
            return bool((self.board[LINES[:sees]] == player).all(axis=1).any())

        def reset(self, *, seed=None, options=None):
            if super_:
                super().reset(seed=seed)
            if clears:
                self.board, self.player = np.zeros(9, dtype=kind), first
            if begins:
                self.player = int(self.np_random.integers(1, 3))
            seen = self.board.copy() if copies == "reset" else self.seen()
            return (seen, {}) if info else seen

        def step(self, action):
            action, before = action - count_from, self.seen()
            is_taken = self.board[action] not in (0, self.player if own else 0)
            if is_taken and taken != "overwrites":
                over = taken == "ends"
                return self.seen(), 0.0 if taken == "free" else -1.0, over, False, {}
            mover = self.player
            won = looks == "too early" and self.wins(mover)
            self.board[action] = mover
            if turns:
                self.player = 3 - mover
            won = won or (
                looks != "too early" and self.wins(self.player if looks == "after" else mover)
            )
            filled = bool(full(self.board))
            paid = float(won) * (last if filled else 1.0) * pays or (draws if filled else 0.0)
            outcome = (
                before if early else self.seen(),
                paid,
                bool((won and ends) or (fills and filled)),
                False,
                {},
            )
            return outcome if five else outcome[:4]

    return Attempt


def _with_lists():
    class Attempt(gym.Env):
        observation_space = gym.spaces.Box(0, 2, (9,), np.int64)
        action_space = gym.spaces.Discrete(9)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.moves = []
            return self.seen(), {}

        def seen(self):
            board = np.zeros(9, np.int64)
            for number, square in enumerate(self.moves):
                board[square] = 1 + number % 2
            return board

        def step(self, action):
            if action in self.moves:
                return self.seen(), -1, True, False, {}
            self.moves.append(int(action))
            won = has_won(self.seen(), 2 - len(self.moves) % 2)
            return self.seen(), int(won), won or len(self.moves) == 9, False, {}

    return Attempt


def _zero_is_nothing(states, rewards, gamma):
    returns, following = {}, 0.0
    for state, reward in zip(reversed(states), reversed(rewards), strict=True):
        following = reward + gamma * following
        if following != 0:
            returns[state] = following
    return returns


def _reverses(states, rewards, gamma):
    found = answer("6.1")(states, rewards, gamma)
    states.reverse()
    rewards.reverse()
    return found


def _appends(rewards, value, terminated, gamma):
    rewards.append(0 if terminated else value)
    return sum(gamma**k * reward for k, reward in enumerate(rewards))


def _flat_at_the_end(rewards, value, terminated, gamma):
    return sum(rewards) if terminated else answer("6.4")(rewards, value, terminated, gamma)


def _counts_moves():
    class Counting(game()):
        moves = 0

        def step(self, action):
            self.moves += 1
            obs, reward, _, *rest = super().step(action)
            return obs, reward, bool(reward or self.moves >= 9), *rest

    return Counting


def _one_board():
    class Shared(game()):
        kept = np.zeros(9, dtype=np.int64)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.board = self.kept
            self.board[:] = 0
            return self.seen(), {}

    return Shared


RIGHT = {
    "6.1": {"forwards": visits()},
    "6.2": {"if and else": lambda r, q, a, ends, gamma: r if ends else r + gamma * q[a]},
    "6.3": {"in another order": lambda: dict(reversed(answer("6.3")().items()))},
    "6.4": {"powers": far()},
    "6.5": {"one of its kind": game(), "a list of moves": _with_lists()},
}
MUTANTS = {
    "6.1": {
        "0 is nothing": Mutant(_zero_is_nothing, "0 is a return", (), lost("the first visit")),
        "turns the lists around": Mutant(_reverses, "work on a new one", (), lost("the return")),
        "words as keys": Mutant(
            lambda *given: {str(one): two for one, two in answer("6.1")(*given).items()},
            "which are numbers",
        ),
        "all visits": Mutant(
            lambda *given: {one: [two] for one, two in answer("6.1")(*given).items()}, "ONE return"
        ),
        "last visit": Mutant(
            visits(which="last"), "the LAST visit", ("gamma",), lost("the first visit")
        ),
        "mean": Mutant(visits(which="mean"), "the mean over", ("gamma",), lost("the first visit")),
        "sum": Mutant(visits(which="sum"), "the sum over", ("gamma",), lost("the first visit")),
        "no gamma": Mutant(visits(gamma=False), "is gamma", ("visit:",), lost("the discount")),
        "up to it": Mutant(visits(forwards=True), "UP TO the state"),
        "without its own": Mutant(visits(own=False), "own step belongs"),
        "the highest": Mutant(
            visits(which="highest"), "a LATER visit", (), lost("the first visit")
        ),
        "returns in the loop": Mutant(
            lambda *given: dict([next(iter(answer("6.1")(*given).items()))]), "after the loop"
        ),
        "a dict kept": Mutant(_keeps_its_dict(), "an empty dict"),
        "the reward alone": Mutant(_reward_only, "all that follows counts"),
        "one gamma too many": Mutant(_discounts_the_first, "the first reward counts once"),
        "a list": Mutant(lambda states, rewards, gamma: [0.9, 1.0], "return a dict"),
    },
    "6.2": {
        "min": Mutant(
            target(pick=lambda q, a: q.min()), "not the lowest", (), lost("the next action")
        ),
        "action 0 is false": Mutant(
            target(pick=lambda q, a: q[a] if a else 0.0),
            "action 0 is an action",
            (),
            lost("the next action"),
        ),
        "reward 0 at the end": Mutant(
            lambda r, q, a, ends, gamma: (ends and r) or r + gamma * q[a],
            "(not terminated)",
            (),
            lost("the end"),
        ),
        "max": Mutant(
            target(pick=lambda q, a: q.max()), "Q-learning's", ("gamma",), lost("the next action")
        ),
        "mean": Mutant(
            target(pick=lambda q, a: q.mean()), "not the mean", (), lost("the next action")
        ),
        "the action": Mutant(target(pick=lambda q, a: a), "a place in the row"),
        "no gamma": Mutant(target(gamma=False), "is gamma in it?", (), lost("the discount")),
        "no end": Mutant(target(mask=False), "nothing follows", ("gamma",), lost("the end")),
        "the wrong mask": Mutant(
            lambda r, q, a, ends, gamma: r + gamma * ends * q[a], "has NOT terminated", ("a place",)
        ),
        "turned around": Mutant(
            lambda r, q, a, ends, gamma: r + gamma * (-1 - ends) * q[a], "Python's own", ("max",)
        ),
        "nothing at the end": Mutant(
            lambda r, q, a, ends, gamma: (r + gamma * q[a]) * (not ends),
            "only what follows it",
            (),
            lost("the end"),
        ),
        "the first": Mutant(
            target(pick=lambda q, a: q[0]),
            "which of the q-values",
            ("max",),
            lost("the next action"),
        ),
        "all discounted": Mutant(
            target(everything=True), "for the future alone", (), lost("the discount")
        ),
    },
    "6.3": {
        "both at the edge": Mutant(said(SARSA="edge"), "below shows it", ("slips",), lost("SARSA")),
        "the other way round": Mutant(
            lambda: {
                "Q-learning": "away",
                "SARSA": "edge",
                "more while learning": "Q-learning",
                "more when greedy": "SARSA",
            },
            "below shows it",
            (),
            None,
            0.0,
        ),
        "Q-learning always": Mutant(
            said(more_while_learning="Q-learning"), "below", (), lost("more while learning")
        ),
        "another word": Mutant(said(SARSA="up"), "'edge' or 'away'", (), lost("SARSA")),
        "a set": Mutant(lambda: {"edge"}, "return a dict"),
    },
    "6.4": {
        "appends the value": Mutant(_appends, "work on a new one", ("gamma",), lost("the rewards")),
        "no discount at the end": Mutant(
            _flat_at_the_end, "rewards still count", (), lost("the end")
        ),
        "one gamma missing": Mutant(far(power=-1), "one gamma is missing", ("terminated",)),
        "one too many": Mutant(far(power=1), "one gamma too many", ("terminated",)),
        "gamma once": Mutant(far(flat=True), "gamma**n", (), lost("the value after them")),
        "minus": Mutant(
            lambda rewards, value, ends, gamma: answer("6.4")(rewards, -value, ends, gamma),
            "is ADDED",
            ("counts gamma**n",),
            lost("the value after them"),
        ),
        "rewards not discounted": Mutant(
            far(gamma=False), "rewards are discounted", (), lost("the rewards")
        ),
        "from gamma on": Mutant(far(start=1), "gamma**0", (), lost("the rewards")),
        "no end": Mutant(far(mask=False), "nothing follows", (), lost("the end")),
        "the other way round": Mutant(far(backwards=True), "the LAST reward is discounted most"),
    },
    "6.5": {
        "counts moves": Mutant(_counts_moves(), "anew in reset", (), lost("the end")),
        "one board for all": Mutant(_one_board(), "a board each"),
        "no copy": Mutant(game(copies=False), "hand out a copy"),
        "no turns": Mutant(game(turns=False), "they take turns"),
        "O first": Mutant(game(first=2), "X, the 1, moves first"),
        "reset clears nothing": Mutant(game(clears=False), "makes a new board"),
        "a win does not end": Mutant(game(ends=False), "somebody has won", (), lost("the end")),
        "a full board goes on": Mutant(game(fills=False), "no square is free", (), lost("the end")),
        "written over": Mutant(
            game(taken="overwrites"), "written over", (), lost("a taken square")
        ),
        "taken costs nothing": Mutant(
            game(taken="free"), "the reward is -1", (), lost("a taken square")
        ),
        "taken goes on": Mutant(game(taken="goes on"), "ends the game", (), lost("a taken square")),
        "looks after the turn": Mutant(game(looks="after"), "BEFORE the turn"),
        "looks before the mark": Mutant(game(looks="too early"), "AFTER the mark"),
        "a win pays -1": Mutant(game(pays=-1.0), "who has just moved", (), lost("a win")),
        "a draw pays": Mutant(game(draws=0.5), "else 0", (), lost("a win")),
        "a full win pays nothing": Mutant(game(last=0.0), "no draw if", (), lost("a win")),
        "takes its own square": Mutant(
            game(own=True), "whoever took it", (), lost("a taken square")
        ),
        "anybody begins": Mutant(game(begins=True), "in every game", (), lost("a move")),
        "no super": Mutant(game(super_=False), "super().reset(seed=seed)"),
        "copied too early": Mutant(game(early=True), "AFTER the move", ("X, the 1",)),
        "squares from 1": Mutant(game(count_from=1), "counted from 0"),
        "any for all": Mutant(game(full=np.any), "not `any`"),
        "rows only": Mutant(game(sees=3), "both diagonals", (), lost("a win")),
        "no copy from step": Mutant(game(copies="reset"), "hand out a copy", (), lost("a move")),
        "two marks": Mutant(game(marks=2), "each square is"),
        "ten actions": Mutant(game(actions=10), "nine actions"),
        "four marks": Mutant(game(marks=4), "each square is", (), lost("the spaces")),
        "no spaces": Mutant(game(spaces=False), "observation_space"),
        "four things": Mutant(game(five=False), "returns five things"),
        "no info": Mutant(game(info=False), "returns two things"),
        "floats": Mutant(game(kind=float), "int64"),
    },
}
