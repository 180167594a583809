"""Shared by all tests."""

import os
import signal
import sys
from pathlib import Path

import matplotlib
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "notebooks"), str(ROOT / "scripts"), str(ROOT / "tests")]
matplotlib.use("Agg")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so it is in `make test &` of a script
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def local_ray():
    """A Ray of two cores for the tests of one module."""
    ray = pytest.importorskip("ray")
    ray.init(
        num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR",
        ignore_reinit_error=True,
    )  # fmt: skip
    yield
    ray.shutdown()


@pytest.fixture
def built(local_ray):
    """Build algorithms that are stopped when the test ends."""
    from course_lib.rllib import runs

    algos = []

    def build(config):
        algos.append(runs.build(config))
        return algos[-1]

    yield build
    for algo in algos:
        runs.stop(algo)
