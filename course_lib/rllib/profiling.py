"""Where does the time of an RLlib DQN go? A stopwatch at each of its stations."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ray.rllib.algorithms.algorithm import Algorithm

from course_lib.columnar_dqn.rllib_inside import UNPACKER
from course_lib.rllib import runs
from course_lib.torch_threads import torch_threads

PARTS = ("play", "store", "draw", "unpack", "learn", "rest")


@dataclass(frozen=True)
class TimeSpent:
    """The time of some iterations, by part.

    Attributes:
        seconds: part -> seconds. ``play``: the environment and choosing actions; ``store`` and
            ``draw``: into and out of the replay memory; ``unpack``: making a batch of what was
            drawn; ``learn``: gradient steps; ``rest``: everything else.
        num_updates: gradient steps taken.
        num_steps: environment steps taken.
    """

    seconds: dict[str, float]
    num_updates: int
    num_steps: int

    @property
    def total(self) -> float:
        """Seconds in all."""
        return sum(self.seconds.values())

    @property
    def steps_per_s(self) -> float:
        """Environment steps per second."""
        return self.num_steps / self.total

    @property
    def ms_per_update(self) -> dict[str, float]:
        """Part -> milliseconds per gradient step."""
        return {part: 1e3 * self.seconds[part] / self.num_updates for part in PARTS}


def where_time_goes(
    algo: Algorithm, *, num_steps: int, on_step: Callable[[float], Any] | None = None
) -> TimeSpent:
    """Train for a while with a stopwatch at each part; the algorithm is one step further after it.

    What comes before the first gradient step is trained, too, and not counted.

    Args:
        algo: a DQN that samples and learns in this process, as ``runs.build`` returned it.
        num_steps: environment steps to measure, at least.
        on_step: called after each iteration with the share that is done, 0 to 1.

    Raises:
        ValueError: if sampling or learning happens in other processes, out of the watch's sight.
    """
    if algo.env_runner is None or algo.config.num_env_runners or algo.config.num_learners:
        raise ValueError(
            "only what happens in this process can be timed; "
            "use num_env_runners=0 and num_learners=0"
        )
    first = algo.config.num_steps_sampled_before_learning_starts
    warm = runs.counts(algo.train())
    while warm[0] < first or not warm[1]:
        warm = runs.counts(algo.train())
        if on_step:
            on_step(0.0)
    with _stopwatches(algo) as seconds, torch_threads(1):
        started, now = time.perf_counter(), warm
        while now[0] - warm[0] < num_steps:
            now = runs.counts(algo.train())
            if on_step:
                on_step(min(1.0, (now[0] - warm[0]) / num_steps))
        total = time.perf_counter() - started
    seconds["learn"] -= seconds["unpack"]  # it happens inside the learner's update
    seconds["rest"] = total - sum(seconds.values())
    size = algo.config.total_train_batch_size
    return TimeSpent(seconds, int((now[1] - warm[1]) / size), int(now[0] - warm[0]))


@contextlib.contextmanager
def _stopwatches(algo: Algorithm) -> Iterator[dict[str, float]]:
    """Add up the seconds of each part while the block runs; ``learn`` includes ``unpack``."""
    seconds = dict.fromkeys(PARTS, 0.0)
    replay, group = algo.local_replay_buffer, algo.learner_group
    (learner,) = (answer.get() for answer in group.foreach_learner(lambda learner: learner))
    stations = [(algo.env_runner, "sample", "play"), (replay, "add", "store")]
    draws = ("draw", "take") if hasattr(replay, "draw") else ("sample",)
    stations += [(replay, name, "draw") for name in draws]
    stations += [(learner, UNPACKER, "unpack"), (group, "update", "learn")]
    with contextlib.ExitStack() as stack:
        for place, name, part in stations:
            before, own = getattr(place, name), name in vars(place)
            setattr(place, name, _Timed(before, part, seconds))
            stack.callback(*((setattr, place, name, before) if own else (delattr, place, name)))
        yield seconds


class _Timed:
    """Stands in for something callable, and adds up how long its calls take."""

    def __init__(self, inner: Any, part: str, seconds: dict[str, float]) -> None:
        self._inner, self._part, self._seconds = inner, part, seconds

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return self._inner(*args, **kwargs)
        finally:
            self._seconds[self._part] += time.perf_counter() - started

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
