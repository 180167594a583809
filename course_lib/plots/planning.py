"""Pictures of lesson 05: Taxi's town, one state three ways, values that flood it, and the fog."""

from typing import Any

import gymnasium as gym
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from course_lib.plots.maze import ARROW
from course_lib.plots.style import (
    COLOURS,
    GREY,
    cells,
    draw_levels,
    fill,
    finish,
    look,
    new_axes,
)  # fmt: skip

PLACES = {"R": (0, 0), "G": (0, 4), "Y": (4, 0), "B": (4, 3)}
ACTIONS = ("south", "north", "east", "west", "pick up", "drop off")
MOVES = ((1, 0), (-1, 0), (0, 1), (0, -1))  # of the first four actions, as (rows, columns)
BY_PART = (5, 5, 5, 4)  # row, column, passenger (R G Y B, or in the taxi), destination
WALLS = ((0, 1), (1, 1), (3, 0), (4, 0), (3, 2), (4, 2))  # (row, column): a wall right of it


def state_number(row: int, column: int, passenger: int, destination: int) -> int:
    """Return the number of a state of Taxi.

    Args:
        row: of the taxi, 0 to 4.
        column: of the taxi, 0 to 4.
        passenger: 0 to 3 waits at R, G, Y or B; 4 is in the taxi.
        destination: 0 to 3 for R, G, Y or B.

    Raises:
        ValueError: if a part is out of range.
    """
    parts = (row, column, passenger, destination)
    if any(not 0 <= part < size for part, size in zip(parts, BY_PART, strict=True)):
        raise ValueError(
            f"row and column are 0 to 4, passenger 0 to 4 and destination 0 to 3, got {parts}"
        )
    return int(np.ravel_multi_index(parts, BY_PART))


def in_words(state: int) -> str:
    """Say in words what a state of Taxi is."""
    row, column, passenger, destination = np.unravel_index(state, BY_PART)
    where = "in the taxi" if passenger == 4 else f"waiting at {'RGYB'[passenger]}"
    return f"taxi at ({row}, {column}), passenger {where}, to {'RGYB'[destination]}"


def draw_state(env: gym.Env, state: int, *, figure: Figure) -> None:
    """Draw one state three ways: as a picture, as a node among its neighbours, as numbers.

    Args:
        env: Taxi with ``render_mode="rgb_array"``.
        state: its number, 0 to 499.
        figure: an empty figure.
    """
    left, middle, right = figure.subplots(1, 3, width_ratios=[5, 5, 4])
    draw_scene(env, state, ax=left)
    left.set_title("a picture")
    draw_neighbours(env, state, ax=middle)
    middle.set_title("a node among its neighbours")
    row, column, passenger, destination = np.unravel_index(state, BY_PART)
    parts = {"row": row, "column": column, "passenger": passenger, "destination": destination}
    meant = {"passenger": "RGYB"[passenger] if passenger < 4 else "in the taxi",
             "destination": "RGYB"[destination]}  # fmt: skip
    right.axis("off")
    right.text(0, 0.85, f"{state}", fontsize=30, va="center")
    for place, (name, value) in enumerate(parts.items()):
        told = f"{name} {value}" + (f" ({meant[name]})" if name in meant else "")
        right.text(0, 0.6 - 0.16 * place, told, fontsize=12, va="center")
    right.set(title="a number, and its four parts", xlim=(0, 1), ylim=(0, 1))


def draw_scene(env: gym.Env, state: int, *, ax: Axes | None = None) -> Axes:
    """Draw Gymnasium's own picture of a state."""
    ax = new_axes(ax, (5, 3.5))
    env.reset()
    env.unwrapped.s = state  # type: ignore[attr-defined]
    ax.imshow(env.render())  # type: ignore[arg-type]
    ax.axis("off")
    return ax


def draw_neighbours(env: gym.Env, state: int, *, ax: Axes | None = None) -> Axes:
    """Draw where each action leads from a state, and what it pays."""
    ax = new_axes(ax, (4, 4))
    rules = env.unwrapped.P[state]  # type: ignore[attr-defined]
    spots = ((0, -1), (0, 1), (1, 0), (-1, 0), (-0.85, 0.85), (0.85, 0.85))
    for action, (right, up) in enumerate(spots):
        ((_, after, reward, ends),) = rules[action]
        x, y, stays = 0.95 * right, 0.95 * up, after == state
        reach, ink = (0.72, GREY) if stays else (0.78, "black")
        line = {"arrowstyle": "-|>", "linestyle": "--" if stays else "-", "color": ink}
        start, end = (0.22 * right, 0.22 * up), (reach * x, reach * y)
        ax.annotate("", end, start, arrowprops=line)
        if not stays:
            ax.add_patch(Circle((x, y), 0.19, facecolor="white", edgecolor="black"))
        told = "the end" if ends else "stays" if stays else str(after)
        ax.text(x, y, told, ha="center", va="center", fontsize=9)
        name = ax.text(0.52 * x, 0.52 * y, f"{ACTIONS[action]}\n{reward:+g}", fontsize=8)
        name.set(ha="center", va="center", bbox={"facecolor": "white", "ec": "none", "pad": 0.8})
    ax.add_patch(Circle((0, 0), 0.2, facecolor=COLOURS[5], edgecolor="black"))
    ax.text(0, 0, str(state), ha="center", va="center", fontsize=10)
    ax.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal")
    ax.axis("off")
    return ax


def draw_town(
    numbers: np.ndarray, *, passenger: int, destination: int, ax: Axes | None = None,
    limits: tuple[float, float] | None = None, plan: np.ndarray | None = None,
    cmap: str = "viridis", words: str = "{:.0f}",
) -> Axes:  # fmt: skip
    """Draw one number of each state on the map, for one passenger and one destination.

    Args:
        numbers: shape (500,).
        passenger: 0 to 3 waits at R, G, Y or B; 4 is in the taxi.
        destination: 0 to 3 for R, G, Y or B.
        ax: axes to draw on; new ones if not given.
        limits: values of the darkest and the brightest colour; those that occur here if None.
        plan: q-values, shape (500, 6): the best actions are drawn, P for pick up, D for drop off;
            none where more than two are equally good.
        cmap: matplotlib's name of the colours.
        words: how a number is written.

    Raises:
        ValueError: if there is not one number for each state.
    """
    if np.shape(numbers) != (500,):
        raise ValueError(f"numbers must have shape (500,), got {np.shape(numbers)}")
    ax = cells(5, 5, ax, (3.6, 3.4))
    here = np.asarray(numbers, float).reshape(BY_PART)[:, :, passenger, destination]
    low, high = limits or (float(here.min()), float(here.max()))
    scale = Normalize(low, max(high, low + 1e-9))
    for (row, column), number in np.ndenumerate(here):
        ink = fill(ax, row, column, colormaps[cmap](scale(number)))
        ax.text(column, row + 0.3, words.format(number), ha="center", va="center", fontsize=8,
                color=ink, zorder=6)  # fmt: skip
        if plan is not None:
            state = state_number(row, column, passenger, destination)
            _best_actions(np.asarray(plan)[state], row, column, ax)
    _streets(ax, passenger, destination)
    return ax


def _best_actions(q_values: np.ndarray, row: int, column: int, ax: Axes) -> None:
    best = np.flatnonzero(np.isclose(q_values, q_values.max()))
    for action in best if len(best) <= 2 else ():
        if action < 4:
            down, right = 0.28 * np.array(MOVES[action])
            back = 1 if len(best) == 1 else 0  # two begin in the middle, so that they do not cross
            ax.annotate("", (column + right, row - 0.1 + down),
                        (column - back * right, row - 0.1 - back * down),
                        arrowprops=ARROW, zorder=5)  # fmt: skip
        else:
            ax.text(column, row - 0.12, "PD"[action - 4], ha="center", va="center", zorder=6,
                    fontweight="bold", bbox={"facecolor": "white", "pad": 1.5})  # fmt: skip


def _streets(ax: Axes, passenger: int, destination: int) -> None:
    """Draw walls, and the letters of the four places; the goal and the passenger are marked."""
    for row, column in WALLS:
        ax.plot([column + 0.5] * 2, [row - 0.5, row + 0.5], color="black", linewidth=4, zorder=4)
    for number, (name, (row, column)) in enumerate(PLACES.items()):
        marked = {passenger: " waits", destination: " goal"}.get(number, "")
        letter = ax.text(column - 0.44, row - 0.44, name + marked, ha="left", va="top", fontsize=8)
        letter.set(zorder=7, fontweight="bold", bbox={"fc": "white", "alpha": 0.8, "pad": 0.6})


def draw_flood(
    figure: Figure, values: np.ndarray, q_values: np.ndarray, *, relative: bool = False,
    places: tuple[int, int] = (2, 0), limits: tuple[float, float] = (-10.0, 20.0),
) -> None:  # fmt: skip
    """Draw the values on two maps: the passenger waits, and the passenger is in the taxi.

    Args:
        figure: an empty figure.
        values: shape (500,).
        q_values: shape (500, 6), one step ahead of them; their best actions are drawn.
        relative: colours from the lowest to the highest value of each map, instead of ``limits``.
        places: where the passenger waits and wants to go, 0 to 3.
        limits: values of the darkest and the brightest colour.
    """
    waits, goal = places
    names = (f"passenger waits at {'RGYB'[waits]}", "passenger in the taxi")
    for ax, name, passenger in zip(figure.subplots(1, 2), names, (waits, 4), strict=True):
        draw_town(values, passenger=passenger, destination=goal, ax=ax, plan=q_values,
                  limits=None if relative else limits)  # fmt: skip
        ax.set_title(f"{name}, to {'RGYB'[goal]}")


def plot_extremes(
    runs: dict[str, np.ndarray], *, last: int, limit: float = 20.0, ax: Axes | None = None
) -> Axes:
    """Draw the highest and the lowest value after each sweep.

    Args:
        runs: name -> values after each sweep, shape (num_sweeps + 1, num_states).
        last: the last sweep that is drawn.
        limit: the most that one ride can be worth.
        ax: axes to draw on; new ones if not given.
    """
    ax = new_axes(ax)
    for number, (name, values) in enumerate(runs.items()):
        shown, ink = values[: last + 1], look(number)
        ax.plot(shown.max(axis=1), **ink, linewidth=2.5, label=f"{name}, highest value")
        ax.plot(shown.min(axis=1), **ink, linewidth=1, label=f"{name}, lowest value")
    draw_levels(ax, None, ("most that a ride pays", limit))
    ax.set(xlabel="sweeps", ylabel="value", xlim=(0, last))
    return finish(ax)


def draw_fog(
    figure: Figure, truth: np.ndarray, ledger: np.ndarray, visits: np.ndarray, *,
    passenger: int = 4, destination: int = 0,
) -> None:  # fmt: skip
    """Draw what the map says, what a ledger says, and how often a state was stood in.

    Args:
        figure: an empty figure.
        truth: V*, shape (500,).
        ledger: the highest q-value of each state, shape (500,).
        visits: of each state, shape (500,).
        passenger: 0 to 3 waits at R, G, Y or B; 4 is in the taxi.
        destination: 0 to 3.
    """
    where: dict[str, Any] = {"passenger": passenger, "destination": destination}
    one, two, three = figure.subplots(1, 3)
    draw_town(truth, ax=one, limits=(-10, 20), **where).set_title("with the map: V*")
    draw_town(ledger, ax=two, limits=(-10, 20), words="{:.1f}", **where)
    two.set_title("from the fog: best q-value")
    draw_town(visits, ax=three, cmap="Greys", **where).set_title("visits")


def draw_five(env: gym.Env, states: dict[str, int], *, figure: Figure) -> None:
    """Draw Gymnasium's pictures of some states beside each other, each under its name."""
    for ax, (name, state) in zip(figure.subplots(1, len(states)), states.items(), strict=True):
        draw_scene(env, state, ax=ax)
        ax.set_title(
            f"{name}\n" + in_words(state).replace(", passenger", "\npassenger"), fontsize=8
        )
