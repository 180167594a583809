"""Coming back to a notebook whose page was closed while a cell ran, or after a break."""

from IPython.core.getipython import get_ipython

from course_lib.cells import first_words
from course_lib.checks.board import BOARD
from course_lib.widgets.live import LiveFigure


def where_was_i() -> None:
    """Draw the latest live figure again, say which cell ran last, and list what is solved."""
    shell = get_ipython()
    ran = [code for code in shell.user_ns["In"] if "where_was_i" not in code] if shell else []
    ran = [words for words in map(first_words, ran) if words]
    if not ran:
        print("No cell has run since the kernel started: menu Run, Run All Above Selected Cell.")
        return
    LiveFigure.again()
    print(f"The last cell that ran begins with `{ran[-1]}`.")
    print(BOARD.text())
