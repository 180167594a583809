"""The clock of a cell that waits."""

import time

import pytest

from course_lib import clock


def test_it_says_so_at_once_and_moves(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(clock, "TICK_S", 0.05)
    with clock.clock("loading"):
        assert "loading: 00:00" in capsys.readouterr().out
        time.sleep(0.3)
        assert capsys.readouterr().out.count("loading") >= 2


def test_a_bar_stays(capsys: pytest.CaptureFixture[str]) -> None:
    with clock.clock("runs", total=2, unit="run") as bar:
        bar.update(2)
    assert "2/2" in capsys.readouterr().out.split("\r")[-1]


def test_an_error_ends_it() -> None:
    with pytest.raises(KeyboardInterrupt), clock.clock("loading"):
        raise KeyboardInterrupt
