"""What an answer may use: time, memory, output, disk and processes."""

from dataclasses import asdict, dataclass, replace
from typing import Any

PATIENCE = 3  # a loaded machine gives a learner's code a third of its time


@dataclass(frozen=True)
class Budget:
    """The limits of one exercise.

    Attributes:
        seconds: of computing, for the learner's cell and its check together; set-up is not
            counted. By the clock it may take ``PATIENCE`` times as long.
        memory_mb: of all processes together.
        processes: and threads.
        disk_mb: of everything written.
        output_mb: of everything printed or displayed.
    """

    seconds: float = 12.0
    memory_mb: int = 1_500
    processes: int = 64
    disk_mb: int = 64
    output_mb: float = 2.0

    def plain(self) -> dict[str, Any]:
        """Return the limits as a dict."""
        return asdict(self)


BUDGETS = {
    "": Budget(),
    "torch": Budget(seconds=40.0, memory_mb=3_000, processes=128),
    "ray": Budget(seconds=60.0, memory_mb=5_000, processes=3_000, disk_mb=256),
}


def budget_for(needs: str, timeout: float | None = None) -> Budget:
    """Return the limits of an exercise.

    Args:
        needs: of the exercise: ``""``, ``"torch"`` or ``"ray"``.
        timeout: seconds instead of the usual ones.

    Raises:
        ValueError: if the timeout is not positive.
    """
    budget = BUDGETS.get(needs, BUDGETS["torch"])
    if timeout is None:
        return budget
    if timeout <= 0:
        raise ValueError(f"timeout must be above 0 seconds, got {timeout}")
    return replace(budget, seconds=timeout)
