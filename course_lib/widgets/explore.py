"""Sliders that redraw a figure, which is an ordinary picture on a page without a kernel."""

import base64
from collections.abc import Callable
from typing import Any

import ipywidgets
from IPython.display import display

from course_lib import alt_text
from course_lib.widgets import page
from course_lib.widgets.live import picture


def explore(
    draw: Callable[..., Any],
    *,
    figsize: tuple[float, float] = (8, 4),
    **controls: ipywidgets.ValueWidget,
) -> None:
    """Show controls, and under them a figure that follows them.

    The figure is a plain picture output, not a part of the widget: a saved notebook, a static page
    and a print all show it in the state it was left in.

    Args:
        draw: called as ``draw(figure, **values)`` with an empty matplotlib figure and the value of
            each control.
        figsize: width and height in inches.
        **controls: ipywidgets controls by name. A control without a description gets its name.

    Raises:
        ValueError: if a control has no value to follow.
    """
    for name, control in controls.items():
        if not hasattr(control, "value"):
            raise ValueError(f"{name} must be an ipywidgets control with a value, got {control!r}")
        control.description = control.description or name.replace("_", " ")
        control.style.description_width = "initial"
        if hasattr(control, "continuous_update"):
            control.continuous_update = False

    def values() -> dict[str, Any]:
        return {name: control.value for name, control in controls.items()}

    def shown() -> dict[str, str]:
        png, says = picture(draw, figsize, **values())
        image = alt_text.image(png, says, style=alt_text.WIDE)
        return alt_text.bundle(
            f'<div style="max-width:{90 * figsize[0]:g}px">{image}</div>', png, says
        )

    show_controls(ipywidgets.HBox(list(controls.values()), layout={"flex_flow": "row wrap"}))
    handle = display(shown(), raw=True, display_id=True)
    page.name_sliders()

    def follow(_: Any) -> None:
        if handle is not None:
            handle.update(shown(), raw=True)

    for control in controls.values():
        control.observe(follow, names="value")


def show_controls(box: ipywidgets.Widget, *, still: bytes | None = None) -> None:
    """Display ``box``; a page without a kernel shows a picture or one sentence in its place.

    Args:
        box: the widget.
        still: PNG bytes to show instead of the sentence.
    """
    bundle = dict(box._repr_mimebundle_() or {})
    bundle["text/plain"] = "(The controls that belong here need a running notebook.)"
    if still is not None:
        bundle["image/png"] = base64.b64encode(still).decode()
    display(bundle, raw=True)
