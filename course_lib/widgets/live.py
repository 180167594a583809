"""A figure that is redrawn in place while a cell runs, and stays as a picture afterwards."""

import io
import time
from collections.abc import Callable
from typing import Any, ClassVar, Self

from IPython.core.getipython import get_ipython
from IPython.display import DisplayHandle, display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from course_lib import alt_text


def picture(
    draw: Callable[..., Any], figsize: tuple[float, float], *args: Any, **kw: Any
) -> tuple[bytes, str]:
    """Call ``draw(figure, ...)`` on an empty figure; return it as PNG bytes, and in words.

    pyplot is left alone, so nothing has to be closed and no other figure is disturbed.
    """
    figure = Figure(figsize=figsize, layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure, *args, **kw)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=90)
    return stream.getvalue(), alt_text.words(figure)


class LiveFigure:
    """Show a figure that follows a training run.

    Redrawing is limited to one picture per ``min_interval_s``, so watching costs little. The last
    picture stays in the saved notebook. Outside a notebook nothing is drawn.

    Args:
        draw: called as ``draw(figure, *args)`` with an empty matplotlib figure and whatever
            :meth:`update` was given.
        figsize: width and height in inches.
        min_interval_s: shortest time between two pictures, in seconds.

    Example:
        >>> live = LiveFigure(lambda figure, returns: figure.subplots().plot(returns))
        >>> for episode in range(3):
        ...     live.update([0.0] * episode)
        >>> live.close([0.0, 0.0, 0.0])
    """

    _latest: ClassVar["LiveFigure | None"] = None

    def __init__(
        self, draw: Callable[..., Any], *, figsize: tuple[float, float] = (8, 3),
        min_interval_s: float = 0.5,
    ) -> None:  # fmt: skip
        if min_interval_s < 0:
            raise ValueError(f"min_interval_s must be at least 0, got {min_interval_s}")
        self._draw = draw
        self._figsize = figsize
        self._min_interval_s = min_interval_s
        self._drawn_at = float("-inf")
        self._args: tuple[Any, ...] | None = None
        self._pending = False
        self._handle: DisplayHandle | None = None

    def update(self, *args: Any, force: bool = False) -> None:
        """Redraw with ``args``, unless the last picture is younger than ``min_interval_s``."""
        self._args = args
        self._pending = True
        LiveFigure._latest = self
        if force or time.monotonic() - self._drawn_at >= self._min_interval_s:
            self._show()

    def close(self, *args: Any) -> None:
        """Draw the final state: ``args`` if any are given, else those of the last update."""
        if args:
            self._args, self._pending = args, True
        if self._pending:
            self._show()

    @classmethod
    def again(cls) -> None:
        """Show the latest live figure of this notebook once more, if there is one."""
        if cls._latest is not None and cls._latest._args is not None:
            display(cls._latest._bundle(*cls._latest._args), raw=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Draw the last state also when the cell was interrupted."""
        self.close()

    def _show(self) -> None:
        if get_ipython() is None or self._args is None:
            self._pending = False
            return
        bundle = self._bundle(*self._args)
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)
        self._pending = False  # not before: an interrupt while it is drawn leaves the old picture
        self._drawn_at = time.monotonic()

    def _bundle(self, *args: Any) -> dict[str, str]:
        png, says = picture(self._draw, self._figsize, *args)
        return alt_text.bundle(alt_text.image(png, says), png, says)
