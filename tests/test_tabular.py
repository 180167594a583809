"""Q-learning: the update by hand, the loop, many mice at once, and that they learn."""

import numpy as np
import pytest

from course_lib.agents import planning, tabular
from course_lib.envs.maze import MazeEnv
from course_lib.envs.maze_map import random_maze
from course_lib.envs.tables import SideBySide

GOOD = {"learning_rate": 0.5, "gamma": 0.95, "epsilon": 0.1}


def many(env: MazeEnv, seed: int, **changes: float) -> tuple[np.ndarray, np.ndarray]:
    size = {"num_seeds": 20, "num_episodes": 150}
    size.update({name: changes.pop(name) for name in size if name in changes})
    start, rng = env.maze.state(env.maze.start), np.random.default_rng(seed)
    world = SideBySide(env.model(), start, max_steps=env.max_steps, rng=rng, **size)
    return tabular.q_learning_many(world, **{**GOOD, **changes})


def path_lengths(tables: np.ndarray, env: MazeEnv) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.array([len(tabular.greedy_path(table, env, rng)) - 1 for table in tables])


def test_td_update_by_hand() -> None:
    after = np.array([1.0, 4.0])
    # target: 2 + 0.5 * 4 = 4; a quarter of the way from 0 to 4.
    assert tabular.td_update(0.0, 2.0, after, False, learning_rate=0.25, gamma=0.5) == 1.0
    assert tabular.td_update(0.0, 2.0, after, True, learning_rate=0.25, gamma=0.5) == 0.5


def test_a_path_of_two_by_hand() -> None:
    """In 'SC' the only way to 20 is one step; after n visits 20 (1 - 0.5^n) is known."""
    env = MazeEnv("SC")
    rng = np.random.default_rng(0)
    run = tabular.q_learning(
        env, num_episodes=3, learning_rate=0.5, gamma=0.9, epsilon=0.0, rng=rng,
        q_table=np.array([[-9.0, 0.0, -9.0, -9.0], [0.0] * 4]),
    )  # fmt: skip
    assert run.returns == [20.0, 20.0, 20.0]
    assert run.q_table[0, 1] == 17.5


def test_truncation_is_bootstrapped() -> None:
    env = MazeEnv("S.C", max_steps=1)
    table = np.array([[-9.0, 0.0, -9.0, -9.0], [0.0, 10.0, 0.0, 0.0], [0.0] * 4])
    tabular.learn_episode(
        env, table, learning_rate=1.0, gamma=0.9, epsilon=0.0, rng=np.random.default_rng(0)
    )
    assert table[0, 1] == pytest.approx(-1 + 0.9 * 10)


def test_truncation_is_bootstrapped_by_many() -> None:
    """One step per episode, always truncated: bumping into the wall costs -1 for ever."""
    env = MazeEnv("S.C", max_steps=1)
    tables, returns = many(env, 0, num_seeds=1, num_episodes=400, epsilon=1.0, learning_rate=1.0)
    # Going right leads to an unknown cell, worth 0: so -1. Bumping: -1 + 0.95 * -1.
    np.testing.assert_allclose(tables[0, 0], [-1.95, -1.0, -1.95, -1.95])
    assert set(returns.ravel()) == {-1.0}


def test_epsilon_greedy_breaks_ties() -> None:
    rng = np.random.default_rng(0)
    picks = [tabular.epsilon_greedy(np.array([1.0, 0.0, 1.0]), 0.0, rng) for _ in range(400)]
    assert 150 < picks.count(0) < 250
    assert picks.count(1) == 0


@pytest.mark.parametrize("seed", range(20))
def test_learned_path_is_the_shortest_path(seed: int) -> None:
    env = MazeEnv()
    run = tabular.q_learning(env, num_episodes=150, rng=np.random.default_rng(seed), **GOOD)
    assert path_lengths(run.q_table[None], env) == [env.maze.shortest_steps]


def test_every_one_of_200_mice_learns_the_shortest_path() -> None:
    env = MazeEnv()
    tables, _ = many(env, 1, num_seeds=200)
    assert np.all(path_lengths(tables, env) == env.maze.shortest_steps)


def test_random_mazes_are_learned_too() -> None:
    """Of 20 random mazes with traps at most one ends with a way that is not shortest."""
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(20):
        env = MazeEnv(random_maze(5, 6, rng, num_traps=2))
        tables, _ = many(env, int(rng.integers(2**31)), num_seeds=1, num_episodes=300)
        found += int(path_lengths(tables, env)[0] == env.maze.shortest_steps)
    assert found >= 19


def test_many_agrees_with_one() -> None:
    """The mean learning curves of 200 mice at once and of 40 one by one lie on each other."""
    env = MazeEnv()
    _, fast = many(env, 3, num_seeds=200, num_episodes=60)
    slow = np.array(
        [
            tabular.q_learning(
                env, num_episodes=60, rng=np.random.default_rng(seed), **GOOD
            ).returns
            for seed in range(40)
        ]
    )
    for part in (slice(0, 10), slice(10, 30), slice(30, 60)):
        one, other = fast[:, part].mean(axis=1), slow[:, part].mean(axis=1)
        error = np.hypot(one.std() / np.sqrt(one.size), other.std() / np.sqrt(other.size))
        assert abs(one.mean() - other.mean()) < 4 * error


def test_many_counts_every_episode() -> None:
    env = MazeEnv()
    _, returns = many(env, 0, num_seeds=5, num_episodes=30, epsilon=1.0)
    assert returns.shape == (5, 30)
    assert np.all((returns >= -env.max_steps) & (returns <= env.best_return))
    assert np.all(returns != 0)


def test_interrupt_keeps_what_was_learned(capsys: pytest.CaptureFixture[str]) -> None:
    def stop(run: tabular.Run) -> None:
        if len(run.returns) == 5:
            raise KeyboardInterrupt

    run = tabular.q_learning(
        MazeEnv(), num_episodes=100, rng=np.random.default_rng(0), on_episode=stop, **GOOD
    )
    assert len(run.returns) == 5
    assert np.any(run.q_table)
    assert "Stopped after 5 of 100 episodes" in capsys.readouterr().out


def test_interrupt_goes_on_where_the_table_is_the_callers() -> None:
    """So that a loop over agents ends, and not only the agent that learns."""

    def stop(run: tabular.Run) -> None:
        raise KeyboardInterrupt

    mine = np.zeros((MazeEnv().observation_space.n, 4))
    with pytest.raises(KeyboardInterrupt):
        tabular.q_learning(
            MazeEnv(), num_episodes=9, rng=np.random.default_rng(0), on_episode=stop,
            q_table=mine, **GOOD,
        )  # fmt: skip
    assert np.any(mine)


def test_same_seed_same_run() -> None:
    runs = [
        tabular.q_learning(MazeEnv(), num_episodes=20, rng=np.random.default_rng(seed), **GOOD)
        for seed in (4, 4, 5)
    ]
    assert runs[0].returns == runs[1].returns != runs[2].returns
    np.testing.assert_array_equal(runs[0].q_table, runs[1].q_table)


def test_random_returns_are_the_floor() -> None:
    rng = np.random.default_rng(0)
    floor = tabular.random_returns(MazeEnv(), num_episodes=100, rng=rng).mean()
    assert floor < MazeEnv().best_return - 50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 1.3}, r"epsilon must be in \[0, 1\], got 1.3"),
        ({"gamma": -0.1}, r"gamma must be in \[0, 1\], got -0.1"),
        ({"learning_rate": 2}, r"learning_rate must be in \[0, 1\], got 2"),
        ({"num_episodes": 0}, "num_episodes must be at least 1, got 0"),
    ],
)
def test_refuses(change: dict, message: str) -> None:
    arguments = {"num_episodes": 1, **GOOD, **change}
    with pytest.raises(ValueError, match=message):
        tabular.q_learning(MazeEnv(), rng=np.random.default_rng(0), **arguments)
    with pytest.raises(ValueError, match=message):
        many(MazeEnv(), 0, **arguments)


class TestBestValues:
    """V*, computed from the rules."""

    def test_worked_by_hand(self) -> None:
        values = planning.best_values(MazeEnv("S..C").model(), gamma=0.9)
        assert values[:3] == pytest.approx([14.3, 17, 20])

    def test_of_the_lesson(self) -> None:
        """What lesson 01 says of its maze."""
        env = MazeEnv()
        maze, values = env.maze, planning.best_values(env.model(), gamma=0.95)
        free = maze.find(".") + maze.find("S")
        assert min(values[maze.state(cell)] for cell in free) > 0
        assert values[maze.state((2, 2))] > values[maze.state(maze.start)] + 2
        ways = {cell: sum(maze.move(cell, a) != cell for a in range(4)) for cell in free}
        assert {cell for cell, way in ways.items() if way == 1} == {(2, 6), (3, 5), (5, 0), (5, 7)}
        text = [list(row) for row in maze.rows]
        text[2][0] = "#"
        other = MazeEnv("\n".join("".join(row) for row in text)).maze
        assert (2, 2) in other.shortest_path
        assert (other.shortest_steps, maze.shortest_steps) == (15, 13)

    def test_the_ledger_is_right_along_its_path_and_wrong_elsewhere(self) -> None:
        env = MazeEnv()
        truth = planning.best_values(env.model(), gamma=0.95)
        for seed in range(5):
            rng = np.random.default_rng(seed)
            run = tabular.q_learning(
                env, num_episodes=60, learning_rate=0.5, gamma=0.95, epsilon=0.1, rng=rng
            )
            known = run.q_table.max(axis=1)
            path = tabular.greedy_path(run.q_table, env, rng)[:-1]
            assert np.abs(known - truth)[path].max() < 0.2
            assert known[env.maze.state((2, 2))] < 0

    @pytest.mark.parametrize("gamma", [1.1, -0.1])
    def test_refuses(self, gamma: float) -> None:
        with pytest.raises(ValueError, match="gamma must be in"):
            planning.best_values(MazeEnv("SC").model(), gamma)


def test_an_interrupt_keeps_the_tables_of_many(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    env, calls = MazeEnv(), []

    def highest(q_values: np.ndarray) -> np.ndarray:
        calls.append(1)
        if len(calls) > 4_000:
            raise KeyboardInterrupt
        return q_values.max(axis=1)

    monkeypatch.setattr(tabular, "highest", highest)
    tables, returns = many(env, 0, num_seeds=3, num_episodes=500)
    assert 1 < returns.shape[1] < 500
    assert tables.any()
    assert f"Stopped after {returns.shape[1]} of 500 episodes" in capsys.readouterr().out
