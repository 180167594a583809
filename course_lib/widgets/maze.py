"""A person walks the maze, by arrow keys or by buttons, alone or against a mouse."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import gymnasium as gym
import ipywidgets
from matplotlib.figure import Figure

from course_lib import alt_text
from course_lib.envs.maze_map import Cell
from course_lib.plots.maze import draw_maze
from course_lib.widgets import page, walk
from course_lib.widgets.explore import show_controls

ARROWS = ("↑ up", "→ right", "↓ down", "← left")
RIVAL_INK = "#D55E00"
FOCUS = "<style>.course-maze-map:focus {outline: 3px solid #D55E00; outline-offset: -3px}</style>"


class MazePlay:
    """Play a maze in the notebook.

    Click on the maze and use the arrow keys (or W, A, S, D), or press the buttons. The line under
    the maze tells the reward of each step and the return so far. The maze is drawn once; a step
    only moves the mouse in the page.

    Args:
        env: a maze environment, such as ``gymnasium.make("course/Maze-v0")``.
        rival: cells of a walk to race against, from the start on; its mouse takes a step whenever
            the person takes one.
    """

    def __init__(self, env: gym.Env, *, rival: Sequence[Cell] = ()) -> None:
        self.env, self.rival = env, list(rival)
        self.maze = env.unwrapped.maze  # type: ignore[attr-defined]
        size = (0.6 * self.maze.width + 0.6, 0.6 * self.maze.height + 0.6)
        self.ground = walk.ground(self._draw_maze, size)
        self.picture = ipywidgets.HTML(
            FOCUS + alt_text.image(self.ground.png, self._in_words(), style=alt_text.WIDE)
        )
        self.mice, self.said = ipywidgets.HTML(), ipywidgets.Label()
        self.said.add_class("course-maze-said")
        for one in (self.picture, self.mice):
            one.layout = {"grid_area": "maze", "margin": "0"}
        area = {"grid_template_areas": '"maze"', "width": f"{self.ground.size[0]:g}px"}
        sheet = ipywidgets.GridBox([self.picture, self.mice], layout=area)
        sheet.add_class("course-maze-map")
        buttons = [ipywidgets.Button(description=name) for name in ARROWS]
        for action, button in enumerate(buttons):
            button.on_click(lambda _, action=action: self.move(action))
        again = ipywidgets.Button(description="start again", icon="refresh")
        again.on_click(lambda _: self.restart())
        for button in (*buttons, again):
            button.layout.width = "9em"
        row = ipywidgets.HBox([*buttons, again], layout={"flex_flow": "row wrap"})
        self.box = ipywidgets.VBox([sheet, row, self.said])
        self.box.add_class("course-maze")
        self.restart()

    def show(self) -> None:
        """Display the game; a page without a kernel shows the maze as a picture."""
        show_controls(self.box, still=self.ground.png)
        page.take_keys()

    def restart(self) -> None:
        """Put the mouse back on the start."""
        _, info = self.env.reset()
        self.path = [info["cell"]]
        self.total, self.over = 0.0, False
        self._say("Your turn: find the cheese in as few steps as you can.")

    def move(self, action: int) -> None:
        """Take one step, unless the episode is over."""
        if self.over:
            return
        _, reward, terminated, truncated, info = self.env.step(action)
        bump = ", a wall" if info["cell"] == self.path[-1] else ""
        self.path.append(info["cell"])
        self.total += float(reward)
        self.over = terminated or truncated
        said = (
            f"Step {len(self.path) - 1}: row {info['cell'][0]}, column {info['cell'][1]}{bump}, "
            f"reward {reward:+g}, return so far {self.total:g}."
        )
        self._say(said + self._result() if self.over else said)

    def _result(self) -> str:
        """Say how the episode compares."""
        steps = len(self.path) - 1
        if self.rival:
            total = _return_along(self.rival, self.env.unwrapped)
            return (
                f" You took {steps} steps and have {self.total:g}; "
                f"the mouse took {len(self.rival) - 1} and has {total:g}."
            )
        best = self.env.unwrapped.best_return  # type: ignore[attr-defined]
        return f" The episode is over; the best possible return is {best:g}."

    def _say(self, said: str) -> None:
        """Move the mice, then say what happened: whoever reads the line sees the mice there."""
        mice = [walk.mouse(self.ground, self.path)]
        if self.rival:
            behind = self.rival[: len(self.path)]
            mice.insert(0, walk.mouse(self.ground, behind, colour=RIVAL_INK, trail=False))
        self.mice.value = walk.layer(self.ground, *mice)
        self.said.value = said

    def _draw_maze(self, figure: Figure) -> None:
        draw_maze(self.maze, ax=figure.subplots())

    def _in_words(self) -> str:
        (row, column), (down, right) = self.maze.start, self.maze.cheese
        return (
            f"A maze of {self.maze.height} rows and {self.maze.width} columns; the start is at row "
            f"{row}, column {column}, the cheese at row {down}, column {right}."
        )


def _return_along(path: Sequence[Cell], env: Any) -> float:
    """Sum of the rewards of a walk."""
    _, reward, _ = env.model().outcomes()
    states = [env.maze.state(cell) for cell in path]
    actions = [
        next(a for a in range(4) if env.maze.move(here, a) == there)
        for here, there in pairwise(path)
    ]
    return float(sum(reward[state, action] for state, action in zip(states, actions, strict=False)))


def play_maze(env: gym.Env, *, rival: Sequence[Cell] = ()) -> MazePlay:
    """Show a maze to walk by hand, and return the game.

    Args:
        env: a maze environment.
        rival: cells of a walk to race against.
    """
    game = MazePlay(env, rival=rival)
    game.show()
    return game
