"""A mouse looks for cheese in a maze."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Discrete

from course_lib.envs.maze_map import CHEESE, CLASSIC, MOVES, TRAP, WALL, MazeMap
from course_lib.envs.tables import Model

CELL_PIXELS = 24
INK = {WALL: (64, 64, 64), ".": (245, 245, 240), "S": (225, 225, 215)}


class MazeEnv(gym.Env):
    """A mouse looks for cheese in a maze, in as few steps as it can.

    ## Description
    The mouse stands on a cell of a rectangular maze and moves one cell at a time. At a wall or at
    the edge it stays where it is, and the step counts all the same.

    ## Action Space
    ``Discrete(4)``: 0 up, 1 right, 2 down, 3 left.

    ## Observation Space
    ``Discrete(height * width)``: the number of the mouse's cell, row by row from 0 at the top left.

    ## Rewards
    -1 for every step, but +20 for the step onto the cheese and -20 for the step onto a trap. The
    best return is ``env.unwrapped.best_return``: 20 minus the steps of a shortest path before the
    last.

    ## Starting State
    The mouse stands on ``S``.

    ## Episode End
    Terminated on the cheese and on a trap. Truncated after ``max_steps`` steps.

    ## Information
    ``reset`` and ``step`` return ``{"cell": (row, column)}``.

    ## Arguments
    * ``maze``: a :class:`MazeMap`, or its text (``S`` start, ``C`` cheese, ``#`` wall, ``T`` trap,
      ``.`` free).
    * ``max_steps``: at least 1; twice the number of cells if not given.
    * ``render_mode``: ``"rgb_array"``, ``"ansi"`` or None.

    Nothing in the maze is random, so a seed changes nothing but ``env.np_random``.
    """

    metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 8}  # noqa: RUF012
    STEP_REWARD, CHEESE_REWARD, TRAP_REWARD = -1.0, 20.0, -20.0
    ACTION_NAMES = ("up", "right", "down", "left")

    def __init__(
        self,
        maze: MazeMap | str = CLASSIC,
        *,
        max_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        """Make the environment; see the class for the arguments.

        Raises:
            ValueError: if the map, ``max_steps`` or ``render_mode`` cannot be used.
        """
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(
                f"render_mode must be None, 'ansi' or 'rgb_array', got {render_mode!r}"
            )
        if max_steps is not None and max_steps < 1:
            raise ValueError(f"max_steps must be at least 1, got {max_steps}")
        self.maze = MazeMap.from_text(maze) if isinstance(maze, str) else maze
        self.max_steps = 2 * self.maze.num_states if max_steps is None else max_steps
        if self.maze.find(TRAP) and self.best_return <= self.TRAP_REWARD:
            raise ValueError(
                f"the shortest way has {self.maze.shortest_steps} steps, so a trap pays better; "
                "draw a smaller maze or leave the traps out"
            )
        self.render_mode = render_mode
        self.observation_space = Discrete(self.maze.num_states)
        self.action_space = Discrete(len(MOVES))
        self._cell = self.maze.start
        self._num_steps = 0

    @property
    def best_return(self) -> float:
        """Return of an episode along a shortest path."""
        return self.CHEESE_REWARD + self.STEP_REWARD * (self.maze.shortest_steps - 1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Put the mouse on the start."""
        super().reset(seed=seed)
        self._cell, self._num_steps = self.maze.start, 0
        return self.maze.state(self._cell), {"cell": self._cell}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Move one cell.

        Raises:
            ValueError: if ``action`` is not 0, 1, 2 or 3.
        """
        if not self.action_space.contains(action):
            raise ValueError(f"action must be 0 up, 1 right, 2 down or 3 left, got {action!r}")
        self._cell, reward, terminated = self._outcome(self._cell, int(action))
        self._num_steps += 1
        truncated = not terminated and self._num_steps >= self.max_steps
        info = {"cell": self._cell}
        return self.maze.state(self._cell), reward, terminated, truncated, info

    def _outcome(self, cell: tuple[int, int], action: int) -> tuple[tuple[int, int], float, bool]:
        """Next cell, reward, and whether the episode terminates there."""
        cell = self.maze.move(cell, action)
        held = self.maze.rows[cell[0]][cell[1]]
        rewards = {CHEESE: self.CHEESE_REWARD, TRAP: self.TRAP_REWARD}
        return cell, rewards.get(held, self.STEP_REWARD), held in rewards

    def model(self) -> Model:
        """The rules of the maze as tables, for planning and for many mice at once.

        Rows of walls, cheese and traps are never entered or left.
        """
        shape = (self.maze.num_states, len(MOVES))
        next_state = np.zeros(shape, dtype=np.int64)
        reward, terminated = np.zeros(shape), np.zeros(shape, dtype=bool)
        for state in range(shape[0]):
            for action in range(shape[1]):
                cell, gain, ends = self._outcome(self.maze.cell(state), action)
                next_state[state, action] = self.maze.state(cell)
                reward[state, action], terminated[state, action] = gain, ends
        return Model.certain(next_state, reward, terminated)

    def render(self) -> np.ndarray | str | None:  # type: ignore[override]
        """The maze with the mouse in it: text, or a picture of shape (height, width, 3)."""
        if self.render_mode == "ansi":
            rows = [list(row) for row in self.maze.rows]
            rows[self._cell[0]][self._cell[1]] = "M"
            return "\n".join("".join(row) for row in rows) + "\n"
        if self.render_mode == "rgb_array":
            return self._picture()
        return None

    def _picture(self) -> np.ndarray:
        size = CELL_PIXELS
        picture = np.zeros((self.maze.height * size, self.maze.width * size, 3), dtype=np.uint8)
        y, x = np.mgrid[0:size, 0:size] / (size - 1) - 0.5
        triangle = (y > 2 * np.abs(x) - 0.4) & (y < 0.35)
        cross = (np.abs(np.abs(x) - np.abs(y)) < 0.1) & (np.abs(x) < 0.35)
        disc = x**2 + y**2 < 0.3**2
        for row, text in enumerate(self.maze.rows):
            for column, held in enumerate(text):
                tile = np.full((size, size, 3), INK.get(held, INK["."]), dtype=np.uint8)
                if held == CHEESE:
                    tile[triangle] = (230, 159, 0)
                if held == TRAP:
                    tile[cross] = (213, 94, 0)
                if (row, column) == self._cell:
                    tile[disc] = (0, 114, 178)
                tile[0, :] = tile[:, 0] = (200, 200, 200)
                picture[row * size : (row + 1) * size, column * size : (column + 1) * size] = tile
        return picture


class Footprints(gym.Wrapper):
    """A maze that remembers where the mouse was.

    Attributes:
        path: cells (row, column) of the latest walk, the start included.
        visits: how often each cell was stood on after a step, shape (num_states,).
    """

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        self.maze = env.unwrapped.maze  # type: ignore[attr-defined]
        self.path: list[tuple[int, int]] = [self.maze.start]
        self.visits = np.zeros(self.maze.num_states, dtype=int)

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Begin a new walk."""
        obs, info = self.env.reset(**options)
        self.path = [info["cell"]]
        return obs, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step, and remember where it led."""
        outcome = self.env.step(action)
        self.path.append(outcome[4]["cell"])
        self.visits[outcome[0]] += 1
        return outcome
