"""Checks of notebook 00, and the course's own answers to its exercises."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import Case, exercise
from course_lib.tryouts.welcome import (
    best_of,
    count_of,
    count_of_another,
    heard_as_actor,
    is_remote,
    meet,
    played,
    played_again,
    process_ids,
    ray_cpus,
    seen_in_an_episode,
    squares,
    sums,
)

START = "task = ray.remote(function) makes a task of it, and task.remote(seed) starts it"


@exercise(
    "0.1",
    parts={"adds up": 3, "the newest observation": 2, "begins afresh": 1, "an episode cut off": 2},
)
def check_episode_return(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 0.1 against episodes whose rewards are written down."""
    script = [1.0, -2.0, 0.5]
    hint = "add every reward, the last too"
    got: Any = partial(played, attempt, script)
    yield Case(
        "rewards 1, -2 and 0.5 add up to -0.5", -0.5, got, hint, part="adds up",
        slips=(
            (1.0, "that is the first reward alone: `return` belongs after the loop, not inside"),
            (-1.0, "the last reward is missing: add the reward before you look at terminated"),
            (0.5, "that is the last reward alone: add each one to the sum"),
            (3.0, "that is the number of steps: add the rewards"),
            ("action_space", "the action comes from choose_action(obs), not from the environment"),
        ),
    )  # fmt: skip
    hint = "give choose_action the newest observation: the one that step() just returned"
    yield Case(
        "each action is chosen from the newest observation",
        [0, 1, 2],
        lambda: _first_and_last(seen_in_an_episode(attempt, script)["obs"]),
        hint,
        part="the newest observation",
    )
    got, hint = partial(played_again, attempt, script), "call env.reset(); begin the sum at 0"
    yield Case("a second episode begins afresh", -0.5, got, hint, part="begins afresh")
    hint = "call env.reset() without a seed: with one, every episode begins in the same way"
    yield Case(
        "each episode begins in another way",
        True,
        lambda: set(seen_in_an_episode(attempt, script)["seeds"]) == {"none"},
        hint,
        part="begins afresh",
    )
    hint = "truncated ends the loop as well"
    got = partial(played, attempt, [2.0, 2.0], truncated=True)
    yield Case("an episode that is cut off counts too", 4.0, got, hint, part="an episode cut off")
    rewards = rng.uniform(-5, 5, int(rng.integers(4, 9))).tolist()
    for cut, part in ((False, "adds up"), (True, "an episode cut off")):
        aspect = f"a longer one {'that is cut off' if cut else ''} adds up as well"
        got = partial(played, attempt, rewards, truncated=cut)
        yield Case(aspect.replace("  ", " "), got=got, hint="add every reward", part=part)


def _first_and_last(seen: list[Any]) -> list[Any]:
    """The first three of what was seen, and the last where there are more."""
    return seen[:3] + seen[-1:] * (len(seen) > 3)


@exercise(
    "0.2",
    parts={"values in order": 3, "other processes": 3, "at the same time": 4},
    needs="ray",
    takes="some seconds, because it waits for tasks ...",
)
def check_play_in_parallel(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 0.2: right values, in other processes, at the same time."""
    cpus = ray_cpus(attempt)
    yield _ray_runs(cpus)
    if not cpus:
        return
    hint = "did you return references? ray.get turns a list of them into values, in the same order"
    order = "values in order"
    whole = "`return` belongs after the loop, and gives the list of all results"
    slips = (
        ("of type tuple", "return a list: list(...) makes one"),
        ("of type ndarray", "return a list: .tolist() makes one"),
        ("of type int", whole),
        ([9], whole),
        ("of type ObjectRef", "start one task for each seed, then give ray.get all references"),
        ("has no attribute 'remote'", START),
        ("decorator must be applied", f"give ray.remote the function, not its result: {START}"),
        ("cannot be called directly", f"is @ray.remote above it? Leave it out: {START}"),
        ("sequence by non-int", "give each call one seed of the list, not all of them"),
        ("concatenate list", "give each call one seed of the list, not all of them"),
    )
    yield Case(
        "seeds 3, 1, 2 give their squares in the same order",
        [9, 1, 4],
        partial(squares, attempt, [3, 1, 2]),
        hint,
        part=order,
        slips=slips,
    )
    seeds, shift = rng.integers(100, size=5).tolist(), int(rng.integers(1, 1000))
    yield Case(
        "another function and other seeds do so too",
        got=partial(sums, attempt, seeds, shift),
        hint=hint,
        part=order,
        slips=slips,
    )
    hint, part = START, "other processes"
    yield Case(
        "the work is done in other processes", True, partial(_goes_away, attempt), hint, part=part
    )
    factor = int(rng.integers(2, 1000))
    if cpus >= 2:
        hint = "start all tasks first, then ray.get once; ray.get inside the loop waits for each"
        yield Case(
            "two tasks run at the same time",
            [factor, 2 * factor],
            partial(_met, attempt, factor),
            hint,
            part="at the same time",
        )


def _goes_away(attempt: Callable) -> bool | None:
    """Whether tasks run in other processes than the learner's code."""
    pids = process_ids(attempt)
    if pids is None:
        return None
    there = pids["there"]
    return isinstance(there, list) and len(there) == 2 and pids["here"] not in there


def _met(attempt: Callable, factor: int) -> Any:
    """What two tasks gave back that waited for each other, in any order."""
    found = meet(attempt, factor)
    return sorted(found) if isinstance(found, list) else found


def _ray_runs(cpus: float) -> Case:
    hint = "run the cell `cluster = connect()` first, then this one again"
    return Case("Ray is running", True, cpus > 0, hint)


@exercise(
    "0.3",
    parts={"keeps the best": 3, "counts": 2, "keeps boards apart": 2, "works as an actor": 3},
    needs="ray",
)
def check_scoreboard(attempt: type, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 0.3: as an ordinary class, then as an actor that two callers share."""
    hint = "is @ray.remote above it? Leave it out: the cell after the check makes an actor of it"
    remote = bool(is_remote(attempt))
    yield Case("it is an ordinary class", True, not remote, hint)
    if remote:
        return
    best, count, apart = "keeps the best", "counts", "keeps boards apart"
    first = [-5.0, -3.0, -9.0]
    zero, larger = "did you begin with 0? Every return here is below it", "keep the larger one"
    counting = "count every report, beginning at 0"
    name = (
        "not callable",
        "does an attribute of self bear the name of a method? Call it self._best, for one",
    )
    got: Any = partial(best_of, attempt, first[:1])
    slips: tuple[tuple[Any, str], ...] = (name,)
    yield Case("the first return is the best so far", -5.0, got, zero, part=best, slips=slips)
    got, slips = partial(best_of, attempt, first), ((0.0, zero), name)
    yield Case("of -5, -3 and -9 the best is -3", -3.0, got, larger, part=best, slips=slips)
    got = partial(count_of, attempt, first)
    yield Case("three returns were reported", 3, got, counting, part=count, slips=(name,))
    hint = "keep the numbers on self, set in __init__, not on the class"
    got = partial(count_of_another, attempt, first)
    slips = (name, (1, counting), (-1, counting))
    yield Case("another board has seen nothing", 0, got, hint, part=apart, slips=slips)
    drawn = rng.uniform(-50, -10, 5).tolist()
    more = [*first, drawn[0], max(drawn) + 8, *drawn]
    hint = "compare with the best so far, not with the first"
    slips = ((0.0, zero), (drawn[-1], larger), name)
    got = partial(best_of, attempt, more)
    yield Case("seven other returns: the best", got=got, hint=hint, part=best, slips=slips)
    got = partial(count_of, attempt, more)
    yield Case("and how many", got=got, hint=counting, part=count, slips=(name,))
    cpus = ray_cpus(attempt)
    yield _ray_runs(cpus)
    if cpus:
        hint = "an actor's methods are called one after another, so self is enough"
        told = rng.permutation([10.0, 20.0, 30.0, float(rng.integers(40, 90))]).tolist()
        got = partial(heard_as_actor, attempt, told)
        yield Case(
            "as an actor it hears every caller",
            [max(told), 4],
            got,
            hint,
            part="works as an actor",
        )
