"""A person walks the maze, by arrow keys or by buttons."""

from typing import Any

import gymnasium as gym
import ipywidgets
from ipyevents import Event
from matplotlib.figure import Figure

from course_lib.plots.maze import draw_maze
from course_lib.widgets.explore import show_controls
from course_lib.widgets.live import picture

KEYS = {
    "ArrowUp": 0, "ArrowRight": 1, "ArrowDown": 2, "ArrowLeft": 3,
    "w": 0, "d": 1, "s": 2, "a": 3,
}  # fmt: skip
ARROWS = ("↑ up", "→ right", "↓ down", "← left")


class MazePlay:
    """Play a maze in the notebook.

    Point at the maze and use the arrow keys (or W, A, S, D), or press the buttons. The line under
    the maze tells the reward of each step and the return so far.

    Args:
        env: a maze environment, such as ``gymnasium.make("course/Maze-v0")``.
    """

    def __init__(self, env: gym.Env) -> None:
        self.env = env
        self.maze = env.unwrapped.maze  # type: ignore[attr-defined]
        self.image = ipywidgets.Image(format="png")
        self.image.layout = {"width": f"{55 * self.maze.width}px", "align_self": "flex-start"}
        self.said = ipywidgets.Label()
        buttons = [ipywidgets.Button(description=name) for name in ARROWS]
        for action, button in enumerate(buttons):
            button.on_click(lambda _, action=action: self.move(action))
        again = ipywidgets.Button(description="start again", icon="refresh")
        again.on_click(lambda _: self.restart())
        for button in (*buttons, again):
            button.layout.width = "8em"
        row = ipywidgets.HBox([*buttons, again], layout={"flex_flow": "row wrap"})
        self.box = ipywidgets.VBox([self.image, row, self.said])
        self.keys = Event(source=self.box, watched_events=["keydown"], prevent_default_action=True)
        self.keys.on_dom_event(self.press)
        self.restart()

    def show(self) -> None:
        """Display the game; a page without a kernel shows the maze as a picture."""
        show_controls(self.box, still=self.image.value)

    def restart(self) -> None:
        """Put the mouse back on the start."""
        _, info = self.env.reset()
        self.path = [info["cell"]]
        self.total, self.over = 0.0, False
        self._draw("Your turn: find the cheese in as few steps as you can.")

    def press(self, event: dict[str, Any]) -> None:
        """Take a key; keys that mean nothing here do nothing."""
        key = str(event.get("key", ""))
        action = KEYS.get(key, KEYS.get(key.lower()))
        if action is not None:
            self.move(action)

    def move(self, action: int) -> None:
        """Take one step, unless the episode is over."""
        if self.over:
            return
        _, reward, terminated, truncated, info = self.env.step(action)
        self.path.append(info["cell"])
        self.total += float(reward)
        self.over = terminated or truncated
        best = self.env.unwrapped.best_return  # type: ignore[attr-defined]
        said = f"Step {len(self.path) - 1}: reward {reward:+g}, return so far {self.total:g}."
        if self.over:
            said += f" The episode is over; the best possible return is {best:g}."
        self._draw(said)

    def _draw(self, said: str) -> None:
        def draw(figure: Figure) -> None:
            draw_maze(self.maze, mouse=self.path[-1], path=self.path, ax=figure.subplots())

        size = (0.5 * self.maze.width + 0.6, 0.5 * self.maze.height + 0.6)
        self.image.value = picture(draw, size)
        self.said.value = said


def play_maze(env: gym.Env) -> MazePlay:
    """Show a maze to walk by hand, and return the game."""
    game = MazePlay(env)
    game.show()
    return game
