"""What all pictures share: colours, line styles, marks, new axes, floors and ceilings, legends."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

# Okabe and Ito's palette, told apart by most colour-blind readers; yellow is left out on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
GREY = "#666666"
DOTS, DASHES = (0, (1, 2)), (0, (6, 2))  # a floor, a ceiling
BESIDE: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}  # places of a legend
ABOVE: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1)}

Level = tuple[str, float]


def new_axes(ax: Axes | None, figsize: tuple[float, float] = (8, 3.5)) -> Axes:
    """Return ``ax``, or the axes of a new figure (inches) if there is none."""
    return plt.subplots(figsize=figsize, layout="constrained")[1] if ax is None else ax


def look(number: int) -> dict[str, Any]:
    """Return colour and line style of a series: both change, so colour is never the only cue."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": STYLES[number % len(STYLES)],
    }


def cells(height: int, width: int, ax: Axes | None, figsize: tuple[float, float]) -> Axes:
    """Return axes for a map of cells: (row, column), row 0 at the top, thin lines between."""
    ax = new_axes(ax, figsize)
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal")
    ax.set(xlabel="column", ylabel="row", xticks=range(width), yticks=range(height))
    ax.tick_params(which="both", length=0, labelsize="small")
    ax.set_xticks([column - 0.5 for column in range(width + 1)], minor=True)
    ax.set_yticks([row - 0.5 for row in range(height + 1)], minor=True)
    ax.grid(which="minor", color="#dddddd", linewidth=0.6)
    return ax


def fill(ax: Axes, row: int, column: int, colour: Any) -> str:
    """Colour a cell of a map; return the ink that is read well on it."""
    ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, edgecolor="white"))
    return "black" if np.dot(to_rgb(colour), (0.3, 0.6, 0.1)) > 0.5 else "white"


def mark(shape: str, *, filled: bool, size: float = 7) -> dict[str, Any]:
    """Return the look of single marks without a line: told apart by shape, filled or hollow."""
    face = "black" if filled else "white"
    edge = {"markersize": size, "markerfacecolor": face, "markeredgecolor": "black"}
    return {"linestyle": "none", "marker": shape, **edge}


def draw_levels(
    ax: Axes, floor: Level | None, ceiling: Level | None, words: str = "{}: {:g}"
) -> None:
    """Draw the line to beat and the best that is possible, each with its name and value."""
    for level, style in ((ceiling, DASHES), (floor, DOTS)):
        if level is not None:
            label = words.format(*level)
            ax.axhline(
                level[1], color=GREY, linestyle=style, linewidth=1.2, label=label, gid="level"
            )


def finish(ax: Axes, *, legend: bool = True, **place: Any) -> Axes:
    """Take away the upper and the right edge, and put a legend where ``place`` says."""
    ax.spines[["top", "right"]].set_visible(False)
    if legend and ax.get_legend_handles_labels()[0]:
        ax.legend(**{"frameon": False, "fontsize": "small", **place})
    return ax
