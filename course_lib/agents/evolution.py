"""Evolution strategies: try changed weights, and move towards those that did well.

No gradient, no value: only what a whole episode returned. Each candidate is tried alone, so as many
machines as there are can help.

Source: Salimans et al. 2017, "Evolution strategies as a scalable alternative to reinforcement
learning"; the ranks in place of returns are from there, too.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

Evaluate = Callable[[np.ndarray], float]


def ranks(returns: Sequence[float] | np.ndarray) -> np.ndarray:
    """Replace returns by evenly spaced numbers from -0.5, the worst, to 0.5, the best.

    How much the best is ahead no longer counts, so one lucky episode cannot rule the step. Equal
    returns get equal numbers, the mean of their places.
    """
    values = np.asarray(returns, float)
    below = (values[None, :] < values[:, None]).sum(axis=1)
    equal = (values[None, :] == values[:, None]).sum(axis=1) - 1
    return (below + equal / 2) / max(1, len(values) - 1) - 0.5


def evolution_step(
    evaluate_all: Callable[[list[np.ndarray]], Iterable[float]], weights: np.ndarray,
    noise: np.ndarray, *, sigma: float, learning_rate: float,
) -> np.ndarray:  # fmt: skip
    """Try candidates on both sides of ``weights``; return the weights a step further.

    Args:
        evaluate_all: candidates -> the return of each, in their order.
        weights: shape (D,).
        noise: directions to try, shape (K, D); each is tried forwards and backwards.
        sigma: how far away the candidates are, above 0.
        learning_rate: how far the step goes.
    """
    candidates = [weights + sigma * one for one in (*noise, *-noise)]
    scores = ranks(list(evaluate_all(candidates)))
    forwards, backwards = np.split(scores, 2)
    return weights + learning_rate / (len(noise) * sigma) * (forwards - backwards) @ noise / 2


def evolve(
    evaluate_all: Callable[[list[np.ndarray]], Iterable[float]], weights: np.ndarray, *,
    num_rounds: int, num_pairs: int, sigma: float, learning_rate: float,
    rng: np.random.Generator, on_round: Callable[[list[np.ndarray]], object] = lambda found: None,
) -> list[np.ndarray]:  # fmt: skip
    """Take many steps; return the weights before the first and after each.

    An interrupt keeps what was found.

    Args:
        evaluate_all: see :func:`evolution_step`.
        weights: where to begin, shape (D,).
        num_rounds: steps.
        num_pairs: candidates on each side, K.
        sigma: how far away they are.
        learning_rate: how far a step goes.
        rng: draws the directions.
        on_round: called after each step with all weights so far.
    """
    found = [weights]
    try:
        for _ in range(num_rounds):
            noise = rng.normal(size=(num_pairs, len(weights)))
            found.append(
                evolution_step(
                    evaluate_all, found[-1], noise, sigma=sigma, learning_rate=learning_rate
                )
            )
            on_round(found)
    except KeyboardInterrupt:
        print(f"Stopped after {len(found) - 1} rounds; what was found is kept.")
    return found
