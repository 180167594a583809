"""Helpers for Ray Tune in a notebook: where results go, live progress, and a trial that learns.

This module loads Ray: import it where Tune is first used. Tune itself stays visible in the
notebooks; nothing here hides a ``Tuner``.
"""

import contextlib
import datetime
import json
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import ray
from ray import tune
from ray.tune.search.sample import Domain
from tqdm import tqdm

from course_lib.agents import tabular
from course_lib.cluster import storage_filesystem
from course_lib.envs.corridor import CorridorEnv

RESULTS = Path("results")  # beside the notebook; git ignores it
ROUND_EPISODES = 150

Row = dict[str, Any]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Tune's tables and notices out of a notebook; errors still come through."""
    loggers = [logging.getLogger(name) for name in ("ray", "ray.tune", "ray.train", "optuna")]
    levels = [logger.level for logger in loggers]
    before = os.environ.get("RAY_AIR_NEW_OUTPUT")
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
            if before is None:
                os.environ.pop("RAY_AIR_NEW_OUTPUT", None)
            else:
                os.environ["RAY_AIR_NEW_OUTPUT"] = before


def run_config(
    name: str, *callbacks: tune.Callback, folder: Path = RESULTS, keep_progress: bool = False
) -> tune.RunConfig:
    """Return a silent RunConfig whose results lie in a new folder below ``folder``.

    Args:
        name: of the experiment; the time is added, so that no run overwrites another.
        *callbacks: called while the experiment runs.
        folder: where experiments are kept.
        keep_progress: whether class trainables save a checkpoint after every result.
    """
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    frequency = 1 if keep_progress else 0
    return tune.RunConfig(
        name=f"{name}-{stamp}",
        storage_path=str(Path(folder).resolve()),
        storage_filesystem=storage_filesystem(),
        callbacks=list(callbacks),
        checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=frequency, num_to_keep=1),
        failure_config=failure_config(),
        verbose=0,
    )


def failure_config() -> tune.FailureConfig:
    """Return how often a trial that failed starts again: twice on a cluster, from its checkpoint.

    There its machine may have vanished. On one machine the failure is the trial's own, and is
    shown at once.
    """
    several = ray.is_initialized() and len(ray.nodes()) > 1
    return tune.FailureConfig(max_failures=2 if several else 0)


class Watch(tune.Callback):
    """Show progress while Tune runs: a bar of finished trials and, if wanted, a live figure.

    Args:
        total: number of trials.
        show: called after each result with one row per trial that has reported (see
            :func:`rows_of`), in the order in which they were made.
    """

    def __init__(self, total: int, show: Callable[[list[Row]], object] | None = None) -> None:
        self.total, self._show = total, show
        self._bar: Any = None

    def on_trial_result(
        self, iteration: int, trials: list, trial: Any, result: dict, **info: Any
    ) -> None:
        """Redraw."""
        self._update(trials)

    def on_trial_complete(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        """Move the bar."""
        self._update(trials)

    def on_experiment_end(self, trials: list, **info: Any) -> None:
        """Draw the last state and close the bar."""
        self._update(trials)
        self._bar.close()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the screen behind: an experiment is saved with its callbacks."""
        return {"total": self.total, "_show": None, "_bar": None}

    def _update(self, trials: list) -> None:
        if self._bar is None:
            self._bar = tqdm(total=self.total, desc="trials", unit="trial", file=sys.stdout)
        self._bar.n = sum(trial.status == "TERMINATED" for trial in trials)
        self._bar.refresh()
        if self._show is not None:
            self._show(rows_of(trials))


class StopButton(tune.Callback):
    """Press the notebook's stop button after some results: send this process a SIGINT.

    Args:
        after: number of results, of all trials together.
    """

    def __init__(self, after: int) -> None:
        self._left: float = after

    def on_trial_result(
        self, iteration: int, trials: list, trial: Any, result: dict, **info: Any
    ) -> None:
        """Count, and press once."""
        self._left -= 1
        if self._left == 0:
            signal.raise_signal(signal.SIGINT)

    def __getstate__(self) -> dict[str, Any]:
        """Press once only: not again in a restored run."""
        return {"_left": float("inf")}


def rows_of(trials: list) -> list[Row]:
    """Return one row per trial that has reported: its config and its latest metrics."""
    return [
        {**trial.config, **trial.last_result, "trial_id": trial.trial_id}
        for trial in trials
        if trial.last_result.get("training_iteration")
    ]


def frame(results: tune.ResultGrid) -> pd.DataFrame:
    """Return one row per trial: its config, its last metrics, its folder ``path``.

    Raises:
        RuntimeError: if a trial failed.
    """
    if results.errors:
        raise RuntimeError(f"{len(results.errors)} trials failed; the first: {results.errors[0]}")
    rows = [{**one.config, **(one.metrics or {}), "path": one.path} for one in results]
    return pd.DataFrame(rows)


def curves(results: tune.ResultGrid, metric: str) -> list[np.ndarray]:
    """Return for each trial all the values of ``metric`` that it reported.

    A trial that was interrupted may have done an iteration twice; the later one counts. One that
    was interrupted before its first report has an empty array.
    """
    found = []
    for one in results:
        file = Path(one.path, "result.json")
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        rows = map(json.loads, lines)
        values = {row["training_iteration"]: row[metric] for row in rows}
        found.append(np.array([values[key] for key in sorted(values)], dtype=float))
    return found


class SearchAlgorithm(Protocol):
    """The two methods that make a search algorithm."""

    def suggest(self, trial_id: str) -> Row | None:
        """Return the config of the next trial."""

    def on_trial_complete(self, trial_id: str, result: Row | None = None) -> None:
        """Hear how a trial ended."""


class RandomSearch:
    """The simplest search algorithm: draw, and learn nothing.

    Args:
        space: a domain such as ``tune.uniform(0, 1)`` for each name; other values stay as they are.
        seed: of the draws.
    """

    def __init__(self, space: dict[str, Any], seed: int) -> None:
        self._space, self._rng = space, np.random.default_rng(seed)

    def suggest(self, trial_id: str) -> Row:
        """Draw each parameter on its own."""
        return {
            name: domain.sample(random_state=self._rng) if isinstance(domain, Domain) else domain
            for name, domain in self._space.items()
        }

    def on_trial_complete(self, trial_id: str, result: Row | None = None) -> None:
        """Forget it."""


def tpe_search(space: dict[str, Any], metric: str, *, seed: int, num_random: int = 10) -> Any:
    """Return Optuna's TPE (lower is better) as one of Tune's search algorithms.

    Args:
        space: Tune's search space.
        metric: what trials report.
        seed: of its draws.
        num_random: trials that are drawn at random before it begins to model.
    """
    import optuna
    from ray.tune.search.optuna import OptunaSearch

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=num_random)
    search = OptunaSearch(sampler=sampler)
    search.set_search_properties(metric, "min", space)
    return search


def run_search(
    search: SearchAlgorithm, score: Callable[[Row], float], num_trials: int, *, metric: str
) -> tuple[list[Row], np.ndarray]:
    """Do what Tune does with a search algorithm, in this process and one trial at a time.

    Args:
        search: suggests configs.
        score: runs a trial.
        num_trials: at least 1.
        metric: the name under which ``search`` expects the score.

    Returns:
        The configs, and their scores, shape (num_trials,).
    """
    configs, scores = [], np.empty(num_trials)
    for number in range(num_trials):
        config = search.suggest(str(number)) or {}
        scores[number] = score(config)
        search.on_trial_complete(str(number), {metric: scores[number], "training_iteration": 1})
        configs.append(config)
    return configs, scores


def greedy_time(env: CorridorEnv, q_table: np.ndarray) -> float:
    """Return the exact mean seconds of the greedy agent; equally good actions are equally likely.

    Args:
        env: the corridor; its risks are known to this function, not to the agent.
        q_table: shape (num_obs, num_actions).
    """
    best = q_table == q_table.max(axis=1, keepdims=True)
    return env.mean_time(best / best.sum(axis=1, keepdims=True))


class QLearningTrial(tune.Trainable):
    """One learning rate and one epsilon, several seeds; each iteration learns 150 episodes more.

    Config: ``learning_rate``, ``epsilon``, ``num_seeds``, ``num_rounds``, ``seed``.

    Reports: ``seconds`` (mean over the seeds of the greedy agent's exact mean time), ``worst`` (of
    the seeds), ``episodes`` (of each seed).
    """

    def setup(self, config: Row) -> None:
        """Make an empty table, and a generator, for each seed."""
        self._settings = {name: float(config[name]) for name in ("learning_rate", "epsilon")}
        self._num_rounds = int(config["num_rounds"])
        self._env = CorridorEnv()
        num_seeds = int(config["num_seeds"])
        self._tables = np.zeros((num_seeds, int(self._env.observation_space.n), 3))
        self._rngs = [np.random.default_rng([config["seed"], k]) for k in range(num_seeds)]

    def step(self) -> Row:
        """Let each seed's agent learn on; report how long its greedy walk takes."""
        for table, rng in zip(self._tables, self._rngs, strict=True):
            tabular.q_learning(
                self._env, num_episodes=ROUND_EPISODES, gamma=1.0, rng=rng, q_table=table,
                learning_rate=self._settings["learning_rate"], epsilon=self._settings["epsilon"],
            )  # fmt: skip
        times = [greedy_time(self._env, table) for table in self._tables]
        rounds = self.iteration + 1
        return {
            "seconds": float(np.mean(times)),
            "worst": float(np.max(times)),
            "episodes": rounds * ROUND_EPISODES,
            "done": rounds >= self._num_rounds,
        }

    def reset_config(self, new_config: Row) -> bool:
        """Begin the next trial in this process: starting one takes longer than a trial."""
        self.setup(new_config)
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Save tables and generators: a resumed trial goes on exactly where it was."""
        np.save(Path(checkpoint_dir, "tables.npy"), self._tables)
        states = [rng.bit_generator.state for rng in self._rngs]
        Path(checkpoint_dir, "generators.json").write_text(json.dumps(states), encoding="utf-8")

    def load_checkpoint(self, checkpoint: str) -> None:
        """Load what :meth:`save_checkpoint` saved."""
        self._tables = np.load(Path(checkpoint, "tables.npy"))
        text = Path(checkpoint, "generators.json").read_text(encoding="utf-8")
        for rng, state in zip(self._rngs, json.loads(text), strict=True):
            rng.bit_generator.state = state
