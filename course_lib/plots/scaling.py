"""Where more machines or a GPU begin to pay: one line per way, over growing sizes."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from course_lib.plots.style import finish, look, new_axes

MARKS = "osD^v"


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
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter("")
    ax.set_xticks(places, [f"{size:g}" for size in sizes])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(axis="y", alpha=0.3)
    return finish(ax, fontsize="medium")
