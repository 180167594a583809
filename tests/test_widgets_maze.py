"""A person's walk through the maze, by keys and by buttons."""

import gymnasium as gym
import pytest
from IPython.testing.globalipapp import start_ipython
from IPython.utils.capture import capture_output

import course_lib.envs  # noqa: F401
from course_lib import widgets
from course_lib.envs.maze import MazeEnv
from course_lib.widgets.maze import MazePlay


@pytest.fixture(scope="module", autouse=True)
def shell():
    return start_ipython()


@pytest.mark.parametrize("keys", [("ArrowRight", "ArrowDown"), ("d", "s"), ("D", "S")])
def test_keys(keys: tuple[str, str]) -> None:
    game = MazePlay(MazeEnv("S..\n..C"))
    before = game.image.value
    for key in keys:
        game.press({"key": key})
    assert game.path == [(0, 0), (0, 1), (1, 1)]
    assert game.total == -2
    assert game.said.value == "Step 2: reward -1, return so far -2."
    assert game.image.value != before


@pytest.mark.parametrize("event", [{"key": "x"}, {"key": "Escape"}, {}])
def test_other_keys_do_nothing(event: dict) -> None:
    game = MazePlay(MazeEnv("S.C"))
    game.press(event)
    assert game.path == [(0, 0)]


def test_the_cheese_ends_the_game_and_it_can_start_again() -> None:
    game = MazePlay(gym.make("course/Maze-v0", maze="SC"))
    game.press({"key": "ArrowRight"})
    assert game.over
    assert "the best possible return is 20" in game.said.value
    game.press({"key": "ArrowRight"})
    assert len(game.path) == 2
    game.restart()
    assert (game.over, game.path, game.total) == (False, [(0, 0)], 0.0)


def test_buttons_move_and_restart() -> None:
    game = MazePlay(MazeEnv("S.C"))
    *moves, again = game.box.children[1].children
    moves[1].click()
    assert game.path == [(0, 0), (0, 1)]
    again.click()
    assert game.path == [(0, 0)]


def test_a_page_without_a_kernel_shows_the_maze() -> None:
    with capture_output() as captured:
        widgets.play_maze(MazeEnv("S.C"))
    (output,) = captured.outputs
    assert {"application/vnd.jupyter.widget-view+json", "image/png"} <= set(output.data)
