"""What the checks of notebook 04 do with a learner's code."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from course_lib.tryouts.core import gathered, tryout


def doubling_prices(num_rows: int, first: float = 1.0) -> Any:
    """Return rows whose closes double: every change of a later price can be seen."""
    import pandas as pd

    close = first * 2.0 ** np.arange(num_rows)
    return pd.DataFrame({name: close for name in ("open", "high", "low", "close")})


def _peeks_at(row: int) -> Callable:
    """A feature that is honest but for one row, where it shows the next close."""

    def feature(table: Any) -> Any:
        values = table["close"].copy()
        values.iloc[row] = table["close"].iloc[row + 1]
        return values

    return feature


def _every_other(row: int) -> Callable:
    """A feature that is honest at ``row``, and sees four rows ahead from the row before it."""

    def feature(table: Any) -> Any:
        honest = (np.arange(len(table)) - row) % 2 == 0
        return table["close"].where(honest, table["close"].shift(-4))

    return feature


# "before": three rows before, so that it matters not whether one row more is looked at
FEATURES: dict[str, Callable[[int], Callable]] = {
    "close before": lambda row: lambda table: table["close"].shift(3, fill_value=1.0),
    "change before": lambda row: lambda table: table["close"].diff().shift(3),
    "low before": lambda row: lambda table: table["low"].shift(3, fill_value=1.0),
    "share of the highest": lambda row: lambda table: table["close"] / table["close"].max(),
    "lowest low to come": lambda row: lambda table: table["low"][::-1].cummin()[::-1].shift(-3),
    "peeks at": _peeks_at,
    "every other": _every_other,
}


@tryout
def sees(sees_future: Callable, num_rows: int, row: int, questions: list[tuple]) -> Any:
    """Return what is said of features on a table of doubling prices.

    Args:
        sees_future: the learner's function.
        num_rows: of the table.
        row: that is asked about.
        questions: a feature's name and the row that it is made for, each.
    """
    return gathered(
        sees_future(FEATURES[name](at), doubling_prices(num_rows), row) for name, at in questions
    )


@tryout
def closes_after(sees_future: Callable, num_rows: int, first: float, row: int) -> Any:
    """Return what is said of a leak and of an honest feature, and the closes of the table after."""
    table = doubling_prices(num_rows, first)
    features = (FEATURES[name](row) for name in ("share of the highest", "close before"))
    said = [sees_future(feature, table, row) for feature in features]
    return gathered([*said, *table["close"].tolist()])


@tryout
def rates_picked(best_learning_rate: Callable, tables: list[Any]) -> Any:
    """Return the learning rates that are picked from tables of trials."""
    return gathered(best_learning_rate(table.copy()) for table in tables)


@tryout
def options_made(training_options: Callable, settings: list[Any]) -> Any:
    """Return the options that are made for each of some settings, by name where it is a dict."""
    found = (training_options(copy.copy(one)) for one in settings)
    return gathered(
        {str(name): value for name, value in one.items()} if isinstance(one, dict) else one
        for one in found
    )
