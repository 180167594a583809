"""The maze: its map, its rules, its pictures."""

import itertools
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.env_checker import check_env as check_env_sb3

from course_lib import plots
from course_lib.envs.maze import MazeEnv
from course_lib.envs.maze_map import CLASSIC, MazeMap, random_maze

UP, RIGHT, DOWN, LEFT = range(4)
SIZES = st.integers(1, 12)


def distances(maze: MazeMap) -> np.ndarray:
    """Steps from the start to each cell, by relaxing all cells until nothing changes."""
    far = np.full((maze.height, maze.width), np.inf)
    far[maze.start] = 0
    open_cells = [
        (r, c) for r in range(maze.height) for c in range(maze.width) if maze.rows[r][c] not in "#T"
    ]
    for _ in range(maze.num_states):
        for r, c in open_cells:
            beside = [(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)]
            near = [far[cell] for cell in beside if cell in open_cells]
            far[r, c] = min([far[r, c], *(value + 1 for value in near)])
    return far


def test_map_from_text() -> None:
    maze = MazeMap.from_text("S.T\n#.C\n")
    assert (maze.height, maze.width, maze.start, maze.cheese) == (2, 3, (0, 0), (1, 2))
    assert maze.shortest_path == [(0, 0), (0, 1), (1, 1), (1, 2)]
    assert maze.find("T") == [(0, 2)]
    assert [maze.state(cell) for cell in maze.shortest_path] == [0, 1, 4, 5]
    assert maze.cell(5) == (1, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the maze is empty"),
        ("S.\n..C", "row 2 of the maze has 3 cells and row 1 has 2"),
        ("S.x\n..C", "row 1, column 3 of the maze holds 'x'; use S start"),
        ("..C", "exactly one start .S., got 0"),
        ("S.S\n..C", "exactly one start .S., got 2"),
        ("S..", "exactly one cheese .C., got 0"),
        ("S#C", "no path leads from S to C"),
        ("STC", "no path leads from S to C around walls and traps"),
    ],
)
def test_map_refuses(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MazeMap.from_text(text)


@settings(max_examples=60)
@given(SIZES, SIZES, st.integers(0, 2**32 - 1), st.floats(0, 1), st.integers(0, 5))
def test_random_mazes_are_solvable_and_the_path_is_shortest(height, width, seed, walls, traps):
    if height * width < 2:
        return
    maze = random_maze(
        height, width, np.random.default_rng(seed), wall_share=walls, num_traps=traps
    )
    assert (maze.height, maze.width) == (height, width)
    path = maze.shortest_path
    assert (path[0], path[-1]) == (maze.start, maze.cheese)
    for (r, c), (r2, c2) in itertools.pairwise(path):
        assert abs(r - r2) + abs(c - c2) == 1
        assert maze.rows[r2][c2] not in "#T"
    assert maze.shortest_steps == distances(maze)[maze.cheese]


def test_random_maze_follows_its_seed() -> None:
    mazes = [random_maze(8, 9, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert mazes[0] == mazes[1] != mazes[2]


def test_traps_are_placed() -> None:
    maze = random_maze(8, 9, np.random.default_rng(0), wall_share=0.1, num_traps=3)
    assert len(maze.find("T")) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"height": 0, "width": 3}, "at least two cells"),
        ({"height": 1, "width": 1}, "at least two cells"),
        ({"height": 3, "width": 3, "wall_share": 1.5}, r"wall_share must be in \[0, 1\], got 1.5"),
        ({"height": 3, "width": 3, "num_traps": -1}, "num_traps must be at least 0"),
    ],
)
def test_random_maze_refuses(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        random_maze(**arguments, rng=np.random.default_rng(0))


@pytest.mark.parametrize("render_mode", [None, "ansi", "rgb_array"])
def test_checkers_have_nothing_to_say(render_mode: str | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make("course/Maze-v0", render_mode=render_mode).unwrapped)
        check_env_sb3(MazeEnv("S.T\n..C", render_mode=render_mode))


def test_rules() -> None:
    env = MazeEnv("S.T\n..C")
    assert env.reset(seed=0) == (0, {"cell": (0, 0)})
    assert env.step(UP) == (0, -1.0, False, False, {"cell": (0, 0)})
    assert env.step(RIGHT) == (1, -1.0, False, False, {"cell": (0, 1)})
    assert env.step(RIGHT) == (2, -20.0, True, False, {"cell": (0, 2)})
    env.reset()
    env.step(DOWN)
    env.step(RIGHT)
    assert env.step(RIGHT) == (5, 20.0, True, False, {"cell": (1, 2)})
    assert env.best_return == 18


def test_time_limit_truncates() -> None:
    env = MazeEnv("S.C", max_steps=2)
    env.reset()
    assert env.step(LEFT)[2:4] == (False, False)
    assert env.step(LEFT)[2:4] == (False, True)
    env.reset()
    env.step(RIGHT)
    assert env.step(RIGHT)[2:4] == (True, False), "the cheese in the last step is an end by rule"


def test_a_trap_must_not_pay() -> None:
    way = "S" + "." * 40 + "C"
    MazeEnv(way)
    with pytest.raises(ValueError, match="41 steps, so a trap pays better"):
        MazeEnv(f"{way}\n{'T' * len(way)}")


@pytest.mark.parametrize("action", [4, -1, 1.5, "up"])
def test_unknown_action(action: object) -> None:
    env = MazeEnv()
    env.reset()
    with pytest.raises(ValueError, match="action must be 0 up"):
        env.step(action)


def test_same_actions_same_walk() -> None:
    walks = []
    for _ in range(2):
        env = gym.make("course/Maze-v0")
        env.action_space.seed(3)
        walk = [env.reset(seed=3)]
        walk += [env.step(env.action_space.sample()) for _ in range(50)]
        walks.append(walk)
    assert walks[0] == walks[1]


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_model_agrees_with_walking(seed: int) -> None:
    rng = np.random.default_rng(seed)
    env = MazeEnv(random_maze(5, 6, rng, num_traps=2))
    next_state, reward, terminated = env.model().outcomes()
    obs, _ = env.reset()
    for _ in range(100):
        action = int(rng.integers(4))
        expected = (next_state[obs, action], reward[obs, action], terminated[obs, action])
        obs, *rest = env.step(action)
        assert (obs, *rest[:2]) == expected
        if rest[1] or rest[2]:
            obs, _ = env.reset()


def test_renders_text_and_pictures() -> None:
    env = MazeEnv("S.T\n#.C", render_mode="ansi")
    env.reset()
    env.step(RIGHT)
    assert env.render() == "SMT\n#.C\n"
    env = MazeEnv(CLASSIC, render_mode="rgb_array")
    env.reset()
    before = env.render()
    env.step(RIGHT)
    after = env.render()
    assert before.shape == (6 * 24, 8 * 24, 3)
    assert before.dtype == np.uint8
    assert not np.array_equal(before, after)
    with pytest.raises(ValueError, match=r"render_mode must be None, .*got .human."):
        MazeEnv(render_mode="human")


class TestPlots:
    """What is drawn is what the table says."""

    def test_maze(self) -> None:
        maze = MazeMap.from_text("S.T\n#.C")
        ax = plots.draw_maze(maze, mouse=(0, 1), path=[(0, 0), (0, 1)])
        assert len(ax.patches) == 3, "one wall, the cheese, the mouse"
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("column", "row")

    def test_policy_draws_what_is_known(self) -> None:
        maze = MazeMap.from_text("S..\n#.C")
        table = np.zeros((6, 4))
        table[0, RIGHT], table[4, RIGHT] = 3.0, 20.0
        ax = plots.draw_policy(table, maze)
        (faces,) = ax.collections
        assert sorted(faces.get_array()) == [0, 0, 0, 0, 0, 0, 3, 20]
        arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
        assert len(arrows) == 2

    def test_policy_checks_the_shape(self) -> None:
        with pytest.raises(ValueError, match=r"q_table must have shape \(6, 4\), got \(4, 6\)"):
            plots.draw_policy(np.zeros((4, 6)), MazeMap.from_text("S..\n#.C"))


def test_cells_hold_their_numbers() -> None:
    maze = MazeEnv("S.#\n..C").maze
    ax = plots.draw_cells(np.arange(6.0), maze, words="{:.0f}")
    numbers = {text.get_text(): text.get_position() for text in ax.texts}
    assert numbers["3"] == (0, 1)
    assert not {"2", "5"} & set(numbers)
    with pytest.raises(ValueError, match="values must have shape"):
        plots.draw_cells(np.zeros(5), maze)
