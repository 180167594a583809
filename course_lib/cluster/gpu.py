"""Who gets a GPU: the learner if there is one, trials a part each, and clear words if not.

A GPU is not always faster: every gradient step sends a batch there and back, which small networks
do not make up for. Measure before you ask for one.
"""

import math
from dataclasses import dataclass
from typing import Literal

Wish = Literal["auto"] | int


@dataclass(frozen=True)
class LearnerPlace:
    """Where an RLlib learner computes, as ``config.learners(**place.settings)`` takes it.

    Attributes:
        num_learners: 0 for the notebook's own process, 1 for a process on the cluster.
        num_gpus_per_learner: 0 or 1.
        why: one sentence.
    """

    num_learners: int
    num_gpus_per_learner: int
    why: str

    @property
    def settings(self) -> dict[str, int]:
        """The arguments of RLlib's ``config.learners``."""
        return {
            "num_learners": self.num_learners,
            "num_gpus_per_learner": self.num_gpus_per_learner,
        }


def place_learner(wish: Wish, *, in_cluster: int, here: int, local: bool) -> LearnerPlace:
    """Decide where a learner computes.

    Args:
        wish: ``"auto"``, or 0 or 1 GPUs.
        in_cluster: GPUs that Ray has, 0 or more.
        here: GPUs that PyTorch sees in the notebook's process, 0 or more.
        local: whether Ray runs on the notebook's machine alone.

    Raises:
        ValueError: if a GPU is asked for and there is none, or the wish is none of these.
    """
    if wish not in ("auto", 0, 1) or isinstance(wish, bool):
        raise ValueError(f"gpus must be 'auto', 0 or 1 for a learner, got {wish!r}")
    if wish == 0:
        return LearnerPlace(0, 0, "on the CPU, as asked for")
    if here and local:
        return LearnerPlace(0, 1, "on this machine's GPU")
    if in_cluster and not local:
        return LearnerPlace(1, 1, "on a GPU of the cluster, in a process of its own there")
    if wish == "auto":
        return LearnerPlace(0, 0, "on the CPU: there is no GPU")
    raise ValueError(
        f"gpus must be at most the GPUs that there are (0), got {wish}; use gpus='auto', or start "
        "a worker that has a GPU and a PyTorch that sees it"
    )


def share(num_gpus: float, at_once: int) -> float:
    """Return the part of a GPU that each of ``at_once`` trials gets, so that all run side by side.

    Ray counts parts and nothing more: trials that share a GPU share its memory too.

    Args:
        num_gpus: GPUs of the cluster, 0 or more.
        at_once: trials side by side, at least 1.

    Returns:
        0 without a GPU; 1 if there is one for each; else a part, such as 0.5 or 0.33, rounded down.

    Raises:
        ValueError: if an argument is out of range, or a part would be below 0.05.
    """
    if num_gpus < 0 or at_once < 1:
        raise ValueError(
            f"num_gpus must be at least 0 and at_once at least 1, got {num_gpus} and {at_once}"
        )
    if num_gpus >= at_once or num_gpus == 0:
        return min(1.0, float(num_gpus))
    trials_per_gpu = math.ceil(at_once / int(num_gpus)) if num_gpus >= 1 else at_once / num_gpus
    part = math.floor(100 / trials_per_gpu + 1e-9) / 100
    if part < 0.05:
        raise ValueError(
            f"at_once must be at most 20 per GPU, got {at_once} for {num_gpus:g}; run fewer at once"
        )
    return part
