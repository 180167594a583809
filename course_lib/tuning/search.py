"""Search algorithms that suggest configs, and what Tune does with one, step by step."""

from collections.abc import Callable
from typing import Any

import numpy as np
from ray.tune.search.sample import Domain

from course_lib.quiet import hush
from course_lib.tuning.trials import Row


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


def tpe_search(space: dict[str, Any], metric: str, *, seed: int) -> Any:
    """Return Optuna's TPE (lower is better; the first 10 trials random) as one of Tune's.

    Args:
        space: Tune's search space.
        metric: what trials report.
        seed: of its draws.
    """
    import optuna
    from ray.tune.search.optuna import OptunaSearch

    hush("optuna")
    search = OptunaSearch(sampler=optuna.samplers.TPESampler(seed=seed))
    search.set_search_properties(metric, "min", space)
    return search


def run_search(
    search: Any, score: Callable[[Row], float], num_trials: int, *, metric: str
) -> tuple[list[Row], np.ndarray]:
    """Do what Tune does with a search algorithm, in this process and one trial at a time.

    Args:
        search: has the two methods of :class:`RandomSearch`, as Tune's algorithms have.
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
