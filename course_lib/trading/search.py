"""Tune looks for the agent's learning rate on the known market. This module loads Ray."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ray import tune
from ray.rllib.algorithms.algorithm import Algorithm
from ray.tune.schedulers import ASHAScheduler

from course_lib import tuning
from course_lib.rllib import runs
from course_lib.trading import agent, markets

ROUND_STEPS = 1_024


class LearningRateTrial(tune.Trainable):
    """One learning rate and one seed: each iteration trains a while and scores on unseen prices.

    The process is used again for the next trial, because starting one takes longer than a trial.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Build the agent."""
        seed = int(config["seed"])
        self._settings = settings = agent.Settings(
            learning_rate=float(config["learning_rate"]), num_steps=int(config["num_steps"])
        )
        train, self._unseen = (
            markets.sine_market(rows, rng=np.random.default_rng([seed, number]))
            for number, rows in enumerate((3_000, 900))
        )
        setup = agent.dqn_config(lambda: agent.training_env(train, settings), settings, seed=seed)
        self._algo: Algorithm = runs.build(setup)
        self._steps = 0

    def step(self) -> dict[str, Any]:
        """Train for about a thousand decisions; return the share of the best possible profit."""
        self._steps += ROUND_STEPS
        for _ in runs.iterate(self._algo, num_steps=self._steps):
            pass
        done = self._steps >= self._settings.num_steps
        share = agent.share_of_foresight(self._algo.get_module(), self._unseen, self._settings)
        return {"share": share, "env_steps": self._steps, "done": done}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Start the next trial in this process."""
        self.cleanup()
        self.setup(new_config)
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Keep nothing: a trial takes seconds."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Keep nothing: a trial takes seconds."""

    def cleanup(self) -> None:
        """Release the agent."""
        runs.stop(self._algo)


def search_learning_rate(
    learning_rates: Sequence[float], seeds: Sequence[int], *, num_steps: int, at_once: int = 2
) -> pd.DataFrame:
    """Train one agent for each learning rate and seed, and stop the weaker half early.

    Args:
        learning_rates: to try.
        seeds: for each of them; a seed decides the network, the exploration and the market.
        num_steps: decisions of a trial that is not stopped.
        at_once: trials side by side, one core each.

    Returns:
        One row per trial: ``learning_rate``, ``seed``, ``share`` (last score, share of the best
        possible profit on unseen prices), ``env_steps``, ``stopped_early``.

    Raises:
        RuntimeError: if a trial failed.
    """
    rounds = max(-(-num_steps // ROUND_STEPS), 1)
    space = {
        "learning_rate": tune.grid_search([float(rate) for rate in learning_rates]),
        "seed": tune.grid_search([int(seed) for seed in seeds]),
        "num_steps": num_steps,
    }
    with tempfile.TemporaryDirectory() as folder, tuning.quiet():
        results = tune.Tuner(
            LearningRateTrial,
            param_space=space,
            tune_config=tune.TuneConfig(
                metric="share",
                mode="max",
                scheduler=ASHAScheduler(max_t=rounds, grace_period=1, reduction_factor=2),
                max_concurrent_trials=at_once,
                reuse_actors=True,
            ),
            run_config=tuning.run_config(
                "learning-rate",
                tuning.TrialProgress(len(learning_rates) * len(seeds)),
                folder=Path(folder),
            ),
        ).fit()
        table = tuning.frame(results)
    table["stopped_early"] = table["env_steps"] < rounds * ROUND_STEPS
    columns = ["learning_rate", "seed", "share", "env_steps", "stopped_early"]
    return table[columns].sort_values(columns[:2], ignore_index=True)
