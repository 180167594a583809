"""Pictures. Every function takes arrays and draws on the axes it is given, or on new ones."""

from course_lib.plots.curves import COLOURS, STYLES, plot_band, plot_returns, reading, running_mean
from course_lib.plots.maze import draw_learning, draw_maze, draw_policy
from course_lib.plots.trading import (
    plot_equity,
    plot_learning_rates,
    plot_observation,
    plot_outcomes,
    plot_periods,
    plot_trades,
)
from course_lib.plots.welcome import draw_loop, plot_timeline

__all__ = [
    "COLOURS",
    "STYLES",
    "draw_learning",
    "draw_loop",
    "draw_maze",
    "draw_policy",
    "plot_band",
    "plot_equity",
    "plot_learning_rates",
    "plot_observation",
    "plot_outcomes",
    "plot_periods",
    "plot_returns",
    "plot_timeline",
    "plot_trades",
    "reading",
    "running_mean",
]
