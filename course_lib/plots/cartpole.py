"""Pictures of notebook 03: training runs, seeds, algorithms, where time goes and what pays."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from course_lib.plots.cartpole_diagrams import draw_cartpole, draw_network, draw_ray_dqn
from course_lib.plots.style import (
    ABOVE,
    BESIDE,
    COLOURS,
    Level,
    draw_levels,
    finish,
    look,
    new_axes,
)  # fmt: skip
from course_lib.training import WINDOW

__all__ = [
    "draw_cartpole", "draw_compared", "draw_network", "draw_ray_dqn", "draw_tables",
    "draw_training", "plot_mean_q", "plot_time_spent", "plot_where_it_pays", "training_in_words",
]  # fmt: skip
HATCHES = ("", "//", "..", "xx", "", "--")
MARKS = "osD^v"

MOST_Q = ("never falls", 100)  # 1 + 0.99 + 0.99^2 + ...

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
            median = np.median(greedy, axis=1)
            ax.plot(x, median, color=COLOURS[number], linewidth=2.5, label="median")
        draw_levels(ax, floor, ceiling)
        ax.set(xlim=(0, steps), ylim=(0, 510), xlabel="environment steps of each")
        ax.set_title(name, fontsize=11)
        finish(ax, legend=number == len(runs) - 1, **BESIDE)
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
    axes["return"].set_ylim(0, 510)
    draw_levels(axes["q"], None, MOST_Q)
    for ax in axes.values():  # the same from the first picture on
        ax.set_xlim(0, 1.02 * max([5_000, *steps[-1:]]))
    axes["loss"].tick_params(labelbottom=False)
    axes["loss"].locator_params(axis="x", nbins=4)
    axes["q"].set_xlabel("environment steps")
    axes["q"].locator_params(axis="x", nbins=4)
    for name, ax in axes.items():
        finish(ax, legend=name == "return", **ABOVE, ncol=2)


def plot_mean_q(
    runs: Mapping[str, Sequence[Rows]], *, log: bool = False, ax: Axes | None = None
) -> Axes:
    """Draw the mean q-value of several variants, a line for each seed, and the most that is true.

    Args:
        runs: name of the variant -> its runs, each with the keys env_steps and mean_q.
        log: whether the axis is logarithmic.
        ax: axes to draw on; new ones if not given.
    """
    ax = new_axes(ax, (6, 3.2))
    for number, (name, several) in enumerate(runs.items()):
        for k, rows in enumerate(several):
            label = f"{name} ({len(several)} seeds)" if k == 0 else "_seed"
            steps, mean_q = _column(rows, "env_steps"), _column(rows, "mean_q")
            width = 1.5 if number else 4.0  # the first shows below the others
            ax.plot(steps, mean_q, label=label, linewidth=width, **look(number))
    if log:
        ax.set_yscale("log")
    draw_levels(ax, None, MOST_Q)
    ax.set(xlabel="environment steps", ylabel="mean q-value")
    return finish(ax, **ABOVE, ncol=2)


def draw_compared(
    figure: Figure, runs: dict[str, Rows], *, floor: Level | None = None,
    ceiling: Level | None = None,
) -> None:  # fmt: skip
    """Draw the mean return of several algorithms, one run each, over steps and over seconds.

    Squares are greedy episodes.

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
            greedy = _column(rows, "greedy_return")
            ax.plot(steps, greedy, "s", color=look(i)["color"], markersize=4, label="_greedy")
        draw_levels(ax, floor, ceiling)
        ax.set_xlabel(label)
        ax.locator_params(axis="x", nbins=5)
        finish(ax, legend=ax is axes[0], **ABOVE, ncol=2)
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
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter("")
    ax.set_xticks(places, [f"{size:g}" for size in sizes])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(axis="y", alpha=0.3)
    return finish(ax, fontsize="medium")


def training_in_words(rows: Rows) -> str:
    """Say how far a training run came."""
    if not rows:
        return "no steps yet"
    greedy, last = _column(rows, "greedy_return"), rows[-1]
    best = f"{np.nanmax(greedy):.0f}" if np.isfinite(greedy).any() else "not measured yet"
    return (
        f"{last['env_steps']:,.0f} steps in {last['seconds']:.0f} s, best greedy mean {best}, "
        f"mean q-value {last['mean_q']:.0f}"
    )


def _column(rows: Rows, key: str) -> np.ndarray:
    return np.array([row.get(key, np.nan) for row in rows], dtype=float)
