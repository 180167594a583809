"""The market as a Gymnasium environment; inside, TensorTrade keeps the wallets."""

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import pandas as pd

from course_lib.trading import features, fills

LIMITS = {  # name: (smallest, largest, unit)
    "fee": (0.0, 0.5, "a fraction of each trade, such as 0.001 for 0.1%"),
    "cash": (1.0, 1e12, "dollars"),
    "window": (1, 10_000, "rows of features"),
    "max_loss": (0.01, 1.0, "a fraction of the first net worth"),
    "decide_every": (1, 10_000, "rows from one decision to the next"),
    "min_hold": (1, 10_000, "rows that a position is kept at least"),
}
REWARDS = ("log_growth", "pbr")


@dataclass(frozen=True)
class Fill:
    """One trade as the exchange booked it.

    Attributes:
        row: row of the price table whose decision it was; see :mod:`course_lib.trading.fills` for
            when it was filled.
        side: ``"buy"`` or ``"sell"``.
        price: dollars for one coin.
        fee: dollars.
    """

    row: int
    side: str
    price: float
    fee: float


class TradingEnv(gym.Env):
    """Dollars and bitcoin: at every decision, be in one or in the other.

    A row of the price table is an hour in the course's data; it may be any interval.

    ## Description
    The agent holds a wallet of dollars and a wallet of coin at a simulated exchange. After each
    row it sees recent market features and says where its money should be for the next row. If
    that is not where it is, everything is exchanged at the next open, half a spread to the worse,
    and the exchange keeps a fee. With `decide_every` above 1 the position is kept for that many
    rows, and one step of the environment covers them all. With `min_hold` above 1 a position, once
    taken, is kept for that many rows: asking for another one earlier does nothing.

    ## What is kinder here than in a real market
    * **Fills in no time.** The observation of row t ends with the close of row t, and the order is
      filled at the open of row t + 1. Where a market never closes, that open is the close that was
      just seen (in the course's file in 99.95% of the rows): nobody can be that quick. ``fill`` set
      to ``"next close"`` is a whole row late; ``"same close"`` leaves even the opens out.
    * Prices do not react to the agent, orders of any size are filled in full, the gap between the
      prices for buying and selling is always the same, and cash earns no interest. Coin is valued
      at the close.

    ## Action Space
    `Discrete(2)`: 0 be in cash, 1 be in coin. Choosing what one has already costs nothing.

    ## Observation Space
    `Box(-5, 5, (window * 4 + 1,), float32)`: the features of the last `window` rows, oldest first,
    in the order of `features.FEATURES` (in units of volatility, see `features.make_features`), then
    the position: 0 in cash, 1 in coin. With `min_hold` above 1 one more number follows: the rows
    until a trade is possible again, as a fraction of `min_hold`.

    ## Rewards
    `log_growth`: 100 times the log of net worth now over net worth before, so about the
    percentage gained since the last decision, fees counted. `pbr`: TensorTrade's position-based
    return, the change of the price in dollars times +1 in coin and -1 in cash; it does not count
    fees, and the first of an episode is always 0.

    ## Starting State
    All in cash, at the first row after the lead-in, or with `random_start` at a random row.

    ## Episode End
    Termination: net worth fell by more than `max_loss`. Truncation: after `episode_rows` rows, or
    at the last price.

    ## Arguments
    See :func:`make_env`.
    """

    metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 12}  # noqa: RUF012

    def __init__(
        self, prices: pd.DataFrame, *, window: int = 24, fee: float = 0.001, cash: float = 10_000.0,
        reward: str = "log_growth", episode_rows: int | None = None, random_start: bool = False,
        decide_every: int = 1, min_hold: int = 1, max_loss: float = 0.9, currency: str = "USD",
        asset: str = "BTC", fill: str = "next open", half_spread: float = fills.HALF_SPREAD,
        make_features: features.MakeFeatures = features.make_features,
        render_mode: str | None = None,
    ) -> None:  # fmt: skip
        numbers = {"fee": fee, "cash": cash, "window": window, "max_loss": max_loss}
        _check(reward, render_mode, **numbers, decide_every=decide_every, min_hold=min_hold)
        self.prices = prices
        self.window, self.fee, self.cash, self.reward_name = int(window), fee, cash, reward
        self.currency, self.asset, self.max_loss = currency, asset, max_loss
        self.render_mode = render_mode
        self.first_row = features.lead_in(self.window)
        self.episode_rows = _episode_rows(len(prices), self.first_row, episode_rows)
        self.random_start, self.decide_every = random_start, int(decide_every)
        self.min_hold = int(min_hold)
        self._features = make_features(prices).to_numpy()
        self._close = prices["close"].to_numpy(dtype=float)
        self.fill_prices = fills.fill_prices(prices, fill, half_spread)
        self.money_decimals = money_decimals(self._close)
        self.action_space = gym.spaces.Discrete(2)
        size = self.window * self._features.shape[1] + 1 + (self.min_hold > 1)
        self.observation_space = gym.spaces.Box(-features.LIMIT, features.LIMIT, (size,))
        self.row = self._start = self.first_row
        self.fills: list[Fill] = []
        self.net_worths: list[float] = []  # one for each row since the start
        self.positions: list[int] = []  # one less: from row to row
        from course_lib.trading import assembly  # loads TensorTrade

        self._inner, self._wallets, self._broker = assembly.build(self)

    def episode_prices(self) -> list[float]:
        """Return the closing prices that the exchange shows in this episode."""
        return self._close[self._start : self._start + self.episode_rows + 1].tolist()

    def price_for(self, action: int) -> float:
        """Return the price at which an order to be in coin (1) or in cash (0) is filled now."""
        prices = self.fill_prices.buy if action else self.fill_prices.sell
        return float(prices[self.row])

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode; see :meth:`gymnasium.Env.reset`.

        Args:
            seed: for the random start.
            options: ``{"row": r}`` starts at row r of the price table.
        """
        super().reset(seed=seed)
        latest = len(self.prices) - 1 - self.episode_rows
        self._start = self.first_row
        if self.random_start:
            self._start = int(self.np_random.integers(self.first_row, latest + 1))
        if options and "row" in options:
            self._start = int(options["row"])
            if not self.first_row <= self._start <= latest:
                raise ValueError(
                    f"row must be in [{self.first_row}, {latest}], got {self._start}; "
                    "rows before it are needed as history, rows after it for the episode"
                )
        self.row, self.fills, self._fees = self._start, [], 0.0
        self._inner.reset()
        self.net_worths, self.positions = [self.cash], []
        return self._observe(), self._info()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Exchange if asked to, wait until the next decision, and look again."""
        if not self.action_space.contains(action):
            raise ValueError(f"action must be 0 (be in cash) or 1 (be in coin), got {action!r}")
        total, terminated, truncated = 0.0, False, False
        for _ in range(self.decide_every):
            _, reward, terminated, _, _ = self._inner.step(int(action))
            self._book()
            self.row += 1
            self.positions.append(self.position)
            self.net_worths.append(float(self._inner.action_scheme.portfolio.net_worth))
            truncated = self.row - self._start >= self.episode_rows
            total += float(reward)
            if terminated or truncated:
                break
        return self._observe(), total, bool(terminated), truncated, self._info()

    def _observe(self) -> np.ndarray:
        rows = self._features[self.row - self.window + 1 : self.row + 1]
        own = [self.position, self._inner.action_scheme.rows_to_wait / self.min_hold]
        return np.append(rows.ravel(), own[: 1 + (self.min_hold > 1)]).astype(np.float32)

    def all_observations(self, position: int) -> np.ndarray:
        """Return what a trader in this position, free to trade, sees in each row but the last.

        Returns:
            Shape (T - 1, size of an observation), from the first row that can be traded on.
        """
        rows = np.arange(self.first_row, len(self.prices) - 1)[:, None]
        seen = self._features[rows - np.arange(self.window)[::-1]].reshape(len(rows), -1)
        own = np.zeros((len(rows), 1 + (self.min_hold > 1)))
        own[:, 0] = position
        return np.hstack([seen, own]).astype(np.float32)

    @property
    def position(self) -> int:
        """0 in cash, 1 in coin."""
        return int(self._inner.action_scheme.action)

    def _book(self) -> None:
        """Copy new trades from the broker, with the fee in dollars."""
        for trade in self._broker.history[len(self.fills) :]:
            paid = trade.commission.as_float()
            side = trade.side.value
            fee = paid if side == "buy" else paid * float(trade.price)
            self._fees += fee
            self.fills.append(Fill(self.row, side, float(trade.price), fee))

    def _info(self) -> dict[str, Any]:
        cash, coin = (wallet.total_balance.as_float() for wallet in self._wallets)
        return {
            "row": self.row,
            "price": float(self._close[self.row]),
            "cash": cash,
            "coin": coin,
            "net_worth": self.net_worths[-1],
            "position": self.position,
            "fees": self._fees,
            "trades": len(self.fills),
        }

    def render(self) -> str | np.ndarray | None:  # type: ignore[override]
        """Return a line of text (``ansi``) or a picture (``rgb_array``)."""
        if self.render_mode is None:
            return None
        from course_lib.trading import rendering

        draw = rendering.text if self.render_mode == "ansi" else rendering.image
        return draw(self, self._info())


def make_env(prices: pd.DataFrame, **options: Any) -> TradingEnv:
    """Make a trading environment from a table of prices.

    The first ``features.lead_in(window)`` rows are history: they are looked at and never traded.

    Args:
        prices: a table of prices, see :mod:`course_lib.trading.prices`.
        **options: ``window`` (rows in an observation, 24), ``fee`` (fraction of each trade, 0.001),
            ``cash`` (dollars at the start, 10,000), ``reward`` (``"log_growth"`` or ``"pbr"``),
            ``episode_rows`` (rows in an episode; all there are), ``random_start`` (False),
            ``decide_every`` (rows from one decision to the next, 1), ``min_hold`` (rows that a
            position is kept at least, 1), ``max_loss`` (0.9), ``currency`` and ``asset`` (names of
            the wallets), ``fill`` (when an order is filled, ``"next open"``) and ``half_spread``
            (0.0002), see :mod:`course_lib.trading.fills`, ``make_features`` (from a table of prices
            to one of features, :func:`features.make_features`), ``render_mode`` (None, ``"ansi"``
            or ``"rgb_array"``).

    Raises:
        ValueError: if an option is out of range, or there are too few prices.
    """
    return TradingEnv(prices, **options)


def money_decimals(close: np.ndarray) -> int:
    """Return how many decimals the exchange keeps of money and prices.

    At least 8, so that sums stay right to the cent over thousands of trades; more for prices far
    below one, so that each price keeps 9 digits.
    """
    smallest = float(np.min(close))
    return int(np.clip(8 - np.floor(np.log10(smallest)), 8, 14))


def _check(reward: str, render_mode: str | None, **numbers: float) -> None:
    for name, value in numbers.items():
        low, high, unit = LIMITS[name]
        if not low <= value <= high:
            raise ValueError(f"{name} must be in [{low:g}, {high:g}] ({unit}), got {value}")
    if reward not in REWARDS:
        raise ValueError(f"reward must be one of {', '.join(REWARDS)}, got {reward!r}")
    if render_mode not in (None, *TradingEnv.metadata["render_modes"]):
        raise ValueError(f"render_mode must be None, 'ansi' or 'rgb_array', got {render_mode!r}")


def _episode_rows(num_rows: int, first_row: int, wanted: int | None) -> int:
    """Return the steps of an episode, which must fit behind the lead-in."""
    available = num_rows - 1 - first_row
    needed = 1 if wanted is None else wanted
    if wanted is not None and wanted < 1:
        raise ValueError(f"episode_rows must be at least 1, got {wanted}")
    if available < needed:
        raise ValueError(
            f"{num_rows} rows of prices are too few: {first_row} are history (features and window) "
            f"and {needed + 1} are traded; give at least {first_row + needed + 1} rows, or a "
            "shorter window or episode"
        )
    return available if wanted is None else wanted
