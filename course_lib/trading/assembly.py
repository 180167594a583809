"""Putting a TensorTrade environment together from its parts."""

from collections.abc import Callable, Iterator
from typing import Any

from course_lib.trading.components import LogGrowth, PositionActions, RuinStopper, Silent
from course_lib.trading.tensortrade_import import (
    PBR,
    DataFeed,
    Exchange,
    ExchangeOptions,
    Instrument,
    Portfolio,
    Stream,
    TensorTradeObserver,
    TradingEnv,
    Wallet,
    execute_order,
)

COIN_DECIMALS = 8
NO_LIMIT = 1e15  # TensorTrade fills only part of an order above its default limit of 1e6


def build(
    *,
    feature_names: tuple[str, ...],
    read: Callable[[int | None], list[float]],
    currency: tuple[str, int],
    asset: str,
    cash: float,
    fee: float,
    window: int,
    reward: str,
    max_loss: float,
    min_hold: int,
) -> tuple[TradingEnv, tuple[Wallet, Wallet], Any]:
    """Build exchange, wallets, feed, actions and reward.

    Args:
        feature_names: names of the columns of an observation.
        read: called at each reset with the number of a feature, or None for the price; returns what
            that stream delivers in the episode.
        currency: name of the money, and its decimals.
        asset: name of what is traded.
        cash: money at the start.
        fee: fraction of each trade.
        window: rows of an observation.
        reward: ``"log_growth"`` or ``"pbr"``.
        max_loss: fraction of the net worth whose loss ends an episode.
        min_hold: rows that a position is kept at least.

    Returns:
        The environment, the wallets of money and asset, and the broker.
    """
    money, coin = Instrument(*currency), Instrument(asset, COIN_DECIMALS)
    price = _source(read, None).rename(f"{money.symbol}-{coin.symbol}")
    options = ExchangeOptions(commission=fee, max_trade_size=NO_LIMIT)
    exchange = Exchange("exchange", service=execute_order, options=options)(price)
    wallets = Wallet(exchange, cash * money), Wallet(exchange, 0 * coin)
    portfolio = Portfolio(money, list(wallets))
    actions = PositionActions(*wallets, min_hold)
    actions.portfolio = portfolio
    rewards = LogGrowth() if reward == "log_growth" else PBR(price)
    if reward == "pbr":
        actions.attach(rewards)
    streams = [_source(read, i).rename(name) for i, name in enumerate(feature_names)]
    observer = TensorTradeObserver(
        portfolio, DataFeed(streams), window_size=window, min_periods=window - 1
    )
    env = TradingEnv(
        action_scheme=actions,
        reward_scheme=rewards,
        observer=observer,
        stopper=RuinStopper(max_loss),
        informer=Silent(),
        renderer=Silent(),
    )
    return env, wallets, actions.broker


def _source(read: Callable[[int | None], list[float]], column: int | None) -> Stream:
    """Return a stream that asks ``read`` for its values afresh at every reset."""

    def values() -> Iterator[float]:
        yield from read(column)

    return Stream.source(values, dtype="float")
