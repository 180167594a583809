"""The rows of a replay memory, kept a second time where the learner computes.

Each transition travels to the learner (another process, or a GPU) once, when it is new; a
minibatch is then a list of row numbers.
"""

import numpy as np
import torch

Tensors = dict[str, torch.Tensor]


class DeviceRows:
    """A ring of rows on a device, in step with a ``ColumnarReplay`` elsewhere.

    Args:
        capacity: rows of the ring; the same as that of the memory it follows.
        device: where the rows live.
    """

    def __init__(self, capacity: int, device: torch.device | str) -> None:
        self.capacity, self.device = capacity, device
        self.num_added = 0
        self._columns: Tensors = {}

    def put(self, first: int, columns: dict[str, np.ndarray]) -> None:
        """Store rows that are new.

        Args:
            first: the number of the first row, counting all rows ever added to the memory.
            columns: arrays of shape (N, ...).

        Raises:
            ValueError: if rows before ``first`` are missing here.
        """
        num_rows = len(next(iter(columns.values()), ()))
        if first > self.num_added and num_rows < self.capacity:
            raise ValueError(
                f"rows {self.num_added} to {first - 1} are missing here; send all rows again"
            )
        index = torch.arange(first, first + num_rows, device=self.device) % self.capacity
        for name, new in columns.items():
            rows = torch.from_numpy(np.ascontiguousarray(new)).to(self.device)
            if name not in self._columns:
                shape = (self.capacity, *rows.shape[1:])
                self._columns[name] = torch.zeros(shape, dtype=rows.dtype, device=self.device)
            self._columns[name][index] = rows
        self.num_added = first + num_rows

    def take(self, index: torch.Tensor) -> Tensors:
        """Return the rows ``index``, shape (N,), of all columns."""
        return {name: column[index] for name, column in self._columns.items()}
