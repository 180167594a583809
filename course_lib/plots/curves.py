"""Learning curves and outcomes of several seeds, with levels to read them against."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython.core.getipython import get_ipython
from IPython.display import display
from matplotlib.axes import Axes

from course_lib import alt_text
from course_lib.errors import CourseError
from course_lib.plots.style import (
    ABOVE,
    COLOURS,
    DASHES,
    GREY,
    Level,
    draw_levels,
    finish,
    look,
    mark,
    new_axes,
)  # fmt: skip


class NothingToDrawError(CourseError, ValueError):
    """The cell that makes what is to be drawn was stopped before there was any."""


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of the last ``window`` values, over fewer at the start.

    Args:
        values: shape (..., T).
        window: at least 1.

    Returns:
        Array of the shape of ``values``.

    Raises:
        ValueError: if ``window`` is below 1.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    values = np.asarray(values, dtype=float)
    total = np.cumsum(values, axis=-1)
    total[..., window:] = total[..., window:] - total[..., :-window].copy()
    count = np.minimum(np.arange(1, values.shape[-1] + 1), window)
    return total / count


def plot_returns(
    returns: Sequence[float] | np.ndarray, *, x: Sequence[float] | np.ndarray | None = None,
    window: int = 50, ax: Axes | None = None, label: str | None = None, floor: Level | None = None,
    ceiling: Level | None = None, xlabel: str = "episode", ylabel: str = "return",
) -> Axes:  # fmt: skip
    """Draw one run: each return as a thin line, the running mean as a bold one.

    Args:
        returns: shape (T,), the return of each episode.
        x: shape (T,), positions; 1, 2, ... if not given.
        window: episodes in the running mean; named in the legend.
        ax: axes to draw on; new ones if not given.
        label: name of the run in the legend.
        floor: (name, value) of the line to beat, such as a random agent.
        ceiling: (name, value) of the best that is possible.
        xlabel: label of the horizontal axis, with its unit.
        ylabel: label of the vertical axis, with its unit.

    Raises:
        ValueError: if ``returns`` is not one-dimensional or ``window`` is below 1.
    """
    values = np.asarray(returns, dtype=float)
    if values.ndim != 1:
        raise ValueError(
            f"returns must have one dimension, got shape {values.shape}; "
            "for several seeds use plot_band"
        )
    ax = new_axes(ax)
    style = _next_look(ax)
    steps = np.arange(1, values.size + 1) if x is None else np.asarray(x)
    if window > 1:
        ax.plot(steps, values, color=style["color"], alpha=0.25, linewidth=0.8, label="_each")
    name = f"{label or 'return'}, mean of {window}" if window > 1 else label or "return"
    ax.plot(steps, running_mean(values, window), **style, linewidth=2, label=name)
    return _finish(ax, floor, ceiling, xlabel, ylabel)


def plot_band(
    curves: Sequence[Sequence[float]] | np.ndarray, *,
    x: Sequence[float] | np.ndarray | None = None, window: int = 1, ax: Axes | None = None,
    label: str | None = None, floor: Level | None = None, ceiling: Level | None = None,
    xlabel: str = "episode", ylabel: str = "return",
) -> Axes:  # fmt: skip
    """Draw several seeds of one setting: the median as a line, 10% to 90% as a band.

    Args:
        curves: shape (num_seeds, T).
        x: shape (T,), positions; 1, 2, ... if not given.
        window: running mean taken within each seed first; named in the legend.
        ax: axes to draw on; new ones if not given.
        label: name of the setting in the legend, beside the number of seeds.
        floor: (name, value) of the line to beat.
        ceiling: (name, value) of the best that is possible.
        xlabel: label of the horizontal axis, with its unit.
        ylabel: label of the vertical axis, with its unit.

    Raises:
        NothingToDrawError: if there is no curve.
        ValueError: if ``curves`` is not two-dimensional.
    """
    values = np.asarray(curves, dtype=float)
    if values.size == 0:
        raise NothingToDrawError(
            "there is no curve yet: the cell that makes them was stopped early; run it again"
        )
    if values.ndim != 2:
        raise ValueError(f"curves must have shape (num_seeds, T), got shape {values.shape}")
    ax = new_axes(ax)
    style = _next_look(ax)
    steps = np.arange(1, values.shape[1] + 1) if x is None else np.asarray(x)
    low, middle, high = np.nanpercentile(running_mean(values, window), [10, 50, 90], axis=0)
    ax.fill_between(steps, low, high, color=style["color"], alpha=0.2, linewidth=0)
    smooth = f", mean of {window}" if window > 1 else ""
    name = f"{label or 'median'} ({values.shape[0]} seeds, band 10-90%{smooth})"
    ax.plot(steps, middle, **style, linewidth=2, label=name)
    return _finish(ax, floor, ceiling, xlabel, ylabel)


def plot_outcomes(
    groups: Mapping[str, Sequence[float]], *, ax: Axes | None = None, xlabel: str,
    line: Level | None = None,
) -> Axes:  # fmt: skip
    """Draw one row of marks per group: each mark a seed, the bar their median.

    Args:
        groups: name -> one number for each seed.
        ax: axes to draw on; new ones if not given.
        xlabel: label of the horizontal axis, with its unit.
        line: (name, value) of a level to compare with.
    """
    ax = new_axes(ax, (8, 0.8 + 0.45 * len(groups)))
    hollow = {**mark("o", filled=False), "markerfacecolor": "none"}  # dots may overlap
    for row, values in enumerate(groups.values()):
        spread = np.linspace(-0.2, 0.2, len(values)) if len(values) > 1 else 0.0
        ax.plot(values, row + spread * np.ones(len(values)), **hollow)
        label = "median" if row == 0 else None
        ax.plot([np.median(values)] * 2, [row - 0.35, row + 0.35], color=COLOURS[1], linewidth=3,
                label=label)  # fmt: skip
    if line is not None:
        ax.axvline(line[1], color=GREY, linestyle=DASHES, label=f"{line[0]}: {line[1]:,.4g}")
    ax.set_yticks(range(len(groups)), [f"{name} ({len(v)} seeds)" for name, v in groups.items()])
    ax.invert_yaxis()
    ax.set_xlabel(xlabel)
    return finish(ax, ncols=2, **ABOVE)


def reading(text: str) -> None:
    """Show the cell's figure now, and print under it what is to be seen.

    Those who hear the page hear the same words in the picture's place.
    """
    if get_ipython() is not None:
        for number in plt.get_fignums():
            figure = plt.figure(number)
            display(alt_text.of(figure, text), raw=True)
            plt.close(figure)
    print(textwrap.fill(f"Reading: {text}", 100))


def _next_look(ax: Axes) -> dict[str, Any]:
    """Return the look of the next series on axes that may hold some already."""
    return look(
        sum(
            not str(line.get_label()).startswith("_") and line.get_gid() != "level"
            for line in ax.lines
        )
    )


def _finish(ax: Axes, floor: Level | None, ceiling: Level | None, xlabel: str, ylabel: str) -> Axes:
    draw_levels(ax, floor, ceiling)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return finish(ax)
