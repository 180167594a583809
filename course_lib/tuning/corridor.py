"""What lesson 02 tunes, Q-learning agents on the corridor, and what stops it there."""

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
from ray import tune

from course_lib.agents import tabular
from course_lib.envs.corridor import CorridorEnv
from course_lib.tuning.trials import Row

ROUND_EPISODES = 150


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
        times = [self._env.greedy_time(table) for table in self._tables]
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
