"""Pictures. Every function takes arrays and draws on the axes it is given, or on new ones."""

from course_lib.plots.corridor import (
    draw_guess,
    draw_search,
    draw_settings,
    plot_gaits,
    plot_rungs,
    plot_surface,
    plot_trials,
)  # fmt: skip
from course_lib.plots.curves import plot_band, plot_outcomes, plot_returns, reading, running_mean
from course_lib.plots.maze import draw_cells, draw_learning, draw_maze, draw_policy
from course_lib.plots.style import COLOURS, STYLES
from course_lib.plots.trading import (
    plot_equity,
    plot_learning_rates,
    plot_observation,
    plot_periods,
    plot_trades,
)  # fmt: skip
from course_lib.plots.trading_study import plot_fee_grid, plot_forest, plot_luck
from course_lib.plots.welcome import draw_loop, plot_timeline

__all__ = [
    "COLOURS", "STYLES", "draw_cells", "draw_guess", "draw_learning", "draw_loop", "draw_maze",
    "draw_policy", "draw_search", "draw_settings", "plot_band", "plot_equity",
    "plot_fee_grid", "plot_forest", "plot_gaits", "plot_learning_rates", "plot_luck",
    "plot_observation", "plot_outcomes", "plot_periods", "plot_returns", "plot_rungs",
    "plot_surface", "plot_timeline", "plot_trades", "plot_trials", "reading", "running_mean",
]  # fmt: skip
