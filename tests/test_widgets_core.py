"""Live figures and sliders, run inside a real IPython shell."""

import ipywidgets
import pytest
from IPython.core.getipython import get_ipython
from IPython.testing.globalipapp import start_ipython
from IPython.utils.capture import capture_output

from course_lib import alt_text, plots, widgets


@pytest.fixture(scope="module", autouse=True)
def shell():
    shell = start_ipython() or get_ipython()  # another file on this worker may have begun
    alt_text.watch()
    return shell


def test_live_figure_draws_the_last_state() -> None:
    drawn = []
    live = widgets.LiveFigure(lambda figure, values: drawn.append(values), min_interval_s=3600)
    with capture_output() as captured:
        for step in range(100):
            live.update(step)
        live.close()
        live.close()
    assert drawn == [0, 99]
    assert all("image/png" in output.data for output in captured.outputs)
    assert all('<img alt="Picture' in output.data["text/html"] for output in captured.outputs)
    assert len({output.metadata.get("x") for output in captured.outputs}) == 1


def test_live_figure_survives_an_interrupt() -> None:
    drawn = []
    with (
        capture_output(),
        pytest.raises(KeyboardInterrupt),
        widgets.LiveFigure(lambda figure, value: drawn.append(value), min_interval_s=60) as live,
    ):
        live.update(1)
        live.update(2)
        raise KeyboardInterrupt
    assert drawn == [1, 2]


def test_an_interrupt_while_it_is_drawn_does_not_leave_an_old_picture() -> None:
    drawn: list[int] = []

    def draw(figure, value: int) -> None:
        drawn.append(value)
        if drawn == [1, 2]:
            raise KeyboardInterrupt

    with (
        capture_output(),
        pytest.raises(KeyboardInterrupt),
        widgets.LiveFigure(draw, min_interval_s=0) as live,
    ):
        live.update(1)
        live.update(2)
    assert drawn == [1, 2, 2]


def test_live_figure_can_be_forced() -> None:
    drawn = []
    live = widgets.LiveFigure(lambda figure, value: drawn.append(value), min_interval_s=3600)
    with capture_output():
        live.update(1)
        live.update(2, force=True)
    assert drawn == [1, 2]


def test_explore_follows_its_controls() -> None:
    seen = []
    alpha = ipywidgets.FloatSlider(value=0.1, min=0, max=1)
    with capture_output() as captured:
        widgets.explore(lambda figure, alpha: seen.append(alpha), alpha=alpha)
        alpha.value = 0.7
    assert seen == [0.1, 0.7]
    assert alpha.description == "alpha"
    assert not alpha.continuous_update
    controls, picture = captured.outputs[:2]
    assert "need a running notebook" in controls.data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in controls.data
    assert "image/png" in picture.data


def test_explore_refuses_what_has_no_value() -> None:
    with pytest.raises(ValueError, match="alpha must be an ipywidgets control"):
        widgets.explore(lambda figure, alpha: None, alpha=0.5)  # type: ignore[arg-type]


def test_a_figure_is_shown_where_its_reading_stands_and_with_its_words(shell) -> None:
    axes = plots.plot_returns([1, 2, 3], window=1, label="mouse", floor=("random", 0.5))
    with capture_output() as captured:
        plots.reading("it rises <by> 2")
        plots.reading("nothing is left to be shown")
    assert captured.stdout == "Reading: it rises <by> 2\nReading: nothing is left to be shown\n"
    assert len(captured.outputs) == 1
    assert 'alt="it rises &lt;by&gt; 2"' in captured.outputs[0].data["text/html"]
    data, _ = shell.display_formatter.format(axes.figure)
    assert 'alt="Picture. return by episode: mouse, random: 0.5"' in data["text/html"]
    assert "image/png" in data


def test_back_after_a_break(shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shell.user_ns, "In", ["", "widgets.where_was_i()"])
    with capture_output() as captured:
        widgets.where_was_i()
    assert "Run All Above Selected Cell" in captured.stdout
    drawn = []
    widgets.LiveFigure(lambda figure, value: drawn.append(value), min_interval_s=60).update(7)
    monkeypatch.setitem(shell.user_ns, "In", ["", "# why\ntrain(agent)\nplot()", "where_was_i()"])
    with capture_output() as captured:
        widgets.where_was_i()
    assert drawn == [7, 7]
    assert len(captured.outputs) == 1
    assert "The last cell that ran begins with `train(agent)`." in captured.stdout
    assert "exercises solved" in captured.stdout
