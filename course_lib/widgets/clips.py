"""Two clips side by side, and three buttons: which one is better?"""

from collections.abc import Callable
from typing import Any

import ipywidgets
import numpy as np

from course_lib import alt_text
from course_lib.widgets.explore import show_controls
from course_lib.widgets.live import picture

WORDS = {"left": 1.0, "right": 0.0, "neither": 0.5}


class Comparisons:
    """Questions to a person, one after the other; what was answered stays, also half-way.

    Args:
        draw: called as ``draw(figure, left, right)`` with the numbers of two clips.
        pairs: shape (Q, 2).
        figsize: width and height of the picture in inches.
    """

    def __init__(
        self, draw: Callable[..., Any], pairs: np.ndarray, *, figsize: tuple[float, float] = (7, 3)
    ) -> None:
        self._draw, self._pairs, self._figsize = draw, pairs, figsize
        self.left: list[float] = []
        self.buttons = []
        for word in WORDS:
            tip = f"{word} is better" if word != "neither" else "neither is better"
            button = ipywidgets.Button(description=tip, layout={"width": "14em"})
            button.on_click(lambda _, word=word: self.answer(word))
            self.buttons.append(button)
        self.back = ipywidgets.Button(description="take the last one back")
        self.back.on_click(lambda _: self.take_back())
        self.back.layout.width = "14em"
        self.said = ipywidgets.Label()
        self.image = ipywidgets.HTML()
        row = ipywidgets.HBox([*self.buttons, self.back], layout={"flex_flow": "row wrap"})
        self.box = ipywidgets.VBox([self.image, row, self.said])
        self._show()

    def show(self) -> None:
        """Display the question; a page without a kernel shows it as a picture."""
        show_controls(self.box, still=self._picture()[0])

    def answer(self, word: str) -> None:
        """Note an answer, and ask the next.

        Raises:
            ValueError: if it is none of left, right and neither.
        """
        if word not in WORDS:
            raise ValueError(f"an answer is one of {', '.join(WORDS)}, got {word!r}")
        if len(self.left) < len(self._pairs):
            self.left.append(WORDS[word])
        self._show()

    def take_back(self) -> None:
        """Ask the last question again."""
        if self.left:
            self.left.pop()
        self._show()

    def _picture(self) -> tuple[bytes, str]:
        number = min(len(self.left), len(self._pairs) - 1)
        left, right = (int(one) for one in self._pairs[number])
        return picture(self._draw, self._figsize, left=left, right=right)

    def _show(self) -> None:
        png, says = self._picture()
        self.image.value = alt_text.image(png, says, style=alt_text.WIDE)
        done, of = len(self.left), len(self._pairs)
        over = done >= of
        self.said.value = (
            f"All {of} are answered. Thank you: run the next cell."
            if over
            else f"Question {done + 1} of {of}. You may stop at any time: run the next cell."
        )
        for button in self.buttons:
            button.disabled = over


def compare_clips(
    draw: Callable[..., Any], pairs: np.ndarray, *, figsize: tuple[float, float] = (7, 3)
) -> Comparisons:
    """Ask a person, and return the questions; ``left`` of it has the answers so far."""
    asked = Comparisons(draw, pairs, figsize=figsize)
    asked.show()
    return asked
