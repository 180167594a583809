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


def pytest_collection_modifyitems(items):
    """Files that use the shared Ray come last, so that it starts once and is in nobody's way.

    Where tests run side by side (pytest-xdist, ``--dist loadgroup``) they are one group, and each
    other file is one, but for the notebooks, of which each test runs in a process of its own.
    """
    sharing = {item.path for item in items if "local_ray" in item.fixturenames}
    items.sort(key=lambda item: item.path in sharing)
    for item in items:
        if item.path.name != "test_notebooks.py":
            group = "ray" if item.path in sharing else item.path.name
            item.add_marker(pytest.mark.xdist_group(group))


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
