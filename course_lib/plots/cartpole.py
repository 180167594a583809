"""Pictures of notebook 03: training runs, seeds, algorithms, where time goes and what pays."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.plots.cartpole_diagrams import draw_cartpole, draw_network, draw_ray_dqn
from course_lib.plots.curves import running_mean
from course_lib.plots.style import (
    ABOVE,
    COLOURS,
    GREY,
    Level,
    draw_levels,
    finish,
    look,
    new_axes,
)  # fmt: skip
from course_lib.training import WINDOW

__all__ = [
    "draw_cartpole", "draw_compared", "draw_network", "draw_ray_dqn", "draw_tables", "draw_training",
    "plot_seeds", "plot_time_spent", "plot_where_it_pays",
]  # fmt: skip
HATCHES = ("", "//", "..", "xx", "", "--")
MARKS = "osD^v"

Rows = Sequence[dict[str, float]]


def draw_tables(
    figure: Figure, runs: Mapping[str, Sequence[dict]], *, steps: int, floor: Level | None = None,
    ceiling: Level | None = None,
) -> None:  # fmt: skip
    """Draw how well tables of cells play while they learn: each thin, their median bold.

    Args:
        figure: an empty figure.
        runs: name of the cells -> rows with env_steps and greedy, a number for each table.
        steps: where the axis ends.
        floor: (name, value) of the line to beat.
        ceiling: (name, value) of the best that is possible.
    """
    axes = figure.subplots(1, len(runs), sharey=True, squeeze=False)[0]
    for number, (ax, (name, rows)) in enumerate(zip(axes, runs.items(), strict=True)):
        if rows:
            x, greedy = _column(rows, "env_steps"), np.array([row["greedy"] for row in rows])
            ax.plot(x, greedy, color=COLOURS[number], alpha=0.35, linewidth=0.8)
            label = f"median of {greedy.shape[1]} tables"
            ax.plot(x, np.median(greedy, axis=1), color=COLOURS[number], linewidth=2.5, label=label)
        draw_levels(ax, floor, ceiling)
        ax.set(xlim=(0, steps), ylim=(0, 510), xlabel="environment steps of each", title=name)
        finish(ax, **ABOVE, ncol=3)
    axes[0].set_ylabel("mean of 20 greedy episodes")


def draw_training(
    figure: Figure, rows: Rows, *, floor: Level | None = None, ceiling: Level | None = None
) -> None:
    """Draw a training run: returns on the left, loss and mean q-value on the right.

    Args:
        figure: an empty figure.
        rows: with the keys env_steps, mean_return, max_return, loss, mean_q, epsilon and
            greedy_return; nan where something is not known.
        floor: (name, value) of the line to beat.
        ceiling: (name, value) of the best that is possible.
    """
    axes = figure.subplot_mosaic([["return", "loss"], ["return", "q"]], width_ratios=[2, 1])
    steps = _column(rows, "env_steps")
    looks = (
        ("mean_return", f"mean of the last {WINDOW} episodes", "-"),
        ("max_return", f"best of the last {WINDOW} episodes", ":"),
    )
    for colour, (key, label, style) in zip(COLOURS, looks, strict=False):
        values = _column(rows, key)
        axes["return"].plot(steps, values, color=colour, linestyle=style, linewidth=2, label=label)
    greedy = _column(rows, "greedy_return")
    seen = np.isfinite(greedy)
    axes["return"].plot(
        steps[seen], greedy[seen], "s", color=COLOURS[2], markersize=5, label="greedy episodes"
    )
    draw_levels(axes["return"], floor, ceiling)
    axes["return"].set(xlabel="environment steps", ylabel="return (steps the pole stays up)")
    for name, key, label in (("loss", "loss", "loss"), ("q", "mean_q", "mean q-value")):
        axes[name].plot(steps, _column(rows, key), color=COLOURS[3], linewidth=1.5)
        axes[name].set_ylabel(label)
    axes["loss"].tick_params(labelbottom=False)
    axes["loss"].locator_params(axis="x", nbins=4)
    axes["q"].set_xlabel("environment steps")
    axes["q"].locator_params(axis="x", nbins=4)
    for name, ax in axes.items():
        finish(ax, legend=name == "return", **ABOVE, ncol=2)


def plot_seeds(
    runs: Sequence[Sequence[float]], *, ends: Sequence[Sequence[float]],
    floor: Level | None = None, ceiling: Level | None = None,
) -> np.ndarray:  # fmt: skip
    """Draw the runs of several seeds side by side, none left out.

    Args:
        runs: per seed, the return of each training episode.
        ends: per seed, the environment step at which each episode ended.
        floor: (name, value) of the line to beat.
        ceiling: (name, value) of the best that is possible.

    Returns:
        The axes, one per seed.
    """
    if len(runs) != len(ends):
        raise ValueError(f"runs and ends must pair up, got {len(runs)} and {len(ends)}")
    figure = plt.figure(figsize=(2.2 * len(runs), 2.7), layout="constrained")
    axes = figure.subplots(1, len(runs), sharey=True, squeeze=False)[0]
    for i, (ax, returns, steps) in enumerate(zip(axes, runs, ends, strict=True)):
        thousands = np.asarray(steps) / 1000
        colour = COLOURS[i % len(COLOURS)]
        ax.plot(thousands, returns, color=colour, alpha=0.25, linewidth=0.7)
        ax.plot(thousands, running_mean(np.asarray(returns), WINDOW), color=colour, linewidth=2)
        draw_levels(ax, floor, ceiling)
        ax.set_title(f"seed {i}", fontsize=10)
        ax.set_xlabel("1,000 steps")
        finish(ax, legend=False)
    axes[0].set_ylabel(f"return (bold: mean of {WINDOW})")
    for level in (floor, ceiling):
        if level is not None:
            axes[0].annotate(level[0], (0, level[1]), fontsize=8, va="bottom", color=GREY)
    return axes


def draw_compared(
    figure: Figure, runs: dict[str, Rows], *, floor: Level | None = None,
    ceiling: Level | None = None,
) -> None:  # fmt: skip
    """Draw the mean return of several algorithms, one run each, over steps and over seconds.

    Args:
        figure: an empty figure.
        runs: rows by the algorithm's name.
        floor: (name, value) of the line to beat.
        ceiling: (name, value) of the best that is possible.
    """
    axes = figure.subplots(1, 2, sharey=True)
    looks = (("env_steps", "environment steps"), ("seconds", "seconds of training"))
    for ax, (key, label) in zip(axes, looks, strict=True):
        for i, (name, rows) in enumerate(runs.items()):
            steps, returns = _column(rows, key), _column(rows, "mean_return")
            ax.plot(steps, returns, label=f"{name}, 1 seed", linewidth=2, **look(i))
        draw_levels(ax, floor, ceiling)
        ax.set_xlabel(label)
        finish(ax, legend=ax is axes[0])
    axes[0].set_ylabel(f"return, mean of {WINDOW} episodes")


def plot_time_spent(
    parts: Mapping[str, Mapping[str, float]], *, words: Mapping[str, str], ax: Axes | None = None
) -> Axes:
    """Draw one bar per loop, made of the milliseconds per gradient step that each part takes.

    Args:
        parts: name of the loop -> name of the part -> milliseconds, the same parts for all.
        words: name of the part -> what the legend says of it; its order is that of the stack.
        ax: where to draw; a new figure if not given.

    Raises:
        ValueError: if a part has no words.
    """
    unnamed = {part for loop in parts.values() for part in loop} - set(words)
    if unnamed:
        raise ValueError(f"words must name every part, missing: {', '.join(sorted(unnamed))}")
    ax = new_axes(ax, (9, 1.2 + 0.8 * len(parts)))
    names = list(parts)
    ends = [0.0] * len(names)
    for number, (part, text) in enumerate(words.items()):
        widths = [parts[name][part] for name in names]
        ax.barh(
            names, widths, left=ends, height=0.6, label=text, edgecolor="white",
            color=COLOURS[number % len(COLOURS)], hatch=HATCHES[number % len(HATCHES)],
        )  # fmt: skip
        ends = [end + width for end, width in zip(ends, widths, strict=True)]
    for row, end in enumerate(ends):
        ax.annotate(
            f"{end:.1f} ms", (end, row), xytext=(4, 0), textcoords="offset points", va="center"
        )
    ax.invert_yaxis()
    ax.set(xlabel="milliseconds per gradient step", xlim=(0, 1.12 * max(ends)))
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return finish(ax, **ABOVE, ncol=3, fontsize="medium")


def plot_where_it_pays(
    sizes: Sequence[float], lines: Mapping[str, Sequence[float]], *, xlabel: str, ylabel: str,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw one line per way to do the work. Sizes stand at equal distances, values are logarithmic.

    Args:
        sizes: length S, in ascending order; 0 is allowed.
        lines: name of the way -> S values above 0.
        xlabel: what the sizes are, with their unit.
        ylabel: what the values are, with their unit.
        ax: where to draw; a new figure if not given.

    Raises:
        ValueError: if a line has another length than ``sizes``.
    """
    for name, values in lines.items():
        if len(values) != len(sizes):
            raise ValueError(f"{name} must have {len(sizes)} values, got {len(values)}")
    ax = new_axes(ax, (7, 3.2))
    places = range(len(sizes))
    for number, (name, values) in enumerate(lines.items()):
        style = look(number)
        ax.plot(places, values, label=name, marker=MARKS[number % len(MARKS)], **style)
        for place, value in zip(places, values, strict=True):
            text = f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
            top = value == max(line[place] for line in lines.values())
            ax.annotate(
                text, (place, value), xytext=(0, 7 if top else -14), ha="center",
                textcoords="offset points", fontsize=9, color=style["color"],
            )  # fmt: skip
    ax.set_yscale("log")
    ax.margins(y=0.2)
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter("")
    ax.set_xticks(places, [f"{size:g}" for size in sizes])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(axis="y", alpha=0.3)
    return finish(ax, fontsize="medium")


def _column(rows: Rows, key: str) -> np.ndarray:
    return np.array([row.get(key, np.nan) for row in rows], dtype=float)
