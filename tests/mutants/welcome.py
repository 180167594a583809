"""Lesson 00. What starts tasks of Ray takes seconds, so those mutants are few."""

import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import ray

from course_lib.answers import answer
from course_lib.tryouts import welcome as tryouts
from mutants import Mutant, lost

EXAMPLES: dict[str, dict[str, Any]] = {
    "0.1": {
        "env": tryouts.ScriptedEnv([1.0, -2.0, 0.5]),
        "choose_action": lambda obs: 0,
    },
    "0.2": {"function": lambda seed: seed * seed, "seeds": [3, 1, 2]},
    "0.3": {},
}
Board = answer("0.3")


def quicken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tasks that wait for each other give up sooner; classes travel as a notebook's do."""
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    monkeypatch.setattr(tryouts, "MEET_LIMIT_S", 2.0)


def episode(**changes: Any) -> Callable:
    """An episode with one mistake, chosen by name."""

    def attempt(env: Any, choose_action: Callable) -> float:
        obs = first = env.reset(**changes.get("given", {}))[0] if changes.get("reset", True) else 0
        total = reward = 0.0
        steps, done = 0, False
        while not done:
            seen = first if changes.get("stale") else obs
            action = env.action_space.sample() if changes.get("sample") else choose_action(seen)
            obs, reward, terminated, truncated, _ = env.step(action)
            steps += 1
            done = terminated or (truncated and not changes.get("ignore_truncated"))
            if not (done and changes.get("drop_last")):
                total += reward
            if changes.get("early"):
                return total
        mistakes = {"count": steps, "last": reward, "mean": total / steps}
        return mistakes.get(changes.get("give", ""), total)

    return attempt


def _never_steps(env: Any, choose_action: Callable) -> float:
    obs, _ = env.reset()
    while True:
        choose_action(obs)


def board(**methods: Any) -> type:
    """The course's scoreboard with other methods."""
    return type("Board", (Board,), methods)


def _from_zero(self: Any) -> None:
    self._best, self._num_reports = 0.0, 0


def _from_one(self: Any) -> None:
    self._best, self._num_reports = -float("inf"), 1


class _NamedAlike(Board):
    def __init__(self) -> None:
        super().__init__()
        self.best = -float("inf")


def _keeps_last(self: Any, episode_return: float) -> None:
    self._best, self._num_reports = episode_return, self._num_reports + 1


def _counts_records(self: Any, episode_return: float) -> None:
    self._num_reports += episode_return > self._best
    self._best = max(self._best, episode_return)


class _KeepsAList:
    def __init__(self) -> None:
        self.values: list[float] = []

    def report(self, episode_return: float) -> None:
        self.values.append(episode_return)

    def best(self) -> float:
        return max(self.values)

    def num_reports(self) -> int:
        return len(self.values)


class _Shared(_KeepsAList):
    values: list = []  # noqa: RUF012  (the mistake to be found)

    def __init__(self) -> None:
        """Leave the list to the class."""


def _as_they_end(function: Callable, seeds: list[int]) -> list:
    running, values = [ray.remote(function).remote(seed) for seed in seeds], []
    while running:
        ended, running = ray.wait(running)
        values.append(ray.get(ended[0]))
    return values


def _returns_in_the_loop(function: Callable, seeds: list[int]) -> Any:
    for seed in seeds:
        return ray.get(ray.remote(function).remote(seed))


@ray.remote
def _a_task(function: Callable, seeds: list[int]) -> list:
    return [function(seed) for seed in seeds]


def _single_gets(function: Callable, seeds: list[int]) -> list:
    references = [ray.remote(function).remote(seed) for seed in seeds]
    return [ray.get(reference) for reference in references]


RIGHT = {
    "0.1": {"the loop": episode()},
    "0.2": {"single gets": _single_gets},
    "0.3": {"a list": _KeepsAList},
}
REFS = "did you return references"
TRUNCATED, NEWEST = "truncated ends the loop", "newest observation: the one"
MUTANTS = {
    "0.1": {
        "counts steps": Mutant(episode(give="count"), "that is the number of steps", (NEWEST,)),
        "last reward": Mutant(episode(give="last"), "that is the last reward alone", (NEWEST,)),
        "mean": Mutant(episode(give="mean"), "add every reward", (NEWEST,)),
        "drops the last": Mutant(episode(drop_last=True), "the last reward is missing", (NEWEST,)),
        "return in the loop": Mutant(episode(early=True), "`return` belongs after the loop"),
        "samples": Mutant(episode(sample=True), "comes from choose_action(obs)", (TRUNCATED,)),
        "a fixed seed": Mutant(
            episode(given={"seed": 7}), "without a seed", (NEWEST,), lost("begins afresh")
        ),
        "stale": Mutant(
            episode(stale=True), NEWEST, (TRUNCATED, "add every"), lost("the newest observation")
        ),
        "never steps": Mutant(_never_steps, "call env.step(action)", (TRUNCATED,)),
        "no reset": Mutant(episode(reset=False), "step() was called before reset()"),
        "truncated": Mutant(
            episode(ignore_truncated=True), "truncated", (NEWEST,), lost("an episode cut off")
        ),
    },
    "0.2": {
        "references": Mutant(
            lambda function, seeds: [ray.remote(function).remote(seed) for seed in seeds],
            "did you return references?",
        ),
        "a plain loop": Mutant(
            lambda function, seeds: [function(seed) for seed in seeds], "task.remote(seed) starts"
        ),
        "as they end": Mutant(_as_they_end, "in the same order", (), lost("values in order")),
        "get inside the loop": Mutant(
            lambda function, seeds: [ray.get(ray.remote(function).remote(s)) for s in seeds],
            "inside the loop", ("did you return references",), lost("at the same time"),
        ),
        "another order": Mutant(
            lambda function, seeds: _single_gets(function, sorted(seeds)), "in the same order",
            (), lost("values in order"),
        ),
        "a tuple": Mutant(
            lambda function, seeds: tuple(_single_gets(function, seeds)), "return a list", (REFS,)
        ),
        "an array": Mutant(
            lambda function, seeds: np.array(_single_gets(function, seeds)), ".tolist()", (REFS,)
        ),
        "return in the loop": Mutant(_returns_in_the_loop, "belongs after the loop", (REFS,)),
        "no task": Mutant(
            lambda function, seeds: [function.remote(seed) for seed in seeds],  # type: ignore[attr-defined]
            "makes a task of it", (REFS,),
        ),
        "a task of the result": Mutant(
            lambda function, seeds: [ray.remote(function(seed)).remote() for seed in seeds],
            "the function, not its result", (REFS,),
        ),
        "all seeds to each": Mutant(
            lambda function, seeds: ray.get([ray.remote(function).remote(seeds) for _ in seeds]),
            "one seed of the list", (REFS, "ray::"),
        ),
        "decorated": Mutant(_a_task, "above it? Leave it out"),
        "this process": Mutant(
            lambda function, seeds: [os.getpid() and function(seed) for seed in seeds], "remote"
        ),
    },
    "0.3": {
        "from zero": Mutant(
            board(__init__=_from_zero), "did you begin with 0?", ("keep the larger",)
        ),
        "decorated": Mutant(ray.remote(Board), "is @ray.remote above it? Leave it out"),
        "an attribute named best": Mutant(_NamedAlike, "bear the name of a method?"),
        "counts from one": Mutant(board(__init__=_from_one), "beginning at 0", ("the class",)),
        "keeps the last": Mutant(board(report=_keeps_last), "keep the larger one"),
        "counts records": Mutant(board(report=_counts_records), "count every report"),
        "shared by all": Mutant(_Shared, "not on the class"),
        "best without return": Mutant(board(best=lambda self: None), "`return`"),
    },
}  # fmt: skip
