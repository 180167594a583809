"""The check of exercise 8.4: evolution. Every expected number was worked by hand."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import ALONE, COPY, FROM_REFERENCE, Case, exercise
from course_lib.checks.diagnosis import Diagnosis
from course_lib.tryouts.policies import climbed, height, step_told


@exercise(
    "8.4",
    parts={"the candidates": 3, "side by side": 2, "the step": 4, "it climbs": 1},
    hides=("course_lib.agents.evolution:evolution_step",),
)
def check_evolution_step(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Candidates and a step worked by hand; drawn ones; a hill whose top is known."""
    two = (np.array([1.0, 2.0]), np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([3.0, 1.0]))
    equal = (np.array([0.0]), np.array([[1.0], [2.0]]), np.array([1.0]))
    start = rng.normal(size=3)  # near the top: both ways lead down, so ranks are not opposite
    drawn = (start, rng.normal(size=(4, 3)), 2 * 2.0 * start + 0.3 * rng.normal(size=3))
    told = {
        "one": partial(_told, attempt, np.array([0.0]), np.array([[1.0]]), np.array([1.0]),
                       sigma=0.5, learning_rate=0.2),
        "two": partial(_told, attempt, *two, sigma=0.25, learning_rate=0.1),
        "equal": partial(_told, attempt, *equal, sigma=0.5, learning_rate=0.3, limit=0.4),
        "drawn": partial(_told, attempt, *drawn, sigma=0.3, learning_rate=0.15, bend=2.0),
    }  # fmt: skip
    diagnosis = _steps_told(attempt)
    for aspect, expected, name in (
        ("weights 0, noise 1, sigma 0.5: it tries -0.5 and 0.5", [[-0.5], [0.5]], "one"),
        ("two directions, sigma 0.25: four candidates",
         [[0.75, 2.0], [1.0, 1.5], [1.0, 2.5], [1.25, 2.0]], "two"),
        ("and so it is with four directions", FROM_REFERENCE, "drawn"),
    ):  # fmt: skip
        yield Case(
            aspect,
            expected=expected,
            got=partial(told[name], "candidates"),
            hint="weights + sigma * noise and weights - sigma * noise, for each row of noise",
            part="the candidates",
            slips=(
                ([[0.5]], "backwards, too: weights - sigma * noise"),
                ([[1.0, 2.5], [1.25, 2.0]], "backwards, too: weights - sigma * noise"),
                ([[-1.0], [1.0]], "sigma times the noise"),
                ([[0.5, 2.0], [1.0, 1.0], [1.0, 3.0], [1.5, 2.0]],
                 "sigma is an argument, not always 0.5"),
            ),
        )  # fmt: skip
    yield Case(
        "all candidates are handed over in one call",
        expected=1,
        got=partial(told["two"], "calls"),
        hint="one list with all candidates: evaluate_all can then try them at the same time",
        part="side by side",
        slips=(
            (2, "ONE call with the whole list: forwards and backwards together"),
            (lambda got: got > 2, "one call with the whole list, not one per candidate"),
        ),
    )
    for aspect, expected, name in (
        ("the forward one is better: ranks 0.5 and -0.5, a step of 0.2 / (2 * 0.5) * 1 = 0.2",
         [0.2], "one"),
        ("ranks 0.5, 0.167, -0.5, -0.167: to 1.1 and 2.067", [1.1, 2.0 + 0.2 / 3], "two"),
        ("two are equally good: ranks 0.333, 0.333, -0.167, -0.5, a step of 0.325",
         [0.325], "equal"),
        ("and so it is with four directions", FROM_REFERENCE, "drawn"),
    ):  # fmt: skip
        yield Case(
            aspect,
            expected=expected,
            got=partial(told[name], "weights"),
            hint="weights + learning_rate / sigma * the mean over all candidates of rank times "
            "direction",
            part="the step",
            slips=diagnosis.slips,
        )
    yield Case(ALONE, True, partial(told["two"], "alone"), COPY, part="the step")
    top = rng.normal(size=4)
    yield Case(
        "on a round hill it comes to within a fifth of the way to the top in 60 steps",
        expected=True,
        got=lambda: _near(climbed(attempt, top, num_rounds=60, num_pairs=8, seed=5)),
        hint="has each step the direction and the length of the formula?",
        part="it climbs",
        slips=diagnosis.slips,
    )


def _told(
    attempt: Callable, weights: Any, noise: Any, slope: Any, part: str, **numbers: Any
) -> Any:
    told = step_told(attempt, weights, noise, slope, **numbers)
    return None if told is None else told[part]


def _near(share: float | None) -> bool | None:
    return None if share is None else share < 0.2


def _steps_told(attempt: Callable) -> Diagnosis:
    """Three weights, two directions, a bent hill: here all these mistakes differ."""
    from course_lib.agents.evolution import ranks

    weights, noise = np.array([1.0, 2.0, -1.0]), np.array([[1.0, 0.0, 2.0], [0.2, 1.0, -0.5]])
    sigma, rate, bend = 0.4, 0.3, 1.5
    slope = 2 * bend * weights + [0.5, 0.2, 0.3]  # near the top: both ways lead down
    directions = np.concatenate([noise, -noise])
    heights = np.array([height(weights + sigma * one, slope, bend) for one in directions])
    scores, num, many = ranks(heights), len(noise), len(directions)
    step = scores @ directions / many * rate / sigma
    both = "the opposite directions have ranks of their own: the mean over ALL candidates"
    all_of_them = "the mean over ALL candidates: there are twice as many as rows of noise"
    losers = "those with ranks below 0 count, too: away from them"
    spread = (heights - heights.mean()) / heights.std()
    wrong = [
        (-step, "towards the BETTER candidates: plus"),
        (heights @ directions / many * rate / sigma, "ranks in place of the returns"),
        (spread @ directions / many * rate / sigma, "evolution.ranks in place of the returns"),
        (step * many, "the mean over the candidates, not the sum"),
        (step * 2, all_of_them),
        (step * many / directions.size, "divide by the number of candidates, len(directions)"),
        (step * sigma, "divide by sigma"),
        (step / sigma, "divide by sigma once"),
        (step * sigma**2, "divide by sigma, do not multiply"),
        (step / rate, "where is learning_rate?"),
        (step * 0.2 / rate, "learning_rate is an argument, not always 0.2"),
        (scores[:num] @ noise / num * rate / sigma, both),
        (scores[:num] @ noise / many * rate / sigma, both),
        (ranks(heights[:num]) @ noise / num * rate / sigma,
         "backwards, too: weights - sigma * noise"),
        (scores.clip(0) @ directions / many * rate / sigma, losers),
        (2 * scores.clip(0) @ directions / many * rate / sigma, losers),
        (scores @ (weights + sigma * directions) / many * rate / sigma,
         "rank times DIRECTION, a row of noise, not times candidate"),
        (directions[heights.argmax()] * sigma, "all candidates count, not the best alone"),
    ]  # fmt: skip
    told = [(weights + one, hint) for one, hint in wrong]
    told.append((step, "from the old weights on: weights + the step"))
    got = partial(_told, attempt, weights, noise, slope, "weights", sigma=sigma,
                  learning_rate=rate, bend=bend)  # fmt: skip
    return Diagnosis(got, weights + step, told)
