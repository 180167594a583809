"""Whole episodes, SARSA, n steps and self-play against oracles, and what lesson 06 says."""

from functools import cache
from itertools import pairwise
from typing import Any

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.agents import monte_carlo, n_step, planning, sarsa, self_play, tabular
from course_lib.answers import answer
from course_lib.envs.lake_map import read_lake
from course_lib.envs.maze import MazeEnv
from course_lib.envs.tables import Model, SideBySide, model_of
from course_lib.envs.tic_tac_toe import BoardError, Game, check_board, game_of, has_won, read_board
from course_lib.errors import CourseError
from course_lib.plots import games as pictures
from course_lib.widgets.board import BoardPlay

numbers = st.lists(st.floats(-10, 10), min_size=1, max_size=12)
USUAL = {"learning_rate": 0.5, "gamma": 0.95, "epsilon": 0.2}


def world(model: Model, start: int = 0, *, seed: int = 0, **size: int) -> SideBySide:
    """Agents on the start; 20 unless said otherwise."""
    rng = np.random.default_rng(seed)
    return SideBySide(model, start, rng=rng, **{"num_seeds": 20, **size})


@cache
def tic_tac_toe() -> Game:
    return game_of(answer("6.5"))


@cache
def minimax(board: tuple[int, ...], player: int) -> float:
    """What the one who is to move gets if both play as well as possible: 1, 0.5 or 0."""
    if has_won(np.array(board), 3 - player):
        return 0.0
    free = [square for square in range(9) if board[square] == 0]
    if not free:
        return 0.5
    after = ((*board[:square], player, *board[square + 1 :]) for square in free)
    return max(1 - minimax(one, 3 - player) for one in after)


class TestMonteCarlo:
    """Returns of whole episodes."""

    def test_by_hand(self) -> None:
        found = monte_carlo.first_visit_returns([0, 1, 0, 2], [0, 0, 0, 0], [0, 0, 0, 1], 0.9)
        assert found == pytest.approx({(0, 0): 0.729, (1, 0): 0.81, (2, 0): 1})

    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.floats(-9, 9)), max_size=12),
           st.floats(0, 1))  # fmt: skip
    def test_it_is_the_sum_from_the_first_visit_on(self, steps: list, gamma: float) -> None:
        states, actions, rewards = ([step[part] for step in steps] for part in range(3))
        found = monte_carlo.first_visit_returns(states, actions, rewards, gamma)
        pairs = list(zip(states, actions, strict=True))
        assert set(found) == set(pairs)
        for pair, value in found.items():
            rest = rewards[pairs.index(pair) :]
            assert value == pytest.approx(sum(gamma**k * one for k, one in enumerate(rest)))

    def test_it_learns_the_value_of_a_policy(self) -> None:
        """Where nothing can be chosen, the means of returns are what the linear solve says."""
        lake = model_of(gym.make("FrozenLake-v1"))
        one_way = type(lake)(*(part[:, 2:3] for part in lake))
        truth = planning.policy_values(one_way, np.zeros(16, int), 0.9)
        tables, _ = monte_carlo.monte_carlo_many(
            world(one_way, num_episodes=1_500, max_steps=200), gamma=0.9, half=1
        )
        error = tables[:, 0, 0].std() / np.sqrt(20)
        assert abs(tables[:, 0, 0].mean() - truth[0]) < 4 * error + 1e-4

    def test_epsilon_falls_and_its_sum_has_no_end(self) -> None:
        epsilon = monte_carlo.glie(np.arange(100_000), 300)
        assert epsilon[0] == 1
        assert epsilon[300] == 0.5
        assert (np.diff(epsilon) < 0).all()
        assert epsilon.sum() > 1_700

    def test_refuses(self) -> None:
        lake = model_of(gym.make("FrozenLake-v1"))
        with pytest.raises(ValueError, match="half must be above 0, got 0"):
            monte_carlo.monte_carlo_many(
                world(lake, num_episodes=1, max_steps=9), gamma=1.0, half=0
            )


@pytest.mark.parametrize("method", [sarsa.sarsa_many, tabular.q_learning_many])
def test_methods_find_the_best_way_of_a_maze(method: Any) -> None:
    """Against value iteration: the greedy way from the start is a shortest one."""
    env = MazeEnv("S..\n.#.\n..C")
    tables, _ = method(
        world(env.model(), num_episodes=400, max_steps=50), **{**USUAL, "epsilon": 0.05}
    )
    best = planning.best_values(env.model(), 1.0)[0]
    worth = [planning.policy_within(env.model(), one.argmax(axis=1), 50)[0] for one in tables]
    assert np.sum(np.isclose(worth, best)) >= 19


def test_sarsa_learns_what_the_exploring_policy_is_worth() -> None:
    """On one's own policy: the table agrees with the linear solve for epsilon-greedy."""
    lake = model_of(gym.make("FrozenLake-v1", is_slippery=False))
    tables, _ = sarsa.sarsa_many(
        world(lake, seed=1, num_seeds=10, num_episodes=4_000, max_steps=100),
        learning_rate=0.1, gamma=0.9, epsilon=0.3,
    )  # fmt: skip
    close = []
    for table in tables:
        chance = np.full((16, 4), 0.3 / 4)
        chance[np.arange(16), table.argmax(axis=1)] += 0.7
        truth = planning.policy_values(lake, chance, 0.9)[0]
        close.append(abs(chance[0] @ table[0] - truth))
    assert np.median(close) < 0.1


class TestTargets:
    """How far a target looks."""

    @given(numbers, st.floats(-9, 9), st.booleans(), st.floats(0, 1))
    def test_one_step_and_to_the_end(
        self, rewards: list, value: float, ends: bool, gamma: float
    ) -> None:
        values = np.full(len(rewards), value)
        one = n_step.n_step_targets(np.array(rewards), values, ends, 1, gamma)
        after = values * np.append(np.ones(len(rewards) - 1), not ends)
        np.testing.assert_allclose(one, np.array(rewards) + gamma * after)
        far = n_step.n_step_targets(np.array(rewards), values, ends, 99, gamma)
        assert far[0] == pytest.approx(answer("6.4")(rewards, value, ends, gamma))

    @given(numbers, st.booleans(), st.floats(0, 1))
    def test_lambda_is_a_mix_of_n_steps(self, rewards: list, ends: bool, lambda_: float) -> None:
        """By the forward view: weights (1 - lambda) lambda^(n-1), the rest for the last."""
        values, gamma = np.linspace(-3, 5, len(rewards)), 0.9
        mixed = n_step.lambda_targets(np.array(rewards), values, ends, lambda_, gamma)
        total = len(rewards)
        for step in range(total):
            looks = [n_step.n_step_targets(np.array(rewards), values, ends, n, gamma)[step]
                     for n in range(1, total - step + 1)]  # fmt: skip
            weights = [(1 - lambda_) * lambda_ ** (n - 1) for n in range(1, total - step)]
            weights.append(1 - sum(weights))
            assert mixed[step] == pytest.approx(np.dot(weights, looks), abs=1e-9)

    def test_bias_and_variance(self) -> None:
        """What the slider shows: near is wrong together, far is right on average and scattered."""
        lake = model_of(gym.make("FrozenLake-v1"))
        best = planning.best_values(lake, 1.0)
        policy = planning.look_ahead(best, lake, 1.0).argmax(axis=1)
        found = {
            name: n_step.evaluate_many(
                world(lake, seed=2, num_episodes=30, max_steps=500), policy, learning_rate=0.1,
                gamma=1.0, **how,
            )[:, 19]
            for name, how in {
                "1": {"n": 1}, "4": {"n": 4}, "all": {"n": 500}, "lambda 3/4": {"lambda_": 0.75},
                "lambda 1": {"lambda_": 1.0},
            }.items()
        }  # fmt: skip
        bias = {name: best[0] - values.mean() for name, values in found.items()}
        spread = {name: values.std() for name, values in found.items()}
        assert bias["1"] > 0.6 > bias["4"] > 0.1 > abs(bias["all"]) - 0.1
        assert spread["1"] < 0.05 < 0.15 < spread["all"]
        assert abs(bias["4"] - bias["lambda 3/4"]) < 0.1
        np.testing.assert_allclose(found["all"], found["lambda 1"], atol=1e-9)

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda: n_step.n_step_targets([1], [1], True, 0, 1), "n must be at least 1, got 0"),
            (lambda: n_step.lambda_targets([1], [1], True, 2, 1), r"lambda must be in \[0, 1\]"),
            (lambda: n_step.n_step_targets([1, 2], [1], True, 1, 1), r"\(2,\) and \(1,\)"),
        ],
    )
    def test_refuses(self, call: Any, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            call()


class TestTicTacToe:
    """The learner's environment, its positions, and who can be beaten."""

    def test_positions(self) -> None:
        game = tic_tac_toe()
        assert len(game.boards) == 5_478
        assert len(np.unique(game.alike)) == 765
        assert game.over.sum() == 958
        for number in range(0, 5_478, 50):
            check_board(game.boards[number])
            assert game.number(game.boards[number]) == number

    def test_another_game_is_refused(self) -> None:
        class Endless(answer("6.5")):
            def step(self, action: int) -> tuple:
                board, _, _, _, info = super().step(action)
                return board, 0.0, bool(board.all()), False, info

        with pytest.raises(CourseError, match="more than 6,000 positions"):
            game_of(Endless)

    def test_minimax_is_never_beaten_and_chance_is(self) -> None:
        game = tic_tac_toe()
        marks = (game.boards != 0).sum(axis=1)
        best = np.array([
            1 - minimax(tuple(board.tolist()), 1 + int(count % 2))
            for board, count in zip(game.boards, marks, strict=True)
        ])  # fmt: skip
        chance = np.random.default_rng(0).random(len(best))
        for first in (True, False):
            assert self_play.against_everybody(game, best, first=first).losses == 0
            assert self_play.lost_game(game, best, first=first) == []
            lost = self_play.lost_game(game, chance, first=first)
            assert self_play.against_everybody(game, chance, first=first).losses > 0
            assert game.won[lost[-1]]
            assert (marks[lost[-1]] % 2 == 0) == first, "the other one made the last move"
            assert all(after in game.after[before] for before, after in pairwise(lost))

    def test_all_games_are_counted(self) -> None:
        """If all moves are equally good, there are 255,168 games."""
        game = tic_tac_toe()
        record = self_play.against_everybody(game, np.zeros(len(game.over)), first=True)
        assert record == self_play.Record(131_184, 46_080, 77_904)

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", range(3))
    def test_what_the_lesson_says_of_self_play(self, seed: int) -> None:
        """At least 19 of 20 are never beaten; none where a draw is worth no more than a loss."""
        game, rng = tic_tac_toe(), np.random.default_rng(seed)
        for draw, enough in ((0.5, range(19, 21)), (0.0, range(1))):
            values, _ = self_play.learn(
                game, num_seeds=20, num_games=10_000, learning_rate=0.5, epsilon=0.6, draw=draw,
                rng=rng,
            )  # fmt: skip
            never = sum(
                not any(self_play.against_everybody(game, one, first=side).losses
                        for side in (True, False))
                for one in values
            )  # fmt: skip
            assert never in enough

    def test_an_interrupt_keeps_the_values(self, capsys: pytest.CaptureFixture[str]) -> None:
        def stop(games: int) -> None:
            if games == 5:
                raise KeyboardInterrupt

        values, games = self_play.learn(
            tic_tac_toe(), num_seeds=2, num_games=50, learning_rate=0.5, epsilon=0.5, draw=0.5,
            rng=np.random.default_rng(0), on_step=stop,
        )  # fmt: skip
        assert games == 5
        assert (values != 0.5).any()
        assert "Stopped after 5 of 50 games" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("XX", "nine of X, O and ."),
            ("XO. XO. Q..", "nine of X, O and ."),
            ("XX. ... ...", "this board has 2 X and 0 O"),
            ("... .O. ...", "this board has 0 X and 1 O"),
            ("XXX OOO ...", "the other one went on"),
        ],
    )
    def test_boards_that_cannot_occur(self, text: str, words: str) -> None:
        with pytest.raises(BoardError, match=words):
            read_board(text)

    @settings(max_examples=60)
    @given(st.lists(st.integers(0, 8), min_size=1, max_size=9))
    def test_any_moves_leave_a_board_that_can_occur(self, moves: list[int]) -> None:
        env = answer("6.5")()
        env.reset()
        for square in moves:
            board, reward, over, _, _ = env.step(square)
            check_board(board)
            assert reward in (-1, 0, 1)
            if over:
                break


class TestPlay:
    """A person at the board."""

    @staticmethod
    def board() -> BoardPlay:
        game = tic_tac_toe()
        marks = (game.boards != 0).sum(axis=1)
        best = [1 - minimax(tuple(one.tolist()), 1 + int(count % 2))
                for one, count in zip(game.boards, marks, strict=True)]  # fmt: skip
        return BoardPlay(self_play.Player(game, np.array(best)))

    def test_a_game(self) -> None:
        play = self.board()
        play.take(0)
        assert play.squares[0].description == "X"
        assert play.squares[4].description == "O"
        assert "You took square 1. The agent took square 5." in play.said.value
        assert play.said.value.endswith("X.. .O. ...")
        play.take(4)
        assert "Square 5 is taken" in play.said.value

    def test_values_on_request(self) -> None:
        play = self.board()
        play.take(1)
        assert play.squares[8].description == "9"
        play.tells.value = True
        assert play.squares[8].description.startswith("9: ")
        play.tells.value = False
        assert play.squares[8].description == "9"

    def test_the_agent_begins_and_wins_against_a_bad_player(self) -> None:
        play = self.board()
        play.restart(person=2)
        assert (play.board == 1).sum() == 1
        for _ in range(9):
            if not play.over:
                play.take(int(np.flatnonzero(play.board == 0)[-1]))
        assert play.over
        before = play.board.copy()
        play.take(int(np.argmin(before)))
        assert (play.board == before).all()
        assert "over" in play.said.value or "has won" in play.said.value

    def test_still_and_keys(self) -> None:
        play = self.board()
        assert play._still().startswith(b"\x89PNG")
        assert len(play.box.children[0].children) == 9


class TestLakeMap:
    """Maps from text."""

    def test_reads(self) -> None:
        rows = read_lake("\nSFF\n FHF\nFFG\n")
        assert rows == ["SFF", "FHF", "FFG"]
        env = gym.make("FrozenLake-v1", desc=rows)
        assert planning.best_values(model_of(env), 0.9)[0] > 0

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (" ", "the map is empty; give rows of S start"),
            ("SF\nG", "row 2 of the map has 1 cells"),
            ("SX\nFG", "row 1, column 2 of the map holds 'X'; use S start"),
            ("FF\nFG", "one S and at least one G, got 0 and 1"),
            ("SH\nHG", "no way leads from S to G"),
        ],
    )
    def test_refuses(self, text: str, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            read_lake(text)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_what_the_lesson_says_of_the_cliff(seed: int) -> None:
    """The words of exercise 6.3."""
    cliff = model_of(gym.make("CliffWalking-v1"))
    curves, ways = {}, {}
    for name, method in (("Q", tabular.q_learning_many), ("SARSA", sarsa.sarsa_many)):
        tables, curves[name] = method(
            world(cliff, 36, seed=seed, num_episodes=1_000, max_steps=500),
            learning_rate=0.1, gamma=1.0, epsilon=0.1,
        )  # fmt: skip
        ways[name] = [planning.policy_within(cliff, one.argmax(axis=1), 60)[36] for one in tables]
    assert np.median(ways["Q"]) == -13
    assert -17 <= np.median(ways["SARSA"]) <= -15
    assert curves["SARSA"][:, -100:].mean() > curves["Q"][:, -100:].mean() + 15


@pytest.mark.slow
def test_what_the_lesson_says_of_the_ice() -> None:
    lake, known = model_of(gym.make("FrozenLake-v1")), {}
    for name, method, how in (
        ("MC", monte_carlo.monte_carlo_many, {"gamma": 1.0, "half": 300}),
        ("SARSA", sarsa.sarsa_many, {"gamma": 0.95, "learning_rate": 0.1, "epsilon": 0.1}),
        ("Q", tabular.q_learning_many, {"gamma": 0.95, "learning_rate": 0.1, "epsilon": 0.1}),
    ):
        tables, returns = method(world(lake, seed=3, num_episodes=3_000, max_steps=100), **how)
        known[name] = [planning.policy_within(lake, one.argmax(axis=1), 100)[0] for one in tables]
        assert max(known[name]) <= 0.7442 + 1e-4
        assert returns[:, -500:].mean() < 0.5
    assert np.median(known["MC"]) < np.median(known["SARSA"]) <= np.median(known["Q"]) + 0.05
    assert np.median(known["Q"]) > 0.6


class TestPictures:
    """What is drawn."""

    def test_lake(self) -> None:
        ax = pictures.draw_lake(["SF", "HG"], np.array([0.5, 0.7, 0, 0]), np.array([2, 1, 0, 0]))
        assert {"S 0.50", "0.70", "hole", "goal"} <= {text.get_text() for text in ax.texts}
        with pytest.raises(ValueError, match=r"shape \(4,\), got \(3,\)"):
            pictures.draw_lake(["SF", "HG"], np.zeros(3), np.zeros(4, int))

    def test_cliff(self) -> None:
        ax = pictures.draw_cliff({"one": [36, 24, 25]})
        assert ax.get_legend_handles_labels()[1] == ["one: 2 steps"]
        assert pictures.draw_cliff({}).get_legend() is None

    def test_boards(self) -> None:
        figure = plt.figure()
        board = read_board("X.. .O. ...")
        worth = np.where(board == 0, 0.25, np.nan)
        pictures.draw_boards([board, board], figure=figure, titles=["a", "b"], worth=worth)
        shown = [text.get_text() for text in figure.axes[1].texts]
        assert shown.count("0.25") == 7
        assert {"X", "O"} <= set(shown)
