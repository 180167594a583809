"""The benchmarks by name. Each is a module with ``benchmark(options)``, imported when used."""

import ast
import importlib
from pathlib import Path

from benchmarks.core import Benchmark, Options

NAMES = {
    "cartpole": "cartpole",
    "mountain_car": "mountain_car",
    "loop": "loop",
    "update": "update",
    "trading": "trading_loop",
    "environments": "environments",
    "tabular": "tabular",
    "growth": "growth",
    "distribution": "distribution",
    "memory": "memory",
    "tune": "tune_overhead",
    "notebooks": "notebooks",
    "setup": "setup",
}


def make(name: str, options: Options) -> Benchmark:
    """Make a benchmark; nothing is measured or started yet.

    Raises:
        ValueError: if there is none of that name.
    """
    _check(name)
    return importlib.import_module(f"benchmarks.{NAMES[name]}").benchmark(options)


def in_one_line(name: str) -> str:
    """What a benchmark measures, read from its module without importing Ray or PyTorch.

    Raises:
        ValueError: if there is none of that name.
    """
    _check(name)
    source = Path(__file__).with_name(f"{NAMES[name]}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def _check(name: str) -> None:
    if name not in NAMES:
        raise ValueError(f"no benchmark named {name!r}; there are {', '.join(NAMES)}")
