"""Putting a TensorTrade environment together from its parts."""

from collections.abc import Callable, Iterator
from typing import Any

from course_lib.trading import tensortrade_import as tt
from course_lib.trading.components import LogGrowth, PositionActions, RuinStopper, Silent
from course_lib.trading.features import FEATURES

COIN_DECIMALS = 8
NO_LIMIT = 1e15  # TensorTrade fills only part of an order above its default limit of 1e6


def build(env: Any) -> tuple[tt.TradingEnv, tuple[tt.Wallet, tt.Wallet], Any]:
    """Build exchange, wallets, feed, actions and reward.

    Args:
        env: the Gymnasium environment around them, a ``trading.environment.TradingEnv`` (which
            imports this module). Its options say what to build, and ``env.stream`` is asked at
            each reset for what each stream delivers in the episode.

    Returns:
        The TensorTrade environment, the wallets of money and asset, and the broker.
    """
    money = tt.Instrument(env.currency, env.money_decimals)
    coin = tt.Instrument(env.asset, COIN_DECIMALS)
    price = _source(env.stream, None).rename(f"{money.symbol}-{coin.symbol}")
    options = tt.ExchangeOptions(commission=env.fee, max_trade_size=NO_LIMIT)
    exchange = tt.Exchange("exchange", service=tt.execute_order, options=options)(price)
    wallets = tt.Wallet(exchange, env.cash * money), tt.Wallet(exchange, 0 * coin)
    portfolio = tt.Portfolio(money, list(wallets))
    actions = PositionActions(*wallets, env.min_hold)
    actions.portfolio = portfolio
    rewards = LogGrowth() if env.reward_name == "log_growth" else tt.PBR(price)
    if env.reward_name == "pbr":
        actions.attach(rewards)
    streams = [_source(env.stream, i).rename(name) for i, name in enumerate(FEATURES)]
    observer = tt.TensorTradeObserver(
        portfolio, tt.DataFeed(streams), window_size=env.window, min_periods=env.window - 1
    )
    inner = tt.TradingEnv(
        action_scheme=actions, reward_scheme=rewards, observer=observer,
        stopper=RuinStopper(env.max_loss), informer=Silent(), renderer=Silent(),
    )  # fmt: skip
    return inner, wallets, actions.broker


def _source(read: Callable[[int | None], list[float]], column: int | None) -> tt.Stream:
    """Return a stream that asks ``read`` for its values afresh at every reset."""

    def values() -> Iterator[float]:
        yield from read(column)

    return tt.Stream.source(values, dtype="float")
