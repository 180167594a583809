"""What Ray Tune costs per trial, beside running the trials in a loop."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ray import tune

from benchmarks import rllib_dqn
from benchmarks.core import Benchmark, Contender, Figures, Options

WORK_S = 0.05


class Trial(tune.Trainable):
    """Works for 50 ms, reports once; Tune saves it at its end, as it does with the course's."""

    def step(self) -> dict:
        """Work."""
        time.sleep(WORK_S)
        return {"score": 1.0, "done": True}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Save next to nothing."""
        Path(checkpoint_dir, "number").write_text(str(self.config["number"]))

    def reset_config(self, new_config: dict) -> bool:
        """Take the next trial in the same process."""
        return True


def clocked(num_trials: int, reuse: bool) -> Callable[[int], Figures]:
    """Seconds per trial beyond its own work, two trials at a time."""

    def run(seed: int) -> Figures:
        from course_lib import tuning

        with tempfile.TemporaryDirectory() as folder, tuning.quiet():
            started = time.perf_counter()
            results = tune.Tuner(
                Trial,
                param_space={"number": tune.grid_search(list(range(num_trials)))},
                tune_config=tune.TuneConfig(reuse_actors=reuse),
                run_config=tuning.run_config("overhead", folder=folder),  # type: ignore[arg-type]
            ).fit()
            seconds = time.perf_counter() - started
        if results.errors:
            raise RuntimeError(f"{len(results.errors)} trials failed: {results.errors[0]}")
        return {"s_per_trial": seconds / num_trials - WORK_S / 2, "seconds": seconds}

    return run


def loop(num_trials: int) -> Callable[[int], Figures]:
    """The same work in a plain loop."""

    def run(seed: int) -> Figures:
        started = time.perf_counter()
        for _ in range(num_trials):
            Trial({"number": 0}).train()
        seconds = time.perf_counter() - started
        return {"s_per_trial": seconds / num_trials - WORK_S, "seconds": seconds}

    return run


def benchmark(options: Options) -> Benchmark:
    """Seconds per trial beyond the trial's own work."""
    few = 4 if options.quick else 16
    return Benchmark(
        name="tune",
        question=f"Ray Tune: seconds per trial beyond its own {WORK_S * 1000:.0f} ms of work, for "
        f"{few} trials of a class trainable, two at a time, each saved at its end.",
        contenders=[
            Contender("Tune, processes kept (reuse_actors)", clocked(few, True)),
            Contender("Tune, a process per trial", clocked(few, False)),
            Contender("plain loop", loop(few)),
        ],
        units={"s_per_trial": "s", "seconds": "s"},
        open=rllib_dqn.start_ray,
        close=rllib_dqn.stop_ray,
    )
