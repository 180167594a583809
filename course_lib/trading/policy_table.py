"""A greedy policy as a table: what it asks for in each row, from cash and from coin.

What the market shows in a row does not depend on the trader. So a network need be asked only twice
for each row, and what it would have done from any hour on, at any fee, is arithmetic after that.
This module loads Ray and PyTorch.
"""

import base64

import numpy as np
from ray.rllib.core.rl_module.rl_module import RLModule

from course_lib.rllib import runs
from course_lib.trading.environment import TradingEnv


def ask(module: RLModule, env: TradingEnv) -> np.ndarray:
    """Ask a network for the position that it wants in each row of an environment.

    Args:
        module: the network.
        env: a trading environment; its first to its last row but one are asked about.

    Returns:
        Shape (2, T - 1), 0 or 1: what it wants when in cash (first row), and when in coin.
    """
    act_on = runs.policy_of(module)
    return np.stack([np.asarray(act_on(env.all_observations(position))) for position in (0, 1)])


def follow(
    asked: np.ndarray, *, phases: range = range(1), decide_every: int = 1, min_hold: int = 1
) -> np.ndarray:
    """Return the positions of a trader who does what the table says.

    Args:
        asked: shape (2, T - 1), see :func:`ask`.
        phases: rows of the first decision, one trader each; it is in cash before.
        decide_every: rows from one decision to the next.
        min_hold: rows that a position is kept at least.

    Returns:
        Shape (num_phases, T - 1), 0 or 1, from row t to row t + 1.
    """
    first = np.array(phases)
    positions = np.zeros((len(first), asked.shape[1]), dtype=int)
    position, wanted, free_from = np.zeros((3, len(first)), dtype=int)
    for row in range(asked.shape[1]):
        deciding = (row >= first) & ((row - first) % decide_every == 0)
        wanted = np.where(deciding, asked[position, row], wanted)
        trading = (wanted != position) & (row >= free_from)
        free_from = np.where(trading, row + min_hold, free_from)
        position = positions[:, row] = np.where(trading, wanted, position)
    return positions


def pack(asked: np.ndarray) -> str:
    """Write a table down as text: eight entries in a byte, in base 64."""
    return base64.b64encode(np.packbits(asked.astype(np.uint8))).decode()


def unpack(text: str, num_rows: int) -> np.ndarray:
    """Read back what :func:`pack` wrote of a table of shape (2, num_rows)."""
    bits = np.unpackbits(np.frombuffer(base64.b64decode(text), dtype=np.uint8))
    return bits[: 2 * num_rows].reshape(2, num_rows).astype(int)
