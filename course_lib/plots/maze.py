"""The maze, the table over it, and the policy as arrows."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.patches import Circle, Polygon, Rectangle
from matplotlib.patheffects import withStroke

from course_lib.envs.maze_map import CHEESE, FREE, MOVES, START, TRAP, WALL, Cell, MazeMap
from course_lib.plots.curves import plot_returns
from course_lib.plots.style import cells, fill

WALL_INK, MOUSE_INK, CHEESE_INK, TRAP_INK = "#444444", "#0072B2", "#E69F00", "#D55E00"
ARROW = {
    "arrowstyle": "simple,head_width=0.9,head_length=0.7,tail_width=0.25", "facecolor": "black",
    "edgecolor": "white", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0,
}  # fmt: skip
CORNERS = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])


def draw_maze(
    maze: MazeMap, *, mouse: Cell | None = None, path: list[Cell] | None = None,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw the maze; walls dark, S the start, a triangle for the cheese, a cross for a trap.

    Args:
        maze: the map.
        mouse: (row, column) of the mouse, a blue disc.
        path: cells walked, drawn as a line through their middles.
        ax: axes to draw on; new ones if not given.
    """
    ax = _floor(maze, ax)
    _furnish(maze, ax)
    if path:
        rows, columns = np.array(path).T
        ax.plot(columns, rows, color=MOUSE_INK, linewidth=3, alpha=0.6, zorder=2)
    if mouse is not None:
        ax.add_patch(Circle((mouse[1], mouse[0]), 0.3, color=MOUSE_INK, zorder=2.5))
    return ax


def draw_policy(q_table: np.ndarray, maze: MazeMap, *, ax: Axes | None = None) -> Axes:
    """Draw the table over the maze: four triangles per cell, and an arrow for the best action.

    Each triangle is one q-value, of the action that points to it; bright is high. A cell gets its
    arrow once its q-values differ; several arrows are equally good.

    Args:
        q_table: shape (num_states, 4).
        maze: the map.
        ax: axes to draw on; new ones if not given.

    Raises:
        ValueError: if the table's shape does not fit the maze.
    """
    if q_table.shape != (maze.num_states, len(MOVES)):
        raise ValueError(
            f"q_table must have shape {(maze.num_states, len(MOVES))}, got {q_table.shape}"
        )
    ax = _floor(maze, ax)
    closed = {cell for symbol in (WALL, CHEESE, TRAP) for cell in maze.find(symbol)}
    cells = [(r, c) for r in range(maze.height) for c in range(maze.width) if (r, c) not in closed]
    known = [cell for cell in cells if np.any(q_table[maze.state(cell)])]
    triangles, values = [], []
    for row, column in known:
        for action in range(len(MOVES)):
            corners = CORNERS[[action, (action + 1) % 4]] + (column, row)
            triangles.append([(column, row), *corners])
            values.append(q_table[maze.state((row, column)), action])
    if values:
        scale = Normalize(-20, 20)  # the same colours in every picture
        faces = PolyCollection(triangles, cmap="viridis", norm=scale, edgecolor="white", lw=0.4)
        faces.set_array(np.array(values))
        ax.add_collection(faces)
        ax.figure.colorbar(faces, ax=ax, label="q-value", shrink=0.8)
    _furnish(maze, ax)
    for cell in known:
        _arrows(q_table[maze.state(cell)], cell, ax)
    return ax


def draw_cells(
    values: np.ndarray, maze: MazeMap, *, ax: Axes | None = None, cmap: str = "viridis",
    limits: tuple[float, float] | None = (-20, 20), words: str = "{:.1f}",
) -> Axes:  # fmt: skip
    """Draw one number in each free cell, and colour the cell by it.

    Args:
        values: shape (num_states,).
        maze: the map.
        ax: axes to draw on; new ones if not given.
        cmap: matplotlib's name of the colours.
        limits: values of the darkest and the brightest colour; those that occur if None.
        words: how a value is written.

    Raises:
        ValueError: if there is not one value for each cell.
    """
    if values.shape != (maze.num_states,):
        raise ValueError(f"values must have shape {(maze.num_states,)}, got {values.shape}")
    ax = _floor(maze, ax)
    free = [cell for symbol in (FREE, START) for cell in maze.find(symbol)]
    numbers = np.array([values[maze.state(cell)] for cell in free], dtype=float)
    scale = Normalize(*(limits or (float(numbers.min()), float(numbers.max()))))
    for (row, column), number in zip(free, numbers, strict=True):
        ink = fill(ax, row, column, colormaps[cmap](scale(number)))
        text = words.format(number)
        ax.text(column, row, text, ha="center", va="center", fontsize=9, color=ink, zorder=6)
    _furnish(maze, ax)
    return ax


def draw_learning(
    figure: plt.Figure, q_table: np.ndarray, maze: MazeMap, returns: np.ndarray, *,
    num_episodes: int, floor: tuple[str, float], ceiling: tuple[str, float],
) -> None:  # fmt: skip
    """Draw a run in progress: the policy over the maze, and the returns so far beside it.

    Args:
        figure: an empty figure.
        q_table: shape (num_states, 4).
        maze: the map.
        returns: of the episodes so far, shape (T,).
        num_episodes: how many there will be; the width of the right picture.
        floor: (name, value) of the line to beat.
        ceiling: (name, value) of the best that is possible.
    """
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    draw_policy(q_table, maze, ax=left)
    left.set_title(f"after {len(returns)} of {num_episodes} episodes")
    plot_returns(returns, window=1, ax=right, floor=floor, ceiling=ceiling)
    right.set(xlim=(0, num_episodes))


def _floor(maze: MazeMap, ax: Axes | None) -> Axes:
    return cells(maze.height, maze.width, ax, (0.55 * maze.width + 0.6, 0.55 * maze.height + 0.6))


def _furnish(maze: MazeMap, ax: Axes) -> None:
    """Draw walls, cheese, traps and the start's letter."""
    for row, column in maze.find(WALL):
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color=WALL_INK))
    for row, column in maze.find(CHEESE):
        corners = [(column, row - 0.3), (column + 0.35, row + 0.3), (column - 0.35, row + 0.3)]
        ax.add_patch(Polygon(corners, facecolor=CHEESE_INK, edgecolor="black", zorder=3))
    for row, column in maze.find(TRAP):
        ax.plot(column, row, marker="X", markersize=14, color=TRAP_INK, mec="black", zorder=3)
    for row, column in maze.find(START):
        letter = ax.text(column - 0.44, row - 0.4, "S", fontsize="small", fontweight="bold")
        letter.set(va="top", zorder=6, path_effects=[withStroke(linewidth=2, foreground="white")])


def _arrows(q_values: np.ndarray, cell: Cell, ax: Axes) -> None:
    best = np.flatnonzero(np.isclose(q_values, q_values.max()))
    for action in best if len(best) < len(q_values) else ():
        down, right = 0.32 * np.array(MOVES[action])
        head, tail = (cell[1] + right, cell[0] + down), (cell[1] - right, cell[0] - down)
        ax.annotate("", head, tail, arrowprops=ARROW, zorder=5)
