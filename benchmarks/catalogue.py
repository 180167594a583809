"""The benchmarks by name. Each is a module with ``benchmark(quick)``, imported when it is used."""

import importlib

from benchmarks.core import Benchmark

NAMES = {
    "cartpole": "benchmarks.cartpole",
    "loop": "benchmarks.loop",
    "update": "benchmarks.update",
    "trading_loop": "benchmarks.trading_loop",
    "environments": "benchmarks.environments",
    "tabular": "benchmarks.tabular",
    "growth": "benchmarks.growth",
    "memory": "benchmarks.memory",
    "tune": "benchmarks.tune_overhead",
    "notebooks": "benchmarks.notebooks",
}


def make(name: str, *, quick: bool) -> Benchmark:
    """Make a benchmark; ``quick`` takes tiny sizes.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in NAMES:
        raise ValueError(f"no benchmark named {name!r}; there are {', '.join(NAMES)}")
    return importlib.import_module(NAMES[name]).benchmark(quick)
