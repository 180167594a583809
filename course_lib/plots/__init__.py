"""Pictures. Every function takes arrays and draws on the axes it is given, or on new ones."""

from course_lib.plots.curves import COLOURS, STYLES, plot_band, plot_returns, reading, running_mean

__all__ = ["COLOURS", "STYLES", "plot_band", "plot_returns", "reading", "running_mean"]
