"""Pictures of the corridor: the true time surface, trials on it, and gaits along the way."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, ScalarFormatter

from course_lib.envs import corridor
from course_lib.plots.style import (
    BESIDE,
    COLOURS,
    DASHES,
    GREY,
    Level,
    draw_levels,
    finish,
    look,
    new_axes,
)  # fmt: skip

LEVELS_S = (36.5, 38, 40, 45, 50, 60, 75, 100, 140, 200)


def plot_surface(*, ax: Axes | None = None) -> Axes:
    """Draw the true mean time over stride and pace as contours, and a star where it is least.

    Args:
        ax: axes to draw on; new ones if not given.
    """
    ax = new_axes(ax, (7, 4))
    strides = np.linspace(*corridor.STRIDE_RANGE_M, 90)
    paces = np.linspace(*corridor.PACE_RANGE_HZ, 90)
    times = corridor.expected_time(strides[None, :], paces[:, None])
    norm = LogNorm(LEVELS_S[0], LEVELS_S[-1])
    ax.contourf(
        strides, paces, times, levels=LEVELS_S, cmap="viridis_r", norm=norm, extend="both",
        alpha=0.85,
    )  # fmt: skip
    lines = ax.contour(strides, paces, times, levels=LEVELS_S, colors="white", linewidths=0.7)
    ax.clabel(lines, levels=LEVELS_S[1::2], fmt="%g s", fontsize=8, colors="black")
    ax.plot(
        *corridor.best_gait(), "*", color="white", markeredgecolor="black", markersize=15,
        label="least mean time", linestyle="none",
    )  # fmt: skip
    ax.set(xlabel="stride (m per step)", ylabel="pace (steps per second)")
    return ax


def plot_trials(
    strides: Sequence[float] | np.ndarray, paces: Sequence[float] | np.ndarray,
    seconds: Sequence[float] | np.ndarray, *, stopped: Sequence[bool] | np.ndarray | None = None,
    surface: bool = True, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw trials as points; the one with the least measured time is marked.

    Args:
        strides: shape (num_trials,), metres per step.
        paces: shape (num_trials,), steps per second.
        seconds: shape (num_trials,), what each trial measured.
        stopped: shape (num_trials,), which were stopped early; they are drawn as crosses.
        surface: whether the true surface, which no search can see, is drawn under them.
        ax: axes to draw on; new ones if not given.

    Raises:
        ValueError: if the shapes differ.
    """
    x, y, z = (np.asarray(values, dtype=float) for values in (strides, paces, seconds))
    early = np.zeros(len(z), dtype=bool) if stopped is None else np.asarray(stopped, dtype=bool)
    if not x.shape == y.shape == z.shape == early.shape:
        raise ValueError(f"one value per trial, got shapes {x.shape}, {y.shape}, {z.shape}")
    ax = plot_surface(ax=ax) if surface else _empty_map(ax)
    ax.plot(x[early], y[early], "x", color="black", markersize=7, label="stopped early")
    colours = LogNorm(LEVELS_S[0], LEVELS_S[-1], clip=True)(z[~early])
    ax.scatter(
        x[~early], y[~early], s=49, edgecolors="black", clip_on=False, zorder=3,
        color="white" if surface else colormaps["viridis_r"](colours),
        label="trial" if surface else "trial: the darker, the slower",
    )  # fmt: skip
    if len(z):
        best = int(z.argmin())
        ax.plot(
            x[best], y[best], "o", markersize=15, markerfacecolor="none", markeredgewidth=2.5,
            markeredgecolor=COLOURS[1], label=f"least measured: {z[best]:.1f} s",
        )  # fmt: skip
    _legend_below(ax)
    return ax


def _empty_map(ax: Axes | None) -> Axes:
    ax = new_axes(ax, (7, 4))
    ax.set(xlabel="stride (m per step)", ylabel="pace (steps per second)")
    ax.set(xlim=corridor.STRIDE_RANGE_M, ylim=corridor.PACE_RANGE_HZ)
    return ax


def draw_guess(figure: Figure, tried: Sequence[tuple], walks: np.ndarray) -> None:
    """Draw the gaits that somebody has tried, and the times of many walks with the latest.

    Args:
        figure: an empty figure.
        tried: (stride, pace, mean seconds) of each gait, the latest last.
        walks: shape (num_walks,), seconds of each walk with the latest.
    """
    left, right = figure.subplots(1, 2, width_ratios=[5, 4])
    plot_trials(*zip(*tried, strict=True), surface=False, ax=left)
    stride, pace, mean = tried[-1]
    left.plot(stride, pace, "s", markersize=14, markerfacecolor="none", markeredgecolor="black",
              linestyle="none", label="the latest, at the right")  # fmt: skip
    _legend_below(left)
    seconds = np.arange(walks.min() - 0.5, walks.max() + 1)  # peaks are 4 s apart
    right.hist(walks, bins=seconds, color=COLOURS[4], edgecolor="white")
    right.axvline(mean, color=COLOURS[1], linewidth=2, label=f"mean of these {mean:.1f} s")
    risk = float(corridor.stumbling_risk(stride, pace))
    right.set(xlabel="time of a walk (s)", ylabel="walks", title=f"risk per step {risk:.1%}")
    finish(right)


def draw_search(
    figure: Figure, rows: Sequence[Mapping], max_walks: int = 0, *, surface: bool = True
) -> None:
    """Draw a running search: its trials on a map, and the best measured time so far.

    Args:
        figure: an empty figure.
        rows: one per trial, with ``stride``, ``pace``, ``seconds`` and ``training_iteration``.
        max_walks: walks of a full trial; a shorter one that is ``done`` was stopped early.
        surface: whether what no search can see is drawn: the true surface, and the least time.
    """
    left, right = figure.subplots(1, 2, width_ratios=[5, 4])
    columns = {key: [row[key] for row in rows] for key in ("stride", "pace", "seconds")}
    short = [bool(row.get("done")) and row["training_iteration"] < max_walks for row in rows]
    plot_trials(columns["stride"], columns["pace"], columns["seconds"], stopped=short,
                surface=surface, ax=left)  # fmt: skip
    numbers = np.arange(1, len(rows) + 1)
    times = np.array(columns["seconds"], dtype=float)
    right.plot(numbers, times, "o", color=COLOURS[0], markersize=5, label="measured")
    if len(rows):
        best = np.minimum.accumulate(times)
        right.step(numbers, best, where="post", color=COLOURS[1], label="least so far")
    if surface:
        level = float(corridor.expected_time(*corridor.best_gait()))
        right.axhline(level, color=GREY, linestyle=DASHES, label=f"least mean time {level:.1f} s")
    _log_seconds(right)
    right.set(xlabel="trial", ylabel="mean time of its walks (s)")
    _legend_below(right)


def plot_rungs(
    curves: Sequence[np.ndarray], *, full: int, ax: Axes | None = None,
    xlabel: str = "walks so far", ylabel: str = "mean time so far (s)", step: int = 1,
    floor: Level | None = None, ceiling: Level | None = None,
) -> Axes:  # fmt: skip
    """Draw what each trial reported; a cross where one was stopped early.

    Args:
        curves: one array per trial, of the values reported.
        full: reports of a trial that is not stopped.
        ax: axes to draw on; new ones if not given.
        xlabel: label of the horizontal axis.
        ylabel: label of the vertical axis, with its unit.
        step: units of the horizontal axis per report.
        floor: (name, value) of the line to beat.
        ceiling: (name, value) of the best that is possible.
    """
    ax = new_axes(ax, (9, 3.2))
    for curve in filter(len, curves):
        x = np.arange(1, len(curve) + 1) * step
        ends = len(curve) < full
        colour, width = (GREY, 0.8) if ends else (COLOURS[0], 1.8)
        ax.plot(x, curve, color=colour, linewidth=width, alpha=0.9)
        ax.plot(x[-1], curve[-1], "x" if ends else "o", color=colour, markersize=6)
    ax.plot([], [], "x-", color=GREY, label="stopped early")
    ax.plot([], [], "o-", color=COLOURS[0], label="ran to the end")
    draw_levels(ax, floor, ceiling, "{}: {:g} s")
    _log_seconds(ax)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return finish(ax, loc="upper left", bbox_to_anchor=(1, 1))


def plot_gaits(
    gaits: Mapping[str, np.ndarray], is_wet: np.ndarray, *, ax: Axes | None = None
) -> Axes:
    """Draw the gait on each tile, for one or more walkers; wet tiles are shaded.

    Args:
        gaits: name of each walker, and its gaits, shape (num_tiles,), 0 creep to 4 run.
        is_wet: shape (num_tiles,).
        ax: axes to draw on; new ones if not given.
    """
    ax = new_axes(ax, (8, 3))
    edges = np.arange(len(is_wet) + 1) * corridor.TILE_M
    for tile in np.flatnonzero(is_wet):
        label = "wet floor" if tile == np.flatnonzero(is_wet)[0] else None
        ax.axvspan(edges[tile], edges[tile + 1], color=COLOURS[4], alpha=0.3, lw=0, label=label)
    for number, (name, values) in enumerate(gaits.items()):
        shift = 0.07 * (number - (len(gaits) - 1) / 2)
        ax.stairs(values + shift, edges, baseline=None, label=name, linewidth=2.2, **look(number))
    ax.set_yticks(range(len(corridor.GAITS)), [gait.name for gait in corridor.GAITS])
    top = len(corridor.GAITS) - 0.6
    ax.set(xlabel="place in the corridor (m)", ylabel="gait", ylim=(-0.4, top))
    return finish(ax, **BESIDE)


def draw_settings(
    figure: Figure, rows: Sequence[Mapping], full: int, *, best: float, constant: float
) -> None:
    """Draw a search for the agent's settings: seconds against learning rate, and epsilon.

    Args:
        figure: an empty figure.
        rows: one per trial, with ``learning_rate``, ``epsilon``, ``seconds``, ``worst`` and
            ``training_iteration``.
        full: iterations of a trial that is not stopped.
        best: mean seconds of the best policy.
        constant: mean seconds of the best constant gait.
    """
    ended = np.array([row["training_iteration"] >= full for row in rows], dtype=bool)
    left, right = figure.subplots(1, 2, sharey=True)
    for ax, name in ((left, "learning_rate"), (right, "epsilon")):
        x = np.array([row[name] for row in rows], dtype=float)
        seconds, worst = (np.array([row[key] for row in rows]) for key in ("seconds", "worst"))
        ax.vlines(x, seconds, worst, color=GREY, linewidth=1, label="up to the worst seed")
        ax.plot(x[~ended], seconds[~ended], "x", color=GREY, label="mean of a stopped trial")
        ax.plot(x[ended], seconds[ended], "o", color=COLOURS[0], label="mean of a full trial")
        floor, ceiling = ("best constant gait", constant), ("best policy", best)
        draw_levels(ax, floor, ceiling, "{}: {:.1f} s")
        ax.set_xlabel(name.replace("_", " "))
        finish(ax, legend=ax is right, **BESIDE)
    left.set_ylabel("greedy walk, mean (s)")
    if len(rows):
        left.set_xscale("log")
        left.set_xticks([0.01, 0.03, 0.1, 0.3, 1], ["0.01", "0.03", "0.1", "0.3", "1"])
        left.xaxis.set_minor_formatter(NullFormatter())


def _legend_below(ax: Axes) -> None:
    """Put the legend of what is there under the picture, where it hides no trial."""
    handles = ax.get_legend_handles_labels()[0]
    shown = [one for one in handles if not isinstance(one, Line2D) or np.size(one.get_xdata())]
    ax.legend(
        handles=shown, fontsize="small", frameon=False, ncols=2, loc="upper center",
        bbox_to_anchor=(0.5, -0.14), columnspacing=1.2, labelspacing=0.6,
    )  # fmt: skip


def _log_seconds(ax: Axes) -> None:
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(ScalarFormatter())
    ax.yaxis.set_minor_formatter(NullFormatter())
    low, high = ax.get_ylim()
    for ticks in ((40, 50, 60, 80, 100, 150, 200), range(30, 200, 5), range(30, 200, 2)):
        if len(shown := [tick for tick in ticks if low <= tick <= high]) > 3:
            break
    ax.set_yticks(shown)
    finish(ax, legend=False)
