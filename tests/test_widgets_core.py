"""Live figures and sliders, run inside a real IPython shell."""

import ipywidgets
import pytest
from IPython.testing.globalipapp import start_ipython
from IPython.utils.capture import capture_output

from course_lib import widgets


@pytest.fixture(scope="module", autouse=True)
def shell():
    return start_ipython()


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
