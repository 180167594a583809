"""Tune's helpers: search algorithms in-process, and real Tune runs, one of them interrupted."""

import pickle
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search import BasicVariantGenerator

from course_lib import tuning
from course_lib.answers import answer
from course_lib.envs.corridor import CorridorEnv, expected_time
from course_lib.errors import CourseError
from course_lib.tuning.corridor import QLearningTrial, StopButton

SPACE = {"stride": tune.uniform(0.3, 1.5), "pace": tune.uniform(0.5, 4.0)}


def true_time(config: dict[str, Any]) -> float:
    return float(expected_time(config["stride"], config["pace"]))


class TestSearchAlgorithms:
    def test_random_search_stays_in_its_space_and_keeps_constants(self) -> None:
        search = tuning.RandomSearch(SPACE | {"seed": 7}, seed=1)
        configs = [search.suggest(str(number)) for number in range(200)]
        strides = np.array([config["stride"] for config in configs])
        assert 0.3 <= strides.min() < 0.35
        assert 1.45 < strides.max() <= 1.5
        assert {config["seed"] for config in configs} == {7}
        again = tuning.RandomSearch(SPACE | {"seed": 7}, seed=1)
        assert again.suggest("0") == configs[0]

    def test_run_search_tells_the_searcher_every_score(self) -> None:
        told = {}

        class Spy(tuning.RandomSearch):
            def on_trial_complete(self, trial_id: str, result: dict | None = None) -> None:
                told[trial_id] = result["seconds"]

        configs, scores = tuning.run_search(Spy(SPACE, 0), true_time, 5, metric="seconds")
        assert scores.tolist() == [true_time(config) for config in configs]
        assert told == {str(number): score for number, score in enumerate(scores)}

    def test_tpe_uses_what_it_is_told(self) -> None:
        later = {"tpe": [], "random": []}
        for seed in range(10):
            for name, search in (
                ("tpe", tuning.tpe_search(SPACE, "seconds", seed=seed)),
                ("random", tuning.RandomSearch(SPACE, seed)),
            ):
                _, scores = tuning.run_search(search, true_time, 40, metric="seconds")
                later[name].append(np.median(scores[20:]))
        assert np.median(later["tpe"]) < 0.8 * np.median(later["random"])


def test_results_go_elsewhere_where_the_folder_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    good, bad = tmp_path / "good", tmp_path / "bad"
    bad.write_text("a file where the folder would be")
    assert tuning.writable(good) == good
    assert capsys.readouterr().out == ""
    assert tuning.writable(bad) == tmp_path / "home" / "ray_results"
    assert f"{bad} cannot be written, so results go to" in capsys.readouterr().out
    monkeypatch.setenv("HOME", str(bad))
    monkeypatch.setattr("tempfile.tempdir", str(bad))
    with pytest.raises(PermissionError, match="run the notebook from a copy of the course"):
        tuning.writable(bad)


class TestCallbacks:
    def test_leave_the_screen_behind_when_saved(self) -> None:
        watch = tuning.TrialProgress(3, show=lambda rows: None)
        assert pickle.loads(pickle.dumps(watch)).total == 3
        pressed = pickle.loads(pickle.dumps(StopButton(1)))
        pressed.on_trial_result(0, [], None, {})  # would send SIGINT if it still counted

    def test_stop_button_presses_once(self) -> None:
        pressed: list[int] = []
        before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
        try:
            button = StopButton(after=2)
            for wanted in (0, 1, 1):
                button.on_trial_result(0, [], None, {})
                assert len(pressed) == wanted
        finally:
            signal.signal(signal.SIGINT, before)


def test_a_trial_that_was_stopped_before_its_first_report_is_in_no_row() -> None:
    begun = SimpleNamespace(config={"stride": 1.0}, metrics={"seconds": 40.0}, path="a")
    stopped = SimpleNamespace(config=None, metrics=None, path="b")

    class Results(list):
        errors = ()

    assert tuning.frame(Results([stopped, begun]))["path"].tolist() == ["a"]
    with pytest.raises(CourseError, match="no trial has reported yet: run the search again"):
        tuning.frame(Results([stopped]))


def test_the_clock_of_the_bar_moves_before_a_trial_reports(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    watch = tuning.TrialProgress(3)
    watch.setup()
    assert "0/3" in capsys.readouterr().out
    times = iter([10.0, 10.0, 10.1, 20.0, 20.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    for shown in (True, False, True):
        watch.on_step_begin(0, [])
        assert ("workers start" in capsys.readouterr().out) == shown


def test_greedy_time_shares_ties_equally() -> None:
    env = CorridorEnv()
    empty = np.zeros((env.observation_space.n, 3))
    assert env.greedy_time(empty) == pytest.approx(env.random_time())
    best = np.eye(3)[env.best_policy()]
    assert env.greedy_time(best) == pytest.approx(env.best_time())


def agent_trial(**changes: Any) -> QLearningTrial:
    config = {"learning_rate": 0.3, "epsilon": 0.3, "num_seeds": 2, "num_rounds": 4, "seed": 1}
    return QLearningTrial(config=config | changes)


class TestTrial:
    def test_a_checkpoint_goes_on_exactly_where_it_was(self, tmp_path: Path) -> None:
        first, second = agent_trial(), agent_trial()
        first.train()
        first.save_checkpoint(str(tmp_path))
        second.load_checkpoint(str(tmp_path))
        assert first.train()["seconds"] == second.step()["seconds"]

    def test_another_seed_gives_another_run(self) -> None:
        assert agent_trial().step()["seconds"] != agent_trial(seed=2).step()["seconds"]

    def test_a_reused_trial_starts_afresh(self) -> None:
        used = agent_trial(learning_rate=0.9)
        used.step()
        used.reset_config(agent_trial().config)
        assert used.step()["seconds"] == agent_trial().step()["seconds"]

    def test_done_after_its_rounds(self) -> None:
        trial = agent_trial(num_rounds=2, num_seeds=1)
        assert [trial.train()["done"] for _ in range(2)] == [False, True]


@pytest.mark.usefixtures("local_ray")
class TestWithTune:
    def test_objective_reports_walk_by_walk(self, tmp_path: Path) -> None:
        shown: list[list[dict]] = []
        with tuning.quiet():
            results = tune.Tuner(
                answer("2.2"),
                param_space=SPACE | {"num_walks": 3, "seed": 0},
                tune_config=tune.TuneConfig(
                    metric="seconds", mode="min", num_samples=4, max_concurrent_trials=2,
                    reuse_actors=True, search_alg=BasicVariantGenerator(random_state=1),
                ),
                run_config=tuning.run_config(
                    "walk", tuning.TrialProgress(4, shown.append), folder=tmp_path
                ),
            ).fit()  # fmt: skip
        table = tuning.frame(results)
        assert table["training_iteration"].tolist() == [3] * 4
        assert [len(curve) for curve in tuning.curves(results, "seconds")] == [3] * 4
        assert len(shown[-1]) == 4
        first = next(rows for rows in shown if rows)[0]
        assert {"stride", "pace", "seconds", "training_iteration"} <= set(first)

    def test_a_failing_trial_is_named(self, tmp_path: Path) -> None:
        def broken(config: dict[str, Any]) -> None:
            raise ValueError("no such corridor")

        with tuning.quiet():
            results = tune.Tuner(
                broken, run_config=tuning.run_config("broken", folder=tmp_path)
            ).fit()
        with pytest.raises(RuntimeError, match="1 trials failed"):
            tuning.frame(results)

    @pytest.mark.slow  # notebook 02 does the same
    def test_stopped_and_restored_run_finishes_every_trial(self, tmp_path: Path) -> None:
        space = {
            "learning_rate": tune.loguniform(0.01, 1), "epsilon": tune.uniform(0.02, 0.8),
            "num_seeds": 1, "num_rounds": 3, "seed": 0,
        }  # fmt: skip
        stop = StopButton(after=5)
        with tuning.quiet():
            stopped = tune.Tuner(
                QLearningTrial,
                param_space=space,
                tune_config=tune.TuneConfig(
                    metric="seconds", mode="min", num_samples=6, max_concurrent_trials=2,
                    reuse_actors=True, scheduler=ASHAScheduler(max_t=3, grace_period=3),
                ),
                run_config=tuning.run_config(
                    "agent", stop, tuning.TrialProgress(6), folder=tmp_path, keep_progress=True
                ),
            ).fit()  # fmt: skip
            before = [len(curve) for curve in tuning.curves(stopped, "seconds")]
            results = tune.Tuner.restore(stopped.experiment_path, trainable=QLearningTrial).fit()
        assert len(before) < 6 or min(before) < 3
        assert tuning.frame(results)["episodes"].tolist() == [450] * 6
        assert [len(curve) for curve in tuning.curves(results, "seconds")] == [3] * 6
        for one in results:
            assert list(Path(one.path).glob("events.out.tfevents.*")), "no TensorBoard file"
        _assert_tensorboard_reads(Path(results[0].path))


def _assert_tensorboard_reads(folder: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    assert "ray/tune/seconds" in events.Tags()["scalars"]
