"""The pictures of notebook 04 and of the study say what their numbers say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib import plots
from course_lib.trading.metrics import Interval

TIMES = pd.date_range("2020-01-01", periods=4, freq="1h", tz="UTC")


def axes():
    return Figure().subplots()


def test_drawdown_is_measured_from_the_peak_so_far():
    ax = plots.plot_drawdown(TIMES, {"one": np.array([4.0, 2.0, 8.0, 6.0])}, ax=axes())
    line = ax.lines[0]
    assert line.get_ydata().tolist() == [0.0, -50.0, 0.0, -25.0]
    assert line.get_label() == "one: deepest 50%"
    assert "%" in ax.get_ylabel()


def test_drawdowns_differ_in_line_style_as_well_as_in_colour():
    curves = {str(k): np.array([4.0, 3.0, 2.0, 1.0 + k]) for k in range(4)}
    ax = plots.plot_drawdown(TIMES, curves, ax=axes())
    lines = [line for line in ax.lines if "deepest" in line.get_label()]
    assert len({line.get_linestyle() for line in lines}) == 4


def test_every_cell_of_the_fee_grid_says_its_number_and_losses_are_framed():
    grid = np.array([[1.25, -3.0], [np.nan, 0.5]])
    ax = plots.plot_fee_grid(grid, ["a", "b"], [0.0, 0.005], ax=axes())
    assert [text.get_text() for text in ax.texts] == ["+1.2", "-3.0", "–", "+0.5"]
    frames = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [round(frame.get_x() + 0.46) for frame in frames] == [1]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0%", "0.5%"]
    with pytest.raises(ValueError, match="grid must have shape"):
        plots.plot_fee_grid(grid, ["a"], [0.0, 0.005])


def test_numbers_stay_readable_on_the_darkest_cell():
    """Black on grey: a contrast of at least 4.5, as the web's guideline for text asks."""
    grid = np.array([[-50.0, 0.0, 80.0]])
    ax = plots.plot_fee_grid(grid, ["a"], [0.0, 0.001, 0.005], ax=axes())
    image = ax.images[0]
    light = np.array([image.cmap(image.norm(value))[0] for value in grid[0]])
    linear = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    assert ((linear + 0.05) / 0.05).min() > 4.5
    assert (np.diff(light) < 0).all(), "more is darker"


def test_the_forest_shows_each_interval_and_whether_it_leaves_zero_out():
    windows = {"sure": Interval(3.0, 1.0, 5.0), "open": Interval(1.0, -2.0, 4.0)}
    windows["lost"] = Interval(-3.0, -5.0, -1.0)
    ax = plots.plot_forest(windows, {"all": Interval(1.0, -1.0, 2.0)}, ax=axes())
    marks = [line for line in ax.lines if line.get_marker() in ("s", "D")]
    faces = [to_rgba(mark.get_markerfacecolor()) for mark in marks]
    black, white = to_rgba("black"), to_rgba("white")
    assert faces == [black, white, black, white]
    assert [mark.get_marker() for mark in marks] == ["s", "s", "s", "D"]
    spans = [list(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2]
    for interval in windows.values():
        assert [interval.low, interval.high] in spans
    assert [text.get_text() for text in ax.get_yticklabels()] == ["sure", "open", "lost", "all"]
