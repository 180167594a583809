"""Checks of notebook 00, and the course's own answers to its exercises."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import Case, exercise

MEET_LIMIT_S = 5.0
START = "task = ray.remote(function) makes a task of it, and task.remote(seed) starts it"
MANY = 100  # actions, where an episode has under ten steps


class ScriptedEnv:
    """An environment whose rewards are written down beforehand. Observations are 0, 1, 2, ...

    Args:
        rewards: one per step; the episode ends with the last.
        truncated: whether it ends by truncation instead of termination.
    """

    def __init__(self, rewards: Sequence[float], *, truncated: bool = False) -> None:
        self.rewards = list(rewards)
        self.truncated = truncated
        self.steps: int | None = None
        self.seeds: list[int | None] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict]:
        """Begin an episode."""
        self.seeds.append(seed)
        self.steps = 0
        return 0, {}

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict]:
        """Give the next reward of the script.

        Raises:
            RuntimeError: before the first reset, and after the end of an episode.
        """
        if self.steps is None:
            raise RuntimeError("step() was called before reset(): begin with obs, info = reset()")
        if self.steps == len(self.rewards):
            raise RuntimeError(
                "step() was called after the episode had ended: stop when terminated or truncated"
            )
        self.steps += 1
        end = self.steps == len(self.rewards)
        reward = self.rewards[self.steps - 1]
        return self.steps, reward, end and not self.truncated, end and self.truncated, {}


@exercise(
    "0.1",
    parts={"adds up": 3, "the newest observation": 2, "begins afresh": 1, "an episode cut off": 2},
)
def check_episode_return(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 0.1 against episodes whose rewards are written down."""
    env = ScriptedEnv([1.0, -2.0, 0.5])
    seen: list[int] = []

    def note(obs: int) -> int:
        if len(seen) == MANY:
            raise RuntimeError(
                f"choose_action was called {MANY} times in an episode of a few steps: call "
                "env.step(action) with each action, and end the loop at terminated or truncated"
            )
        seen.append(obs)
        return 0

    def ends(choose_action: Callable, env: ScriptedEnv) -> Any:
        """Play; what never ended its first episode would not end this one."""
        return attempt(env, choose_action) if len(seen) < MANY else note(0)

    hint = "add every reward, the last too"
    got: Any = partial(attempt, env, note)
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
        lambda: seen[:3] + seen[-1:] * (len(seen) > 3),
        hint,
        part="the newest observation",
    )
    got, hint = partial(ends, lambda obs: 0, env), "call env.reset(); begin the sum at 0"
    yield Case("a second episode begins afresh", -0.5, got, hint, part="begins afresh")
    hint = "call env.reset() without a seed: with one, every episode begins in the same way"
    yield Case(
        "each episode begins in another way",
        True,
        lambda: bool(env.seeds) and set(env.seeds) == {None},
        hint,
        part="begins afresh",
    )
    hint = "truncated ends the loop as well"
    got = partial(ends, lambda obs: 0, ScriptedEnv([2.0, 2.0], truncated=True))
    yield Case("an episode that is cut off counts too", 4.0, got, hint, part="an episode cut off")
    rewards = rng.uniform(-5, 5, int(rng.integers(4, 9))).tolist()
    for cut, part in ((False, "adds up"), (True, "an episode cut off")):
        aspect = f"a longer one {'that is cut off' if cut else ''} adds up as well"
        got = partial(ends, lambda obs: obs % 2, ScriptedEnv(rewards, truncated=cut))
        yield Case(aspect.replace("  ", " "), got=got, hint="add every reward", part=part)


@exercise(
    "0.2",
    parts={"values in order": 3, "other processes": 3, "at the same time": 4},
    needs="ray",
    takes="some seconds, because it waits for tasks ...",
)
def check_play_in_parallel(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 0.2: right values, in other processes, at the same time."""
    import ray

    yield _ray_runs()
    if not ray.is_initialized():
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
        lambda: _numbers(attempt(_slow_for_three, [3, 1, 2])),
        hint,
        part=order,
        slips=slips,
    )
    seeds, shift = rng.integers(100, size=5).tolist(), int(rng.integers(1, 1000))
    yield Case(
        "another function and other seeds do so too",
        got=lambda: _numbers(attempt(lambda seed: seed + shift, seeds)),
        hint=hint,
        part=order,
        slips=slips,
    )
    hint, part = START, "other processes"
    yield Case(
        "the work is done in other processes", True, partial(_goes_away, attempt), hint, part=part
    )
    if ray.cluster_resources().get("CPU", 0) >= 2:
        hint = "start all tasks first, then ray.get once; ray.get inside the loop waits for each"
        yield Case(
            "two tasks run at the same time",
            True,
            partial(_meet, attempt),
            hint,
            part="at the same time",
        )


def _goes_away(attempt: Callable) -> bool:
    """Whether tasks run in other processes than this one."""
    here = os.getpid()
    pids = attempt(lambda seed: os.getpid(), [0, 1])
    return pids and isinstance(pids, list) and len(pids) == 2 and here not in pids


def _ray_runs() -> Case:
    import ray

    hint = "run the cell `cluster = connect()` first, then this one again"
    return Case("Ray is running", True, ray.is_initialized(), hint)


def _slow_for_three(seed: int) -> int:
    """Square; the first job ends last, so that results in the order of their ends show."""
    time.sleep(0.5 if seed == 3 else 0)
    return seed * seed


def _numbers(values: Any) -> Any:
    """Return plain values for the comparison; references are no numbers."""
    listed = values is None or isinstance(values, list)
    return values if listed else f"of type {type(values).__name__}"


def _meet(attempt: Callable) -> bool:
    """Whether two tasks run at once: each waits a while for the other to arrive."""
    import ray

    class Door:
        def __init__(self) -> None:
            self.arrived: set[int] = set()

        def arrive(self, seed: int) -> int:
            self.arrived.add(seed)
            return len(self.arrived)

    door: Any = ray.remote(num_cpus=0)(Door).remote()
    ray.get(door.arrive.remote(0))  # the actor itself has started before the clock runs

    def wait(seed: int) -> bool:
        deadline = time.monotonic() + MEET_LIMIT_S
        with contextlib.suppress(ray.exceptions.RayError):  # nobody waits for this task any more
            while time.monotonic() < deadline:
                if ray.get(door.arrive.remote(seed)) == 3:
                    return True
                time.sleep(0.05)
        return False

    met = attempt(wait, [1, 2])
    ray.kill(door)
    return met and isinstance(met, list) and all(value is True for value in met) and len(met) == 2


@exercise(
    "0.3",
    parts={"keeps the best": 3, "counts": 2, "keeps boards apart": 2, "works as an actor": 3},
    needs="ray",
)
def check_scoreboard(attempt: type, rng: np.random.Generator) -> Iterator[Case]:
    """Check Exercise 0.3: as an ordinary class, then as an actor that two callers share."""
    import ray

    hint = "is @ray.remote above it? Leave it out: the cell after the check makes an actor of it"
    yield Case("it is an ordinary class", True, not hasattr(attempt, "remote"), hint)
    if hasattr(attempt, "remote"):
        return
    board, other = attempt(), attempt()
    best, count, apart = "keeps the best", "counts", "keeps boards apart"

    def tell(*returns: float) -> float:
        for value in returns:
            board.report(value)
        return board.best()

    def reports(board: Any) -> int:
        return board.num_reports()

    zero, larger = "did you begin with 0? Every return here is below it", "keep the larger one"
    counting = "count every report, beginning at 0"
    name = (
        "not callable",
        "does an attribute of self bear the name of a method? Call it self._best, for one",
    )
    got: Any = partial(tell, -5.0)
    slips: tuple[tuple[Any, str], ...] = (name,)
    yield Case("the first return is the best so far", -5.0, got, zero, part=best, slips=slips)
    got, slips = partial(tell, -3.0, -9.0), ((0.0, zero), name)
    yield Case("of -5, -3 and -9 the best is -3", -3.0, got, larger, part=best, slips=slips)
    got = partial(reports, board)
    yield Case("three returns were reported", 3, got, counting, part=count, slips=(name,))
    hint = "keep the numbers on self, set in __init__, not on the class"
    got = partial(reports, other)
    slips = (name, (1, counting), (-1, counting))
    yield Case("another board has seen nothing", 0, got, hint, part=apart, slips=slips)
    drawn = rng.uniform(-50, -10, 5).tolist()
    more = [drawn[0], max(drawn) + 8, *drawn]
    hint = "compare with the best so far, not with the first"
    slips = ((0.0, zero), (drawn[-1], larger), name)
    yield Case("seven other returns: the best", got=lambda: tell(*more), hint=hint, part=best,
               slips=slips)  # fmt: skip
    got = partial(reports, board)
    yield Case("and how many", got=got, hint=counting, part=count, slips=(name,))
    yield _ray_runs()
    if ray.is_initialized():
        hint = "an actor's methods are called one after another, so self is enough"
        got = partial(_as_actor, attempt)
        yield Case(
            "as an actor it hears every caller", [40.0, 4], got, hint, part="works as an actor"
        )


def _as_actor(attempt: type) -> list[float]:
    import ray

    board: Any = ray.remote(num_cpus=0)(attempt).remote()
    task: Any = ray.remote(lambda actor, value: ray.get(actor.report.remote(value)))
    try:
        before = ray.get(board.num_reports.remote())  # not 0 where boards share: another part
        told = [task.remote(board, value) for value in (10.0, 40.0, 20.0, 30.0)]
        ray.wait(told, num_returns=len(told))
        for one in told:  # Ray shows what nobody fetches
            with contextlib.suppress(ray.exceptions.RayError):
                ray.get(one)
        return [ray.get(board.best.remote()), ray.get(board.num_reports.remote()) - before]
    finally:
        with contextlib.suppress(Exception):
            ray.kill(board)
