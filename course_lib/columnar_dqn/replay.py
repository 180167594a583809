"""A replay memory in numpy columns, with n-step returns made on insertion.

A transition is one row across preallocated arrays, so sampling a batch is a handful of array
look-ups however large the batch is. Nothing here needs Ray.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from .priorities import Priorities

Columns = dict[str, np.ndarray]
_MAX_OPEN_EPISODES = 4096


@dataclass
class Chunk:
    """A stretch of one episode, as a sampler hands it over.

    Attributes:
        episode_id: the same for all stretches of one episode.
        start: the number of steps that the episode had before this stretch.
        obs: shape (T + 1, ...), the last one is where the stretch ends.
        actions: shape (T,).
        rewards: shape (T,).
        terminated: the stretch ends in a terminal state.
        truncated: the stretch ends because the episode was cut off.
    """

    episode_id: str
    start: int
    obs: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: bool = False
    truncated: bool = False


def n_step_columns(chunk: Chunk, *, n_step: int, gamma: float, num_rows: int) -> Columns:
    """Turn the first ``num_rows`` steps of a stretch into n-step transitions.

    Step t gets the discounted sum of its next ``n_step`` rewards and the observation after them.
    Where the stretch ends earlier the window is shorter, and column ``n_step`` says how long it
    is. Only a window that reaches a terminal state is marked as terminated: after a truncation
    the learner bootstraps.

    Args:
        chunk: T steps of one episode.
        n_step: longest window, at least 1.
        gamma: discount per step, in [0, 1].
        num_rows: number of transitions to make, at most T.

    Returns:
        Columns obs, new_obs, actions, rewards, terminateds and n_step, each of ``num_rows`` rows.

    Source: Sutton & Barto 2e, section 7.1.
    """
    length = len(chunk.rewards)
    first = np.arange(num_rows)
    last = np.minimum(first + n_step, length)
    padded = np.concatenate([chunk.rewards, np.zeros(n_step)]).astype(np.float64)
    returns = np.zeros(num_rows)
    for k in range(n_step):
        returns += gamma**k * padded[k : k + num_rows]
    return {
        "obs": chunk.obs[:num_rows],
        "new_obs": chunk.obs[last],
        "actions": chunk.actions[:num_rows],
        "rewards": returns.astype(np.float32),
        "terminateds": (last == length) & chunk.terminated,
        "n_step": (last - first).astype(np.float32),
    }


class ColumnarReplay:
    """The last ``capacity`` transitions, sampled with replacement, uniformly or by priority.

    The arrays are made when the first stretch arrives, with its shapes and dtypes. Windows that
    run past the end of a stretch wait for the rest of their episode.

    Args:
        capacity: number of transitions kept; the oldest is overwritten.
        n_step: steps per return.
        gamma: discount per step.
        alpha: how strongly td errors steer the sampling; 0 samples uniformly.
        rng: source of the samples.

    Raises:
        ValueError: if a setting is out of range.
    """

    def __init__(
        self,
        capacity: int,
        *,
        n_step: int = 1,
        gamma: float = 0.99,
        alpha: float = 0.0,
        rng: np.random.Generator,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, got {capacity}")
        if not isinstance(n_step, int) or n_step < 1:
            raise ValueError(f"n_step must be an int of at least 1, got {n_step!r}")
        if not 0 <= gamma <= 1:
            raise ValueError(f"gamma must be in [0, 1], got {gamma}")
        self.capacity, self.n_step, self.gamma = capacity, n_step, gamma
        self.num_added = 0
        self.priorities = Priorities(capacity, alpha=alpha) if alpha else None
        self._rng = rng
        self._columns: Columns = {}
        self._open: OrderedDict[str, Chunk] = OrderedDict()

    def __len__(self) -> int:
        return min(self.num_added, self.capacity)

    @property
    def bytes_per_transition(self) -> int:
        """Memory that one transition takes, in bytes; 0 before the first one.

        Priorities come on top: 16 to 32 bytes, ``priorities.nbytes`` in all.
        """
        return sum(column[:1].nbytes for column in self._columns.values())

    def add(self, chunk: Chunk) -> None:
        """Store the steps of ``chunk`` whose window is complete; keep the others for later."""
        chunk = self._joined(chunk)
        length = len(chunk.rewards)
        done = chunk.terminated or chunk.truncated
        num_rows = length if done else max(0, length - self.n_step + 1)
        self._store(n_step_columns(chunk, n_step=self.n_step, gamma=self.gamma, num_rows=num_rows))
        if not done and num_rows < length:
            self._open[chunk.episode_id] = Chunk(
                chunk.episode_id,
                chunk.start + num_rows,
                chunk.obs[num_rows:],
                chunk.actions[num_rows:],
                chunk.rewards[num_rows:],
            )
            if len(self._open) > _MAX_OPEN_EPISODES:
                self._cut(self._open.popitem(last=False)[1])

    def draw(self, num_rows: int, *, beta: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Draw row numbers, and how much each row counts in the loss.

        Args:
            num_rows: number of independent draws.
            beta: how far the weights make up for an uneven draw, 0 not at all, 1 fully.

        Returns:
            Row numbers, shape (num_rows,), and importance weights, shape (num_rows,), float32, all
            1 where sampling is uniform.

        Raises:
            ValueError: if nothing is stored yet.
        """
        if not len(self):
            raise ValueError("the replay memory is empty; add transitions before sampling")
        if self.priorities is None:
            return self._rng.integers(len(self), size=num_rows), np.ones(num_rows, np.float32)
        return self.priorities.sample(num_rows, filled=len(self), beta=beta, rng=self._rng)

    def take(self, index: np.ndarray) -> Columns:
        """Return the rows ``index``, shape (N,), of all columns."""
        return {name: column[index] for name, column in self._columns.items()}

    def rows_since(self, num_added: int) -> tuple[int, Columns]:
        """Return what came in since ``num_added`` transitions had been added, oldest first.

        Returns:
            The number of the first row returned, counting all ever added, and the columns. What
            was overwritten in the meantime is left out.
        """
        first = max(num_added, self.num_added - self.capacity)
        return first, self.take(np.arange(first, self.num_added) % self.capacity)

    def get_state(self) -> dict[str, Any]:
        """Everything needed to go on as if nothing had happened."""
        return {
            "num_added": self.num_added,
            "columns": {name: column[: len(self)] for name, column in self._columns.items()},
            "open": list(self._open.values()),
            "rng": self._rng.bit_generator.state,
            "priorities": self.priorities and self.priorities.get_state(),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`get_state` returned.

        Raises:
            ValueError: if the state comes from a memory of another size or another kind.
        """
        if bool(state.get("priorities")) != bool(self.priorities):
            kinds = {True: "prioritised", False: "uniform"}
            raise ValueError(
                f"the saved replay memory is {kinds[not self.priorities]}, this one is "
                f"{kinds[bool(self.priorities)]}; use the alpha it was saved with"
            )
        rows = len(next(iter(state["columns"].values()), ()))
        if rows != min(state["num_added"], self.capacity):
            raise ValueError(
                f"the saved replay memory holds {rows} transitions and does not fit "
                f"capacity {self.capacity}; use the capacity it was saved with"
            )
        self._columns = {}
        for name, saved in state["columns"].items():
            self._columns[name] = np.zeros((self.capacity, *saved.shape[1:]), saved.dtype)
            self._columns[name][:rows] = saved
        self.num_added = state["num_added"]
        self._open = OrderedDict((chunk.episode_id, chunk) for chunk in state["open"])
        self._rng.bit_generator.state = state["rng"]
        if self.priorities:
            self.priorities.set_state(state["priorities"])

    def _joined(self, chunk: Chunk) -> Chunk:
        """Put the waiting steps of the same episode in front of ``chunk``."""
        before = self._open.pop(chunk.episode_id, None)
        if before is None:
            return chunk
        if before.start + len(before.rewards) != chunk.start:
            self._cut(before)  # a stretch in between was lost
            return chunk
        return Chunk(
            chunk.episode_id,
            before.start,
            np.concatenate([before.obs[:-1], chunk.obs]),
            np.concatenate([before.actions, chunk.actions]),
            np.concatenate([before.rewards, chunk.rewards]),
            chunk.terminated,
            chunk.truncated,
        )

    def _cut(self, chunk: Chunk) -> None:
        """Store waiting steps with shorter windows: their episode does not go on."""
        rows = len(chunk.rewards)
        self._store(n_step_columns(chunk, n_step=self.n_step, gamma=self.gamma, num_rows=rows))

    def _store(self, rows: Columns) -> None:
        num_rows = len(rows["actions"])
        if not self._columns:
            for name, new in rows.items():
                self._columns[name] = np.zeros((self.capacity, *new.shape[1:]), new.dtype)
        kept = min(num_rows, self.capacity)
        index = np.arange(self.num_added + num_rows - kept, self.num_added + num_rows)
        index %= self.capacity
        for name, new in rows.items():
            self._columns[name][index] = new[num_rows - kept :]
        if self.priorities and kept:
            self.priorities.add(index)
        self.num_added += num_rows
