"""Where the time of a training loop goes, as stacked bars."""

from collections.abc import Mapping

from matplotlib.axes import Axes

from course_lib.plots.style import ABOVE, COLOURS, finish, new_axes

HATCHES = ("", "//", "..", "xx", "", "--")


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
