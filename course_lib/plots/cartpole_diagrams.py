"""Diagrams of notebook 03: the cart, the network, and who does what when Ray trains a DQN."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from course_lib.plots.style import COLOURS, GREY, new_axes

Point = tuple[float, float]


def draw_cartpole(obs: Sequence[float], *, ax: Axes | None = None) -> Axes:
    """Draw the cart and name the four numbers that an agent sees.

    Args:
        obs: position (m), velocity (m/s), angle (rad, positive to the right), angular velocity
            (rad/s).
        ax: axes to draw on; new ones if not given.

    Raises:
        ValueError: if there are not four numbers.
    """
    if len(obs) != 4:
        raise ValueError(f"a CartPole observation has 4 numbers, got {len(obs)}")
    x, velocity, angle, spin = (float(value) for value in obs)
    ax = new_axes(ax, (8, 2.9))
    tip = (x + 1.0 * np.sin(angle), 0.12 + 1.0 * np.cos(angle))
    ax.plot([-2.4, 2.4], [-0.12, -0.12], color=GREY, linewidth=1)
    for edge in (-2.4, 2.4):
        ax.plot([edge, edge], [-0.2, 0.1], color=GREY, linestyle="--", linewidth=1)
    ax.add_patch(Rectangle((x - 0.25, -0.12), 0.5, 0.24, color=COLOURS[0]))
    ax.plot([x, x], [0.12, 1.25], color=GREY, linestyle=":", linewidth=1)
    ax.plot([x, tip[0]], [0.12, tip[1]], color=COLOURS[1], linewidth=6, solid_capstyle="round")
    labels = (
        (x, -0.42, f"position {x:+.2f} m", "center"),
        (x + 0.4, 0.0, f"velocity {velocity:+.2f} m/s", "left"),
        (tip[0] + 0.12, 0.75, f"angle {np.degrees(angle):+.1f}°", "left"),
        (tip[0] + 0.12, 0.50, f"angular velocity {spin:+.2f} rad/s", "left"),
        (-2.4, -0.42, "ends at −2.4 m", "center"),
        (2.4, -0.42, "ends at +2.4 m", "center"),
    )
    for left, bottom, text, align in labels:
        ax.text(left, bottom, text, ha=align, va="center", fontsize=9)
    ax.set(xlim=(-3.1, 3.1), ylim=(-0.6, 1.35), aspect="equal")
    ax.set_title("Everything the agent sees: four numbers", fontsize=11)
    ax.axis("off")
    return ax


def draw_network(
    inputs: Sequence[str], hidden: Sequence[int], outputs: Sequence[str], *, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw a fully connected network from named inputs to named outputs, few circles for many.

    Args:
        inputs: names of what goes in.
        hidden: units per hidden layer.
        outputs: names of what comes out.
        ax: axes to draw on; new ones if not given.
    """
    ax = new_axes(ax, (8, 3))
    counts = [len(inputs), *(min(7, units) for units in hidden), len(outputs)]
    layers = [
        [(column * 2.0, (count - 1) / 2 - row) for row in range(count)]
        for column, count in enumerate(counts)
    ]
    for left, right in itertools.pairwise(layers):
        for start in left:
            for end in right:
                ax.plot(*zip(start, end, strict=True), color=GREY, linewidth=0.4, alpha=0.5)
    for column, layer in enumerate(layers):
        colour = COLOURS[0] if column == 0 else COLOURS[1] if column == len(layers) - 1 else "white"
        across, up = np.array(layer).T
        ax.scatter(across, up, s=170, color=colour, edgecolor="black", zorder=3)
    for labels, layer, side in ((inputs, layers[0], -1), (outputs, layers[-1], 1)):
        for name, (x, y) in zip(labels, layer, strict=True):
            ax.text(x + side * 0.2, y, name, ha="right" if side < 0 else "left", va="center")
    for units, layer in zip(hidden, layers[1:-1], strict=True):
        ax.text(layer[0][0], layer[-1][1] - 0.9, f"{units} units", ha="center", fontsize=9)
    ax.set(xlim=(-1.9, 2.0 * len(hidden) + 4.1), ylim=(-4.3, 3.6))
    ax.axis("off")
    return ax


def draw_ray_dqn(*, num_env_runners: int = 2, ax: Axes | None = None) -> Axes:
    """Draw which process does what when RLlib trains a DQN.

    Args:
        num_env_runners: sampling processes to draw, at least 1.
        ax: axes to draw on; new ones if not given.
    """
    ax = new_axes(ax, (9, 3.8))
    _box(ax, 0.1, 0.2, 5.4, 3.6, "driver: the notebook's process", fill=False)
    _box(ax, 0.9, 1.9, 3.8, 0.95, "replay memory\nlast 100,000 transitions", COLOURS[4])
    learner = "learner: q-network and target network\n(a GPU, if any)"
    _box(ax, 0.9, 0.4, 3.8, 0.95, learner, COLOURS[5])
    _arrow(ax, (2.8, 1.9), (2.8, 1.35), "")
    ax.text(3.0, 1.62, "batches", va="center", fontsize=9)
    height = 3.6 / num_env_runners
    for i in range(num_env_runners):
        bottom = 0.2 + i * height
        text = f"env runner {num_env_runners - i}\nown CartPole, copy of the q-network"
        _box(ax, 7.3, bottom + 0.12, 3.0, height - 0.24, text, COLOURS[2])
        middle, top = bottom + height / 2, i == num_env_runners - 1
        _arrow(ax, (7.3, middle + 0.15), (4.7, 2.5), "episodes" if top else "")
        _arrow(ax, (4.7, 0.8), (7.3, middle - 0.2), "" if i else "weights", dashed=True)
    ax.text(0.4, 3.1, "train(): sample, store, learn, send the weights", fontsize=9)
    ax.set(xlim=(0, 10.5), ylim=(0, 4.0))
    ax.axis("off")
    return ax


def _box(
    ax: Axes, x: float, y: float, width: float, height: float, text: str, colour: str = "none",
    *, fill: bool = True,
) -> None:  # fmt: skip
    look: dict[str, Any] = {"facecolor": colour, "alpha": 0.3} if fill else {"facecolor": "none"}
    box: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.12"}
    ax.add_patch(FancyBboxPatch((x, y), width, height, **box, edgecolor="black", **look))
    top = y + height / 2 if fill else y + height - 0.22
    left, align = (x + width / 2, "center") if fill else (x + 0.3, "left")
    weight = "normal" if fill else "bold"
    ax.text(left, top, text, ha=align, va="center", fontsize=9, weight=weight)


def _arrow(ax: Axes, start: Point, end: Point, text: str, *, dashed: bool = False) -> None:
    look: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 14, "linewidth": 1.5}
    style = "--" if dashed else "-"
    ax.add_patch(FancyArrowPatch(start, end, linestyle=style, **look))
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    ax.text(middle[0], middle[1] + 0.12, text, ha="center", fontsize=9)
