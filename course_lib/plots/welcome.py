"""Pictures of notebook 00: the loop of agent and environment, and who worked when."""

import itertools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_lib.plots.style import COLOURS, finish, new_axes

INK = "#222222"


def draw_loop(frame: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Draw agent and environment with what passes between them.

    Args:
        frame: a picture of the environment, shape (height, width, 3).
        ax: axes to draw on; new ones if not given.

    Raises:
        ValueError: if ``frame`` is not a colour picture.
    """
    frame = np.asarray(frame)
    if frame.ndim != 3 or frame.shape[2] not in (3, 4):
        raise ValueError(f"frame must have shape (height, width, 3), got {frame.shape}")
    ax = new_axes(ax, (8, 2.8))
    ax.set(xlim=(0, 10), ylim=(0, 3.4))
    ax.axis("off")
    _box(ax, 0.2, "agent", COLOURS[0])
    ax.text(1.6, 1.5, "chooses\nan action", ha="center", va="center", color=INK)
    _box(ax, 6.2, "environment", COLOURS[2])
    picture = ax.inset_axes((6.5, 0.55, 3.0, 1.95), transform=ax.transData)
    picture.imshow(frame)
    picture.axis("off")
    _arrow(ax, (3.1, 2.25), (6.1, 2.25), "action: push left or right", 2.4, "bottom")
    _arrow(ax, (6.1, 1.0), (3.1, 1.0), "observation and reward", 0.85, "top")
    return ax


def _box(ax: Axes, left: float, name: str, colour: str) -> None:
    width = 2.8 if name == "agent" else 3.6
    style = "round,pad=0.05,rounding_size=0.2"
    ax.add_patch(
        FancyBboxPatch((left, 0.4), width, 2.2, boxstyle=style, fc="white", ec=colour, lw=2)
    )
    ax.text(left + width / 2, 2.78, name, ha="center", va="bottom", weight="bold", color=INK)


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], text: str, height: float,
    side: str,
) -> None:  # fmt: skip
    ax.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "lw": 2, "color": INK})
    middle = (start[0] + end[0]) / 2
    ax.text(middle, height, text, ha="center", va=side, color=INK, fontsize=9)


def plot_timeline(
    runs: Mapping[str, Sequence[tuple[float, float, int]]],
) -> Sequence[Axes]:
    """Draw who worked when: one panel per run, one row per process, one bar per job.

    Args:
        runs: name of the run -> jobs in the order in which they were asked for, each as (start,
            end, process), in seconds on one clock and the number of the process.

    Returns:
        The axes, one for each run.

    Raises:
        ValueError: if there is no run, or a run without a job.
    """
    if not runs or not all(runs.values()):
        raise ValueError("runs must hold at least one run, each with at least one job")
    figure = plt.figure(figsize=(8, 1.2 + 1.1 * len(runs)), layout="constrained")
    rows: Any = np.atleast_1d(figure.subplots(len(runs), sharex=True))
    for number, (ax, (name, jobs)) in enumerate(zip(rows, runs.items(), strict=True)):
        zero = min(start for start, _, _ in jobs)
        processes = list(dict.fromkeys(process for _, _, process in jobs))
        for job, (start, end, process) in enumerate(jobs, start=1):
            row = processes.index(process)
            bar: Any = {"color": COLOURS[number], "hatch": "/" if number else ""}
            ax.barh(row, end - start, left=start - zero, height=0.7, edgecolor="white", **bar)
            label = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"}
            middle = (start + end) / 2 - zero
            ax.text(middle, row, f"job {job}", ha="center", va="center", fontsize=8, bbox=label)
        took = max(end for _, end, _ in jobs) - zero
        ax.set_title(f"{name}: {took:.1f} s", loc="left", fontsize=10)
        ax.set_yticks(range(len(processes)), _names(processes))
        ax.set_ylim(len(processes) - 0.5, -0.5)
        finish(ax, legend=False)
    rows[-1].set_xlabel("seconds since the first job began")
    return rows


def _names(processes: Sequence[int]) -> list[str]:
    """What the processes are called: this one, and Ray's."""
    numbers = itertools.count(1)
    return [
        "this notebook" if process == os.getpid() else f"process {next(numbers)}"
        for process in processes
    ]
