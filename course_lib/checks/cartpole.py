"""Checks of notebook 03: the replay memory, and the diagnosis of broken agents."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.cartpole_loss import check_dqn_loss, check_td_targets
from course_lib.checks.core import Case, exercise

__all__ = ["check_diagnose", "check_dqn_loss", "check_memory", "check_td_targets"]


def _filled(memory_class: Callable, num_transitions: int, capacity: int) -> Any:
    """A memory; transition i = 1, 2, ... has obs i, reward 10 i, and ends where i % 3 is 2."""
    memory = memory_class(capacity, (1,), np.random.default_rng(0))
    for i in range(1, num_transitions + 1):
        memory.add(np.array([i]), i % 2, 10.0 * i, np.array([i + 1]), i % 3 == 2, False)
    return memory


STORED, DRAWN, DRAWS = 40, 20, 100  # rows in a memory for 60, rows of a batch, batches


def _columns(memory_class: Callable, draws: int = DRAWS) -> dict[str, np.ndarray] | None:
    """What many batches hold, by column, each of shape (draws, DRAWN)."""
    memory = _filled(memory_class, STORED, 60)
    batches = [memory.sample(DRAWN) for _ in range(draws)]
    if any(batch is None for batch in batches):
        return None
    names = ("obs", "actions", "rewards", "next_obs", "terminated")
    return {
        name: np.array([np.asarray(getattr(b, name), float).reshape(-1) for b in batches])
        for name in names
    }


def _seen(memory_class: Callable) -> Any:
    columns = _columns(memory_class)
    return columns and np.unique(columns["obs"])


def _at_random(memory_class: Callable) -> bool | None:
    """Whether batches differ, and rows come about equally often, but not by a fixed rota."""
    columns = _columns(memory_class)
    if columns is None:
        return None
    obs = columns["obs"]
    counts = np.bincount(obs.reshape(-1).astype(int), minlength=STORED + 1)[1 : STORED + 1]
    differ = not np.array_equal(obs[0], obs[1])
    return bool(differ and counts.std() > 0.5 and counts.min() >= 10 and counts.max() <= 100)


def _torn(memory_class: Callable) -> list[str] | None:
    """The columns that do not belong to the row's obs; what ends is looked at elsewhere."""
    columns = _columns(memory_class)
    if columns is None:
        return None
    stored = columns["obs"] > 0  # empty rows are another mistake
    obs, actions, rewards, next_obs, _ = (column[stored] for column in columns.values())
    pairs = {
        "actions": (actions, obs % 2),
        "next_obs": (next_obs, obs + 1),
        "rewards": (rewards, 10 * obs),
    }
    return [name for name, (one, other) in pairs.items() if not np.allclose(one, other)]


def _ends(memory_class: Callable) -> Any:
    """How often an end is marked where nothing ended, the clock stopped, it terminated, both."""
    shares = []
    for terminated, truncated in itertools.product((False, True), repeat=2):
        memory = memory_class(8, (1,), np.random.default_rng(0))
        for i in range(8):
            memory.add(np.array([i]), 0, 1.0, np.array([i]), terminated, truncated)
        batch = memory.sample(8)
        if batch is None:
            return None
        shares.append(float(np.mean(np.asarray(batch.terminated))))
    return shares


def _rows(memory_class: Callable, num_transitions: int, capacity: int) -> np.ndarray:
    """The numbers of the transitions that a memory holds, row by row."""
    return np.asarray(_filled(memory_class, num_transitions, capacity).obs)[:, 0]


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
    yield Case(
        "two transitions added: its length is 2",
        expected=2,
        got=lambda: len(_filled(memory_class, 2, 3)),
        hint="does add() count, with self.num_added += 1?",
        part="counts",
    )
    yield from _draw_cases(memory_class)
    row = "the row to write is self.num_added % self.capacity, and only then it counts"
    yield Case(
        "the fourth transition overwrites the oldest of three",
        expected=[4.0, 2.0, 3.0],
        got=partial(_rows, memory_class, 4, 3),
        hint=row,
        part="overwrites the oldest",
        slips=(("out of bounds", row),),
    )
    yield Case(
        "the parts of a row stay together: none belongs to another row",
        expected=[],
        got=partial(_torn, memory_class),
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
        got=partial(_ends, memory_class),
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
    capacity, num_added = int(rng.integers(4, 9)), int(rng.integers(10, 30))
    yield Case(
        "more transitions in another memory",
        got=lambda: np.sort(_rows(memory_class, num_added, capacity)),
        hint=row,
        part="overwrites the oldest",
        slips=(("out of bounds", row),),
    )


def _draw_cases(memory_class: Callable) -> Iterator[Case]:
    rows, part = np.arange(1.0, STORED + 1), "draws"
    leaves_out = "integers(low, high) never draws high: integers(len(self)) draws all row numbers"
    yield Case(
        f"batches of {DRAWN} from {STORED} stored rows: in time each is drawn, and no empty one",
        expected=rows,
        got=partial(_seen, memory_class),
        hint="each stored row must have its chance: self.rng.integers(len(self), size=batch_size)",
        part=part,
        slips=(
            (rows[:-1], leaves_out),
            (rows[1:], "row numbers begin with 0: self.rng.integers(len(self), size=batch_size)"),
            (np.arange(0.0, STORED + 1), "draw below len(self), not capacity: the rest is empty"),
            (rows[-DRAWN:], "the newest rows only: any stored row, at random"),
            (rows[:DRAWN], "always the same rows: draw them at random, with self.rng"),
            (np.arange(0.0, STORED), "row 0 stays empty: count after the row is written"),
            ("expected np.ndarray", "`rows` holds batch_size numbers: size=batch_size"),
        ),
    )
    yield Case(
        "rows are drawn at random, all equally likely",
        expected=True,
        got=partial(_at_random, memory_class),
        hint="at random, each batch anew: self.rng.integers(len(self), size=batch_size)",
        part=part,
    )
    yield Case(
        "sample(64) gives 64 rows",
        expected=64,
        got=lambda: (batch := _filled(memory_class, 80, 70).sample(64)) and len(batch.rewards),
        hint="draw batch_size row numbers: size=batch_size",
        part=part,
    )
    yield Case(
        "the same dice draw the same rows",
        expected=True,
        got=partial(_repeats, memory_class),
        hint="draw with self.rng, which was given: then a run can be repeated",
        part=part,
    )


def _repeats(memory_class: Callable) -> bool | None:
    once, again = (_columns(memory_class, 3) for _ in range(2))
    if once is None or again is None:
        return None
    return np.array_equal(once["obs"], again["obs"])


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
