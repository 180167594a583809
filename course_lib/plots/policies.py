"""Pictures of lesson 08: gradients, the clip, clips of a pendulum, learned rewards."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.plots.style import ABOVE, GREY, finish, look, new_axes


def draw_gradients(figure: Figure, found: Mapping[str, np.ndarray]) -> None:
    """Draw the estimates of one gradient by single episodes, in two of its directions.

    All are drawn to one scale. The directions are those in which the first estimates spread most.

    Args:
        figure: an empty figure.
        found: name -> estimates, shape (N, D), each divided by the length of their mean.
    """
    axes = np.atleast_1d(figure.subplots(1, len(found), sharex=True, sharey=True))
    first = next(iter(found.values()))
    plane = np.linalg.svd(first - first.mean(axis=0), full_matrices=False)[2][:2].T
    for number, (ax, (name, each)) in enumerate(zip(axes, found.items(), strict=True)):
        seen, style = each @ plane, look(number)
        ax.plot(*seen.T, ".", color=style["color"], alpha=0.5, markersize=4)
        ax.plot(*seen.mean(axis=0), "k+", markersize=12, markeredgewidth=2)
        ax.set(title=name, aspect="equal", xlabel="one direction")
        finish(ax, legend=False)
    axes[0].set_ylabel("another")


def plot_spread(spread: Mapping[str, float], *, ax: Axes | None = None) -> Axes:
    """Draw how many episodes each kind needs for an estimate as good as its mean is long.

    Args:
        spread: name -> variance of one episode's estimate over the squared length of the mean.
        ax: axes to draw on; new ones if not given.
    """
    ax = new_axes(ax, (7, 1.2 + 0.4 * len(spread)))
    names = list(spread)[::-1]
    for row, name in enumerate(names):
        ax.barh(row, spread[name], color=look(len(names) - 1 - row)["color"])
        ax.text(spread[name], row, f" {spread[name]:,.0f}", va="center")
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel("episodes until the noise is no larger than the gradient")
    ax.margins(x=0.12)
    return finish(ax, legend=False)


def draw_clip(figure: Figure, clip: float, ratio: float, advantage: float) -> None:
    """Draw PPO's objective over the ratio for an advantage, and where a step stands.

    Args:
        figure: an empty figure.
        clip: in (0, 1).
        ratio: where the step stands.
        advantage: of the step.
    """
    ax = figure.subplots()
    ratios = np.linspace(0, 2, 200)
    near = ratios.clip(1 - clip, 1 + clip)
    ax.plot(ratios, ratios * advantage, **look(1), label="ratio * advantage")
    ax.plot(ratios, np.minimum(ratios * advantage, near * advantage), **look(0), linewidth=2.5,
            label="what PPO makes large")  # fmt: skip
    ax.axvspan(1 - clip, 1 + clip, color=GREY, alpha=0.15, label="the clip")
    held = min(ratio * advantage, float(np.clip(ratio, 1 - clip, 1 + clip)) * advantage)
    ax.plot([ratio], [held], "ko", label=f"this step: {held:.2f}")
    ax.set(xlabel="ratio: new probability over old", ylabel="objective", xlim=(0, 2))
    finish(ax, **ABOVE, ncols=2)


def draw_rods(obs: np.ndarray, *, ax: Axes) -> Axes:
    """Draw a clip of a pendulum as one picture: faint at its beginning, dark at its end.

    Args:
        obs: shape (T, 3): cosine and sine of the angle from upright, and its speed.
        ax: axes to draw on.
    """
    ends = np.stack([-obs[:, 1], obs[:, 0]], axis=1)  # up is up, and left is left
    for number, (x, y) in enumerate(ends):
        share = (number + 1) / len(ends)
        ax.plot([0, x], [0, y], color=look(0)["color"], alpha=0.08 + 0.92 * share**3, linewidth=3)
    ax.plot(*ends.T, color=GREY, linewidth=0.8)
    ax.plot(*ends[-1], "o", color=look(1)["color"], markersize=9)
    ax.plot(0, 0, "ko", markersize=5)
    ax.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def draw_clips(figure: Figure, clips: Mapping[str, np.ndarray]) -> None:
    """Draw some clips beside each other, each with its name; obs of shape (T, 3) each."""
    axes = np.atleast_1d(figure.subplots(1, len(clips)))
    for ax, (name, obs) in zip(axes, clips.items(), strict=True):
        draw_rods(obs, ax=ax).set_title(name)


def draw_learned_rewards(figure: Figure, models: Any, groups: Mapping[str, Sequence[int]]) -> None:
    """Draw learned rewards of a rod over its angle, at rest, and over its speed, at any angle.

    Args:
        figure: an empty figure.
        models: :class:`~course_lib.agents.preferences.RewardModels` of rods.
        groups: name -> the numbers of its models; each is a thin line, their median a bold one.
    """
    angles, speeds = np.linspace(-180, 180, 73), np.linspace(-8, 8, 33)
    still = np.stack([np.radians(angles), 0 * angles], axis=1)
    around = np.stack([np.radians(angles[::6])] * len(speeds))
    turning = np.stack([around, np.repeat(speeds[:, None], around.shape[1], axis=1)], axis=2)
    panels = (
        (angles, _paid(models, still)[:, :, None],
         "angle of a rod at rest (degrees, 0 is upright)"),
        (speeds, _paid(models, turning.reshape(-1, 2)).reshape(-1, *around.shape),
         "turning speed to the left, mean over angles (radians per second)"),
    )  # fmt: skip
    for ax, (at, paid, xlabel) in zip(figure.subplots(1, 2, sharey=True), panels, strict=True):
        for number, (name, chosen) in enumerate(groups.items()):
            style, rewards = look(number), paid.mean(axis=2)[list(chosen)]
            ax.plot(at, np.median(rewards, axis=0), **style, linewidth=2.5, label=name)
            ax.plot(at, rewards.T, color=style["color"], linewidth=0.6, alpha=0.6)
        ax.set(xlabel=xlabel, ylabel="learned reward")
        finish(ax, **ABOVE, ncols=3)
    figure.axes[0].set_xticks(range(-180, 181, 90))


def _paid(models: Any, states: np.ndarray) -> np.ndarray:
    """What each model pays for angle and speed, (N, 2), without a force: (S, N)."""
    obs = np.stack([np.cos(states[:, 0]), np.sin(states[:, 0]), states[:, 1]], axis=1)
    for_all = np.tile(obs, (models.num_models, 1, 1))
    return models.rewards(for_all, np.zeros((*for_all.shape[:2], 1)))


def plot_shares_upright(shares: Mapping[str, Sequence[float]], *, ax: Axes | None = None) -> Axes:
    """Draw for each reward how long the agents trained with it hold the rod up, one mark each."""
    ax = new_axes(ax, (8, 1.2 + 0.45 * len(shares)))
    names = list(shares)[::-1]
    for row, name in enumerate(names):
        values = 100 * np.asarray(shares[name])
        heights = row + np.linspace(-0.15, 0.15, len(values)) * (len(values) > 1)
        ax.plot(values, heights, "o", color=look(len(names) - 1 - row)["color"],
                markersize=8, alpha=0.7)  # fmt: skip
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="% of the last 100 steps in which the rod stands", xlim=(-3, 103))
    ax.set_ylim(-0.5, len(names) - 0.5)
    return finish(ax, legend=False)
