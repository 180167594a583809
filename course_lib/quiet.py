"""Keeping the libraries' own notices out of a notebook. Errors still come through."""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

LOUD = ("ray", "ray.rllib", "ray.tune", "ray.train", "optuna")
"""The loggers that talk."""

RAY: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
"""Arguments of ``ray.init`` for a Ray on this machine that says nothing."""


def hush(*loggers: str) -> None:
    """Let these loggers say errors only, from now on."""
    for name in loggers:
        logging.getLogger(name).setLevel(logging.ERROR)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep notices, warnings and Tune's tables of Ray and Optuna out while the block runs."""
    levels = {name: logging.getLogger(name).level for name in LOUD}
    table = os.environ.get("RAY_AIR_NEW_OUTPUT")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hush(*LOUD)
        os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
            os.environ.pop("RAY_AIR_NEW_OUTPUT")
            if table is not None:
                os.environ["RAY_AIR_NEW_OUTPUT"] = table
