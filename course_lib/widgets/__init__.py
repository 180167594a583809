"""What moves in a notebook: figures that update while a cell runs, and sliders."""

from course_lib.widgets.back import where_was_i
from course_lib.widgets.board import play_board
from course_lib.widgets.clips import compare_clips
from course_lib.widgets.explore import explore
from course_lib.widgets.live import LiveFigure
from course_lib.widgets.maze import play_maze
from course_lib.widgets.tensorboard import show_tensorboard
from course_lib.widgets.walk import LiveWalk, show_walk

__all__ = [
    "LiveFigure", "LiveWalk", "compare_clips", "explore", "play_board", "play_maze",
    "show_tensorboard", "show_walk", "where_was_i",
]  # fmt: skip
