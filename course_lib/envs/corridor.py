"""The corridor as a Gymnasium environment, with its optimum by dynamic programming."""

import math
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Discrete

from course_lib.envs.corridor_picture import corridor_picture, corridor_text
from course_lib.envs.corridor_time import (
    LENGTH_M,
    PACE_RANGE_HZ,
    STRIDE_RANGE_M,
    STUMBLE_S,
    best_gait,
    expected_time,
    rng_for,
    stumbling_risk,
    walk_time,
    walk_times,
)

__all__ = [
    "ACTIONS",
    "GAITS",
    "LENGTH_M",
    "NUM_TILES",
    "PACE_RANGE_HZ",
    "STRIDE_RANGE_M",
    "STUMBLE_S",
    "TILE_M",
    "CorridorEnv",
    "Gait",
    "best_gait",
    "expected_time",
    "rng_for",
    "stumbling_risk",
    "walk_time",
    "walk_times",
]

TILE_M, NUM_TILES = 2.0, int(LENGTH_M / 2)
SLOWER, KEEP, FASTER = 0, 1, 2
ACTIONS = ("slower", "keep", "faster")


class Gait(NamedTuple):
    """A way to walk: stride in metres per step, pace in steps per second."""

    name: str
    stride: float
    pace: float


GAITS = (
    Gait("creep", 0.35, 0.8),
    Gait("stroll", 0.50, 1.1),
    Gait("walk", 0.65, 1.4),
    Gait("march", 0.75, 1.6),
    Gait("run", 0.95, 2.2),
)


class CorridorEnv(gym.Env[int, int]):
    """Somebody crosses a corridor, part of which has just been mopped, and is in a hurry.

    ## Description
    The corridor has tiles of 2 metres. On each the agent may change its gait by one notch, and
    then walks the tile with it. There are five gaits, from creep to run: see ``GAITS`` for stride
    and pace. Each step may end in a stumble that costs 4 seconds; the risk grows with stride and
    pace, and is far higher where the floor is wet (see :mod:`course_lib.envs.corridor_time`). So
    the best gait changes on the way, and because it changes by one notch at a time, it has to
    change in good time.

    ## Action Space
    ``Discrete(3)``: 0 one notch slower, 1 keep the gait, 2 one notch faster. Slower than creep
    stays creep, faster than run stays run.

    ## Observation Space
    ``Discrete((num_tiles + 1) * 5)``: ``tile * 5 + gait``, with the tile ahead from 0 to
    ``num_tiles`` (the end) and the gait from 0 (creep) to 4 (run). Where the floor is wet is not
    shown: it is the same in every episode.

    ## Rewards
    Minus the seconds that the tile took, so the return is minus the time of the walk. A tile takes
    ``2 / (stride * pace)`` seconds, and 4 more for each stumble: a random number.

    ## Starting State
    In front of tile 0, creeping: observation 0.

    ## Episode End
    * Terminated: the agent reaches the end of the corridor, after ``num_tiles`` actions.
    * Truncated: never.

    ## Information
    ``reset`` and ``step`` return ``{"tile": int, "gait": name, "seconds": since the start,
    "stumbles": so far}``.

    ## Arguments
    * ``num_tiles``: at least 1; 15 if left out, which makes 30 metres.
    * ``wet``: (first, after) tile of the wet stretch, ``0 <= first <= after <= num_tiles``; equal
      for a dry corridor. The middle, tiles 6 to 9 of 15, if left out.
    * ``render_mode``: ``"rgb_array"`` for a picture, ``"ansi"`` for text, or None.

    ``gymnasium.make("course/Corridor-v0", num_tiles=10, wet=(4, 6))``

    Raises:
        ValueError: if an argument is not as above.
    """

    metadata = {"render_modes": ["rgb_array", "ansi"], "render_fps": 6}  # noqa: RUF012

    def __init__(
        self,
        num_tiles: int = NUM_TILES,
        *,
        wet: tuple[int, int] | None = None,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(
                f"render_mode must be 'rgb_array', 'ansi' or None, got {render_mode!r}"
            )
        if num_tiles != int(num_tiles) or num_tiles < 1:
            raise ValueError(f"num_tiles must be a whole number, at least 1, got {num_tiles!r}")
        self.num_tiles, self.render_mode = int(num_tiles), render_mode
        first, after = (round(num_tiles * 0.4), round(num_tiles * 0.66)) if wet is None else wet
        if not 0 <= first <= after <= self.num_tiles:
            raise ValueError(f"wet must be (first, after) in 0..{self.num_tiles}, got {wet!r}")
        self.wet = (int(first), int(after))
        self.is_wet = np.array([first <= tile < after for tile in range(self.num_tiles)])
        self._risks = {wet: _tile_risks(wet) for wet in (False, True)}
        self.observation_space: Discrete = Discrete((self.num_tiles + 1) * len(GAITS))
        self.action_space = Discrete(len(ACTIONS))
        self._tile, self._gait, self._seconds, self._stumbles = 0, 0, 0.0, 0
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Go back to the start, creeping; return the observation and the information."""
        super().reset(seed=seed)
        self._tile, self._gait, self._seconds, self._stumbles = 0, 0, 0.0, 0
        self._over = False
        return 0, self._info()

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Change the gait, walk a tile; return obs, reward, terminated, truncated and information.

        Raises:
            ValueError: if ``action`` is not 0, 1 or 2.
            gymnasium.error.ResetNeeded: before the first reset, and after the end of an episode.
        """
        if not self.action_space.contains(action):
            raise ValueError(f"action must be 0 slower, 1 keep or 2 faster, got {action!r}")
        if self._over:
            raise gym.error.ResetNeeded("no episode is going on; call reset() before step()")
        self._gait = _shift(self._gait, int(action))
        wet = bool(self.is_wet[self._tile])
        stumbles = self._count_stumbles(wet)
        _, stride, pace = GAITS[self._gait]
        seconds = TILE_M / (stride * pace) + STUMBLE_S * stumbles
        self._stumbles += stumbles
        self._seconds += seconds
        self._tile += 1
        self._over = self._tile == self.num_tiles
        return self._obs(), -seconds, self._over, False, self._info()

    def render(self) -> Any:
        """Return a picture, shape (height, width, 3), uint8, or a line with ``W`` the walker."""
        if self.render_mode == "rgb_array":
            return corridor_picture(self.is_wet, self._tile, self._gait / (len(GAITS) - 1))
        if self.render_mode == "ansi":
            name = GAITS[self._gait].name
            return corridor_text(
                self.is_wet, self._tile, f"{TILE_M * self._tile:g} m, {name}, {self._seconds:.1f} s"
            )
        gym.logger.warn("render() needs CorridorEnv(..., render_mode='rgb_array') or 'ansi'")
        return None

    def best_policy(self) -> np.ndarray:
        """Return the best action for each observation, shape (num_obs,), by dynamic programming.

        It knows the risks, which an agent has to find out. Ties go to the lowest action.
        """
        return self._plan(None)[1]

    def mean_time(self, policy: np.ndarray) -> float:
        """Return the exact mean time of a walk, in seconds.

        Args:
            policy: an action for each observation, shape (num_obs,), or their probabilities, shape
                (num_obs, 3).

        Raises:
            ValueError: if ``policy`` has another shape.
        """
        shares = np.asarray(policy)
        if shares.shape == (self.observation_space.n,):
            shares = np.eye(len(ACTIONS))[shares.astype(int)]
        if shares.shape != (self.observation_space.n, len(ACTIONS)):
            raise ValueError(
                f"policy must have shape ({self.observation_space.n},) or "
                f"({self.observation_space.n}, 3), got {np.shape(policy)}"
            )
        return float(self._plan(shares)[0][0, 0])

    def best_time(self) -> float:
        """Return the mean time of the best policy, in seconds: the ceiling of every agent."""
        return float(self._plan(None)[0][0, 0])

    def random_time(self) -> float:
        """Return the mean time of an agent that picks each action equally often, in seconds."""
        num_obs = int(self.observation_space.n)
        return self.mean_time(np.full((num_obs, len(ACTIONS)), 1 / len(ACTIONS)))

    def greedy_time(self, q_table: np.ndarray) -> float:
        """Return the mean time of a greedy agent; equally good actions are equally likely.

        Args:
            q_table: shape (num_obs, num_actions).
        """
        best = q_table == q_table.max(axis=1, keepdims=True)
        return self.mean_time(best / best.sum(axis=1, keepdims=True))

    def constant_policy(self, gait: int) -> np.ndarray:
        """Return the policy that goes to ``gait`` and keeps it, shape (num_obs,)."""
        if gait not in range(len(GAITS)):
            raise ValueError(f"gait must be in 0..{len(GAITS) - 1}, got {gait!r}")
        step = np.sign(gait - np.arange(len(GAITS))) + KEEP
        return np.tile(step, self.num_tiles + 1)

    def best_constant_time(self) -> float:
        """Return the mean time with the best gait for the whole corridor, in seconds."""
        return min(self.mean_time(self.constant_policy(gait)) for gait in range(len(GAITS)))

    def gaits_of(self, policy: np.ndarray) -> np.ndarray:
        """Return the gait that ``policy`` uses on each tile, shape (num_tiles,)."""
        gaits, gait = np.empty(self.num_tiles, dtype=int), 0
        for tile in range(self.num_tiles):
            gait = _shift(gait, int(policy[tile * len(GAITS) + gait]))
            gaits[tile] = gait
        return gaits

    def _plan(self, shares: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Mean seconds still to go, (num_tiles + 1, gaits), and each observation's best action.

        From the last tile back to the first: the future is known before the present needs it.
        """
        num_gaits = len(GAITS)
        to_go = np.zeros((self.num_tiles + 1, num_gaits))
        best = np.full((self.num_tiles + 1, num_gaits), KEEP)
        after = np.array([[_shift(g, a) for a in range(len(ACTIONS))] for g in range(num_gaits)])
        tile_s = {wet: _tile_times(wet) for wet in (False, True)}
        for tile in range(self.num_tiles - 1, -1, -1):
            cost = (tile_s[bool(self.is_wet[tile])] + to_go[tile + 1])[after]
            best[tile] = cost.argmin(axis=1)
            rows = slice(tile * num_gaits, (tile + 1) * num_gaits)
            weights = np.eye(len(ACTIONS))[best[tile]] if shares is None else shares[rows]
            to_go[tile] = (weights * cost).sum(axis=1)
        return to_go, best.ravel()

    def _count_stumbles(self, wet: bool) -> int:
        """Draw the stumbles on one tile, as walk_time does, with risks worked out beforehand."""
        risk, whole, part = self._risks[wet][self._gait]
        rng = self.np_random
        return int(rng.binomial(whole, risk)) + int(rng.random() < part * risk)

    def _obs(self) -> int:
        return self._tile * len(GAITS) + self._gait

    def _info(self) -> dict[str, Any]:
        name = GAITS[self._gait].name
        return {
            "tile": self._tile,
            "gait": name,
            "seconds": self._seconds,
            "stumbles": self._stumbles,
        }


def _shift(gait: int, action: int) -> int:
    return min(max(gait + action - KEEP, 0), len(GAITS) - 1)


def _tile_times(wet: bool) -> np.ndarray:
    """Mean seconds of one tile with each gait."""
    strides, paces = (np.array([gait[i] for gait in GAITS]) for i in (1, 2))
    return expected_time(strides, paces, length=TILE_M, wet=wet)


def _tile_risks(wet: bool) -> list[tuple[float, int, float]]:
    """For each gait: the risk of a step, and the whole steps and the part of one on a tile."""
    rows = []
    for _, stride, pace in GAITS:
        part, whole = math.modf(TILE_M / stride)
        rows.append((float(stumbling_risk(stride, pace, wet=wet)), int(whole), part))
    return rows
