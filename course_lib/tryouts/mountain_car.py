"""What the checks of lesson 07 do with a learner's code."""

import math
import numbers
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from course_lib.tryouts.core import gathered, tryout
from course_lib.tryouts.errors import Unfit

GREEDY = 7  # no random action looks like it


@tryout
def explored(
    attempt: Callable, held: int, steps_left: int, *, epsilon: float, hold: int,
    num_actions: int, seed: int, times: int = 1, greedy: int = GREEDY,
) -> list[list[int]] | None:  # fmt: skip
    """Call it some times with the same dice; return action and steps left of each.

    Raises:
        Unfit: if it gives something else.
    """
    rng = np.random.default_rng(seed)
    found = gathered(
        attempt(
            lambda: greedy, held, steps_left, epsilon=epsilon, hold=hold,
            num_actions=num_actions, rng=rng,
        )
        for _ in range(times)
    )  # fmt: skip
    return None if found is None else [[_whole(part) for part in _pair(one)] for one in found]


def _pair(told: Any) -> Any:
    if isinstance(told, np.ndarray):
        told = told.tolist()
    if not isinstance(told, tuple | list) or len(told) != 2:
        raise Unfit(
            "return two numbers, the action and for how many more steps it is kept; your function "
            f"returned {told!r}"
        )
    return told


def _whole(part: Any) -> int:
    if callable(part):
        raise Unfit("`greedy` is a function: greedy() is the action")
    if not isinstance(part, numbers.Integral):
        raise Unfit(f"both are whole numbers, of the kind int; one is {part!r}")
    return int(part)


@tryout
def interval_told(attempt: Callable, ours: np.ndarray, theirs: np.ndarray) -> list[float] | None:
    """Return low and high.

    Raises:
        Unfit: if it gives something else.
    """
    found = attempt(ours.copy(), theirs.copy())
    if found is None:
        return None
    if np.shape(found) != (2,):
        raise Unfit(f"return two numbers, low and high; your function returned {found!r}")
    return [float(one) for one in found]


@tryout
def laws_told(attempt: Callable, gravity: float, force: float) -> dict[str, Any] | None:
    """Measure gravity and force by what one step does to a car at rest.

    Other mountains are made in between: no two must share their law, nor any other environment.

    Raises:
        Unfit: if it gives something else than an environment.
    """
    env = attempt(gravity, force)
    if env is None:
        return None
    _be_env(env)
    said = {name: float(getattr(env.unwrapped, name, np.nan)) for name in ("gravity", "force")}
    attempt(2 * gravity, 2 * force)
    usual = gym.make("MountainCar-v0")
    return {**_measured(env), "said": said, "usual": _measured(usual)}


def _be_env(env: Any) -> None:
    if not isinstance(env, gym.Env):
        raise Unfit(
            "return one environment, as gym.make('MountainCar-v0') gives it; yours is of the kind "
            f"{type(env).__name__}"
        )


def _measured(env: gym.Env) -> dict[str, float]:
    def car(obs: Any) -> Any:
        return getattr(env.unwrapped, "state", obs)  # a wrapper may show it otherwise

    after = {}
    for action in (1, 2):
        position = float(car(env.reset(seed=3)[0])[0])
        after[action] = float(car(env.step(action)[0])[1])
    pull = math.cos(3 * position)
    return {"gravity": -after[1] / pull, "force": after[2] - after[1]}


@tryout
def steps_until_over(attempt: Callable, gravity: float, force: float) -> Any:
    """Let the car stand; return after how many steps it was over, at most 300, and which flags."""
    env = attempt(gravity, force)
    if env is None:
        return None
    _be_env(env)
    env.reset(seed=3)
    for step in range(1, 301):
        _, _, terminated, truncated, _ = env.step(1)
        if terminated or truncated:
            return [step, bool(terminated), bool(truncated)]
    return [300, False, False]
