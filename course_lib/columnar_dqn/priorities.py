"""Proportional priorities over the rows of a replay memory. Nothing here needs Ray.

Source: Schaul et al. 2016, "Prioritized experience replay", sections 3.3 and 3.4.
"""

from typing import Any

import numpy as np


class SumTree:
    """Numbers of which sums over ranges are kept, so that drawing in proportion is fast.

    A binary tree in one array: node ``k`` holds the sum of nodes ``2 k`` and ``2 k + 1``, the
    numbers themselves are the last level. All operations work on many rows at a time.

    Args:
        capacity: how many numbers; all are 0 at first.
    """

    def __init__(self, capacity: int) -> None:
        self.num_leaves = 1 << max(0, capacity - 1).bit_length()
        self._nodes = np.zeros(2 * self.num_leaves)

    @property
    def total(self) -> float:
        """The sum of all numbers."""
        return float(self._nodes[1])

    @property
    def nbytes(self) -> int:
        """Memory of the tree, in bytes."""
        return self._nodes.nbytes

    def __getitem__(self, index: np.ndarray | slice) -> np.ndarray:
        return self._nodes[self.num_leaves :][index]

    def set(self, index: np.ndarray, values: np.ndarray | float) -> None:
        """Set the numbers at ``index``, shape (N,); of equal indices the last one counts."""
        nodes = np.asarray(index) + self.num_leaves
        self._nodes[nodes] = values
        while len(nodes) and nodes[0] > 1:
            nodes = np.unique(nodes >> 1)
            self._nodes[nodes] = self._nodes[2 * nodes] + self._nodes[2 * nodes + 1]

    def find(self, mass: np.ndarray) -> np.ndarray:
        """Return, for each mass in [0, total), the row at which the running sum exceeds it."""
        mass = np.array(mass, dtype=np.float64)
        nodes = np.ones(len(mass), np.int64)
        while nodes[0] < self.num_leaves:
            nodes *= 2
            left = self._nodes[nodes]
            # Never into an empty half: the sums are rounded, so a mass may seem to lie beyond it.
            right = (mass >= left) & (self._nodes[nodes + 1] > 0)
            mass -= np.where(right, left, 0.0)
            nodes += right
        return nodes - self.num_leaves


class Priorities:
    """Draws rows with probability proportional to ``priority ** alpha``.

    A row that was just added gets the largest priority seen so far, so that it is soon replayed.

    Args:
        capacity: number of rows.
        alpha: 0 makes all rows equal, 1 follows the priorities fully.

    Raises:
        ValueError: if alpha is negative.
    """

    FLOOR = 1e-6  # a td error of 0 must not bury a row for ever

    def __init__(self, capacity: int, *, alpha: float) -> None:
        if not alpha >= 0:
            raise ValueError(f"alpha must be at least 0, got {alpha}; 0 samples uniformly")
        self.alpha = alpha
        self._tree = SumTree(capacity)
        self._largest = 1.0

    @property
    def nbytes(self) -> int:
        """Memory of the priorities, in bytes."""
        return self._tree.nbytes

    def add(self, index: np.ndarray) -> None:
        """Give the rows ``index``, shape (N,), the largest priority so far."""
        self._tree.set(index, self._largest**self.alpha)

    def update(self, index: np.ndarray, td_errors: np.ndarray) -> None:
        """Make the sizes of ``td_errors``, shape (N,), the priorities of the rows ``index``."""
        priorities = np.abs(td_errors).astype(np.float64) + self.FLOOR
        self._tree.set(index, priorities**self.alpha)
        self._largest = max(self._largest, float(priorities.max(initial=0.0)))

    def sample(
        self, num_rows: int, *, filled: int, beta: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows, and say how much each of them should count.

        Args:
            num_rows: number of independent draws.
            filled: the rows 0 to ``filled - 1`` hold something.
            beta: 1 corrects fully for the uneven draw, 0 not at all.
            rng: source of the draws.

        Returns:
            Row numbers, shape (num_rows,), and importance weights, shape (num_rows,), float32, in
            (0, 1]: ``(filled * probability) ** -beta``, divided by the largest that any row has.
        """
        index = self._tree.find(rng.random(num_rows) * self._tree.total)
        rarest = self._tree[slice(0, filled)].min()
        return index, ((self._tree[index] / rarest) ** -beta).astype(np.float32)

    def get_state(self) -> dict[str, Any]:
        """Everything needed to go on as if nothing had happened."""
        leaves = np.array(self._tree[slice(0, None)])
        return {"alpha": self.alpha, "powers": leaves, "largest": self._largest}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`get_state` returned."""
        self.alpha, self._largest = state["alpha"], state["largest"]
        self._tree.set(np.arange(self._tree.num_leaves), state["powers"])
