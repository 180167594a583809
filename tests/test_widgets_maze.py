"""A person walks the maze, alone or against a mouse, and mice walk over pictures of it."""

import re
import time

import gymnasium as gym
import numpy as np
import pytest
from IPython.core.getipython import get_ipython
from IPython.testing.globalipapp import start_ipython
from IPython.utils.capture import capture_output
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import course_lib.envs  # noqa: F401
from course_lib import plots, widgets
from course_lib.envs.maze import Footprints, MazeEnv
from course_lib.widgets import maze as played
from course_lib.widgets import page, walk
from course_lib.widgets.maze import MazePlay

RIGHT, DOWN = 1, 2


@pytest.fixture(scope="module", autouse=True)
def shell():
    return start_ipython() or get_ipython()


def test_a_step_moves_the_mouse_and_says_so() -> None:
    game = MazePlay(MazeEnv("S..\n..C"))
    before = game.mice.value
    for action in (RIGHT, DOWN):
        game.move(action)
    assert game.path == [(0, 0), (0, 1), (1, 1)]
    assert game.total == -2
    assert game.said.value == "Step 2: row 1, column 1, reward -1, return so far -2."
    assert game.mice.value != before
    game.move(DOWN)
    assert "row 1, column 1, a wall, reward -1" in game.said.value


def test_the_cheese_ends_the_game_and_it_can_start_again() -> None:
    game = MazePlay(gym.make("course/Maze-v0", maze="SC"))
    game.move(RIGHT)
    assert game.over
    assert "the best possible return is 20" in game.said.value
    game.move(RIGHT)
    assert len(game.path) == 2
    game.restart()
    assert (game.over, game.path, game.total) == (False, [(0, 0)], 0.0)


def test_the_rival_takes_a_step_for_each_of_the_person() -> None:
    game = MazePlay(MazeEnv("S.C\n..."), rival=[(0, 0), (0, 1), (0, 2)])
    place = re.compile(played.RIVAL_INK + r'" transform="translate\((.+?),(.+?)\)"')
    for action, column in ((DOWN, 1), (RIGHT, 2), (RIGHT, 2)):
        game.move(action)
        found = [float(number) for number in place.search(game.mice.value).groups()]  # type: ignore[union-attr]
        assert found == pytest.approx(game.ground.at((0, column)), abs=0.1)
    game.move(0)
    assert "You took 4 steps and have 17; the mouse took 2 and has 19." in game.said.value


def test_buttons_move_and_restart() -> None:
    game = MazePlay(MazeEnv("S.C"))
    *moves, again = game.box.children[1].children
    moves[1].click()
    assert game.path == [(0, 0), (0, 1)]
    again.click()
    assert game.path == [(0, 0)]


def test_a_step_costs_far_less_than_a_tenth_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    game = MazePlay(gym.make("course/Maze-v0"))
    monkeypatch.setattr(walk, "picture", None)  # a step must not draw the maze again
    began = time.perf_counter()
    for _ in range(30):
        game.move(RIGHT)
    assert (time.perf_counter() - began) / 30 < 0.02


def test_a_page_without_a_kernel_shows_the_maze() -> None:
    with capture_output() as captured:
        widgets.play_maze(MazeEnv("S.C"))
    output, script = captured.outputs
    assert {"application/vnd.jupyter.widget-view+json", "image/png"} <= set(output.data)
    assert "course-maze" in script.data["application/javascript"]
    assert script.data["text/plain"] == ""


def test_what_the_script_looks_for_is_there() -> None:
    """The script finds maze, line and buttons by class, and presses buttons by their order."""
    game = MazePlay(MazeEnv("S.C\n..."))
    sheet, row, said = game.box.children
    assert "course-maze" in game.box._dom_classes
    assert "course-maze-map" in sheet._dom_classes
    assert "course-maze-said" in said._dom_classes
    moves = dict(re.findall(r"(\w+): (\d)", page._MOVES))
    for key, action in moves.items():
        words = {"Up": 0, "w": 0, "Right": 1, "d": 1, "Down": 2, "s": 2, "Left": 3, "a": 3}
        assert int(action) == words[key.removeprefix("Arrow")]
    assert [button.description[2:] for button in row.children[:4]] == list(MazeEnv.ACTION_NAMES)


def test_pictures_have_words() -> None:
    game = MazePlay(MazeEnv("S.C"))
    words = "A maze of 1 rows and 3 columns; the start is at row 0, column 0, the cheese at row 0"
    assert f'alt="{words}' in game.picture.value
    with capture_output() as captured:
        widgets.show_walk(lambda figure: plots.draw_maze(MazeEnv("S.C").maze, ax=figure.subplots()),
                          (3, 2), [(0, 0), (0, 1), (0, 2)])  # fmt: skip
    (output,) = captured.outputs
    assert 'alt="A mouse walks 2 steps, from (0, 0) to (0, 2)."' in output.data["text/html"]
    assert "<animateMotion" in output.data["text/html"]
    assert "image/png" in output.data


def test_the_mouse_stands_where_the_picture_has_its_cell() -> None:
    """Looked at in the picture itself: the middle of the cheese is orange."""
    maze = MazeEnv("S..\n...\n..C").maze

    def draw(figure: Figure) -> None:
        plots.draw_maze(maze, ax=figure.subplots())

    import io

    import matplotlib.image

    ground = walk.ground(draw, (4, 3.5))
    pixels = matplotlib.image.imread(io.BytesIO(ground.png))
    x, y = (round(number) for number in ground.at(maze.cheese))
    assert np.allclose(pixels[y, x, :3], to_rgb("#E69F00"), atol=0.02)


def test_a_live_walk_is_played_and_replaced() -> None:
    def draw(figure: Figure, number: int) -> None:
        plots.draw_maze(MazeEnv("S.C").maze, ax=figure.subplots())

    with (
        capture_output() as captured,
        widgets.LiveWalk(draw, figsize=(3, 2), min_interval_s=0) as live,
    ):
        live.update(1, [(0, 0), (0, 1)])
        live.update(2, [(0, 0), (0, 1), (0, 2)])
    assert "latest walk: 2 steps, to (0, 2)" in captured.outputs[-1].data["text/html"]


def test_footprints() -> None:
    env = Footprints(MazeEnv("S.C"))
    env.reset()
    for action in (0, 1, 1):
        env.step(action)
    assert env.path == [(0, 0), (0, 0), (0, 1), (0, 2)]
    assert env.visits.tolist() == [1, 1, 1]
    env.reset()
    assert env.path == [(0, 0)]
    assert env.visits.sum() == 3


def test_sliders_get_names_and_their_picture_words() -> None:
    import ipywidgets

    with capture_output() as captured:
        widgets.explore(
            lambda figure, alpha: figure.subplots().set_title(f"alpha {alpha:g}"),
            alpha=ipywidgets.FloatSlider(value=0.5, max=1),
        )
    assert any(
        'alt="Picture. alpha 0.5"' in out.data.get("text/html", "") for out in captured.outputs
    )
    scripts = [out.data.get("application/javascript", "") for out in captured.outputs]
    assert any("aria-label" in script for script in scripts)
