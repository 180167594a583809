"""Putting a TensorTrade environment together from its parts."""

from collections.abc import Iterator
from typing import Any

from course_lib.trading import tensortrade_import as tt
from course_lib.trading.components import (
    Clockwork,
    FillingExchange,
    LogGrowth,
    PositionActions,
    RuinStopper,
    Silent,
)

COIN_DECIMALS = 8
NO_LIMIT = 1e15  # TensorTrade fills only part of an order above its default limit of 1e6


def build(env: Any) -> tuple[tt.TradingEnv, tuple[tt.Wallet, tt.Wallet], Any]:
    """Build exchange, wallets, feed, actions and reward.

    Args:
        env: the Gymnasium environment around them, a ``trading.environment.TradingEnv`` (which
            imports this module). Its options say what to build; it is asked at each reset for the
            prices of the episode, and at each order for the price at which it is filled.

    Returns:
        The TensorTrade environment, the wallets of money and asset, and the broker.
    """
    money = tt.Instrument(env.currency, env.money_decimals)
    coin = tt.Instrument(env.asset, COIN_DECIMALS)
    price = _prices(env).rename(f"{money.symbol}-{coin.symbol}")
    options = tt.ExchangeOptions(commission=env.fee, max_trade_size=NO_LIMIT)
    exchange = FillingExchange(env.price_for, tt.execute_order, options)(price)
    wallets = tt.Wallet(exchange, env.cash * money), tt.Wallet(exchange, 0 * coin)
    portfolio = tt.Portfolio(money, list(wallets))
    actions = PositionActions(*wallets, env.min_hold)
    actions.portfolio = portfolio
    rewards = LogGrowth() if env.reward_name == "log_growth" else tt.PBR(price)
    if env.reward_name == "pbr":
        actions.attach(rewards)
    inner = tt.TradingEnv(
        action_scheme=actions, reward_scheme=rewards, observer=Clockwork(portfolio, price),
        stopper=RuinStopper(env.max_loss), informer=Silent(), renderer=Silent(),
    )  # fmt: skip
    return inner, wallets, actions.broker


def _prices(env: Any) -> tt.Stream:
    """Return a stream of the episode's closing prices, asked for afresh at every reset."""

    def values() -> Iterator[float]:
        yield from env.episode_prices()

    return tt.Stream.source(values, dtype="float")
