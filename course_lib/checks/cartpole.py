"""Checks of notebook 03: the replay memory, and the diagnosis of broken agents."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.cartpole_loss import check_dqn_loss
from course_lib.checks.cartpole_targets import check_td_targets
from course_lib.checks.core import Case, exercise
from course_lib.tryouts.cartpole import drawn, ends, length, obs_of_rows, stored

__all__ = ["check_diagnose", "check_dqn_loss", "check_memory", "check_td_targets"]


STORED, BATCH, TIMES = 40, 20, 100  # rows that are stored, rows of a batch, batches
Columns = dict[str, np.ndarray]


def _arrays(columns: dict[str, Any] | None) -> Columns | None:
    return columns and {name: np.asarray(values, float) for name, values in columns.items()}


def _batches(memory_class: Callable, first: int) -> Columns | None:
    return _arrays(drawn(memory_class, first, STORED, batch_size=BATCH, times=TIMES))


def _seen(memory_class: Callable, first: int) -> Any:
    columns = _batches(memory_class, first)
    return columns and np.unique(columns["obs"])


def _at_random(memory_class: Callable, first: int) -> bool | None:
    """Whether batches differ, and what is drawn comes about equally often, but by no fixed rota."""
    columns = _batches(memory_class, first)
    if columns is None:
        return None
    obs = columns["obs"]
    counts = np.unique(obs, return_counts=True)[1]
    differ = not np.array_equal(obs[0], obs[1])
    return bool(differ and counts.std() > 0.5 and counts.min() >= 10 and counts.max() <= 100)


def _repeats(memory_class: Callable, first: int) -> bool | None:
    once, again = (_batches(memory_class, first) for _ in range(2))
    if once is None or again is None:
        return None
    return np.array_equal(once["obs"], again["obs"])


def _ends(memory_class: Callable, order: list[int]) -> list[float]:
    """How often an end is marked where nothing ended, the clock stopped, it terminated, both."""
    flags = list(itertools.product((False, True), repeat=2))
    shares = ends(memory_class, [flags[k] for k in order])
    return [shares[order.index(k)] for k in range(4)]


def _torn(memory_class: Callable, first: int) -> list[str]:
    """The columns that do not belong to the row's obs; what ends is looked at elsewhere."""
    columns: Any = _arrays(stored(memory_class, first, STORED))
    full = columns["obs"] > 0  # empty rows are another mistake
    if not full.any():
        return ["nothing is stored"]
    obs, actions, rewards, next_obs, _ = (column[full] for column in columns.values())
    pairs = {
        "actions": (actions, obs % 2),
        "next_obs": (next_obs, obs + 1),
        "rewards": (rewards, 10 * obs),
    }
    return [name for name, (one, other) in pairs.items() if not np.allclose(one, other)]


@exercise(
    "3.1",
    parts={
        "counts": 2,
        "overwrites the oldest": 3,
        "draws": 3,
        "keeps rows together": 3,
        "marks the end": 2,
    },
    needs="torch",
    hides=("course_lib.agents.dqn:ReplayBuffer",),
)
def check_memory(memory_class: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Transitions into memories that are small, full, or not yet full."""
    first = int(rng.integers(5, 50))
    yield Case(
        "two transitions added: its length is 2",
        expected=2,
        got=partial(length, memory_class, 2, 3),
        hint="does add() count, with self.num_added += 1?",
        part="counts",
    )
    num_added, capacity = int(rng.integers(10, 30)), int(rng.integers(4, 9))
    yield Case(
        f"{num_added} transitions in a memory for 40: its length is {num_added}",
        expected=num_added,
        got=partial(length, memory_class, num_added, 40),
        hint="does add() count each transition once?",
        part="counts",
    )
    yield from _draw_cases(memory_class, first)
    row = "the row to write is self.num_added % self.capacity, and only then it counts"
    yield Case(
        "the fourth transition overwrites the oldest of three",
        expected=[4.0, 2.0, 3.0],
        got=partial(obs_of_rows, memory_class, 0, 4, 3),
        hint=row,
        part="overwrites the oldest",
        slips=(("out of bounds", row), ([3.0, 4.0, 2.0], LATER)),
    )
    yield Case(
        "the parts of a row stay together: none belongs to another row",
        expected=[],
        got=partial(_torn, memory_class, first),
        hint="does add() write each part into its own column, and all into the same row?",
        part="keeps rows together",
        slips=(
            (
                ["actions", "next_obs", "rewards"],
                "draw the row numbers once, and use them for every column",
            ),
        ),
    )
    yield Case(
        "an end is where nothing follows: not at other steps, nor where the clock stopped, but "
        "where it terminated, with the clock or without",
        expected=[0.0, 0.0, 1.0, 1.0],
        got=partial(_ends, memory_class, rng.permutation(4).tolist()),
        hint="what goes into self.ends, and is it the same row?",
        part="marks the end",
        slips=(
            ([1.0, 1.0, 0.0, 0.0], "upside down: 1 is where nothing follows"),
            ([0.0, 0.0, 1.0, 0.0], "terminated is an end, also where the clock stops as well"),
            ([0.0, 1.0, 1.0, 1.0], "where only the clock stopped, the world would go on"),
            ([0.0, 1.0, 0.0, 1.0], "the clock is not the end of the world"),
            ([0.0] * 4, "does add() store terminated?"),
        ),
    )
    yield Case(
        "more transitions in another memory",
        got=lambda: np.sort(obs_of_rows(memory_class, first, num_added, capacity)),
        hint=row,
        part="overwrites the oldest",
        slips=(("out of bounds", row),),
    )


LATER = "row 0 stays empty: count after the row is written"


def _draw_cases(memory_class: Callable, first: int) -> Iterator[Case]:
    rows, part = first + np.arange(1.0, STORED + 1), "draws"
    row_0_empty = np.append(0.0, rows[:-1])
    leaves_out = "integers(low, high) never draws high: integers(len(self)) draws all row numbers"
    yield Case(
        f"batches of {BATCH} from {STORED} stored rows: in time each is drawn, and no empty one",
        expected=rows,
        got=partial(_seen, memory_class, first),
        hint="each stored row must have its chance: self.rng.integers(len(self), size=batch_size)",
        part=part,
        slips=(
            (rows[:-1], leaves_out),
            (rows[1:], "row numbers begin with 0: self.rng.integers(len(self), size=batch_size)"),
            (np.append(0.0, rows), "draw below len(self), not capacity: the rest is empty"),
            (rows[-BATCH:], "the newest rows only: any stored row, at random"),
            (rows[:BATCH], "always the same rows: draw them at random, with self.rng"),
            (row_0_empty, LATER),
            ("expected np.ndarray", "`rows` holds batch_size numbers: size=batch_size"),
        ),
        forgives=(row_0_empty,),
    )
    yield Case(
        "rows are drawn at random, all equally likely",
        expected=True,
        got=partial(_at_random, memory_class, first),
        hint="at random, each batch anew: self.rng.integers(len(self), size=batch_size)",
        part=part,
    )
    yield Case(
        "sample(64) gives 64 rows",
        expected=64,
        got=partial(_size, memory_class, first),
        hint="draw batch_size row numbers: size=batch_size",
        part=part,
    )
    yield Case(
        "the same dice draw the same rows",
        expected=True,
        got=partial(_repeats, memory_class, first),
        hint="draw with self.rng, which was given: then a run can be repeated",
        part=part,
    )


def _size(memory_class: Callable, first: int) -> int | None:
    columns = _arrays(drawn(memory_class, first, 80, batch_size=64, times=1))
    return None if columns is None else columns["rewards"].size


KEEP = 0.05  # a q-value that is nearer than this to the truth is right
FAULTS = {
    "never bootstraps": "two probes need what comes later, and both are wrong: what is left out?",
    "always bootstraps": "right only where nothing ends: what is not multiplied by 0?",
    "clock is the end": "wrong only where the clock stops: what is stored?",
    "old obs": "wrong where the next observation is another one, right where it is the same",
    "squared loss": "all right: which fault would no probe see?",
}


def _errors(fault: str, gamma: float, rng: np.random.Generator) -> dict[str, float]:
    """The largest error of a broken agent at each probe, worked by hand, and a little chance."""
    later = gamma / (1 - gamma)
    late, best, ended, cut = {
        "never bootstraps": (gamma, 0, 0, later),
        "always bootstraps": (later, later, later, 0),
        "clock is the end": (0, 0, 0, later),
        "old obs": (gamma, 0, 0, 0),
        "squared loss": (0, 0, 0, 0),
    }[fault]
    exact = {"late reward": late, "best action": best, "terminated": ended, "truncated": cut}
    return {probe: float(error + rng.uniform(0, KEEP / 2)) for probe, error in exact.items()}


@exercise("3.4", parts=dict.fromkeys(FAULTS, 2))
def check_diagnose(diagnose: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Broken agents in an order that is drawn, with the probes' gamma and with others."""
    for gamma in (0.5, *rng.uniform(0.3, 0.9, size=2)):
        for fault in rng.permutation(list(FAULTS)):
            errors = _errors(str(fault), gamma, rng)
            shown = ", ".join(f"{probe} {error:.2f}" for probe, error in errors.items())
            yield Case(
                f"errors at gamma {gamma:.2f}: {shown}",
                expected=str(fault),
                got=partial(_diagnosis, diagnose, errors),
                hint=FAULTS[str(fault)],
                part=str(fault),
                otherwise=f"errors at gamma {gamma:.2f}: {shown}",  # and no word of the answer
            )


def _diagnosis(diagnose: Callable, errors: dict[str, float]) -> Any:
    """What was said of an agent, if it is one of the five names."""
    told = diagnose(dict(errors))
    if told is not None and str(told) not in FAULTS:
        raise ValueError(f"return one of {', '.join(map(repr, FAULTS))}; it returned {told!r}")
    return told
