"""Cars, tiles and held actions against independent oracles, and what lesson 07 says of them."""

import ast
import inspect
import itertools
import urllib.request
from pathlib import Path
from typing import Any

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import mountain_car as benchmark
from course_lib.agents import tiles
from course_lib.agents.dqn import Batch, DQNAgent, DQNSettings, explore
from course_lib.checks.mountain_car import CLOCK
from course_lib.envs.mountain_cars import HIGH, LOW, MountainCars, arrived, drive, returns_of
from course_lib.plots import mountain_car as pictures
from course_lib.tryouts.mountain_car import laws_told
from course_lib.widgets.tensorboard import for_the_page, show_tensorboard

GRIDS = tiles.Tiles(LOW, HIGH, num_tilings=32, num_tiles=8)
INSIDE = st.tuples(*(st.floats(low, high) for low, high in zip(LOW, HIGH, strict=True)))


def rule(obs: np.ndarray) -> np.ndarray:
    return np.where(obs[:, 1] < 0, 0, 2)


def shaken(hold: int, num_cars: int, *, seed: int = 0) -> np.ndarray:
    """Where cars were whose random actions last ``hold`` steps."""
    rng = np.random.default_rng(seed)
    actions = iter(rng.integers(3, size=(200 // hold + 1, num_cars)).repeat(hold, axis=0))
    return drive(lambda obs: next(actions), MountainCars(num_cars), seed=seed)


class TestCars:
    """Many at once, as Gymnasium moves one."""

    @pytest.mark.parametrize("seed", range(4))
    def test_they_move_as_gymnasiums_car_does(self, seed: int) -> None:
        theirs, ours = gym.make("MountainCar-v0"), MountainCars(1)
        obs, _ = theirs.reset(seed=seed)
        ours.reset(seed=seed)
        ours.cars[0] = theirs.unwrapped.state
        rng, action, ends = np.random.default_rng(seed), 0, set()
        for step in range(200):
            if step % 20 == 0:
                action = int(rng.integers(3))
            if seed == 0:
                action = 0 if obs[1] < 0 else 2  # arrives
            if seed == 1:
                action = 0  # into the wall
            obs, reward, terminated, truncated, _ = theirs.step(action)
            cars, rewards, ended, cut, _ = ours.step(np.array([action]))
            np.testing.assert_allclose(cars[0], obs, atol=1e-6)
            assert (rewards[0], ended[0], cut[0]) == (reward, terminated, truncated)
            if terminated or truncated:
                ends.add((terminated, truncated))
                break
        assert ends == {(seed == 0, seed != 0)}

    def test_another_law_is_gymnasiums_too(self) -> None:
        theirs, ours = gym.make("MountainCar-v0"), MountainCars(1, gravity=0.003, force=0.0007)
        theirs.unwrapped.gravity, theirs.unwrapped.force = 0.003, 0.0007
        theirs.reset(seed=0)
        ours.reset(seed=0)
        ours.cars[0] = theirs.unwrapped.state
        for action in (2, 2, 0, 1, 2):
            obs = theirs.step(action)[0]
            np.testing.assert_allclose(ours.step(np.array([action]))[0][0], obs, atol=1e-6)

    def test_the_step_after_an_end_only_begins_the_next_episode(self) -> None:
        cars = MountainCars(2, max_steps=3)
        cars.reset(seed=0)
        cars.cars[0] = (0.49, 0.05)
        _, rewards, ended, cut, _ = cars.step(np.array([2, 1]))
        assert rewards.tolist() == [-1, -1]
        assert (ended.tolist(), cut.tolist()) == ([True, False], [False, False])
        obs, rewards, ended, cut, _ = cars.step(np.array([2, 1]))
        assert (rewards.tolist(), ended.any(), cut.any()) == ([0, -1], False, False)
        assert -0.6 <= obs[0, 0] <= -0.4
        assert obs[0, 1] == 0
        assert cars.step(np.array([1, 1]))[3].tolist() == [False, True]

    def test_a_track_ends_where_the_episode_did(self) -> None:
        track = drive(rule, MountainCars(30), seed=1)
        assert arrived(track).all()
        ends = (-returns_of(track)).astype(int)
        for car, end in zip(track, ends, strict=True):
            assert car[end, 0] >= 0.5 > np.nanmax(car[:end, 0])
            assert np.isnan(car[end + 1 :]).all()

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"num_envs": 0}, "num_envs must be at least 1, got 0"),
            ({"num_envs": 1, "max_steps": 0}, "max_steps must be at least 1, got 0"),
            ({"num_envs": 1, "force": 0.0}, "force must be above 0, got 0.0; .* force 0.001"),
            ({"num_envs": 1, "gravity": float("nan")}, "gravity must be above 0, got nan"),
        ],
    )
    def test_a_mountain_that_cannot_be(self, wrong: dict[str, Any], says: str) -> None:
        with pytest.raises(ValueError, match=says):
            MountainCars(**wrong)


class TestTiles:
    """One tile of each grid."""

    @given(INSIDE, st.integers(1, 12), st.integers(1, 9))
    def test_one_tile_of_each_grid_and_it_holds_the_state(
        self, obs: tuple[float, float], num_tilings: int, num_tiles: int
    ) -> None:
        grids = tiles.Tiles(LOW, HIGH, num_tilings=num_tilings, num_tiles=num_tiles)
        found = grids(np.array([obs]))[0]
        a_grid = grids.num_features // num_tilings
        assert (found // a_grid == np.arange(num_tilings)).all()
        size = (HIGH - LOW) / num_tiles
        for number, tile in enumerate(found % a_grid):
            place = np.array([tile % (num_tiles + 1), tile // (num_tiles + 1)])
            corner = LOW + (place - grids.shifts[number]) * size
            assert (corner <= np.array(obs) + 1e-9).all()
            assert (np.array(obs) <= corner + size + 1e-9).all()

    @given(INSIDE, INSIDE)
    def test_who_is_a_tile_apart_shares_none(
        self, one: tuple[float, float], other: tuple[float, float]
    ) -> None:
        shared = (GRIDS(np.array([one])) == GRIDS(np.array([other]))).sum()
        apart = (np.abs(np.subtract(one, other)) / (HIGH - LOW)).max() * GRIDS.num_tiles
        if apart >= 1 + 1e-9:
            assert shared == 0
        if one == other:
            assert shared == GRIDS.num_tilings

    def test_a_step_of_a_thirtysecond_changes_one_grid_each_way(self) -> None:
        size = (HIGH - LOW) / GRIDS.num_tiles / GRIDS.num_tilings
        here = np.array([[-0.4, 0.011]])
        for direction in (0, 1):
            there = here.copy()
            there[0, direction] += size[direction]
            assert (GRIDS(here) != GRIDS(there)).sum() == 1

    def test_beyond_the_edge_counts_as_on_it(self) -> None:
        assert (GRIDS(np.array([[9.0, -9.0]])) == GRIDS(np.array([[HIGH[0], LOW[1]]]))).all()

    @pytest.mark.parametrize(
        ("low", "high", "more", "says"),
        [
            ([0], [1, 1], {}, "same length"),
            ([0, 1], [1, 1], {}, "low must be below high"),
            ([0], [np.inf], {}, "both finite"),
            ([0], [1], {"num_tilings": 0}, "num_tilings must be at least 1, got 0"),
            ([0], [1], {"num_tiles": -1}, "num_tiles must be at least 1, got -1"),
        ],
    )
    def test_grids_that_cannot_be(
        self, low: list, high: list, more: dict[str, int], says: str
    ) -> None:
        with pytest.raises(ValueError, match=says):
            tiles.Tiles(low, high, **more)


class Corridor(gym.vector.VectorEnv):
    """Cells 0 to 4, the flag behind the last; each step costs 1. Written anew, as an oracle."""

    def __init__(self, num_envs: int, *, max_steps: int = 50) -> None:
        self.num_envs, self.max_steps = num_envs, max_steps
        self.single_action_space = gym.spaces.Discrete(2)
        self.places = self.steps = np.zeros(num_envs, int)
        self.over = np.zeros(num_envs, bool)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        self.places, self.steps = np.zeros(self.num_envs, int), np.zeros(self.num_envs, int)
        return self.places[:, None] + 0.5, {}

    def step(self, actions: np.ndarray) -> tuple:
        begins, moved = self.over, np.maximum(self.places + 2 * actions - 1, 0)
        self.steps = np.where(begins, 0, self.steps + 1)
        terminated = (moved > 4) & ~begins
        truncated = (self.steps >= self.max_steps) & ~terminated & ~begins
        self.places, self.over = np.where(begins, 0, np.minimum(moved, 4)), terminated | truncated
        return self.places[:, None] + 0.5, -1.0 * ~begins, terminated, truncated, {}


class TestSarsa:
    """Where a grid is a table, its numbers are those of the table."""

    CELLS = tiles.Tiles([0], [5], num_tilings=1, num_tiles=5)

    def learn(self, **more: Any) -> tuple[np.ndarray, list[dict]]:
        usual = {"num_steps": 3_000, "learning_rate": 0.5, "gamma": 0.9, "epsilon": 0.0}
        rng = np.random.default_rng(0)
        env = more.pop("env", None) or Corridor(3)
        return tiles.sarsa(env, self.CELLS, rng=rng, **usual | more)

    def test_the_way_is_worth_the_steps_that_are_left(self) -> None:
        weights, _ = self.learn()
        there = np.arange(5)[:, None] + 0.5
        wanted = [-sum(0.9**k for k in range(left)) for left in (5, 4, 3, 2, 1)]
        for own in weights:
            np.testing.assert_allclose(
                tiles.q_values(own, self.CELLS, there).max(axis=1), wanted, atol=0.01
            )

    def test_two_grids_share_the_rate(self) -> None:
        two = tiles.Tiles([0], [5], num_tilings=2, num_tiles=5)
        weights, _ = tiles.sarsa(
            Corridor(1), two, num_steps=1, learning_rate=0.5, gamma=0.9, epsilon=0.0,
            rng=np.random.default_rng(0),
        )  # fmt: skip
        assert tiles.q_values(weights[0], two, np.array([[0.5]])).min() == pytest.approx(-0.5)

    @pytest.mark.parametrize("ends", [False, True])
    def test_the_clock_as_an_end_is_asked_for(self, ends: bool) -> None:
        """One cell that nobody can leave: -1 / (1 - gamma), or more where the clock ends it."""
        cell = tiles.Tiles([0], [1000], num_tilings=1, num_tiles=1)
        weights, _ = tiles.sarsa(
            Corridor(1, max_steps=4), cell, num_steps=4_000, learning_rate=0.1, gamma=0.9,
            epsilon=1.0, rng=np.random.default_rng(0), clock_is_the_end=ends,
        )  # fmt: skip
        value = tiles.q_values(weights[0], cell, np.array([[0.5]])).max()
        assert value == pytest.approx(-10, abs=0.6) if not ends else value > -6

    def test_rows_hold_every_return_once(self) -> None:
        _, rows = self.learn(every=700)
        assert [row["env_steps"] for row in rows] == [700, 1_400, 2_100, 2_800, 3_000]
        returns = [
            list(itertools.chain(*(row["returns"][agent] for row in rows))) for agent in range(3)
        ]
        assert all(one[-1] == -5 for one in returns)
        played = [-sum(one) + len(one) for one in returns]  # and a step that begins the next
        assert all(3_000 - 60 <= steps <= 3_000 for steps in played)

    def test_a_stop_keeps_what_was_learned(self, capsys: pytest.CaptureFixture[str]) -> None:
        def stop(rows: list) -> None:
            if len(rows) == 2:
                raise KeyboardInterrupt

        weights, rows = self.learn(every=100, on_row=stop)
        assert [row["env_steps"] for row in rows] == [100, 200]
        assert weights.any()
        assert capsys.readouterr().out == "Stopped after 200 steps; the weights are kept.\n"

    @pytest.mark.parametrize("name", ["learning_rate", "gamma", "epsilon"])
    def test_a_share_beyond_1(self, name: str) -> None:
        with pytest.raises(ValueError, match=f"{name} must be in"):
            self.learn(**{name: 1.5})


class TestExplore:
    """The agent holds what `explore` says, and begins each episode anew."""

    def test_an_agent_holds_its_random_actions(self) -> None:
        settings = DQNSettings(hold=7, epsilon_end=1.0, learning_starts=10**6, hidden=(4,))
        nowhere = gym.make("MountainCar-v0", goal_velocity=1)  # an arrival would begin a new draw
        agent = DQNAgent(nowhere, settings, seed=0)
        for _ in agent.train(200):
            pass
        taken = agent.buffer.actions[:200]
        assert all(len(set(taken[at : at + 7])) == 1 for at in range(0, 196, 7))
        assert len(set(taken)) == 3

    def test_an_episode_begins_with_a_draw_of_its_own(self) -> None:
        asked = []

        def note(greedy: Any, held: int, steps_left: int, **more: Any) -> tuple[int, int]:
            asked.append(steps_left)
            return explore(greedy, held, steps_left, **more)

        settings = DQNSettings(hold=150, epsilon_end=1.0, learning_starts=10**6, hidden=(4,))
        agent = DQNAgent(gym.make("MountainCar-v0"), settings, seed=0, explore=note)
        for _ in agent.train(401):
            pass
        assert [asked[at] for at in (0, 150, 200, 350, 400)] == [0, 0, 0, 0, 0]
        assert asked[199] == 150 - 49


class TestClaims:
    """What the lesson says in words and what its pictures take for granted."""

    def test_chance_does_not_arrive_and_a_rule_does(self) -> None:
        for seed in (7, 8, 9):
            assert arrived(shaken(1, 1_000, seed=seed)).sum() == 0
            returns = returns_of(drive(rule, MountainCars(1_000), seed=seed))
            assert -121 < returns.mean() < -117

    def test_actions_that_last_arrive_in_a_sixth(self) -> None:
        shares = {hold: arrived(shaken(hold, 2_000, seed=3)).mean() for hold in (1, 4, 24, 32, 128)}
        assert shares[1] == 0
        assert shares[4] < 0.05
        assert 0.1 < shares[24] < 0.25
        assert 0.1 < shares[32] < 0.3
        assert shares[128] < shares[32]

    @pytest.mark.slow
    def test_what_the_check_of_7_3_calls_right_is_measured(self) -> None:
        bottom = np.array([[-0.5, 0.0]])
        for ends, word in ((False, CLOCK["no end"][0]), (True, CLOCK["an end"][0])):
            weights, _ = tiles.sarsa(
                MountainCars(10, force=1e-4), GRIDS, num_steps=20_000, learning_rate=0.3,
                gamma=0.99, epsilon=0.0, rng=np.random.default_rng(7), clock_is_the_end=ends,
            )  # fmt: skip
            values = np.array([tiles.q_values(one, GRIDS, bottom).max() for one in weights])
            if word == "about -100":
                assert (np.abs(values + 100) < 10).all(), values
            else:
                assert (values > -90).all(), values

    @pytest.mark.full
    @pytest.mark.parametrize("ends", [False, True])
    def test_tiles_solve_it_nine_times_in_ten(self, ends: bool) -> None:
        """About as many with the clock as an end: 7.3's third word."""
        solved = []
        for seed in (7, 8, 9, 61, 62, 63):  # those of old, and three that chose nothing
            _, rows = tiles.sarsa(
                MountainCars(10), GRIDS, num_steps=90_000, learning_rate=0.3, gamma=1.0,
                epsilon=0.0, rng=np.random.default_rng(seed), clock_is_the_end=ends,
            )  # fmt: skip
            for one in rows[-1]["weights"]:
                greedy = drive(
                    lambda obs, one=one: tiles.q_values(one, GRIDS, obs).argmax(axis=1),
                    MountainCars(100), seed=20_000,
                )  # fmt: skip
                solved.append(returns_of(greedy).mean() >= -110)
        assert np.mean(solved) >= (0.7 if ends else 0.9), solved


class TestPictures:
    """They draw what they are given, in words too."""

    def test_each_is_drawn(self) -> None:
        tracks = {"rule": drive(rule, MountainCars(1), seed=0)[0], "chance": shaken(1, 1)[0]}
        rows = [
            {"env_steps": k, "mean_return": -200.0, "greedy_return": np.nan if k % 2 else -150.0,
             "greatest_q": -k / 10} for k in range(6)
        ]  # fmt: skip
        fake = lambda obs: np.stack([obs[:, 0] - 1, obs[:, 1], obs[:, 0] - 2], axis=1)  # noqa: E731
        draws = (
            lambda figure: pictures.draw_orbits(figure, tracks),
            lambda figure: pictures.plot_shares([1, 2], [0, 0.1], 100, ax=figure.subplots()),
            lambda figure: pictures.plot_greatest_q(rows, np.zeros(6), ax=figure.subplots()),
            lambda figure: pictures.draw_learning(figure, rows, steps=5),
            lambda figure: pictures.draw_steps_to_go(figure, {"rule": fake}, tracks),
            lambda figure: pictures.draw_tilings(GRIDS, np.zeros(2), ax=figure.subplots()),
            lambda figure: pictures.draw_mountains(
                figure, {"a": np.eye(2)}, np.array([1.0, 2.0]), np.array([1.0, 2.0])
            ),
            lambda figure: pictures.draw_eight(figure, rows),
        )
        for draw in draws:
            figure = plt.figure(layout="constrained")
            draw(figure)
            figure.canvas.draw()
            assert all(ax.get_xlabel() or ax.get_title() or ax.get_label() for ax in figure.axes)
            plt.close(figure)

    def test_a_discount_is_taken_out_again(self) -> None:
        for gamma in (1.0, 0.98):
            worth = [-sum(gamma**k for k in range(steps)) for steps in (0, 1, 40, 149)]
            np.testing.assert_allclose(
                pictures.steps_of(np.array(worth), gamma), [0, 1, 40, 149], atol=1e-6
            )
            assert pictures.steps_of(np.array([5.0, -1e4]), gamma).tolist() == [0, pictures.MOST]


class TestTensorBoard:
    """It is written, listens on this machine only, and ends with the process."""

    def test_curves_and_address(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
        rows = [{"env_steps": 8 * k, "loss": 1 / k, "epsilon": np.nan} for k in (1, 2, 4)]
        address = show_tensorboard(rows, {"loss": "the loss", "epsilon": "e"}, tmp_path)
        read = EventAccumulator(str(tmp_path)).Reload()
        assert read.Tags()["scalars"] == ["the loss"]
        assert [(one.step, one.value) for one in read.Scalars("the loss")] == [
            (8, 1.0), (16, 0.5), (32, 0.25),
        ]  # fmt: skip
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address, timeout=30) as page:
            assert b"TensorBoard" in page.read()

    def test_a_hub_passes_it_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
        assert for_the_page("http://127.0.0.1:6006/") == "/user/ada/proxy/6006/"


def in_the_lesson(name: str) -> str:
    """The source of what the lesson calls so."""
    lesson = Path(__file__).parents[1] / "notebooks" / "source" / "07_mountain_car.py"
    for node in ast.parse(lesson.read_text(encoding="utf-8")).body:
        if getattr(node, "name", "") == name:
            return ast.unparse(node.body[-1])  # type: ignore[attr-defined]
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.unparse(node.value)
    raise AssertionError(f"the lesson has no {name}")


class TestNetwork:
    """The benchmark's agent is the lesson's, and it learns."""

    def test_the_benchmark_has_the_lessons_settings(self) -> None:
        assert eval(in_the_lesson("OURS")) == benchmark.OURS
        assert eval(in_the_lesson("ARTICLE")) == benchmark.ARTICLE
        own = ast.parse(inspect.getsource(benchmark.never_above_0)).body[0]
        assert ast.unparse(own.body[-1]) == in_the_lesson("never_above_0")  # type: ignore

    def test_nothing_that_follows_is_worth_more_than_0(self) -> None:
        batch = Batch(*(torch.zeros(2, 1), torch.zeros(2, dtype=torch.int64), -torch.ones(2)),
                      torch.tensor([[5.0], [-5.0]]), torch.zeros(2))  # fmt: skip
        same = lambda obs: obs.expand(-1, 3)  # noqa: E731
        found = benchmark.never_above_0(
            same, same, batch, gamma=0.5, distance=lambda q, target: target
        )
        assert found.tolist() == [-1.0, -3.5]

    @pytest.mark.full
    @pytest.mark.parametrize("seed", range(5))
    def test_it_reaches_110_with_each_seed(self, seed: int) -> None:
        assert benchmark.network(60_000)(seed)["reached"]


class TestTryouts:
    """What the check of 7.5 sees beside the mountain it is given."""

    def test_a_class_that_is_changed_shows_in_other_environments(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cars = type(gym.make("MountainCar-v0").unwrapped)
        begin = cars.__init__

        def mountain(gravity: float, force: float) -> gym.Env:
            def init(self: Any, *args: Any, **more: Any) -> None:
                begin(self, *args, **more)
                self.gravity, self.force = gravity, force

            monkeypatch.setattr(cars, "__init__", init)
            return gym.make("MountainCar-v0")

        told = laws_told(mountain, 0.002, 0.0015)
        assert told is not None
        assert told["gravity"] == pytest.approx(0.002, abs=1e-6)
        assert told["usual"]["gravity"] != pytest.approx(0.0025, abs=1e-4)
