"""Words for every picture of a notebook, in the page itself, for those who hear it.

JupyterLab shows a PNG without words, whatever its metadata say. So a figure is shown as an HTML
image that has them; a page that takes no HTML shows the PNG. ``import course_lib`` switches this on
for matplotlib's figures.
"""

import base64
import sys
from html import escape
from typing import Any

WIDE = "display:block;width:100%"  # of an image that fills its box


def watch() -> None:
    """Begin, where this process runs the cells of a notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        formatter = shell.display_formatter.mimebundle_formatter
        formatter.for_type_by_name("matplotlib.figure", "Figure", lambda figure, **_: of(figure))


def of(figure: Any, says: str = "") -> dict[str, str]:
    """Return what ``display(..., raw=True)`` takes for a matplotlib figure.

    Args:
        figure: the figure.
        says: what it shows; made of its titles and labels if not given.
    """
    from IPython.core.pylabtools import print_figure

    png = print_figure(figure, "png")
    says = says or words(figure)
    return bundle(image(png, says), png, says)


def words(figure: Any) -> str:
    """Return a sentence made of a figure's titles, axes and legends."""
    parts = []
    for ax in figure.axes:
        title, y, x = ax.get_title(), ax.get_ylabel(), ax.get_xlabel()
        legend = ax.get_legend()
        names = ", ".join(text.get_text() for text in legend.get_texts()) if legend else ""
        about = f"{y} by {x}" if y and x else y or x
        parts += [": ".join(filter(None, (title, about, names)))]
    return "Picture. " + "; ".join(filter(None, parts)).replace("\n", " ")


def image(picture: bytes, says: str, *, kind: str = "png", style: str = "max-width:100%") -> str:
    """Return an HTML image of a PNG, or GIF, with what it shows in words."""
    data = base64.b64encode(picture).decode()
    return f'<img alt="{escape(says)}" src="data:image/{kind};base64,{data}" style="{style}">'


def bundle(html: str, png: bytes, says: str) -> dict[str, str]:
    """Return what ``display(..., raw=True)`` takes; a page without HTML shows the PNG."""
    return {"text/html": html, "image/png": base64.b64encode(png).decode(), "text/plain": says}
