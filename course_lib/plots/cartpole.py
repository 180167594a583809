"""Pictures of notebook 03: training runs, several seeds, several algorithms, and the diagrams."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from course_lib.plots.cartpole_diagrams import draw_cartpole, draw_network, draw_ray_dqn
from course_lib.plots.curves import running_mean
from course_lib.plots.style import ABOVE, COLOURS, GREY, Level, draw_levels, finish, look
from course_lib.plots.time_spent import plot_time_spent

__all__ = [
    "draw_cartpole", "draw_compared", "draw_network", "draw_ray_dqn", "draw_training",
    "plot_seeds", "plot_time_spent",
]  # fmt: skip

Rows = Sequence[dict[str, float]]


def draw_training(
    figure: Figure, rows: Rows, *, floor: Level | None = None, ceiling: Level | None = None,
    window: int = 20,
) -> None:  # fmt: skip
    """Draw a training run: returns on the left, loss and mean q-value on the right.

    Args:
        figure: an empty figure.
        rows: with the keys env_steps, mean_return, max_return, loss, mean_q, epsilon and
            greedy_return; nan where something is not known.
        floor: (name, value) of the line to beat.
        ceiling: (name, value) of the best that is possible.
        window: episodes that the mean and the maximum look back over; named in the legend.
    """
    axes = figure.subplot_mosaic([["return", "loss"], ["return", "q"]], width_ratios=[2, 1])
    steps = _column(rows, "env_steps")
    looks = (
        ("mean_return", f"mean of the last {window} episodes", "-"),
        ("max_return", f"best of the last {window} episodes", ":"),
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
    runs: Sequence[Sequence[float]], *, ends: Sequence[Sequence[float]], window: int = 20,
    floor: Level | None = None, ceiling: Level | None = None, axes: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Draw the runs of several seeds side by side, none left out.

    Args:
        runs: per seed, the return of each training episode.
        ends: per seed, the environment step at which each episode ended.
        window: episodes in the running mean; named in the legend.
        floor: (name, value) of the line to beat.
        ceiling: (name, value) of the best that is possible.
        axes: one per seed, as returned; new ones if not given.
    """
    if len(runs) != len(ends):
        raise ValueError(f"runs and ends must pair up, got {len(runs)} and {len(ends)}")
    if axes is None:
        figure = plt.figure(figsize=(2.2 * len(runs), 2.7), layout="constrained")
        axes = figure.subplots(1, len(runs), sharey=True, squeeze=False)[0]
    for i, (ax, returns, steps) in enumerate(zip(axes, runs, ends, strict=True)):
        thousands = np.asarray(steps) / 1000
        colour = COLOURS[i % len(COLOURS)]
        ax.plot(thousands, returns, color=colour, alpha=0.25, linewidth=0.7)
        ax.plot(thousands, running_mean(np.asarray(returns), window), color=colour, linewidth=2)
        draw_levels(ax, floor, ceiling)
        ax.set_title(f"seed {i}", fontsize=10)
        ax.set_xlabel("1,000 steps")
        finish(ax, legend=False)
    axes[0].set_ylabel(f"return (bold: mean of {window})")
    for level in (floor, ceiling):
        if level is not None:
            axes[0].annotate(level[0], (0, level[1]), fontsize=8, va="bottom", color=GREY)
    return axes


def draw_compared(
    figure: Figure, runs: dict[str, Rows], *, floor: Level | None = None,
    ceiling: Level | None = None, window: int = 20,
) -> None:  # fmt: skip
    """Draw the mean return of several algorithms, one run each, over steps and over seconds.

    Args:
        figure: an empty figure.
        runs: rows by the algorithm's name.
        floor: as in :func:`draw_training`, and so are ``ceiling`` and ``window``.
        ceiling: see ``floor``.
        window: see ``floor``.
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
    axes[0].set_ylabel(f"return, mean of {window} episodes")


def _column(rows: Rows, key: str) -> np.ndarray:
    return np.array([row.get(key, np.nan) for row in rows], dtype=float)
