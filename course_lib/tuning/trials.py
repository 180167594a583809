"""Running an experiment of Tune in a notebook: where results go, progress, what came out."""

import datetime
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import ray
from ray import tune
from tqdm import tqdm

from course_lib import journal
from course_lib.cluster import storage_filesystem
from course_lib.errors import CourseError

RESULTS = Path("results")  # beside the notebook; git ignores it

Row = dict[str, Any]


def writable(folder: Path = RESULTS) -> Path:
    """Return ``folder`` if it can be written, else the first of Ray's own two that can.

    Raises:
        PermissionError: if none can.
    """
    places = (Path(folder), Path.home() / "ray_results", Path(tempfile.gettempdir(), "ray_results"))
    for place in places:
        try:
            place.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=place).close()
        except OSError:
            continue
        if place != Path(folder):
            print(f"{Path(folder).resolve()} cannot be written, so results go to {place}.")
        return place.resolve()
    raise PermissionError(
        f"no results can be written to any of {', '.join(map(str, places))}; "
        "free some space, or run the notebook from a copy of the course in a folder of yours"
    )


def run_config(
    name: str, *callbacks: tune.Callback, folder: Path = RESULTS, keep_progress: bool = False
) -> tune.RunConfig:
    """Return a silent RunConfig whose results lie in a new folder below ``writable(folder)``.

    On a cluster a trial that failed starts again from its checkpoint, twice: its machine may have
    vanished. On one machine the failure is the trial's own, and is shown at once.

    Args:
        name: of the experiment; the time is added, so that no run overwrites another.
        *callbacks: called while the experiment runs.
        folder: where experiments are kept.
        keep_progress: whether class trainables save a checkpoint after every result.
    """
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    frequency = 1 if keep_progress else 0
    several = ray.is_initialized() and len(ray.nodes()) > 1
    return tune.RunConfig(
        name=f"{name}-{stamp}",
        storage_path=str(writable(folder)),
        storage_filesystem=storage_filesystem(),
        callbacks=list(callbacks),
        checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=frequency, num_to_keep=1),
        failure_config=tune.FailureConfig(max_failures=2 if several else 0),
        progress_reporter=NoReporter(),
        verbose=0,
    )


class NothingReportedError(CourseError):
    """There is nothing to look at in a search that was stopped early."""


class NoReporter(tune.ProgressReporter):
    """Shows nothing: Tune's own reporter leaves an empty output in a notebook."""

    def should_report(self, trials: list, done: bool = False) -> bool:
        """Never."""
        return False

    def report(self, trials: list, done: bool, *sys_info: Any) -> None:
        """Do nothing."""


class TrialProgress(tune.Callback):
    """Show progress while Tune runs: a bar of finished trials and, if wanted, a live figure.

    Args:
        total: number of trials.
        show: called after each result with one row per trial that has reported (see
            :func:`rows_of`), in the order in which they were made.
    """

    def __init__(self, total: int, show: Callable[[list[Row]], object] | None = None) -> None:
        self.total, self._show = total, show
        self._ticked_at = 0.0
        self._shown = False
        self._open()  # at once: Tune loads for seconds before it calls anything

    def _open(self) -> None:
        self._bar: Any = tqdm(total=self.total, desc="trials", unit="trial", file=sys.stdout)
        self._bar.set_postfix_str("workers start")

    def setup(self, **info: Any) -> None:
        """Show the bar where an experiment goes on, or another begins."""
        if self._bar is None or self._bar.disable:
            self._open()

    def on_step_begin(self, iteration: int, trials: list, **info: Any) -> None:
        """Let the bar's clock move."""
        if time.monotonic() - self._ticked_at > 0.5:
            self._ticked_at = time.monotonic()
            self._bar.refresh()

    def on_trial_result(
        self, iteration: int, trials: list, trial: Any, result: dict, **info: Any
    ) -> None:
        """Redraw."""
        self._update(trials)

    def on_trial_complete(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        """Move the bar."""
        self._update(trials)

    def on_experiment_end(self, trials: list, **info: Any) -> None:
        """Draw the last state and close the bar; say so if ■ came first."""
        self._update(trials)
        self._bar.close()
        ended = sum(bool(trial.last_result.get("done")) for trial in trials)
        if ended < self.total:
            print(
                f"Stopped: {ended} of {self.total} trials had ended. What they reported is kept; "
                "run the cell again to search anew; Tuner.restore goes on from here."
            )

    def __getstate__(self) -> dict[str, Any]:
        """Leave the screen behind: an experiment is saved with its callbacks."""
        return {"total": self.total, "_show": None, "_bar": None, "_ticked_at": 0.0,
                "_shown": False}  # fmt: skip

    def _update(self, trials: list) -> None:
        self._bar.set_postfix_str("", refresh=False)
        self._bar.n = sum(trial.status == "TERMINATED" for trial in trials)
        if self._show is not None:
            if not self._shown:  # the bar stands below the figure from now on
                self._bar.clear()
                self._shown = True
            self._show(rows_of(trials))
        self._bar.refresh()


def rows_of(trials: list) -> list[Row]:
    """Return one row per trial that has reported: its config and its latest metrics."""
    return [
        {**trial.config, **trial.last_result, "trial_id": trial.trial_id}
        for trial in trials
        if trial.last_result.get("training_iteration")
    ]


def frame(results: tune.ResultGrid) -> pd.DataFrame:
    """Return one row per trial that has reported: config, last metrics, its folder ``path``.

    Says so where trials had not ended, because ■ was pressed.

    Raises:
        RuntimeError: if a trial failed.
        NothingReportedError: if the search was stopped before any trial had reported.
    """
    if results.errors:
        raise RuntimeError(f"{len(results.errors)} trials failed; the first: {results.errors[0]}")
    reported = [one for one in results if one.metrics and one.config]
    rows = [{**one.config, **one.metrics, "path": one.path} for one in reported if one.metrics]
    if not rows:
        raise NothingReportedError("no trial has reported yet: run the search again, and longer")
    if left := len(results) - sum(bool(row.get("done")) for row in rows):
        print(f"{left} of {len(results)} trials had not ended: this rests on what was reported.")
    return pd.DataFrame(rows)


def curves(results: tune.ResultGrid, metric: str) -> list[np.ndarray]:
    """Return for each trial all the values of ``metric`` that it reported.

    A trial that was interrupted may have done an iteration twice; the later one counts. One that
    was interrupted before its first report has an empty array.
    """
    found = []
    for one in results:
        rows = journal.read(Path(one.path, "result.json"))
        values = {row["training_iteration"]: row[metric] for row in rows}
        found.append(np.array([values[key] for key in sorted(values)], dtype=float))
    return found
