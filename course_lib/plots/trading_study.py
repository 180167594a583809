"""Pictures of a trading study: the fee grid, windows with their intervals.

All of them can be read in black and white: numbers, marks and line styles say what colour says.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.plots.style import GREY, finish, mark, new_axes
from course_lib.plots.trading import looks_of


def plot_fee_grid(
    grid: np.ndarray, rows: Sequence[str], fees: Sequence[float], *, ax: Axes | None = None,
    label: str = "ahead of the mix (% of the money)",
) -> Axes:  # fmt: skip
    """Draw a table as a heat map: dark is high, losses are framed, every cell says its number.

    Args:
        grid: shape (num_rows, num_fees), in percent; NaN where there is nothing.
        rows: names of the rows.
        fees: fractions of a trade.
        ax: axes to draw on; new ones if not given.
        label: of the numbers.

    Raises:
        ValueError: if the names do not fit the grid.
    """
    grid = np.asarray(grid, dtype=float)
    if grid.shape != (len(rows), len(fees)):
        raise ValueError(f"grid must have shape {(len(rows), len(fees))}, got {grid.shape}")
    ax = new_axes(ax, (7.5, 1.1 + 0.32 * len(rows)))
    low, high = float(np.nanmin(grid)), float(np.nanmax(grid))
    span = max(high - low, 1e-9)  # light greys, none of them white: black numbers stay readable
    image = ax.imshow(grid, aspect="auto", cmap="Greys", vmin=low - span / 3, vmax=high + span)
    if high > low:
        ax.figure.colorbar(image, ax=ax, boundaries=np.linspace(low, high, 32), format="%+.0f")
    for (i, j), value in np.ndenumerate(grid):
        text = "–" if np.isnan(value) else f"{value:+.1f}"
        ax.text(j, i, text, ha="center", va="center", color="black", fontsize="small")
        if value < 0:
            frame = Rectangle((j - 0.46, i - 0.42), 0.92, 0.84, fill=False, linewidth=1.2)
            ax.add_patch(frame)
    ax.set_xticks(range(len(fees)), [f"{100 * fee:g}%" for fee in fees])
    ax.set_yticks(range(len(rows)), list(rows), fontsize="small")
    ax.set_xlabel("fee of each trade")
    ax.set_title(f"{label}; framed: below zero", fontsize="medium")
    return ax


def plot_luck(
    ends: np.ndarray, marks: Mapping[str, float], *, ax: Axes | None = None, title: str = ""
) -> Axes:
    """Draw what many traders without skill ended with, and where others stand among them.

    Args:
        ends: shape (num_traders,), net worth at the end in dollars.
        marks: name -> net worth at the end in dollars, each drawn as a line.
        ax: axes to draw on; new ones if not given.
        title: over the picture.
    """
    ax = new_axes(ax, (8, 2.8))
    bars: dict[str, Any] = {"color": "#CCCCCC", "edgecolor": "#888888"}
    ax.hist(ends, bins=40, label=f"{len(ends):,} without skill", **bars)
    for style, (name, value) in zip(looks_of(list(marks)), marks.items(), strict=True):
        below = np.mean(np.asarray(ends) < value)
        ax.axvline(value, **style, linewidth=2, label=f"{name}: ahead of {below:.0%}")
    ax.set(xlabel="net worth at the end (dollars)", ylabel="traders")
    ax.set_title(title, fontsize="medium")
    return finish(ax)


def plot_forest(
    intervals: Mapping[str, object], summary: Mapping[str, object] | None = None, *,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw one line for each window with its interval, and diamonds for what they add up to.

    Filled squares have an interval that leaves zero out, hollow ones hold zero.

    Args:
        intervals: name -> an object with ``value``, ``low`` and ``high``.
        summary: the same, drawn below as diamonds.
        ax: axes to draw on; new ones if not given.
    """
    lines = [(name, one, "s") for name, one in intervals.items()]
    lines += [(name, one, "D") for name, one in (summary or {}).items()]
    ax = new_axes(ax, (7.5, 1.0 + 0.32 * len(lines)))
    for number, (_, one, marker) in enumerate(lines):
        low, value, high = (getattr(one, name) for name in ("low", "value", "high"))
        sure = low > 0 or high < 0
        bold = marker == "D"
        ax.plot([low, high], [number] * 2, color="black", linewidth=2.2 if bold else 1.2)
        ax.plot(value, number, **mark(marker, filled=sure, size=9 if bold else 6))
    if summary:
        ax.axhline(len(intervals) - 0.5, color=GREY, linewidth=0.8)
    ax.axvline(0, color=GREY, linestyle="--", linewidth=1.2)
    ax.set_yticks(range(len(lines)), [name for name, _, _ in lines], fontsize="small")
    ax.set_ylim(len(lines) - 0.4, -0.6)
    ax.set_xlabel("ahead of the mix (% of the money), interval 90%; filled: leaves zero out")
    return finish(ax, legend=False)
