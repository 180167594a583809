"""Pictures of prices, trades and equity; all of them can be read in black and white."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from course_lib.plots.style import COLOURS, draw_levels, finish, look, mark, new_axes

type Times = pd.DatetimeIndex | Sequence | np.ndarray
SIZE = (8, 3.4)
TRADERS = ("agent", "buy and hold", "moving average", "random", "cash", "mix")


def looks_of(traders: Sequence[str]) -> list[dict[str, Any]]:
    """Return colour and line style of each trader of one picture.

    One whose name begins with one of ``TRADERS`` looks the same in every picture; agents of other
    names take what is left.
    """
    known = [[n for n, one in enumerate(TRADERS) if name.startswith(one)] for name in traders]
    taken = {numbers[0] for numbers in known if numbers}
    free = iter([number for number in (0, 5, 6, 4, 3, 2, 1) if number not in taken])
    return [look(numbers[0] if numbers else next(free, 0)) for numbers in known]


def plot_trades(
    times: Times, close: np.ndarray, positions: np.ndarray, *, ax: Axes | None = None,
    title: str = "",
) -> Axes:  # fmt: skip
    """Draw a price with its buys and sells: filled triangles up, hollow triangles down.

    The hours in coin are shaded.

    Args:
        times: shape (T,).
        close: shape (T,), dollars.
        positions: shape (T - 1,), 0 in cash, 1 in coin, from row t to row t + 1; cash before.
        ax: axes to draw on; new ones if not given.
        title: over the picture.

    Raises:
        ValueError: if the shapes do not fit.
    """
    close, positions = np.asarray(close), np.asarray(positions)
    if len(positions) != len(close) - 1 or len(times) != len(close):
        raise ValueError(
            f"times and close must have T entries and positions T - 1, got {len(times)}, "
            f"{len(close)} and {len(positions)}"
        )
    ax = new_axes(ax, SIZE)
    when = naive(times)
    held = np.append(positions, positions[-1]).astype(bool)
    ax.plot(when, close, color="#444444", linewidth=1.0, label="price", zorder=2)
    ax.fill_between(
        when, 0, 1, where=held, step="post", transform=ax.get_xaxis_transform(), color="#DDDDDD",
        linewidth=0, label="in coin", zorder=0,
    )  # fmt: skip
    changes = np.diff(positions, prepend=0)
    for change, shape, name in ((1, "^", "buy"), (-1, "v", "sell")):
        rows, style = np.flatnonzero(changes == change), mark(shape, filled=change > 0)
        ax.plot(when[rows], close[rows], **style, label=f"{name} ({rows.size})", zorder=3)
    ax.set_title(title, fontsize="medium")
    return finish_dates(ax, "price (dollars)")


def plot_equity(
    times: Times, curves: Mapping[str, np.ndarray], *, ax: Axes | None = None, title: str = ""
) -> Axes:
    """Draw the net worth of several traders; line styles differ as well as colours.

    Args:
        times: shape (T,).
        curves: name -> net worth in dollars, shape (T,), or (num_seeds, T): then the median is the
            line and the range of all seeds a band.
        ax: axes to draw on; new ones if not given.
        title: over the picture.
    """
    ax = new_axes(ax, SIZE)
    when = naive(times)
    for style, (name, curve) in zip(looks_of(list(curves)), curves.items(), strict=True):
        values = np.atleast_2d(np.asarray(curve, dtype=float))
        label = name if len(values) == 1 else f"{name} ({len(values)} seeds: median, range)"
        if len(values) > 1:
            low, high = values.min(axis=0), values.max(axis=0)
            ax.fill_between(when, low, high, color=style["color"], alpha=0.15, linewidth=0)
        ax.plot(when, np.median(values, axis=0), **style, linewidth=1.8, label=label)
    ax.set_title(title, fontsize="medium")
    return finish_dates(ax, "net worth (dollars)")


def plot_periods(
    times: Times, close: np.ndarray, periods: Mapping[str, tuple[str, str]], *,
    hidden: Sequence[str] = (), ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw a price and mark what each stretch of it is used for.

    Args:
        times: shape (T,).
        close: shape (T,), dollars.
        periods: name -> (first time, first time after it).
        hidden: names of periods whose prices are not drawn.
        ax: axes to draw on; new ones if not given.
    """
    ax = new_axes(ax, SIZE)
    when, shown = pd.DatetimeIndex(times), np.array(close, dtype=float)
    for name in hidden:
        first, end = (pd.Timestamp(time) for time in periods[name])
        shown[(when >= first) & (when < end)] = np.nan
    ax.plot(naive(times), shown, color="#222222", linewidth=0.9)
    shades = ("#FFFFFF", "#E4E4E4", "#C6C6C6")
    hatches = ("", "//", "xx")
    for number, (name, (first, end)) in enumerate(periods.items()):
        left, right = pd.Timestamp(first), pd.Timestamp(end)
        ax.axvspan(
            left, right, facecolor=shades[number % 3], edgecolor="#999999",
            hatch=hatches[number % 3], alpha=0.6, zorder=0, linewidth=0.5,
        )  # fmt: skip
        ax.text(
            left + (right - left) / 2, 0.94, f"{name}\n(not yet)" if name in hidden else name,
            transform=ax.get_xaxis_transform(),
            ha="center", va="top", bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
        )  # fmt: skip
    ax.set_ylim(bottom=0)
    return finish_dates(ax, "price (dollars)", legend=False)


def plot_observation(
    rows: np.ndarray, names: Sequence[str], *, ax: Axes | None = None, title: str = ""
) -> Axes:
    """Draw one observation as a picture: a row for each feature, a column for each hour.

    Args:
        rows: shape (window, num_features), oldest first.
        names: of the features.
        ax: axes to draw on; new ones if not given.
        title: over the picture.
    """
    ax = new_axes(ax, (8, 2.2))
    rows = np.asarray(rows)
    limit = max(float(np.abs(rows).max()), 1e-9)
    hours = np.arange(-len(rows) + 1, 1)
    extent = (hours[0] - 0.5, hours[-1] + 0.5, len(names) - 0.5, -0.5)
    scale: dict[str, Any] = {"cmap": "cividis", "vmin": -limit, "vmax": limit}
    image = ax.imshow(rows.T, aspect="auto", extent=extent, **scale)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="hours before the decision", title=title)
    ax.figure.colorbar(image, ax=ax, label="in units of volatility")
    return ax


def plot_learning_rates(
    learning_rates: Sequence[float], shares: Sequence[float], stopped_early: Sequence[bool], *,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw one mark per trial, and the median of each learning rate.

    Args:
        learning_rates: one for each trial.
        shares: profit as a share of perfect foresight.
        stopped_early: whether the scheduler ended the trial.
        ax: axes to draw on; new ones if not given.
    """
    ax = new_axes(ax, SIZE)
    rates, scores, early = map(np.asarray, (learning_rates, shares, stopped_early))
    known = np.unique(rates)
    medians = [np.median(scores[rates == rate]) for rate in known]
    ax.plot(known, medians, color=COLOURS[0], linewidth=1.5, label="median of the seeds")
    for flag, shape, name in ((False, "o", "trained to the end"), (True, "s", "stopped early")):
        some, style = early == flag, mark(shape, filled=not flag)
        ax.plot(rates[some], scores[some], **style, label=f"{name} ({some.sum()})")
    draw_levels(ax, ("staying in cash", 0.0), ("perfect foresight", 1.0))
    ax.set(xscale="log", xlabel="learning rate", ylabel="profit, share of the best possible")
    return finish(ax)


def naive(times: Times) -> np.ndarray:
    """Times as numpy dates without a zone, which matplotlib draws without converting."""
    index = pd.DatetimeIndex(times)
    return (index.tz_convert("UTC").tz_localize(None) if index.tz else index).to_numpy()


def finish_dates(ax: Axes, ylabel: str, *, legend: bool = True, **place: Any) -> Axes:
    """Label the axes of a picture over time, and finish it."""
    locator = mdates.AutoDateLocator()
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    ax.set(xlabel="time (UTC)", ylabel=ylabel)
    return finish(ax, legend=legend, **place)
