"""The check of exercise 4.2: does a feature see the future?"""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import Case, exercise, same
from course_lib.tryouts.trading import closes_after, sees

TWO_ANSWERS = "two answers to one question"
ONLY_LATER = "prices up to and including `row` stay as they are, and only they are compared"
TURNED = "the wrong way round: True says that something changed"
PEEK = "change from row + 1 on, and compare the first row + 1 values: up to and including `row`"


@exercise(
    "4.2",
    parts={
        "honest or not": 3,
        "the given row": 3,
        "the whole past": 2,
        "every column": 1,
        "leaves the table alone": 1,
    },
)
def check_sees_future(sees_future: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check honest and leaky features, on tables whose every change can be seen.

    Each case holds an honest question and a leaky one, so that no constant answer passes. Which
    row is the last is looked at by "the given row" alone: the other features stay as they are, or
    leak, by two rows or more. An answer the wrong way round costs "honest or not" alone.
    """
    row, late, first = int(rng.integers(4, 8)), int(rng.integers(15, 25)), float(rng.uniform(1, 9))
    intact = (first * 2.0 ** np.arange(12)).tolist()

    def ask(*questions: tuple[str, int], rows: int = 12, at: int = row) -> Any:
        """Ask each question twice, in an order that is drawn; return the answers in theirs."""
        order = rng.permutation(2 * len(questions)).tolist()
        said = sees(sees_future, rows, at, [(questions * 2)[k] for k in order])
        if not isinstance(said, list) or len(said) != len(order):
            return said
        said = [bool(one) if isinstance(one, np.bool_) else one for one in said]
        first, again = np.split(np.argsort(order), 2)
        answers = [said[k] for k in first]
        return answers if same(answers, [said[k] for k in again]) else TWO_ANSWERS

    first_case = [(name, row) for name in ("close before", "change before", "share of the highest")]
    turned = False
    with contextlib.suppress(Exception, SystemExit):
        turned = same([True, True, False], ask(*first_case))
    yield Case(
        "an earlier close and change are honest, the close over the highest of all leaks",
        expected=[False, False, True],
        got=partial(ask, *first_case),
        hint="are the later prices changed, and only they?",
        part="honest or not",
        slips=(
            (
                [False, True, True],
                "a change's first value is missing: `==` calls two missing values different, "
                "`equals` does not",
            ),
            ([True, True, True], ONLY_LATER),
            (
                [False, False, False],
                "the highest close comes later: are later prices changed, in a copy? (if the table "
                "itself is changed, both computations see the same prices)",
            ),
            ([True, True, False], TURNED),
        ),
    )
    for rows, at in ((12, row), (30, late)):
        yield Case(
            f"of {rows} rows one alone peeks: seen with that `row`, and with no other",
            expected=[True, False, False],
            got=partial(ask, *(("peeks at", k) for k in (at, at - 1, at + 1)), rows=rows, at=at),
            hint="use the row that is given: " + PEEK,
            part="the given row",
            slips=(
                ([False, False, True], "one row too late: " + PEEK),
                ([False, True, False], "one row too early: " + PEEK),
                ([False] * 3, "is the value at `row` among those compared? " + PEEK),
                ([True] * 3, ONLY_LATER),
                ([False, True, True], TURNED),
            ),
            forgives=([False, True, True],) if turned else (),
        )
    yield Case(
        "a feature whose earlier values see four rows ahead is seen, an honest one is not",
        expected=[True, False],
        got=lambda: ask(("every other", row), ("close before", row)),
        hint="compare ALL values up to `row`, not the one at `row` alone",
        part="the whole past",
        slips=(([True, True], ONLY_LATER), ([False, True], TURNED)),
        forgives=([False, True],) if turned else (),
    )
    yield Case(
        "the lowest low of all later rows leaks, an earlier low does not",
        expected=[True, False],
        got=lambda: ask(("lowest low to come", row), ("low before", row)),
        hint="change all columns, not only the close",
        part="every column",
        slips=(([True, True], ONLY_LATER), ([False, True], TURNED)),
        forgives=([False, True],) if turned else (),
    )
    yield Case(
        "the table that was handed in stays the same",
        expected=[1.0, 0.0, *intact],
        got=partial(closes_after, sees_future, 12, first, row),
        hint="work on `table.copy()`",
        part="leaves the table alone",
        slips=(
            ([0.0, 1.0, *intact], TURNED),
            ([1.0, 1.0, *intact], f"the table is left alone, but {ONLY_LATER}"),
            ([0.0, 0.0, *intact], "the table is left alone; the leak is not seen: see above"),
        ),
        forgives=([0.0, 1.0, *intact],) if turned else (),
    )
