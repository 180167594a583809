"""Shared by all tests."""

import functools
import os
import re
import signal
import sys
from pathlib import Path

import hypothesis
import matplotlib
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("scripts/lessons", "scripts", "tests")]
matplotlib.use("Agg")
hypothesis.settings.register_profile("course", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("course")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so it is in `make test &` of a script
    signal.signal(signal.SIGINT, signal.default_int_handler)


@functools.cache
def lane(file):
    """What stays on one worker where tests run side by side: a file, or all that share one Ray."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return "ray" if re.search(r"\b(local_ray|built)\b", text) else file


def pytest_collection_modifyitems(items):
    """Put the notebooks first, which take longest, and what shares a Ray last, alone with it.

    Side by side the shared Ray comes second: it is the other long lane.
    """
    order = {"tests/test_notebooks.py": -2, "ray": -1 if "PYTEST_XDIST_WORKER" in os.environ else 1}
    items.sort(key=lambda item: order.get(lane(item.nodeid.partition("::")[0]), 0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Side by side (``-n 2``) two notebooks at once would only wait for each other's Ray."""
    from xdist.scheduler import LoadScopeScheduling

    class Lanes(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return lane(nodeid.partition("::")[0])

    config.option.loadscopereorder = False  # in the order above
    return Lanes(config, log)


@pytest.fixture(autouse=True)
def close_figures():
    """No figure of one test is open in the next, whatever ran before it on this worker."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def start_ray(**options):
    """Start a silent Ray here, and wait for it as long as a busy machine takes."""
    import ray

    from course_lib import quiet
    from course_lib.cluster import ray_inside

    with ray_inside.patient(300):
        return ray.init("local", **quiet.RAY, **options)


@pytest.fixture(scope="session")
def local_ray():
    """One Ray for all tests: two cores, and a GPU that is counted and not there."""
    import ray

    start_ray(num_cpus=2, num_gpus=1)
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
