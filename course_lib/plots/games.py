"""Pictures of lesson 06: the lake, the cliff, how far a target looks, and boards."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.plots.curves import plot_band
from course_lib.plots.maze import ARROW
from course_lib.plots.style import cells, fill, look

WATER, GOAL, CLIFF = "#56B4E9", "#E69F00", "#444444"
ON_THE_LAKE = ((0, -1), (1, 0), (0, 1), (-1, 0))  # left, down, right, up as (rows, columns)
CLIFF_SHAPE = (4, 12)


def draw_lake(
    rows: Sequence[str], values: np.ndarray, policy: np.ndarray, *, ax: Axes | None = None
) -> Axes:
    """Draw a lake with a number and an arrow in each cell; holes are blue.

    Args:
        rows: the map, of S, F, H and G.
        values: shape (num_states,), in [0, 1].
        policy: the action in each state, 0 left, 1 down, 2 right, 3 up.
        ax: axes to draw on; new ones if not given.

    Raises:
        ValueError: if there is not one value and one action for each cell.
    """
    height, width = len(rows), len(rows[0])
    if np.shape(values) != (height * width,) or np.shape(policy) != (height * width,):
        raise ValueError(
            f"values and policy must have shape ({height * width},), got {np.shape(values)} and "
            f"{np.shape(policy)}"
        )
    ax = cells(height, width, ax, (0.75 * width + 0.8, 0.75 * height + 0.8))
    for state, held in enumerate("".join(rows)):
        row, column = divmod(state, width)
        shade = {"H": WATER, "G": GOAL}.get(held) or colormaps["viridis"](float(values[state]))
        ink = fill(ax, row, column, shade)
        if held in "HG":
            _write({"H": "hole", "G": "goal"}[held], row, column, "black", ax)
            continue
        _write(("S " if held == "S" else "") + f"{values[state]:.2f}", row + 0.32, column, ink, ax)
        down, right = 0.22 * np.array(ON_THE_LAKE[int(policy[state])])
        head, tail = (column + right, row - 0.12 + down), (column - right, row - 0.12 - down)
        ax.annotate("", head, tail, arrowprops=ARROW, zorder=5)
    return ax


def draw_cliff(walks: Mapping[str, Sequence[int]], *, ax: Axes | None = None) -> Axes:
    """Draw walks beside the cliff.

    Args:
        walks: name -> the states of a walk, 0 to 47, row by row from the top left.
        ax: axes to draw on; new ones if not given.
    """
    height, width = CLIFF_SHAPE
    ax = cells(height, width, ax, (8, 3.2))
    for column in range(1, width - 1):
        fill(ax, height - 1, column, CLIFF)
    _write("the cliff: -100, and back to the start", height - 1, 5.5, "white", ax)
    for name, column in (("start", 0), ("goal", width - 1)):
        _write(name, height - 0.7, column, "black", ax)
    for number, (name, states) in enumerate(walks.items()):
        rows, columns = np.unravel_index(np.asarray(states, int), CLIFF_SHAPE)
        shift = 0.12 * (number - (len(walks) - 1) / 2)
        ax.plot(columns + shift, rows + shift, **look(number), linewidth=3, zorder=4,
                label=f"{name}: {len(states) - 1} steps")  # fmt: skip
    if walks:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
    return ax


def plot_look_ahead(figure: Figure, curves: Mapping[str, np.ndarray], truth: float) -> None:
    """Draw what learners think of the start, in a panel for each kind of target.

    Args:
        figure: an empty figure.
        curves: name of the target -> shape (num_seeds, num_episodes).
        truth: what the start is worth.
    """
    axes = figure.subplots(1, len(curves), sharey=True)
    for ax, (name, found) in zip(np.atleast_1d(axes), curves.items(), strict=True):
        plot_band(found, ceiling=("truth", round(truth, 3)), ylabel="value of the start", ax=ax)
        episodes = np.arange(1, found.shape[1] + 1)
        ax.plot(episodes, found.mean(axis=0), color="black", linewidth=1, label="their mean")
        ax.legend(frameon=False, fontsize="small", loc="lower right")
        ax.set(title=name, ylim=(-0.05, 1.3))


def draw_boards(
    boards: Sequence[np.ndarray], *, figure: Figure, titles: Sequence[str] = (),
    worth: np.ndarray | None = None,
) -> None:  # fmt: skip
    """Draw boards of tic-tac-toe beside each other.

    Args:
        boards: each of shape (9,): 0 free, 1 X, 2 O.
        figure: an empty figure.
        titles: one for each board.
        worth: shape (9,), written into the free squares of the last board; NaN is left out.
    """
    axes = np.atleast_1d(figure.subplots(1, len(boards)))
    for number, (ax, board) in enumerate(zip(axes, boards, strict=True)):
        cells(3, 3, ax, (2, 2))
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
        for square, mark in enumerate(board):
            row, column = divmod(square, 3)
            if mark:
                ink = look(int(mark) - 1)["color"]
                ax.text(column, row, ".XO"[mark], ha="center", va="center", fontsize=20, color=ink)
            elif worth is not None and number == len(boards) - 1 and not np.isnan(worth[square]):
                _write(f"{worth[square]:.2f}", row, column, "black", ax)
        if titles:
            ax.set_title(titles[number], fontsize=9)


def _write(text: str, row: float, column: float, colour: str, ax: Axes) -> None:
    ax.text(column, row, text, ha="center", va="center", fontsize=9, color=colour, zorder=6)
