"""A mouse that walks over a picture of its maze, in the page itself: nothing is drawn again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from IPython.display import display
from matplotlib.figure import Figure

from course_lib import alt_text
from course_lib.envs.maze_map import Cell
from course_lib.widgets.live import LiveFigure, picture

DPI = 90
STEP_S, LONGEST_S = 0.15, 4.0  # of a walk that is played
INK = "#0072B2"


@dataclass(frozen=True)
class Ground:
    """A picture of a maze, and where its cells are in it.

    Attributes:
        png: the picture.
        size: width and height in pixels.
        corner: pixels (x, y) of the middle of cell (0, 0).
        side: pixels from one column to the next; rows are as far apart.
    """

    png: bytes
    size: tuple[float, float]
    corner: tuple[float, float]
    side: float

    def at(self, cell: Cell) -> tuple[float, float]:
        """Pixels (x, y) of the middle of a cell."""
        return self.corner[0] + self.side * cell[1], self.corner[1] + self.side * cell[0]


def ground(draw: Callable[..., Any], figsize: tuple[float, float], *args: Any) -> Ground:
    """Draw a figure whose first axes hold a maze, column by row.

    Args:
        draw: called as ``draw(figure, *args)`` with an empty matplotlib figure.
        figsize: width and height in inches.
        *args: handed on.
    """
    kept: list[Figure] = []

    def keep(figure: Figure) -> None:
        kept.append(figure)
        draw(figure, *args)

    png, _ = picture(keep, figsize)
    figure = kept[0]
    width, height = DPI * figsize[0], DPI * figsize[1]
    place = figure.axes[0].transData + figure.transFigure.inverted()
    (x, y), (right, _) = place.transform([(0, 0), (1, 0)])
    return Ground(png, (width, height), (x * width, (1 - y) * height), (right - x) * width)


def mouse(
    ground: Ground, path: Sequence[Cell], *, colour: str = INK, duration_s: float = 0.0,
    trail: bool = True,
) -> str:  # fmt: skip
    """Return SVG of a mouse at the end of its path, or on its way along it.

    Args:
        ground: the picture that it walks on.
        path: cells, at least one.
        colour: of the mouse and its trail.
        duration_s: seconds that the walk is played for; 0 puts the mouse at its end.
        trail: whether the path is drawn as a line.
    """
    points = [ground.at(cell) for cell in path]
    r = 0.2 * ground.side
    body = f'<circle r="{1.3 * r:.1f}"/>' + "".join(
        f'<circle cx="{side * r:.1f}" cy="{-1.1 * r:.1f}" r="{0.65 * r:.1f}"/>' for side in (-1, 1)
    )
    eyes = "".join(
        f'<circle cx="{side * 0.45 * r:.1f}" cy="{-0.2 * r:.1f}" r="{0.2 * r:.1f}" fill="white"/>'
        for side in (-1, 1)
    )
    way = "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    line = "".join(  # on a white rim, to be seen on any colour
        f'<path d="{way}" fill="none" stroke="{ink}" stroke-width="{wide}" stroke-opacity="0.7"/>'
        for ink, wide in (("white", 6), (colour, 3))
    )
    if duration_s > 0 and len(path) > 1:
        place = ""
        walk = f'<animateMotion path="{way}" dur="{duration_s:.2f}s" fill="freeze"/>'
    else:
        x, y = points[-1]
        place, walk = f' transform="translate({x:.1f},{y:.1f})"', ""
    return f'{line if trail else ""}<g stroke="white" fill="{colour}"{place}>{body}{eyes}{walk}</g>'


def layer(ground: Ground, *mice: str) -> str:
    """Return the SVG that lies over the picture."""
    width, height = ground.size
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" aria-hidden="true" '
        f'style="display:block;width:100%;pointer-events:none">{"".join(mice)}</svg>'
    )


def play(
    ground: Ground, path: Sequence[Cell], says: str, *, duration_s: float | None = None
) -> dict[str, str]:
    """Return a bundle for ``display(..., raw=True)``: the picture, and a mouse that walks on it.

    Args:
        ground: from :func:`ground`.
        path: cells of the walk.
        says: what the picture shows, in words.
        duration_s: seconds of the walk; by its length, at most 4, if not given.
    """
    if duration_s is None:
        duration_s = min(LONGEST_S, STEP_S * len(path))
    over = layer(ground, mouse(ground, path, duration_s=duration_s, trail=False))
    html = (
        f'<div style="position:relative;max-width:{ground.size[0]:g}px">'
        + alt_text.image(ground.png, says, style=alt_text.WIDE)
        + f'<div style="position:absolute;top:0;left:0;width:100%">{over}</div></div>'
    )
    return alt_text.bundle(html, ground.png, says)


def show_walk(draw: Callable[..., Any], figsize: tuple[float, float], path: Sequence[Cell]) -> None:
    """Show a picture of a maze, and a mouse that walks along ``path`` once.

    Args:
        draw: called as ``draw(figure)`` with an empty matplotlib figure; its first axes hold the
            maze.
        figsize: width and height in inches.
        path: (row, column) of each cell of the walk.
    """
    says = f"A mouse walks {len(path) - 1} steps, from {tuple(path[0])} to {tuple(path[-1])}."
    display(play(ground(draw, figsize), path, says), raw=True)


class LiveWalk(LiveFigure):
    """A live figure whose first axes hold a maze, on which the latest walk is played.

    :meth:`update` takes what ``draw`` takes, and last the cells of the walk.
    """

    def _bundle(self, *args: Any) -> dict[str, str]:
        *rest, path = args
        says = f"The mouse's latest walk: {len(path) - 1} steps, to {tuple(path[-1])}."
        seconds = max(self._min_interval_s, 0.4)
        return play(ground(self._draw, self._figsize, *rest), path, says, duration_s=seconds)
