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


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in a hook of the same name
def pytest_collection_modifyitems(items):
    """Put the notebooks first and the files that share one Ray next, each as one lane.

    Side by side (pytest-xdist, ``--dist loadgroup``) a lane stays on one worker: two notebooks at
    once would only wait for each other's Ray, and the shared Ray starts once. One after the other,
    the files that share Ray come last, so that it is in nobody's way.
    """
    sharing = {item.path for item in items if "local_ray" in item.fixturenames}
    serial = not os.environ.get("PYTEST_XDIST_WORKER")

    def lane(item):
        return "ray" if item.path in sharing else item.path.name

    order = {"test_notebooks.py": -2, "ray": 1 if serial else -1}
    items.sort(key=lambda item: order.get(lane(item), 0))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(lane(item)))


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
