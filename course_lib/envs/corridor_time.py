"""How long a walk through the corridor takes: by chance, and on average.

A gait is a stride (metres per step) and a pace (steps per second). The model has three parts:

* a walk of ``length`` metres takes ``length / stride`` steps of ``1 / pace`` seconds each;
* a step costs effort, ``effort = stride / 2 + pace / 6``. On wet tiles it costs 1.5 times as much;
* each step may end in a stumble, with probability ``effort ** 6`` (at most 1). A stumble costs 4
  seconds and no ground.

So long strides and a fast pace save time, and each makes the other more dangerous. The last step of
a walk may be a part of one: it takes that part of the time and of the risk.

The model and its numbers are the course's own, made up for teaching.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

LENGTH_M = 30.0
STUMBLE_S = 4.0
STRIDE_RANGE_M, PACE_RANGE_HZ = (0.3, 1.5), (0.5, 4.0)
_FULL_STRIDE_M, _FULL_PACE_HZ, _POWER, _WET_EFFORT = 2.0, 6.0, 6, 1.5

Numbers = float | np.ndarray


def stumbling_risk(stride: Numbers, pace: Numbers, *, wet: bool = False) -> np.ndarray:
    """Return the probability that a step ends in a stumble.

    Args:
        stride: metres per step, above 0; a number or an array.
        pace: steps per second, above 0; a number or an array.
        wet: whether the floor is wet.

    Returns:
        Array of the shape that ``stride`` and ``pace`` have together, in [0, 1].

    Raises:
        ValueError: if a stride or a pace is not above 0 or not finite.
    """
    stride, pace = _positive("stride", stride), _positive("pace", pace)
    effort = stride / _FULL_STRIDE_M + pace / _FULL_PACE_HZ
    return np.minimum((effort * (_WET_EFFORT if wet else 1.0)) ** _POWER, 1.0)


def expected_time(
    stride: Numbers, pace: Numbers, *, length: float = LENGTH_M, wet: bool = False
) -> np.ndarray:
    """Return the mean time of a walk, exactly: steps x (time of a step + risk x time of a stumble).

    Args:
        stride: metres per step, above 0; a number or an array.
        pace: steps per second, above 0; a number or an array.
        length: of the corridor, metres, above 0.
        wet: whether the floor is wet.

    Returns:
        Seconds, of the shape that ``stride`` and ``pace`` have together.

    Raises:
        ValueError: if an argument is not above 0 or not finite.
    """
    _positive("length", length)
    risk = stumbling_risk(stride, pace, wet=wet)
    return length / np.asarray(stride) * (1 / np.asarray(pace) + risk * STUMBLE_S)


def walk_times(
    stride: float,
    pace: float,
    num_walks: int,
    *,
    length: float = LENGTH_M,
    rng: np.random.Generator,
    wet: bool = False,
) -> np.ndarray:
    """Walk ``num_walks`` times and return the seconds that each walk took, shape (num_walks,).

    Args:
        stride: metres per step, above 0.
        pace: steps per second, above 0.
        num_walks: at least 1.
        length: of the corridor, metres, above 0.
        rng: decides which steps end in a stumble.
        wet: whether the floor is wet.

    Raises:
        ValueError: if an argument is out of range.
    """
    if num_walks < 1:
        raise ValueError(f"num_walks must be at least 1, got {num_walks}")
    _positive("length", length)
    risk = float(stumbling_risk(stride, pace, wet=wet))
    steps = length / stride
    whole = math.floor(steps)
    stumbles = rng.binomial(whole, risk, size=num_walks)
    stumbles += rng.random(num_walks) < (steps - whole) * risk
    return steps / pace + STUMBLE_S * stumbles


def walk_time(
    stride: float,
    pace: float,
    *,
    length: float = LENGTH_M,
    rng: np.random.Generator,
    wet: bool = False,
) -> float:
    """Walk once and return the seconds that it took; arguments as in :func:`walk_times`."""
    return float(walk_times(stride, pace, 1, length=length, rng=rng, wet=wet)[0])


def rng_for(config: Mapping[str, Any]) -> np.random.Generator:
    """Return the dice of one trial: the same for the same config, others for any other.

    If all trials threw the same dice, a lucky seed would be lucky for all of them, and noise would
    be hidden.

    Args:
        config: ``seed`` (a whole number, at least 0), ``stride`` and ``pace``.
    """
    gait = np.array([config["stride"], config["pace"]], dtype=float)
    return np.random.default_rng([int(config["seed"]), *gait.view(np.uint32).tolist()])


def best_gait(*, wet: bool = False) -> tuple[float, float]:
    """Return the stride (m) and the pace (steps/s) with the least mean time per metre.

    Both derivatives of the mean time are zero where, with the effort e, T = 4 s, power 6,
    ``1 / pace**2 = 6 T e**5 / F`` and ``1 / pace + T e**6 = stride 6 T e**5 / S``. Putting the
    first into the second leaves one equation for e, solved by halving an interval.
    """
    scale = _WET_EFFORT if wet else 1.0
    full_stride, full_pace = _FULL_STRIDE_M / scale, _FULL_PACE_HZ / scale

    def gait(effort: float) -> tuple[float, float]:
        slope = _POWER * STUMBLE_S * effort ** (_POWER - 1)
        pace = math.sqrt(full_pace / slope)
        return full_stride * (1 / pace + STUMBLE_S * effort**_POWER) / slope, pace

    low, high = 1e-3, 1.0
    for _ in range(100):
        effort = (low + high) / 2
        stride, pace = gait(effort)
        if stride / full_stride + pace / full_pace > effort:
            low = effort
        else:
            high = effort
    return gait((low + high) / 2)


def _positive(name: str, value: Numbers) -> np.ndarray:
    array = np.asarray(value, dtype=float)
    if not (np.isfinite(array) & (array > 0)).all():
        raise ValueError(f"{name} must be above 0 and finite, got {value!r}")
    return array
