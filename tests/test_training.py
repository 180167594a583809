"""The training loop, and what all trainings share: threads and silence."""

import logging
import os
import warnings

import numpy as np
import pytest
import torch

from course_lib import quiet, training
from course_lib.envs.mountain_cars import MountainCars
from course_lib.torch_threads import torch_threads


class Learner:
    """Its weight is its number of steps; it plays as well as the figures say."""

    def __init__(self, monkeypatch, figures=(), stop_at=None):
        self.weight, self.figures, self.stop_at, self.seeds = 0, list(figures), stop_at, []
        monkeypatch.setattr(training, "play", self.play)

    def play(self, policy, env, *, num_episodes, seed):
        self.seeds.append(seed)
        return np.full(num_episodes, self.figures.pop(0))

    def rows(self, num_steps=100):
        while self.weight < num_steps:
            self.weight += 10
            if self.weight == self.stop_at:
                raise KeyboardInterrupt
            yield {"env_steps": self.weight, "seconds": self.weight / 10}

    def train(self, env="any", on_row=None, **evaluation):
        return training.train(
            self.rows(), evaluate_on=env, evaluate_every=25, on_row=on_row, **evaluation,
            policy=lambda: None, weights=lambda: self.weight,
            restore=lambda weight: setattr(self, "weight", weight),
        )  # fmt: skip


def greedy(rows):
    return {
        row["env_steps"]: row["greedy_return"] for row in rows if not np.isnan(row["greedy_return"])
    }


def test_evaluations_come_when_due_and_the_best_weights_stay(monkeypatch):
    learner = Learner(monkeypatch, [5, 50, 20])
    assert greedy(learner.train()) == {30: 5, 60: 50, 90: 20}
    assert learner.weight == 60
    assert len(set(learner.seeds)) == 3, "each evaluation has start states of its own"


def test_a_vector_of_environments_plays_one_episode_each(monkeypatch):
    learner = Learner(monkeypatch, [])
    cars = MountainCars(3, max_steps=7)
    rows = training.train(
        learner.rows(), evaluate_on=cars, evaluate_every=50,
        policy=lambda: lambda obs: np.zeros(len(obs), int), weights=lambda: 1,
        restore=lambda weight: None,
    )  # fmt: skip
    assert greedy(rows) == {50: -7, 100: -7}


def test_the_target_stops_the_training(monkeypatch):
    learner = Learner(monkeypatch, [5, 50, 20])
    assert [row["env_steps"] for row in learner.train(target=50)] == [10, 20, 30, 40, 50, 60]


@pytest.mark.parametrize(("figures", "weight"), [([5, 50], 60), ([50, 5], 30)])
def test_an_interrupt_keeps_rows_and_the_best_weights(monkeypatch, capsys, figures, weight):
    learner = Learner(monkeypatch, figures, stop_at=80)
    try:
        rows = learner.train()
    except KeyboardInterrupt:  # would end pytest
        pytest.fail("what was learned is lost")
    assert [row["env_steps"] for row in rows] == [10, 20, 30, 40, 50, 60, 70]
    assert "Stopped after 70 steps; what was learned is kept." in capsys.readouterr().out
    assert learner.weight == weight


def test_an_interrupt_while_the_picture_is_drawn_keeps_its_row(monkeypatch):
    def press(rows):
        if len(rows) == 2:
            raise KeyboardInterrupt

    assert len(Learner(monkeypatch).train(on_row=press)) == 2


def test_an_interrupt_before_any_evaluation_keeps_what_is_there(monkeypatch):
    learner = Learner(monkeypatch, stop_at=20)
    assert len(learner.train()) == 1
    assert learner.weight == 20


def test_nothing_is_played_where_there_is_no_environment(monkeypatch):
    learner = Learner(monkeypatch)
    shown = []
    rows = learner.train(env=None, on_row=lambda rows: shown.append(len(rows)))
    assert greedy(rows) == {} and learner.weight == 100
    assert shown == list(range(1, 11))


def test_seconds_include_the_evaluations(monkeypatch):
    clock = iter(np.arange(0, 1_000, 0.5))
    monkeypatch.setattr(training.time, "perf_counter", lambda: next(clock))
    rows = Learner(monkeypatch, [1, 2, 3]).train()
    assert [row["seconds"] for row in rows[:3]] == [1.5, 3.0, 4.5]


def test_returns_are_nan_before_the_first_episode():
    assert training.return_figures([3.0, 5.0]) == {"mean_return": 4.0, "max_return": 5.0}
    assert all(np.isnan(list(training.return_figures([]).values())))


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt), torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyboardInterrupt
    assert torch.get_num_threads() == before
    with torch_threads(None):
        assert torch.get_num_threads() == before


@pytest.mark.parametrize("output", [None, "1"])
def test_quiet_lets_errors_through_and_gives_everything_back(monkeypatch, caplog, output):
    monkeypatch.delenv("RAY_AIR_NEW_OUTPUT", raising=False)
    if output:
        monkeypatch.setenv("RAY_AIR_NEW_OUTPUT", output)
    loggers = [logging.getLogger(name) for name in quiet.LOUD]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings(record=True) as heard:
        with quiet.quiet():
            assert os.environ["RAY_AIR_NEW_OUTPUT"] == "0"
            warnings.warn("noise", stacklevel=1)
            for logger in loggers:
                logger.warning("noise from %s", logger.name)
                assert logger.isEnabledFor(logging.ERROR)
        warnings.warn("again", stacklevel=1)
    assert [str(one.message) for one in heard] == ["again"]
    assert "noise" not in caplog.text
    assert [logger.level for logger in loggers] == before
    assert os.environ.get("RAY_AIR_NEW_OUTPUT") == output
