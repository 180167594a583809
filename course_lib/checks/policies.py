"""Checks of lesson 08: loss, baseline and clip. Every expected number was worked by hand."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import ALONE, COPY, FROM_REFERENCE, Case, exercise
from course_lib.checks.diagnosis import Diagnosis
from course_lib.checks.policies_evolution import check_evolution_step
from course_lib.checks.policies_preferences import STAY, check_preference_loss
from course_lib.tryouts.core import leaves_alone
from course_lib.tryouts.policies import (
    NO_GRADIENT,
    gradient,
    leaves_tensors_alone,
    number_of_tensors,
    of_tensors,
    table_told,
)

__all__ = [
    "check_advantages",
    "check_clipped",
    "check_evolution_step",
    "check_log_prob_loss",
    "check_preference_loss",
]

LN2, LN3 = float(np.log(2)), float(np.log(3))


@exercise(
    "8.1",
    parts={"the log": 3, "the weight": 2, "the batch": 3, "the direction": 2},
    needs="torch",
    hides=("course_lib.agents.policy_gradient:log_prob_loss",),
)
def check_log_prob_loss(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Losses worked by hand, then gradients."""
    flat, steep = [[0.0, 0.0]], [[LN3, 0.0]]
    both = ([[LN3, 0.0]] * 2, [0, 1], [1.0, 3.0])
    drawn = (rng.normal(size=(6, 4)), rng.integers(4, size=6), rng.normal(size=6))
    log, weight, batch, direction = "the log", "the weight", "the batch", "the direction"
    cases: list[tuple] = [
        ("logits 0 and 0, so probability 0.5: -log(0.5) = 0.693", LN2, (flat, [0], [1.0]), log),
        ("logits log(3) and 0, so 0.75 and 0.25: -log(0.75) = 0.288", LN2 * 2 - LN3,
         (steep, [0], [1.0]), log),
        ("action 1, with probability 0.25: 1.386", 2 * LN2, (steep, [1], [1.0]), log),
        ("5 more on each logit changes no probability", 2 * LN2,
         ([[LN3 + 5, 5.0]], [1], [1.0]), log),
        ("a weight of 2 counts twice", 2 * LN2, (flat, [0], [2.0]), weight),
        ("and one of -1 turns the sign", -LN2, (flat, [0], [-1.0]), weight),
        ("two steps with weights 1 and 3: the mean of 0.288 and 4.159",
         (2 * LN2 - LN3 + 6 * LN2) / 2, both, batch),
        ("and so it is with six steps and four actions", FROM_REFERENCE, drawn, batch),
    ]  # fmt: skip
    hints = {
        log: "Categorical(logits=logits).log_prob(actions), or log_softmax(dim=1) and gather",
        weight: "log-probability times weight",
        batch: "for each step its log-probability times its weight; then minus the mean of these",
    }
    rich = ([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]], [0, 2], [1.0, -0.5])
    slips = _losses_told(attempt, *map(np.array, rich)).slips
    for aspect, expected, given, part in cases:
        yield Case(
            aspect, expected, partial(number_of_tensors, attempt, *given), hints[part], part=part,
            atol=1e-4, slips=slips,
        )  # fmt: skip
    yield Case(ALONE, True, partial(leaves_tensors_alone, attempt, *rich), COPY, part=batch)
    for action, weight_of, expected in ((0, 2.0, [-1.0, 1.0]), (1, -1.0, [-0.5, 0.5])):
        yield Case(
            f"action {action} with weight {weight_of:g}: the gradient by the logits",
            expected=expected,
            got=partial(gradient, attempt, (0,), flat, [action], [weight_of]),
            hint="the whole loss depends on the logits: the sum of their exponentials does, too",
            atol=1e-4,
            part=direction,
            slips=(
                (NO_GRADIENT, STAY),
                *slips,
                ([-one for one in expected], "the other way: is the minus there?"),
            ),
        )


def _losses_told(
    attempt: Callable, logits: np.ndarray, actions: np.ndarray, weights: np.ndarray
) -> Diagnosis:
    rows = np.arange(len(actions))

    def log_softmax(table: np.ndarray, axis: int = 1) -> np.ndarray:
        return table - np.log(np.exp(table).sum(axis=axis, keepdims=True))

    logs = log_softmax(logits)
    taken = logs[rows, actions]
    loss, alone = "-(taken * weights).mean()", "the weights as they are given, also below 0"
    pairs = (
        f"{loss}, where both have the shape (B,): an array (B, 1) or (B, B) pairs each step with "
        "every other"
    )
    wrong = [
        ((taken * weights).mean(), 
         "a minus: the loss must FALL when a good action becomes likelier"),
        (-(logits[rows, actions] * weights).mean(), "logits are not yet log-probabilities"),
        (-(np.exp(taken) * weights).mean(), "the LOGARITHM of the probability"),
        ((np.exp(taken) * weights).mean(), "minus the LOGARITHM of the probability"),
        (-(taken / LN2 * weights).mean(), "the natural logarithm"),
        (-(log_softmax(logits, 0)[rows, actions] * weights).mean(),
         "softmax over the actions of one step: dim=1"),
        (-(log_softmax(np.exp(logs))[rows, actions] * weights).mean(),
         "softmax once: Categorical(logits=...) and cross_entropy do it themselves"),
        (-(taken * weights).sum(), "the mean over the steps, not the sum"),
        (-(taken * weights).sum() / weights.sum(), "divide by the number of steps"),
        (-taken.mean(), "where is the weight?"),
        (-taken.sum(), "where is the weight? And the mean over the steps, not the sum"),
        (-taken.mean() * weights.mean(),
         "multiply step by step, then take the mean: each step has a weight of its own"),
        (-(logs[:, actions] * weights).mean(), pairs),
        (-(logs[:, actions] * weights).sum(axis=1).mean(), pairs),
        (-np.outer(taken, weights).sum() / len(rows), pairs),
        (-(logs.max(axis=1) * weights).mean(), "the action that was TAKEN, not the likeliest"),
        (-(logs.sum(axis=1) * weights).mean(), "only the action that was TAKEN"),
        (-(logs.mean(axis=1) * weights).mean(), "only the action that was TAKEN"),
        (-(logs * weights[:, None]).mean(), "only the action that was TAKEN"),
        (-(taken * np.abs(weights)).mean(), alone),
        (-(taken * weights.clip(0)).mean(), alone),
        (-(taken * (weights - weights.mean())).mean(), alone),
        (-taken * weights, "one number: the mean over the steps"),
        (lambda got: np.isnan(got).any(),
         "the logarithm of the probability alone; then times weight"),
    ]  # fmt: skip
    got = partial(number_of_tensors, attempt, logits, actions, weights)
    return Diagnosis(got, -(taken * weights).mean(), wrong)


@exercise(
    "8.2",
    parts={"the mean": 4, "who is over": 3, "what stays": 2},
    hides=("course_lib.agents.policy_gradient:advantages",),
)
def check_advantages(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Tables worked by hand; with ends; a drawn one."""
    nan = np.nan
    drawn = rng.uniform(-10, 50, size=(5, 6))
    ended = drawn.copy()
    ended[1, 4:], ended[3, 2:], ended[4, 5:] = nan, nan, nan
    mean, over, stays = "the mean", "who is over", "what stays"
    cases: list[tuple] = [
        ("two episodes with 3 and 1 to go: 1 above and 1 below their mean",
         [1.0, -1.0], [[3.0], [1.0]], mean),
        ("each column has a mean of its own", [1.0, 0.5, -1.0, -0.5],
         [[3.0, 2.0], [1.0, 1.0]], mean),
        ("0 is a return like others: 0 and 4", [-2.0, 2.0], [[0.0], [4.0]], mean),
        ("and so it is in another table", FROM_REFERENCE, drawn, mean),
        ("who is alone is neither better nor worse", [1.0, 0.0, -1.0],
         [[3.0, 2.0], [1.0, nan]], over),
        ("who is over does not count in the mean", FROM_REFERENCE, ended, over),
    ]  # fmt: skip
    hints = {
        mean: "take off the mean of the column, nothing else: axis 0",
        over: "the mean of those that are not over: np.nanmean leaves out what is nan",
    }
    rich = np.array([[5.0, -2.0, 7.0], [0.0, 3.0, nan], [8.0, 4.0, 2.0], [1.0, 4.5, nan]])
    slips = _tables_told(attempt, rich).slips
    for aspect, expected, table, part in cases:
        table = np.array(table, dtype=float)
        yield Case(
            aspect, expected, partial(_values, attempt, table), hints[part], part=part, atol=1e-5,
            slips=slips,
        )  # fmt: skip
    yield Case(
        "where an episode is over there is nan as before",
        expected=[True],
        got=lambda: _over(attempt, np.array([[3.0, 2.0], [1.0, nan]])),
        hint="nan minus a number is nan: leave it so",
        part=stays,
        slips=(([False], "a step that never was has no advantage: leave nan there"),),
    )
    yield Case(ALONE, True, partial(leaves_alone, attempt, rich), COPY, part=stays)


def _values(attempt: Callable, table: np.ndarray) -> Any:
    told = table_told(attempt, table)
    return None if told is None else told["values"]


def _over(attempt: Callable, table: np.ndarray) -> Any:
    told = table_told(attempt, table)
    return None if told is None else told["over"]


def _tables_told(attempt: Callable, table: np.ndarray) -> Diagnosis:
    alive = ~np.isnan(table)
    right = table - np.nanmean(table, axis=0)
    spread = np.nanstd(table, axis=0)
    filled = np.nan_to_num(table)
    count = alive.sum(axis=0)
    number = "a return of 0, or below, is a number like others: only nan means that it is over"
    only = "only the mean is taken off"
    wrong = [
        (table - np.nanmean(table), "a mean for EACH step: axis 0"),
        (table - np.nanmean(table, axis=1, keepdims=True),
         "over the episodes, not along one of them: axis 0"),
        (-right, "to_go minus the mean, not the other way round"),
        (np.abs(right), "worse than usual is below 0: keep the sign"),
        (right.clip(0), "worse than usual is below 0: keep the sign"),
        (table / np.nanmean(table, axis=0), "the difference, not the ratio"),
        (table - table[:1], "the mean over all episodes, not the first of them"),
        (table - np.nanmean(table[:, 0]), "each column has a mean of its own"),
        (table - np.nanmedian(table, axis=0), "the mean, not the median"),
        (table - np.nanmax(table, axis=0), "the mean, not the largest"),
        (table - table[alive.all(axis=1)].mean(axis=0),
         "an episode that ends later counts as long as it goes on"),
        (right / spread, only),
        (right / (spread + 1e-8), only),
        (right / np.nanstd(table, axis=0, ddof=1), only),
        (right * count / (count - 1), "its own return counts in the mean, too"),
        (table - filled.mean(axis=0),
         "an episode that is over is not one that returned 0: leave it out, as np.nanmean does"),
        (table - filled.sum(axis=0) / np.count_nonzero(filled, axis=0), number),
        (table - (filled * (filled > 0)).sum(axis=0) / (filled > 0).sum(axis=0), number),
        (table - filled.sum(axis=0) / (filled > 0).sum(axis=0), number),
        (table, "nothing was taken off"),
    ]  # fmt: skip
    told: list[tuple[Any, str]] = [(values[alive], hint) for values, hint in wrong]
    told.append((
        lambda got: bool(np.isnan(got).any()),
        "np.mean gives nan where one of them is nan: np.nanmean leaves it out",
    ))  # fmt: skip
    return Diagnosis(partial(_values, attempt, table), right[alive], told)


@exercise(
    "8.3",
    parts={"inside": 2, "nothing more to gain": 4, "losses in full": 4},
    needs="torch",
    hides=("course_lib.agents.ppo:clipped",),
)
def check_clipped(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Ratio, advantage and clip worked by hand; gradients; drawn numbers."""
    inside, gain, loss = "inside", "nothing more to gain", "losses in full"
    far = rng.uniform([0.3, 0.3, 1.45, 1.45, 0.9, 0.9], [0.55, 0.55, 1.8, 1.8, 1.1, 1.1])
    sizes = rng.uniform(0.5, 2.0, 6) * [1, -1, 1, -1, 1, -1]
    cases: list[tuple] = [
        ("ratio 1.1 and advantage 2: 2.2", [2.2], [1.1], [2.0], 0.2, inside),
        ("ratio 0.9 and advantage -2: -1.8", [-1.8], [0.9], [-2.0], 0.2, inside),
        ("ratio 1.5 and advantage 2 count as 1.2 * 2", [2.4], [1.5], [2.0], 0.2, gain),
        ("ratio 0.5 and advantage -2 count as 0.8 * -2", [-1.6], [0.5], [-2.0], 0.2, gain),
        ("with clip 0.1: 1.1 * 2", [2.2], [1.5], [2.0], 0.1, gain),
        ("ratio 1.5 and advantage -2: the whole -3", [-3.0], [1.5], [-2.0], 0.2, loss),
        ("ratio 0.5 and advantage 2: the whole 1", [1.0], [0.5], [2.0], 0.2, loss),
        ("ratio 9 and advantage -2: the whole -18", [-18.0], [9.0], [-2.0], 0.2, loss),
        ("and so it is for each of six steps", FROM_REFERENCE,
         far, sizes, float(rng.uniform(0.1, 0.4)), loss),
    ]  # fmt: skip
    hints = {
        inside: "ratio * advantage, where the ratio is near 1",
        gain: "the smaller of ratio * advantage and the clipped ratio * advantage",
        loss: "where it got worse, the clip must not hide it: the smaller of the two products",
    }
    rich = ([0.5, 1.5, 0.5, 1.5, 1.1, 9.0], [1.0, 2.0, -2.0, -3.0, 1.5, -1.0])
    slips = _clips_told(attempt, np.array(rich[0]), np.array(rich[1]), 0.3).slips
    for aspect, expected, ratio, advantage, clip, part in cases:
        yield Case(
            aspect, expected, partial(of_tensors, attempt, ratio, advantage, clip=clip),
            hints[part], part=part, atol=1e-4,
            slips=(("Boolean value of Tensor", "torch.minimum compares tensors, min does not"),
                   *slips),
        )  # fmt: skip
    for ratio, advantage, slope, part in ((1.5, 2.0, 0.0, gain), (1.5, -2.0, -2.0, loss)):
        yield Case(
            f"ratio {ratio} and advantage {advantage:g}: the gradient by the ratio is {slope:g}",
            expected=[slope, 3.0],
            got=partial(gradient, attempt, (0,), [ratio, 1.0], [advantage, 3.0], clip=0.2),
            hint=hints[part],
            atol=1e-4,
            part=part,
            slips=((NO_GRADIENT, STAY), *slips),
        )
    alone = partial(leaves_tensors_alone, attempt, *rich, clip=0.3)
    yield Case(ALONE, True, alone, "clamp_ and *= change what they are given: clamp, and a new one",
               part=inside)  # fmt: skip


def _clips_told(
    attempt: Callable, ratio: np.ndarray, advantage: np.ndarray, clip: float
) -> Diagnosis:
    plain = ratio * advantage
    near = ratio.clip(1 - clip, 1 + clip)
    right = np.minimum(plain, near * advantage)
    sides = "two sides, from 1 - clip to 1 + clip, and then the smaller of the two PRODUCTS: with "
    sides += "a negative advantage the order turns"
    wrong = [
        (plain, "where is the clip?"),
        (near * advantage, "only the clip: take the SMALLER of this and ratio * advantage"),
        (np.maximum(plain, near * advantage), "the smaller of the two products, not the larger"),
        (np.minimum(ratio, 1 + clip) * advantage, sides),
        (np.maximum(ratio, 1 - clip) * advantage, sides),
        (np.minimum(plain, np.minimum(ratio, 1 + clip) * advantage), sides),
        (np.minimum(plain, np.maximum(ratio, 1 - clip) * advantage), sides),
        (np.minimum(plain, ratio.clip(-clip, clip) * advantage),
         "the clip is around 1: 1 - clip to 1 + clip"),
        (np.minimum(plain, ratio.clip(0.8, 1.2) * advantage),
         "clip is an argument, not always 0.2"),
        (np.minimum(plain, near), "both are products: the clipped ratio, too, times advantage"),
        (plain.clip(1 - clip, 1 + clip), "the RATIO is clipped, then multiplied"),
        (-right, "this is an objective, to be made large: no minus here"),
        (lambda got: np.size(got) == 1, "one number for each step: no mean and no sum yet"),
    ]  # fmt: skip
    got = partial(of_tensors, attempt, ratio, advantage, clip=clip)
    return Diagnosis(got, right, wrong)
