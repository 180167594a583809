"""The same work in one process, on a local Ray and on a cluster.

The cluster is the one that ``RAY_ADDRESS`` names. Without it, root on Linux gets one of two
machines on this one, made of network namespaces as the tests make it; others go without.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym

from benchmarks.core import Bar, Benchmark, Contender, Figures, NotMeasured, Options, Results, ratio

ROOT = Path(__file__).resolve().parent.parent
ALONE, LOCAL, CLUSTER = "one process", "local Ray, 2 workers", "cluster, 2 machines of 1 core"
LENGTHS_MS = (1, 10, 100)
TASKS = 32
STEP_S = 0.002


def tasks(length_s: float, on_ray: bool) -> float:
    """Return the seconds that 32 tasks take, each of which waits ``length_s``.

    Waiting needs no core, so that two workers on a machine of two cores do not compete.
    """

    def wait() -> None:  # defined in here: the cluster's machines have no module ``benchmarks``
        time.sleep(length_s)

    started = time.perf_counter()
    if on_ray:
        import ray

        task = ray.remote(wait)
        ray.get([task.remote() for _ in range(TASKS)])
    else:
        for _ in range(TASKS):
            wait()
    return time.perf_counter() - started


def samples(num_env_runners: int, seconds: float) -> float:
    """Return the environment steps per second of PPO that samples with so many env runners."""
    from ray.rllib.algorithms.ppo import PPOConfig
    from ray.tune import register_env

    from course_lib.rllib import runs
    from course_lib.rllib.scaling import Waiting

    register_env("slow", lambda _: Waiting(gym.make("CartPole-v1"), STEP_S))
    config = PPOConfig().environment("slow").env_runners(num_env_runners=num_env_runners)
    algo = runs.build(config.training(train_batch_size_per_learner=512, num_epochs=1))
    algo.train()
    started, before = time.perf_counter(), lifetime(algo)
    while time.perf_counter() - started < seconds:
        algo.train()
    rate = (lifetime(algo) - before) / (time.perf_counter() - started)
    runs.stop(algo)
    return rate


def lifetime(algo: Any) -> float:
    """Environment steps so far."""
    return algo.metrics.peek(("env_runners", "num_env_steps_sampled_lifetime"))


def measure(where: str, address: str, seconds: float) -> Figures:
    """Measure once: connect, tasks of three lengths, training.

    Args:
        where: one of the contenders' names.
        address: of the cluster; not used by the others.
        seconds: of training.
    """
    from course_lib.cluster import connect

    started = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        cluster = connect("local", num_cpus=2) if where != CLUSTER else connect(address)
    figures = {"connect_s": time.perf_counter() - started}
    if where != ALONE:
        tasks(0.5, on_ray=True)  # the workers start
    for length in LENGTHS_MS:
        figures[f"tasks_{length}ms_s"] = tasks(length / 1000, where != ALONE)
    figures["steps_per_s"] = samples(0 if where == ALONE else 2, seconds)
    with contextlib.redirect_stdout(sys.stderr):
        cluster.disconnect()
    return figures


class Machines:
    """Where the contenders run; the cluster is there from :meth:`open` to :meth:`close`."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._rig, self._left = seconds, None, contextlib.ExitStack()

    def open(self) -> None:
        """Make a cluster if none is named."""
        sys.path.insert(0, str(ROOT / "tests"))
        import cluster_rig

        if os.environ.get("RAY_ADDRESS") or cluster_rig.missing():
            return
        folder = self._left.enter_context(tempfile.TemporaryDirectory())
        rig = self._left.enter_context(cluster_rig.Rig(Path(folder)))
        rig.start_head(num_cpus=0)
        for name in ("w1", "w2"):
            rig.start_worker(name, num_cpus=1, wait=False)
        rig.wait_for(3)
        self._rig = rig

    def close(self) -> None:
        """End it."""
        self._left.close()

    def run(self, where: str) -> Callable[[int], Figures]:
        """Return what measures one contender, in a process of its own."""

        def once(seed: int) -> Figures:
            address = self._rig.gcs if self._rig else os.environ.get("RAY_ADDRESS", "")
            if where == CLUSTER and not address:
                raise NotMeasured("no cluster: set RAY_ADDRESS, or run as root on Linux")
            code = f"from benchmarks import distribution as d; d.main({where!r}, {address!r}, "
            code += f"{self._seconds})"
            if where == CLUSTER and self._rig:
                done = self._rig.driver(code, timeout=280, PYTHONPATH=str(ROOT))
            else:
                line = [sys.executable, "-c", code]
                done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=280)
            if done.returncode != 0:
                raise RuntimeError(done.stderr.strip().splitlines()[-1])
            return json.loads(done.stdout.splitlines()[-1])

        return once


def main(where: str, address: str, seconds: float) -> None:
    """Measure and print the figures as JSON."""
    print(json.dumps(measure(where, address, seconds)))


def pays(length_ms: int) -> Callable[[Results], float]:
    """How many times faster the cluster is than one process, at one length of tasks."""
    return ratio(ALONE, CLUSTER, f"tasks_{length_ms}ms_s")


def benchmark(options: Options) -> Benchmark:
    """Seconds for tasks and steps per second of training, by where they run."""
    machines = Machines(1.0 if options.quick else 6.0)
    return Benchmark(
        name="distribution",
        question=f"Seconds for {TASKS} tasks that each wait 1, 10 or 100 ms, and environment steps "
        "per second of PPO where each step takes 2 ms more, by where they run. The tasks need no "
        "core, so the figures show what Ray and the network cost, not what this machine has.",
        contenders=[Contender(name, machines.run(name)) for name in (ALONE, LOCAL, CLUSTER)],
        units={
            "connect_s": "s",
            **{f"tasks_{length}ms_s": "s" for length in LENGTHS_MS},
            "steps_per_s": "1/s",
        },
        bars=[
            Bar("the cluster's 2 cores over one process, tasks of 100 ms", pays(100), 1.8),
            Bar("2 env runners on the cluster over one process, steps of 2 ms",
                ratio(CLUSTER, ALONE, "steps_per_s"), 1.5),
        ],
        seeds=3,
        open=machines.open,
        close=machines.close,
    )  # fmt: skip
