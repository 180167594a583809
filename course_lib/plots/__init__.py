"""Pictures. Every function takes arrays and draws on the axes it is given, or on new ones."""

from course_lib.plots.curves import COLOURS, STYLES, plot_band, plot_returns, reading, running_mean
from course_lib.plots.welcome import draw_loop, plot_timeline

__all__ = [
    "COLOURS",
    "STYLES",
    "draw_loop",
    "plot_band",
    "plot_returns",
    "plot_timeline",
    "reading",
    "running_mean",
]
