"""The pictures of notebook 03 say what they should, from arrays alone."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plots import cartpole as pictures

ROWS = [
    {"env_steps": 500.0 * i, "seconds": float(i), "mean_return": 20.0 + i, "max_return": 40.0 + i,
     "loss": 0.1, "mean_q": float(i), "greedy_return": 30.0 if i % 2 else np.nan}
    for i in range(1, 9)
]  # fmt: skip
LEVELS = {"floor": ("random agent", 22.0), "ceiling": ("solved", 475)}


def texts(ax):
    return " ".join(text.get_text() for text in ax.texts)


def test_the_cart_is_drawn_where_it_is():
    ax = pictures.draw_cartpole([0.5, -0.3, 0.1, 0.4])
    cart = ax.patches[0]
    assert cart.get_x() + cart.get_width() / 2 == pytest.approx(0.5)
    assert "position +0.50 m" in texts(ax) and "angle +5.7" in texts(ax)
    pole = ax.lines[-1].get_xydata()
    assert pole[1, 0] > pole[0, 0]  # a positive angle leans to the right
    with pytest.raises(ValueError, match="4 numbers"):
        pictures.draw_cartpole([0.0])


def test_a_training_run_shows_floor_ceiling_and_only_evaluated_points():
    figure = Figure()
    pictures.draw_training(figure, ROWS, **LEVELS)
    returns = figure.axes[0]
    labels = [text.get_text() for text in returns.get_legend().get_texts()]
    assert "random agent: 22" in labels and "solved: 475" in labels
    assert any("20 episodes" in label for label in labels)
    greedy = next(line for line in returns.lines if line.get_label() == "greedy episodes")
    assert len(greedy.get_xdata()) == 4
    pictures.draw_training(Figure(), [])  # the state before the first row


def test_the_axes_are_the_same_from_the_first_picture_on():
    first, later = Figure(), Figure()
    pictures.draw_training(first, [])
    pictures.draw_training(later, ROWS)
    assert len({ax.get_xlim() for ax in (*first.axes, *later.axes)}) == 1
    assert "never falls" in [line.get_label().split(":")[0] for line in later.axes[2].lines]


def test_each_run_has_a_line_of_q_values_and_the_truth_has_one():
    ax = pictures.plot_mean_q({"full": [ROWS, ROWS], "none": [ROWS], "stopped": []}, log=True)
    labels = [line.get_label() for line in ax.lines]
    assert labels == ["full (2 seeds)", "_seed", "none (1 seeds)", "never falls: 100"]
    assert ax.get_yscale() == "log"


def test_tables_are_drawn_with_their_median():
    figure, rows = Figure(), [{"env_steps": 5, "greedy": np.array([10.0, 20.0, 90.0])}]
    pictures.draw_tables(figure, {"chosen": rows, "not yet": []}, steps=10, **LEVELS)
    left, right = figure.axes
    median = next(line for line in left.lines if line.get_label() == "median")
    assert median.get_ydata() == [20.0]
    assert (left.get_title(), right.get_title()) == ("chosen", "not yet")
    assert left.get_xlim() == right.get_xlim() == (0, 10)


def test_a_training_in_words():
    assert "4,000 steps in 8 s, best greedy mean 30" in pictures.training_in_words(ROWS)
    assert "not measured yet" in pictures.training_in_words(ROWS[1:2])
    assert pictures.training_in_words([]) == "no steps yet"


def test_algorithms_are_compared_over_steps_and_seconds():
    figure = Figure()
    pictures.draw_compared(figure, {"DQN": ROWS, "PPO": ROWS[:3]}, **LEVELS)
    assert [ax.get_xlabel() for ax in figure.axes] == ["environment steps", "seconds of training"]
    styles = {line.get_linestyle() for line in figure.axes[0].lines[:2]}
    assert len(styles) == 2  # told apart without colour


def test_diagrams_name_their_parts():
    ray_picture = pictures.draw_ray_dqn(num_env_runners=3)
    for part in ("driver", "replay memory", "learner", "env runner 3", "weights", "episodes"):
        assert part in texts(ray_picture)
    network = pictures.draw_network(["a", "b"], (256,), ["left"])
    assert "256 units" in texts(network)


def test_the_picture_stacks_the_parts_in_the_order_of_their_words():
    parts = {"slow": {"draw": 6.0, "learn": 4.0}, "fast": {"draw": 0.5, "learn": 1.5}}
    ax = pictures.plot_time_spent(parts, words={"draw": "drawing", "learn": "the gradient step"})
    widths = [[bar.get_width() for bar in row] for row in ax.containers]
    assert widths == [[6.0, 0.5], [4.0, 1.5]]
    assert [bar.get_x() for bar in ax.containers[1]] == [6.0, 0.5]
    assert [text.get_text() for text in ax.texts] == ["10.0 ms", "2.0 ms"]
    with pytest.raises(ValueError, match="missing: learn"):
        pictures.plot_time_spent(parts, words={"draw": "drawing"})


def test_where_it_pays_has_one_line_for_each_way():
    lines = {"a": (3, 2, 1), "b": (1, 1, 1)}
    ax = pictures.plot_where_it_pays((0, 1, 10), lines, xlabel="", ylabel="")
    assert [line.get_label() for line in ax.lines] == ["a", "b"]
    assert len({line.get_linestyle() for line in ax.lines}) == 2
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "10"]
    assert ax.get_yscale() == "log"
    with pytest.raises(ValueError, match="a must have 2 values, got 3"):
        pictures.plot_where_it_pays((0, 1), lines, xlabel="", ylabel="")
