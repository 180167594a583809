"""Planning against independent oracles, and what lesson 05 says of Taxi."""

from collections import deque

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.agents import planning, tabular
from course_lib.checks.planning import WORDS
from course_lib.envs.maze import MazeEnv
from course_lib.envs.tables import Model, SideBySide, model_of
from course_lib.plots import planning as pictures

WORLDS = ("Taxi-v3", "FrozenLake-v1", "CliffWalking-v1")


def drawn(seed: int, *, states: int = 6, actions: int = 3, outcomes: int = 2) -> Model:
    """A world in which anything may follow anything."""
    rng = np.random.default_rng(seed)
    shape = (states, actions, outcomes)
    chance = rng.random(shape)
    return Model(
        rng.integers(states, size=shape), rng.normal(size=shape), rng.random(shape) < 0.2,
        chance / chance.sum(axis=2, keepdims=True),
    )  # fmt: skip


def fewest_steps(env: gym.Env, start: int) -> int:
    """Breadth-first search for the delivery: an oracle that knows no values."""
    rules, seen, queue = env.unwrapped.P, {start: 0}, deque([start])
    while queue:
        state = queue.popleft()
        for ((_, after, reward, ends),) in rules[state].values():
            if ends:
                return seen[state] + 1
            if reward == -1 and after not in seen:
                seen[after] = seen[state] + 1
                queue.append(after)
    raise AssertionError("no way")


class TestValueIteration:
    """V* by sweeps."""

    def test_by_hand(self) -> None:
        chain = Model.certain([[1], [2], [2]], [[-1], [20], [0]], [[0], [1], [1]])
        found = planning.value_iteration(chain, 0.5)
        assert found.tolist() == [[0, 0, 0], [-1, 20, 0], [9, 20, 0], [9, 20, 0]]

    def test_taxi_is_worth_20_less_the_steps_before_the_delivery(self) -> None:
        env = gym.make("Taxi-v3")
        found = planning.value_iteration(model_of(env), 1.0)
        assert len(found) - 1 == 19
        for state in range(500):
            assert found[-1][state] == 21 - fewest_steps(env, state)
        assert found[-1].min() == 3

    @given(st.integers(0, 10_000), st.floats(0, 0.95))
    def test_the_best_policy_is_worth_v_star_by_a_linear_solve(
        self, seed: int, gamma: float
    ) -> None:
        world = drawn(seed)
        best = planning.best_values(world, gamma, tolerance=1e-12)
        policy = planning.look_ahead(best, world, gamma).argmax(axis=1)
        np.testing.assert_allclose(planning.policy_values(world, policy, gamma), best, atol=1e-8)

    @given(st.integers(0, 10_000))
    def test_no_policy_is_worth_more(self, seed: int) -> None:
        world, rng = drawn(seed), np.random.default_rng(seed)
        best = planning.best_values(world, 0.9)
        policy = rng.dirichlet(np.ones(3), size=6)
        assert (planning.policy_values(world, policy, 0.9) <= best + 1e-8).all()

    def test_after_k_sweeps_it_is_the_best_of_k_steps(self) -> None:
        env = gym.make("FrozenLake-v1")
        found = planning.value_iteration(model_of(env), 1.0)
        assert found[100, 0] == pytest.approx(0.7442, abs=1e-4)
        assert found[-1, 0] == pytest.approx(0.8235, abs=1e-4)

    def test_a_policy_within_a_clock(self) -> None:
        maze = MazeEnv("S..C").model()
        right = np.ones(4, int)
        worth = [planning.policy_within(maze, right, steps)[0] for steps in range(5)]
        assert worth == [0, -1, -2, 18, 18]

    def test_an_endless_plan_says_so(self) -> None:
        again = Model.certain([[0]], [[1.0]], [[False]])
        with pytest.raises(planning.EndlessPlanError, match="still change by 1; they settle if"):
            planning.value_iteration(again, 1.0, max_sweeps=50)
        with pytest.raises(planning.EndlessPlanError, match="never ends from some state"):
            planning.policy_values(again, np.array([0]), 1.0)

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda m: planning.best_values(m, 1.2), r"gamma must be in \[0, 1\], got 1.2"),
            (lambda m: planning.value_iteration(m, 1, tolerance=-1), "at least 0, got -1"),
            (lambda m: planning.policy_values(m, np.zeros((2, 2)), 0.5), r"\(6,\) or \(6, 3\)"),
        ],
    )
    def test_refuses(self, call, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            call(drawn(1))


class TestTables:
    """Rules as arrays, and many episodes of them."""

    @pytest.mark.parametrize("name", WORLDS)
    def test_the_arrays_are_gymnasiums_rules(self, name: str) -> None:
        env = gym.make(name)
        model = model_of(env)
        np.testing.assert_allclose(model.probability.sum(axis=2), 1)
        for state, rules in env.unwrapped.P.items():
            for action, outcomes in rules.items():
                for k, (chance, after, reward, ends) in enumerate(outcomes):
                    place = (state, action, k)
                    told = [part[place] for part in model]
                    assert told == [after, reward, ends, chance]

    @pytest.mark.parametrize("name", WORLDS)
    def test_side_by_side_plays_as_gymnasium_does(self, name: str) -> None:
        """With the same random actions: mean returns and lengths agree within their errors."""
        env, rng = gym.make(name, max_episode_steps=60), np.random.default_rng(0)
        model, starts = model_of(env), env.unwrapped.initial_state_distrib
        world = SideBySide(model, starts, num_seeds=40, num_episodes=25, max_steps=60, rng=rng)
        lengths = []
        while world.going.size:
            before = world.steps[world.going] + 1
            *_, done = world.step(rng.integers(model.reward.shape[1], size=world.going.size))
            lengths += before[done].tolist()
        theirs, long = [], []
        env.reset(seed=1)
        for _ in range(300):
            env.reset()
            total, count, done = 0.0, 0, False
            while not done:
                _, reward, ends, cut, _ = env.step(rng.integers(model.reward.shape[1]))
                total, count, done = total + reward, count + 1, ends or cut
            theirs.append(total)
            long.append(count)
        for one, other in ((world.returns.ravel(), theirs), (lengths, long)):
            error = np.hypot(np.std(one) / np.sqrt(len(one)), np.std(other) / np.sqrt(len(other)))
            assert abs(np.mean(one) - np.mean(other)) <= 4 * error

    def test_refuses(self) -> None:
        with pytest.raises(ValueError, match="does not tell its rules"):
            model_of(gym.make("CartPole-v1"))
        with pytest.raises(ValueError, match="up to 3 outcomes"):
            model_of(gym.make("FrozenLake-v1")).outcomes()
        with pytest.raises(ValueError, match=r"got \(2, 2\), \(2,\), \(2, 2\)"):
            Model.certain(np.zeros((2, 2)), np.zeros(2), np.zeros((2, 2)))
        with pytest.raises(ValueError, match=r"each of 6 states; got shape \(5,\)"):
            SideBySide(drawn(0), np.ones(5), num_seeds=1, num_episodes=1, max_steps=1,
                       rng=np.random.default_rng(0))  # fmt: skip
        with pytest.raises(ValueError, match="num_episodes must be at least 1, got 0"):
            SideBySide(drawn(0), 0, num_seeds=1, num_episodes=0, max_steps=1,
                       rng=np.random.default_rng(0))  # fmt: skip


STATES = {"A": (4, 2, 1, 2), "B": (2, 2, 4, 1), "C": (2, 2, 0, 0), "D": (4, 2, 4, 0),
          "E": (0, 2, 4, 3)}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_what_the_lesson_says_of_the_fog(seed: int) -> None:
    """The words of exercise 5.3, and how close 20 travellers come to the plan."""
    env, rng = gym.make("Taxi-v3"), np.random.default_rng(seed)
    town, starts = model_of(env), env.unwrapped.initial_state_distrib
    truth, visits = planning.best_values(town, 1.0), np.zeros((20, 500), int)

    def count(world: SideBySide) -> None:
        visits[np.arange(20), world.obs] += 1

    world = SideBySide(town, starts, num_seeds=20, num_episodes=2_000, max_steps=200, rng=rng)
    tables, returns = tabular.q_learning_many(
        world, learning_rate=0.5, gamma=1.0, epsilon=0.1, on_step=count
    )
    close = np.abs(tables.max(axis=2) - truth) < 2
    for name, parts in STATES.items():
        state = pictures.state_number(*parts)
        most = close[:, state].mean() > 0.5
        found = "never" if not visits[:, state].any() else "right" if most else "wrong"
        assert found == WORDS[name][0], name
    known = [starts @ planning.policy_within(town, table.argmax(axis=1), 200) for table in tables]
    assert 7.0 < np.median(known) < 7.93
    assert returns[:, -100:].mean() < 4 < np.median(known), "the curve lies below what is known"


def test_what_the_lesson_says_of_the_talk() -> None:
    """1,000 sweeps without an end; and an update that gives back what the discount took."""
    town = model_of(gym.make("Taxi-v3"))
    next_state, reward, ends = town.outcomes()
    values = np.zeros(500)
    for _ in range(1000):
        values = (reward + values[next_state]).max(axis=1)
    assert 9_300 < values.min() < values.max() <= 9_500
    q_table = np.zeros((500, 6))
    for _ in range(60):
        follows = q_table[next_state] * ~ends[..., None]
        q_table += reward + 0.9 * (follows - q_table[..., None]).max(axis=2)
    undiscounted = planning.best_values(town, 1.0)
    np.testing.assert_allclose(q_table.max(axis=1), undiscounted / 0.9, atol=1e-2)


class TestPictures:
    """What is drawn."""

    def test_walls_are_gymnasiums(self) -> None:
        desc = gym.make("Taxi-v3").unwrapped.desc
        walls = {(r, c) for r in range(5) for c in range(4) if desc[r + 1, 2 * c + 2] == b"|"}
        assert set(pictures.WALLS) == walls

    def test_state_numbers_are_gymnasiums(self) -> None:
        env = gym.make("Taxi-v3").unwrapped
        for state in range(500):
            parts = tuple(int(part) for part in env.decode(state))
            assert pictures.state_number(*parts) == state
        assert pictures.in_words(269) == "taxi at (2, 3), passenger waiting at Y, to G"

    def test_one_state_three_ways(self) -> None:
        figure = plt.figure()
        pictures.draw_state(gym.make("Taxi-v3", render_mode="rgb_array"), 269, figure=figure)
        middle, right = ([text.get_text() for text in ax.texts] for ax in figure.axes[1:])
        assert {"169", "369", "249", "289", "269", "stays", "pick up\n-10"} <= set(middle)
        assert right[0] == "269"

    def test_relative_colours(self) -> None:
        numbers = np.arange(500.0)
        ax = pictures.draw_town(numbers, passenger=4, destination=0)
        colours = [patch.get_facecolor() for patch in ax.patches]
        assert len(set(colours)) == 25
        close = pictures.draw_town(numbers, passenger=4, destination=0, limits=(0, 1e9))
        assert len({patch.get_facecolor() for patch in close.patches}) == 1

    def test_refuses(self) -> None:
        with pytest.raises(ValueError, match=r"row and column are 0 to 4.*got \(5, 0, 0, 0\)"):
            pictures.state_number(5, 0, 0, 0)
        with pytest.raises(ValueError, match=r"shape \(500,\), got \(25,\)"):
            pictures.draw_town(np.zeros(25), passenger=0, destination=1)
