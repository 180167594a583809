"""The check of notebook 03's loss trains it on the probes, which the mutants' tests leave out."""

import pytest

pytest.importorskip("torch")

import torch
from checks_kit import lost_parts
from mutants.cartpole import MUTANTS, loss

from course_lib.checks import cartpole as checks


@pytest.mark.parametrize(
    ("attempt", "costs"),
    [
        (loss(take="index"), set()),
        (loss(mask=False), {"the batch", "probes"}),
        (loss(squeeze=False), {"the batch", "probes"}),
        (loss(swap=True), {"the batch", "probes"}),
        (MUTANTS["3.3"]["no gradient"].attempt, {"gradients"}),
        (MUTANTS["3.3"]["squared"].attempt, {"the error"}),
        (
            lambda *_, **__: torch.tensor(1.09),
            {"the error", "the action taken", "the batch", "gradients", "probes"},
        ),
    ],
    ids=[
        "right",
        "no mask",
        "(B, 1) against (B,)",
        "swapped",
        "no gradient",
        "squared",
        "constant",
    ],
)
def test_probes_find_what_is_wrong(attempt, costs):
    assert lost_parts(checks.check_dqn_loss, attempt) == costs
