"""Pictures of lesson 07: the valley, orbits, what a state is worth, tiles, and other mountains."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.envs.mountain_cars import FLAG, HIGH, LOW
from course_lib.plots.curves import running_mean
from course_lib.plots.style import ABOVE, BESIDE, GREY, finish, look, new_axes

QValues = Callable[[np.ndarray], np.ndarray]
MOST = 150  # steps; the colours end there
EIGHT = {
    "mean_return": "mean return of the last 20 episodes",
    "max_return": "best return of the last 20 episodes",
    "greedy_return": "greedy episodes: mean return",
    "greatest_q": "greatest q-value, mean over fixed states",
    "loss": "loss",
    "epsilon": "epsilon",
    "steps_per_s": "environment steps per second",
    "memory_mb": "memory of the process (MB)",
}
NOISY = ("loss", "steps_per_s")


def height(position: np.ndarray | float) -> np.ndarray:
    """How high the road is at a position, as Gymnasium draws it."""
    return np.sin(3 * np.asarray(position)) * 0.45 + 0.55


def draw_orbits(figure: Figure, tracks: Mapping[str, np.ndarray]) -> None:
    """Draw the valley, and beside it the way of cars in the plane of position and velocity.

    Args:
        figure: an empty figure.
        tracks: name -> where a car was, shape (T, 2); rows of nan are left out.
    """
    valley, plane = figure.subplots(1, 2, width_ratios=(2, 3))
    road = np.linspace(LOW[0], HIGH[0], 100)
    valley.plot(road, height(road), color="black")
    valley.plot([FLAG] * 2, height(FLAG) + np.array([0, 0.25]), color=GREY)
    valley.text(FLAG, height(FLAG) + 0.27, "flag", ha="center")
    valley.set(xlabel="position", ylabel="height", yticks=[], ylim=(0, 1.45))
    for number, (name, track) in enumerate(tracks.items()):
        style = look(number)
        farthest = np.nanmax(track[:, 0])
        valley.plot(farthest, height(farthest) + 0.05, marker="os^D"[number % 4], markersize=9,
                    color=style["color"], linestyle="none")  # fmt: skip
        plane.plot(*track.T, **style, label=f"{name}: as far as {farthest:.2f}")
    plane.axvline(FLAG, color=GREY, linewidth=1)
    plane.text(FLAG, HIGH[1], " flag", va="top", color=GREY)
    plane.set(xlabel="position", ylabel="velocity (per step)", xlim=(LOW[0], HIGH[0] + 0.1))
    finish(valley, legend=False)
    finish(plane, **ABOVE)


def plot_shares(
    steps: Sequence[int], shares: Sequence[float], num_episodes: int, *, ax: Axes | None = None
) -> Axes:
    """Draw the share of episodes that arrive, by how long each random action is held."""
    ax = new_axes(ax, (8, 3))
    ax.plot(steps, 100 * np.asarray(shares), **look(0), marker="o")
    ax.set_xscale("log", base=2)
    ax.set_xticks(steps, [str(step) for step in steps])
    ax.set(xlabel="steps for which each random action is held", ylim=(-1, None))
    ax.set_ylabel(f"% of {num_episodes:,} episodes\nthat reach the flag")
    return finish(ax, legend=False)


def plot_greatest_q(
    rows: Sequence[Mapping[str, float]], predicted: np.ndarray | None = None, *,
    ax: Axes | None = None, label: str = "measured",
) -> Axes:  # fmt: skip
    """Draw the mean of the greatest q-values of fixed states, and what was predicted.

    Args:
        rows: with ``env_steps`` and ``greatest_q``.
        predicted: shape (len(rows),).
        ax: axes to draw on; new ones if not given.
        label: of the measured line.
    """
    ax = new_axes(ax, (8, 3.2))
    steps = [row["env_steps"] for row in rows]
    ax.plot(steps, [row["greatest_q"] for row in rows], **look(0), linewidth=2, label=label)
    if predicted is not None:
        ax.plot(steps, predicted, **look(1), linewidth=2, label="predicted, if nobody arrives")
    ax.set(xlabel="environment steps", ylabel="mean greatest q-value")
    return finish(ax, **ABOVE, ncols=2)


def draw_learning(
    figure: Figure, rows: Sequence[Mapping[str, float]], *, steps: int, aim: float = -110
) -> None:
    """Draw training and greedy returns, and beside them the mean greatest q-value.

    Args:
        figure: an empty figure.
        rows: of :func:`course_lib.agents.dqn_run.train`, with ``greatest_q``.
        steps: as far as the axis goes.
        aim: the return to reach.
    """
    left, right = figure.subplots(1, 2)
    at = np.array([row["env_steps"] for row in rows])
    for number, (key, name) in enumerate(
        (("mean_return", "last 20 episodes, exploring"), ("greedy_return", "greedy episodes"))
    ):
        values = np.array([row[key] for row in rows], float)
        seen = ~np.isnan(values)
        style = look(number) | ({"marker": "s"} if key == "greedy_return" else {})
        left.plot(at[seen], values[seen], **style, label=name)
    left.axhline(aim, color=GREY, linewidth=1)
    left.text(0, aim + 1, f"aim: {aim:g}", color=GREY, fontsize="small")
    left.set(xlabel="environment steps", ylabel="return", xlim=(0, steps), ylim=(-205, -80))
    finish(left, **ABOVE, ncols=2)
    plot_greatest_q(rows, ax=right)
    right.set_xlim(0, steps)


def draw_steps_to_go(
    figure: Figure, learned: Mapping[str, QValues], tracks: Mapping[str, np.ndarray] | None = None,
    *, gammas: Mapping[str, float] | None = None,
) -> None:  # fmt: skip
    """Draw over position and velocity how many steps an agent believes to be away from the flag.

    Args:
        figure: an empty figure.
        learned: name -> q-values of observations, (N, 2) -> (N, 3).
        tracks: name -> where a car was, shape (T, 2), drawn on top.
        gammas: name -> the discount of its q-values; 1 where none is given.
    """
    axes = np.atleast_1d(figure.subplots(1, len(learned), sharey=True))
    positions, velocities = (np.linspace(LOW[i], HIGH[i], 60) for i in (0, 1))
    grid = np.stack(np.meshgrid(positions, velocities), axis=-1)
    for ax, (name, q_values) in zip(axes, learned.items(), strict=True):
        worth = q_values(grid.reshape(-1, 2)).max(axis=1).reshape(grid.shape[:2])
        steps = steps_of(worth, (gammas or {}).get(name, 1.0))
        shown = ax.pcolormesh(positions, velocities, steps, vmin=0, vmax=MOST, cmap="viridis_r")
        if tracks and name in tracks:
            ax.plot(*tracks[name].T, color="black", linewidth=1)
        ax.axvline(FLAG, color="white", linewidth=1)
        ax.set(title=name, xlabel="position")
    axes[0].set_ylabel("velocity (per step)")
    figure.colorbar(shown, ax=axes, label="steps to go, as believed")


def steps_of(worth: np.ndarray, gamma: float) -> np.ndarray:
    """How many steps of cost 1 make such a discounted return; at most as many as colours show."""
    cost = np.maximum(-np.asarray(worth, float), 0)
    if gamma < 1:
        most = (1 - gamma**MOST) / (1 - gamma)
        cost = np.log1p(-(1 - gamma) * np.minimum(cost, most)) / np.log(gamma)
    return np.minimum(cost, MOST)


def draw_tilings(
    tiles: Any, obs: np.ndarray, *, num_shown: int = 3, ax: Axes | None = None
) -> Axes:
    """Draw some of the grids, and the tile of each in which a state lies.

    Args:
        tiles: a :class:`~course_lib.agents.tiles.Tiles` of two directions.
        obs: a state, shape (2,).
        num_shown: grids that are drawn.
        ax: axes to draw on; new ones if not given.
    """
    ax = new_axes(ax, (6, 3.6))
    size = (tiles.high - tiles.low) / tiles.num_tiles
    picked = np.arange(num_shown) * tiles.num_tilings // num_shown
    for number, shift in enumerate(tiles.shifts[picked]):
        style = look(number)
        first = tiles.low - shift * size
        for direction, line in enumerate((ax.axvline, ax.axhline)):
            for k in range(tiles.num_tiles + 2):
                line(first[direction] + k * size[direction], **style, linewidth=0.7, alpha=0.7)
        corner = first + np.floor((obs - first) / size) * size
        ax.fill(*(corner + np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size).T,
                color=style["color"], alpha=0.3, label=f"grid {picked[number] + 1}")  # fmt: skip
    ax.plot(*obs, "ko", markersize=6, label="the state")
    ax.set(xlim=(tiles.low[0], tiles.high[0]), ylim=(tiles.low[1], tiles.high[1]))
    ax.set(xlabel="position", ylabel="velocity (per step)")
    return finish(ax, **BESIDE)


def draw_mountains(
    figure: Figure, shares: Mapping[str, np.ndarray], gravities: np.ndarray, forces: np.ndarray
) -> None:
    """Draw for each agent which share of cars arrives on which mountain.

    Args:
        figure: an empty figure.
        shares: name -> shape (num_gravities, num_forces), in [0, 1].
        gravities: of the mountains, shape (num_gravities,).
        forces: of the engines, shape (num_forces,).
    """
    axes = np.atleast_1d(figure.subplots(1, len(shares), sharey=True))
    for ax, (name, found) in zip(axes, shares.items(), strict=True):
        ax.imshow(found, vmin=0, vmax=1, cmap="viridis", origin="lower", aspect="auto")
        for (row, column), share in np.ndenumerate(found):
            ink = "black" if share > 0.6 else "white"
            ax.text(column, row, f"{share:.0%}", ha="center", va="center", color=ink, fontsize=8)
        ax.set_xticks(range(len(forces)), [f"{force:.4f}" for force in forces])
        ax.set_yticks(range(len(gravities)), [f"{gravity:.4f}" for gravity in gravities])
        ax.set(title=name, xlabel="force of the engine")
    axes[0].set_ylabel("gravity")


def draw_eight(figure: Figure, rows: Sequence[Mapping[str, float]]) -> None:
    """Draw the eight curves that a training run is watched by.

    Args:
        figure: an empty figure.
        rows: with ``env_steps`` and what :data:`EIGHT` names; what is missing is left empty.
    """
    steps = np.array([row["env_steps"] for row in rows])
    for ax, (key, title) in zip(figure.subplots(2, 4).flat, EIGHT.items(), strict=True):
        values = np.array([row.get(key, np.nan) for row in rows], float)
        seen = ~np.isnan(values)
        window = 5 if key in NOISY and seen.any() else 1
        ax.plot(steps[seen], running_mean(values[seen], window), **look(0))
        ax.set_title(title, fontsize=8)
        ax.tick_params(labelsize=7)
        finish(ax, legend=False)
