"""The check of exercise 8.5: the loss of comparisons. Every expected number was worked by hand."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from course_lib.checks.core import ALONE, COPY, FROM_REFERENCE, Case, exercise
from course_lib.checks.diagnosis import Diagnosis
from course_lib.tryouts.policies import (
    NO_GRADIENT,
    gradient,
    leaves_tensors_alone,
    number_of_tensors,
)

LN2 = float(np.log(2))
STAY = "no gradient arrives: stay with torch's own functions, without detach, item or numpy"


@exercise(
    "8.5",
    parts={"the chance": 4, "neither": 2, "the batch": 2, "far apart": 2},
    needs="torch",
    hides=("course_lib.agents.preferences:preference_loss",),
)
def check_preference_loss(attempt: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Losses worked by hand, also for sums that are far apart."""
    soft = float(np.log1p(np.exp(-2.0)))  # -log(sigmoid(2))
    chance, neither, batch, far = "the chance", "neither", "the batch", "far apart"
    drawn = (rng.normal(0, 2, 6), rng.normal(0, 2, 6), rng.choice([0.0, 0.5, 1.0], 6))
    cases: list[tuple] = [
        ("sums 1 and 1: a chance of 0.5, so log(2) = 0.693", LN2, ([1.0], [1.0], [1.0]), chance),
        ("sums 3 and 1, and the left was preferred: -log(sigmoid(2)) = 0.127", soft,
         ([3.0], [1.0], [1.0]), chance),
        ("the right was preferred: -log(sigmoid(-2)) = 2.127", soft + 2,
         ([3.0], [1.0], [0.0]), chance),
        ("neither: half of each, 1.127", soft + 1, ([3.0], [1.0], [0.5]), neither),
        ("two answers: their mean", soft + 1, ([3.0, 3.0], [1.0, 1.0], [1.0, 0.0]), batch),
        ("and so it is with six answers", FROM_REFERENCE, drawn, batch),
        ("sums 200 apart, and the wrong one preferred: 200", 200.0, ([200.0], [0.0], [0.0]), far),
        ("sums 200 apart, and the right one preferred: 0", 0.0, ([0.0], [200.0], [0.0]), far),
    ]  # fmt: skip
    hints = {
        chance: "the model's chance that the left is preferred is sigmoid(left - right)",
        neither: "prefers_left * log(chance) + (1 - prefers_left) * log(1 - chance), with a minus",
        batch: "of each answer its loss, then the mean of these",
        far: "the loss is 200 there: it has no upper end, and is not shortened",
    }
    rich = ([3.0, 1.0, 0.5, 2.0, -0.5], [1.0, 2.5, 1.5, 2.6, 0.2], [1.0, 0.0, 0.5, 1.0, 0.0])
    diagnosis = _preferences_told(attempt, *map(np.array, rich))
    rounded = (
        lambda got: not np.isfinite(got).all(),
        "the logarithm of a rounded 0 is infinite: nn.functional.logsigmoid(left - right) is "
        "exact there, and so is binary_cross_entropy_with_logits",
    )
    for aspect, expected, given, part in cases:
        yield Case(
            aspect, expected, partial(number_of_tensors, attempt, *given), hints[part], part=part,
            atol=1e-3, slips=(*diagnosis.slips, rounded),
        )  # fmt: skip
    slope = float(1 / (1 + np.exp(2.0)))
    yield Case(
        f"sums 3 and 1, the left preferred: gradients {-slope:.3f} by the left, {slope:.3f} by the "
        "right",
        expected=[-slope, slope],
        got=partial(gradient, attempt, (0, 1), [3.0], [1.0], [1.0]),
        hint="both sums stay in the loss, without detach",
        atol=1e-4,
        part=chance,
        slips=(
            (NO_GRADIENT, STAY),
            *diagnosis.slips,
            ([slope, -slope], "the other way: what was preferred must earn MORE"),
        ),
    )
    yield Case(ALONE, True, partial(leaves_tensors_alone, attempt, *rich), COPY, part=batch)


def _preferences_told(
    attempt: Callable, left: np.ndarray, right: np.ndarray, said: np.ndarray
) -> Diagnosis:
    lead = left - right
    yes, no = -np.logaddexp(0, -lead), -np.logaddexp(0, lead)  # log(sigmoid), and of the right
    each = -(said * yes + (1 - said) * no)
    chance, sure = np.exp(yes), said != 0.5
    neither = "0.5 counts, too: half of each logarithm"
    other = "and where the RIGHT was preferred? (1 - prefers_left) times ITS log, of sigmoid(right "
    other += "- left)"
    wrong = [
        (-each.mean(), "a minus: the loss must FALL when the preferred clip earns more"),
        (-(said * no + (1 - said) * yes).mean(), "left minus right, not the other way round"),
        (each.sum(), "the mean over the answers, not the sum"),
        (-(said * yes).mean(), other),
        (-yes.mean(), other),
        (-(said * yes + (1 - said) * (1 - yes)).mean(), other),
        (-(said * chance + (1 - said) * (1 - chance)).mean(),
         "the chance is not yet the loss: minus its LOG"),
        (-np.log(said * chance + (1 - said) * (1 - chance)).mean(),
         "two logarithms, each times its share: not the logarithm of the sum"),
        (((chance - said) ** 2).mean(), "minus the LOGARITHM of the chance, not a squared error"),
        (np.abs(chance - said).mean(), "minus the LOGARITHM of the chance"),
        (-(said * lead).mean(), "the sigmoid of the difference is a chance; then its log"),
        (-((2 * said - 1) * lead).mean(),
         "the sigmoid of the difference is a chance; then its log"),
        (each[sure].mean(), neither),
        ((each * sure).mean(), neither),
        *(((-(vote * yes + (1 - vote) * no)).mean(), neither)
          for vote in (said >= 0.5, said > 0.5)),
        (each, "one number: the mean over the answers"),
    ]  # fmt: skip
    got = partial(number_of_tensors, attempt, left, right, said)
    return Diagnosis(got, each.mean(), wrong)
