"""Learning curves: the numbers drawn, the floor, the ceiling and the names."""

import numpy as np
import pytest

from course_lib import plots


def test_running_mean_by_hand() -> None:
    assert plots.running_mean(np.array([2.0, 4.0, 6.0, 8.0]), 2).tolist() == [2, 3, 5, 7]


@pytest.mark.parametrize("window", [1, 3, 10, 50])
def test_running_mean_against_a_loop(window: int) -> None:
    values = np.random.default_rng(0).normal(size=(2, 20))
    wanted = [
        [row[max(0, t - window + 1) : t + 1].mean() for t in range(row.size)] for row in values
    ]
    np.testing.assert_allclose(plots.running_mean(values, window), wanted)


def test_running_mean_refuses() -> None:
    with pytest.raises(ValueError, match="window must be at least 1, got 0"):
        plots.running_mean(np.zeros(3), 0)


def test_returns_with_floor_and_ceiling() -> None:
    ax = plots.plot_returns([1.0, 2.0, 3.0], window=2, floor=("random", 0.5), ceiling=("best", 4.0))
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["return, mean of 2", "best: 4", "random: 0.5"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("episode", "return")


def test_band_says_how_many_seeds() -> None:
    curves = np.arange(30.0).reshape(3, 10)
    ax = plots.plot_band(curves, label="mouse")
    assert ax.get_legend().get_texts()[0].get_text() == "mouse (3 seeds, band 10-90%)"
    np.testing.assert_allclose(ax.lines[0].get_ydata(), curves[1])


def test_outcomes_show_each_seed_the_median_and_the_level() -> None:
    ax = plots.plot_outcomes({"a": [1, 2, 9], "b": [3]}, xlabel="time (s)", line=("best", 1.5))
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a (3 seeds)", "b (1 seeds)"]
    assert list(ax.lines[0].get_xdata()) == [1, 2, 9]
    assert len(set(ax.lines[0].get_ydata())) == 3, "no dot hides another"
    assert list(ax.lines[1].get_xdata()) == [2, 2]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["median", "best: 1.5"]


def test_two_runs_differ_in_colour_and_style() -> None:
    ax = plots.plot_returns([1, 2, 3], window=2, label="a", floor=("random", 0))
    plots.plot_returns([3, 2, 1], window=2, label="b", ax=ax)
    first, second = (line for line in ax.lines if "mean of" in str(line.get_label()))
    assert first.get_color() != second.get_color()
    assert first.get_linestyle() != second.get_linestyle()


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="use plot_band"):
        plots.plot_returns(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"\(num_seeds, T\), got shape \(3,\)"):
        plots.plot_band(np.zeros(3))
