"""The pictures of notebook 04 and of the study say what their numbers say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib import plots
from course_lib.plots.trading import looks_of
from course_lib.trading.metrics import Interval

TIMES = pd.date_range("2020-01-01", periods=4, freq="1h", tz="UTC")


def axes():
    return Figure().subplots()


def test_traders_differ_in_line_style_as_well_as_in_colour():
    for names in ("0123", ("agent", "hourly", "daily", "buy and hold", "random", "cash")):
        looks = looks_of(names)
        assert len({str(one["linestyle"]) for one in looks}) == len(names)
        assert len({one["color"] for one in looks}) == len(names)


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


def test_a_grid_of_equal_numbers_is_drawn():
    flat = plots.plot_fee_grid(np.zeros((2, 2)), ["a", "b"], [0.0, 0.1], ax=axes())
    assert len(flat.texts) == 4, "nothing to scale colours by"


def test_the_forest_shows_each_interval_and_whether_it_leaves_zero_out():
    windows = {"sure": Interval(3.0, 1.0, 5.0, 3), "open": Interval(1.0, -2.0, 4.0, 3)}
    windows["lost"] = Interval(-3.0, -5.0, -1.0, 3)
    ax = plots.plot_forest(windows, {"all": Interval(1.0, -1.0, 2.0, 3)}, ax=axes())
    marks = [line for line in ax.lines if line.get_marker() in ("s", "D")]
    faces = [to_rgba(mark.get_markerfacecolor()) for mark in marks]
    black, white = to_rgba("black"), to_rgba("white")
    assert faces == [black, white, black, white]
    assert [mark.get_marker() for mark in marks] == ["s", "s", "s", "D"]
    spans = [list(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2]
    for interval in windows.values():
        assert [interval.low, interval.high] in spans
    assert [text.get_text() for text in ax.get_yticklabels()] == ["sure", "open", "lost", "all"]


def test_a_trader_looks_the_same_in_every_picture():
    one = {"cash": [1.0, 1], "buy and hold": [1.0, 2], "random": [1.0, 3]}
    two = {
        "daily": [1.0, 2],
        "hourly": [1.0, 2],
        "buy and hold": [1.0, 2],
        "random, as busy": [1.0, 3],
    }
    found = []
    for curves in (one, two):
        ax = plots.plot_equity(TIMES[:2], curves, ax=axes())
        found.append(
            {line.get_label(): (line.get_color(), line.get_linestyle()) for line in ax.lines}
        )
        assert len(set(found[-1].values())) == len(curves), "told apart"
    assert found[0]["buy and hold"] == found[1]["buy and hold"]
    assert found[0]["random"] == found[1]["random, as busy"]


def test_luck_shows_who_is_ahead_of_whom():
    ends = np.arange(1_000.0)
    ax = plots.plot_luck(ends, {"agent": 750.0, "mix": 100.0}, ax=axes())
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "agent: ahead of 75%" in labels
    assert "mix: ahead of 10%" in labels
    assert "1,000 without skill" in labels


def test_prices_of_a_hidden_period_are_not_drawn():
    times = pd.date_range("2020-01-01", periods=10, freq="1h", tz="UTC")
    periods = {"train": (str(times[0]), str(times[6])), "test": (str(times[6]), str(times[9]))}
    ax = plots.plot_periods(times, np.arange(1.0, 11.0), periods, hidden=["test"], ax=axes())
    drawn = np.asarray(ax.lines[0].get_ydata())
    assert np.isnan(drawn[6:9]).all()
    assert not np.isnan(drawn[:6]).any()
    assert "test\n(not yet)" in [text.get_text() for text in ax.texts]
