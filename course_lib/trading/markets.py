"""Markets whose best trades are known, and the best profit that any trader could have made."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from course_lib.trading.fills import FillPrices
from course_lib.trading.prices import price_table


def sine_market(
    num_rows: int, *, rng: np.random.Generator, period: float = 48.0, amplitude: float = 0.05,
    noise: float = 0.001, level: float = 100.0,
) -> pd.DataFrame:  # fmt: skip
    """Make hourly prices that swing around a level: a sine wave and independent noise.

    The phase at the first row is random, so a trader has to read it off the prices.

    Args:
        num_rows: hours.
        rng: source of the phase and the noise.
        period: hours from peak to peak.
        amplitude: height of the wave, as a fraction of the level.
        noise: spread of the noise, as a fraction of the level.
        level: dollars.

    Returns:
        A table of prices in whole cents.

    Raises:
        ValueError: if a size is out of range.
    """
    _check_sizes(num_rows, period, amplitude=amplitude, noise=noise)
    phase = rng.uniform(0.0, 2 * np.pi)
    wave = amplitude * np.sin(2 * np.pi * np.arange(num_rows) / period + phase)
    close = level * np.exp(wave + noise * rng.standard_normal(num_rows))
    return price_table(np.round(close, 2))


def _check_sizes(num_rows: int, period: float, **fractions: float) -> None:
    if num_rows < 2 or period < 4:
        raise ValueError(
            f"num_rows must be at least 2 and period at least 4, got {num_rows} and {period}"
        )
    for name, value in fractions.items():
        limit = 0.5 if name == "amplitude" else 0.1
        if not 0 <= value < limit:
            raise ValueError(f"{name} must be in [0, {limit}), got {value}")


DAY = 24
REGIMES = ("waves", "climb", "slide")


def regime_market(
    num_rows: int, *, rng: np.random.Generator, period: int = 48, amplitude: float = 0.05,
    slope: float = 0.002, noise: float = 0.0005, level: float = 100.0,
) -> pd.DataFrame:  # fmt: skip
    """Make hourly prices whose behaviour changes without notice: waves, a climb, or a slide.

    Each regime lasts four to twelve half periods. Nothing but the prices tells which one it is, so
    a trader notices a change only some hours later.

    Args:
        num_rows: hours.
        rng: source of the regimes, their lengths and the noise.
        period: hours from peak to peak in the waves, an even number.
        amplitude: height of the waves, as a fraction of the level.
        slope: rise or fall of each hour in a climb or a slide, as a fraction.
        noise: spread of the noise, as a fraction of the level.
        level: dollars at the start.

    Returns:
        A table of prices in whole cents.

    Raises:
        ValueError: if a size is out of range.
    """
    _check_sizes(num_rows, period, amplitude=amplitude, slope=slope, noise=noise)
    if period % 2:
        raise ValueError(f"period must be an even number, got {period}")
    path, regime = np.zeros(1), str(rng.choice(REGIMES))
    while path.size < num_rows:
        rows = int(rng.integers(4, 13)) * period // 2
        path = np.concatenate([path, path[-1] + _stretch(regime, rows, period, amplitude, slope)])
        regime = str(rng.choice([name for name in REGIMES if name != regime]))
        if abs(path[-1]) > 0.4:  # turn back before prices run away
            regime = "slide" if path[-1] > 0 else "climb"
    close = level * np.exp(path[:num_rows] + noise * rng.standard_normal(num_rows))
    return price_table(np.round(close, 2))


def _stretch(regime: str, rows: int, period: int, amplitude: float, slope: float) -> np.ndarray:
    """Return the log price of one regime, relative to the hour before it."""
    hours = np.arange(1, rows + 1)
    if regime == "waves":
        return amplitude * np.sin(2 * np.pi * hours / period)
    return slope * hours * (1 if regime == "climb" else -1)


def without_skill(
    prices: pd.DataFrame, num_rows: int, *, rng: np.random.Generator, strength: float = 0.0,
    block: int = 24,
) -> pd.DataFrame:  # fmt: skip
    """Make a market that is as wild as a real one, and in which nothing can be foreseen.

    Blocks of a day of real moves are drawn with repetition, so that calm and wild hours stay
    together, and whether a move goes up or down is drawn anew for each hour: whatever was seen
    before, up and down are equally likely. A signal can be planted in it: prices then lean towards
    the side of their mean of the last week on which they are, which is one of the features.

    Args:
        prices: the real market.
        num_rows: of the new one.
        rng: source of the blocks and directions.
        strength: how far prices lean in a day, in standard deviations of a day.
        block: rows in a block.

    Returns:
        A table of prices.

    Raises:
        ValueError: if ``block`` does not fit into the prices.
    """
    moves = np.diff(np.log(prices["close"].to_numpy()))
    if not 1 <= block < len(moves):
        raise ValueError(f"block must be in [1, {len(moves) - 1}], got {block}")
    starts = rng.integers(len(moves) - block + 1, size=-(-num_rows // block))
    drawn = np.concatenate([moves[start : start + block] for start in starts])[:num_rows]
    drawn = np.abs(drawn) * rng.choice((-1.0, 1.0), size=num_rows)
    lean = strength * drawn.std() / DAY**0.5
    path, week = np.zeros(num_rows), 7 * DAY
    for row in range(1, num_rows):
        above = path[row - 1] > path[max(row - week, 0) : row].mean()
        path[row] = path[row - 1] + drawn[row] + lean * (1.0 if above else -1.0)
    return price_table(float(prices["close"].median()) * np.exp(path))


@dataclass(frozen=True)
class Foresight:
    """The best that could have been done by somebody who knew every price in advance.

    Attributes:
        positions: shape (T - 1,), 0 in cash, 1 in coin; from row t to row t + 1.
        growth: final net worth over the first.
        num_trades: changes of position, counting from cash.
    """

    positions: np.ndarray
    growth: float
    num_trades: int


def perfect_foresight(close: np.ndarray, fee: float, at: FillPrices | None = None) -> Foresight:
    """Find the most profitable positions by dynamic programming, fees and spreads counted.

    Looking back from the end, the best that can still be made from row t depends only on where the
    money is, cash or coin. Changing it has its cost. What is in coin at the end is valued at the
    last price, as the environment does.

    Args:
        close: shape (T,), prices.
        fee: fraction of each trade.
        at: the prices at which orders are filled; at the close that was just seen if None.

    Raises:
        ValueError: if there are fewer than two prices.

    Source:
        Bellman's principle; Sutton & Barto 2e, section 4.4, with a known future as the model.
    """
    close = np.asarray(close, dtype=float)
    if close.ndim != 1 or close.size < 2:
        raise ValueError(f"close must be a row of at least two prices, got shape {close.shape}")
    moves, (buying, selling) = np.diff(np.log(close)), _costs(close, fee, at)
    best = np.empty((moves.size, 2), dtype=int)  # best next position, by present position
    in_cash = in_coin = 0.0
    for t in range(moves.size - 1, -1, -1):
        stay_in_cash, buy = in_cash, buying[t] + moves[t] + in_coin
        stay_in_coin, sell = moves[t] + in_coin, selling[t] + in_cash
        best[t] = (buy > stay_in_cash, stay_in_coin >= sell)
        in_cash, in_coin = max(stay_in_cash, buy), max(stay_in_coin, sell)
    positions = np.empty(moves.size, dtype=int)
    position = 0
    for t in range(moves.size):
        position = positions[t] = best[t, position]
    trades = int(np.abs(np.diff(positions, prepend=0)).sum())
    return Foresight(positions, float(np.exp(in_cash)), trades)


def growth_of(
    close: np.ndarray, positions: np.ndarray, fee: float, at: FillPrices | None = None
) -> np.ndarray:
    """Return net worth over the first net worth, for given positions, from arithmetic alone.

    Args:
        close: shape (T,), prices.
        positions: shape (T - 1,), 0 in cash, 1 in coin, from row t to row t + 1; cash before. Or
            shape (num_traders, T - 1).
        fee: fraction of each trade.
        at: the prices at which orders are filled; at the close that was just seen if None.

    Returns:
        Shape (T,), starting at 1; or (num_traders, T).
    """
    moves, (buying, selling) = np.diff(np.log(close)), _costs(close, fee, at)
    changes = np.diff(positions, prepend=0)
    steps = positions * moves + (changes > 0) * buying + (changes < 0) * selling
    return np.exp(np.insert(np.cumsum(steps, axis=-1), 0, 0.0, axis=-1))


def mix_growth(
    close: np.ndarray, share: float, fee: float, at: FillPrices | None = None
) -> np.ndarray:
    """Return net worth over the first for who puts a share into coin once, and keeps the rest.

    Args:
        close: shape (T,), prices.
        share: of the money, 0 to 1, such as the exposure of a trader that it is compared with.
        fee: fraction of the trade.
        at: the prices at which orders are filled; at the close that was just seen if None.

    Returns:
        Shape (T,), starting at 1.
    """
    in_coin = growth_of(close, np.ones(len(close) - 1, dtype=int), fee, at)
    return (1 - share) + share * in_coin


def _costs(close: np.ndarray, fee: float, at: FillPrices | None) -> tuple[np.ndarray, np.ndarray]:
    """What an order of each row does to the log of net worth, against the close of its row."""
    close = np.asarray(close, dtype=float)[:-1]
    at = FillPrices(close, close) if at is None else at
    return np.log((1 - fee) * close / at.buy), np.log((1 - fee) * at.sell / close)
