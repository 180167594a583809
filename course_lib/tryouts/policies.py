"""What the checks of lesson 08 do with a learner's code."""

from collections.abc import Callable
from typing import Any

import numpy as np

from course_lib.tryouts.core import tryout
from course_lib.tryouts.errors import Unfit

NO_GRADIENT = "no gradient"


def _tensors(arrays: tuple[Any, ...], *, learned: tuple[int, ...] = ()) -> list[Any]:
    """Whole numbers become int64, all others float32; gradients go to those at ``learned``."""
    import torch

    found = [torch.as_tensor(np.array(one)) for one in arrays]
    found = [one.float() if one.is_floating_point() else one for one in found]
    return [one.requires_grad_() if place in learned else one for place, one in enumerate(found)]


@tryout
def of_tensors(attempt: Callable, *arrays: Any, **numbers: float) -> Any:
    """Call with tensors, and return an array.

    Raises:
        Unfit: if it gives back something else.
    """
    found = attempt(*_tensors(arrays), **numbers)
    if found is None:
        return None
    if not hasattr(found, "detach"):
        raise Unfit(f"return a tensor; it returned a {type(found).__name__}")
    return found.detach().numpy()


@tryout
def number_of_tensors(attempt: Callable, *arrays: Any, **numbers: float) -> Any:
    """The same of what is one number; shape (1,) will do, as a gradient flows from that, too."""
    found = of_tensors(attempt, *arrays, **numbers)
    return found.reshape(()) if found is not None and found.shape == (1,) else found


@tryout
def leaves_tensors_alone(attempt: Callable, *arrays: Any, **numbers: float) -> bool | None:
    """Whether tensors that were given are as they were."""
    given, before = _tensors(arrays), _tensors(arrays)
    if attempt(*given, **numbers) is None:
        return None
    return all(
        one.shape == other.shape and bool((one == other).all())
        for one, other in zip(given, before, strict=True)
    )


@tryout
def gradient(attempt: Callable, learned: tuple[int, ...], *arrays: Any, **numbers: float) -> Any:
    """The gradients of the sum of what it gives, by some of its arguments, one after the other."""
    given = _tensors(arrays, learned=learned)
    found = attempt(*given, **numbers)
    if found is None:
        return None
    if not getattr(found, "requires_grad", False):
        return NO_GRADIENT
    found.sum().backward()
    slopes = [given[place].grad for place in learned]
    if any(slope is None for slope in slopes):
        return NO_GRADIENT
    return np.concatenate([slope.numpy().reshape(-1) for slope in slopes])


@tryout
def table_told(attempt: Callable, to_go: np.ndarray) -> dict[str, Any] | None:
    """Call with a table that has nan; return its numbers row by row, and where there are none.

    Raises:
        Unfit: if it gives back something else.
    """
    given = to_go.copy()
    found = attempt(given)
    if found is None:
        return None
    found = np.asarray(found, dtype=float)
    if found.shape != to_go.shape:
        raise Unfit(f"return an array of shape {to_go.shape}; it has shape {found.shape}")
    return {"values": found[~np.isnan(to_go)], "over": np.isnan(found[np.isnan(to_go)]).tolist()}


class _Asked:
    """Evaluates candidates on a hill, and notes what it was asked."""

    def __init__(self, slope: np.ndarray, bend: float, limit: float) -> None:
        self.slope, self.bend, self.limit = slope, bend, limit
        self.calls: list[list[np.ndarray]] = []

    def __call__(self, candidates: Any) -> list[float]:
        self.calls.append([np.array(one, dtype=float) for one in candidates])
        return [height(one, self.slope, self.bend, self.limit) for one in self.calls[-1]]


def height(weights: np.ndarray, slope: np.ndarray, bend: float = 0.0, limit: float = 1e9) -> float:
    """What a candidate returns: a slope, bent down, and flat above a limit."""
    return float(min(weights @ slope - bend * (weights**2).sum(), limit))


@tryout
def step_told(
    attempt: Callable, weights: np.ndarray, noise: np.ndarray, slope: np.ndarray, *,
    bend: float = 0.0, limit: float = 1e9, **numbers: float,
) -> dict[str, Any] | None:  # fmt: skip
    """Take one step on a hill; return the new weights, and which candidates were asked for.

    Candidates are sorted: their order is free.
    """
    asked = _Asked(slope, bend, limit)
    given = weights.copy(), noise.copy()
    found = attempt(asked, *given, **numbers)
    if found is None:
        return None
    candidates = sorted(tuple(one.tolist()) for call in asked.calls for one in call)
    return {
        "weights": np.array(found, dtype=float),
        "candidates": candidates,
        "calls": len(asked.calls),
        "alone": bool((given[0] == weights).all() and (given[1] == noise).all()),
    }


@tryout
def climbed(
    attempt: Callable, top: np.ndarray, *, num_rounds: int, num_pairs: int, seed: int
) -> float | None:
    """Climb a round hill; return how far from its top it ends, as a share of the way."""
    rng, weights = np.random.default_rng(seed), np.zeros_like(top)

    def heights(candidates: list[np.ndarray]) -> list[float]:
        return [-float(((np.asarray(one) - top) ** 2).sum()) for one in candidates]

    for _ in range(num_rounds):
        noise = rng.normal(size=(num_pairs, len(top)))
        weights = attempt(heights, weights, noise, sigma=0.1, learning_rate=0.1)
        if weights is None:
            return None
    return float(np.linalg.norm(weights - top) / np.linalg.norm(top))
