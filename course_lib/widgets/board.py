"""A person plays tic-tac-toe against an agent: by mouse, by Tab and Enter, or by keys 1 to 9."""

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from course_lib.agents.self_play import Player
from course_lib.envs.tic_tac_toe import MARKS, board_text, has_won
from course_lib.plots.games import draw_boards
from course_lib.plots.style import COLOURS
from course_lib.widgets import page
from course_lib.widgets.explore import show_controls
from course_lib.widgets.live import picture

INK = ("#666666", *COLOURS[:2])  # of a free square, X and O


class BoardPlay:
    """Play tic-tac-toe in the notebook.

    A free square shows its number, which is also its key. The line under the board says in words
    what happened, and what the board looks like.

    Args:
        player: the agent.
    """

    def __init__(self, player: Player) -> None:
        self.player = player
        self.squares = [ipywidgets.Button() for _ in range(9)]
        for square, button in enumerate(self.squares):
            button.layout = {"width": "84px", "height": "56px"}
            button.on_click(lambda _, square=square: self.take(square))
        columns = {"grid_template_columns": "repeat(3, 88px)", "grid_gap": "2px"}
        sheet = ipywidgets.GridBox(self.squares, layout=columns)
        begins = ipywidgets.Button(description="new game: you begin")
        second = ipywidgets.Button(description="new game: the agent begins")
        begins.on_click(lambda _: self.restart(person=1))
        second.on_click(lambda _: self.restart(person=2))
        for button in (begins, second):
            button.layout.width = "16em"
        self.tells = ipywidgets.Checkbox(description="show what each square is worth", indent=False)
        self.tells.observe(lambda _: self._draw(), names="value")
        self.said = ipywidgets.Label()
        self.said.add_class("course-board-said")
        row = ipywidgets.HBox([begins, second, self.tells], layout={"flex_flow": "row wrap"})
        self.box = ipywidgets.VBox([sheet, row, self.said])
        self.box.add_class("course-board")
        self.restart(person=1)

    def show(self) -> None:
        """Display the game; a page without a kernel shows the board as a picture."""
        show_controls(self.box, still=self._still())
        page.take_board_keys()

    def restart(self, *, person: int) -> None:
        """Begin anew; the person has X (1) or O (2), and X begins."""
        self.board, self.person = np.zeros(9, dtype=int), person
        self.over = False
        said = "Your turn: you have X."
        if person == 2:
            said = f"{self._answer()} Your turn: you have O."
        self._say(said)

    def take(self, square: int) -> None:
        """Put the person's mark, and let the agent answer."""
        if self.over:
            self._say("This game is over; begin a new one.")
            return
        if self.board[square]:
            self._say(f"Square {square + 1} is taken; choose a free one.")
            return
        self.board[square] = self.person
        said = f"You took square {square + 1}."
        self.over, end = self._end()
        if not self.over:
            said += " " + self._answer()
            self.over, end = self._end()
        self._say(f"{said} {end}" if self.over else f"{said} Your turn.")

    def _answer(self) -> str:
        square = self.player.move(self.board)
        self.board[square] = 3 - self.person
        return f"The agent took square {square + 1}."

    def _end(self) -> tuple[bool, str]:
        if has_won(self.board, self.person):
            return True, "You have won!"
        if has_won(self.board, 3 - self.person):
            return True, "The agent has won."
        return bool(self.board.all()), "A draw."

    def _say(self, said: str) -> None:
        self._draw()
        self.said.value = f"{said} Board, row by row: {board_text(self.board)}"

    def _draw(self) -> None:
        shown = self.tells.value and not self.over
        worth = self.player.worth(self.board) if shown else np.full(9, np.nan)
        for square, (button, mark) in enumerate(zip(self.squares, self.board, strict=True)):
            told = "" if np.isnan(worth[square]) else f": {worth[square]:.2f}"
            button.description = MARKS[mark] if mark else f"{square + 1}{told}"
            held = f"has {MARKS[mark]}" if mark else "is free"
            button.tooltip = f"square {square + 1} {held}"
            button.style = {"text_color": INK[int(mark)], "font_size": "1.5em" if mark else "1em"}

    def _still(self) -> bytes:
        def draw(figure: Figure) -> None:
            draw_boards([self.board], figure=figure, worth=self.player.worth(self.board))

        return picture(draw, (2.6, 2.6))[0]


def play_board(player: Player) -> BoardPlay:
    """Show a board to play against an agent, and return the game."""
    game = BoardPlay(player)
    game.show()
    return game
