"""The parts of a TensorTrade environment that the course sets itself.

Wallets, orders, commission and the exchange are TensorTrade's own.
"""

import math
from collections.abc import Callable
from decimal import Decimal

import numpy as np
from gymnasium.spaces import Box

from course_lib.trading import tensortrade_import as tt

NOTHING = np.empty(0)


class TidyBroker(tt.Broker):
    """A broker that forgets orders once they are filled or cancelled.

    TensorTrade's broker looks through every order ever placed at every step, to cancel those that
    have expired, so its cost grows with the square of the number of trades. A filled order cannot
    expire. What was traded is kept in ``history``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: list[tt.Trade] = []

    def update(self) -> None:
        """Execute what is due, then forget orders that are done."""
        super().update()
        for order_id, order in list(self.executed.items()):
            if not order.is_active:
                del self.executed[order_id]
        for trades in self.trades.values():
            self.history += trades
        self.trades.clear()

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self.history = []


class FillingExchange(tt.Exchange):
    """An exchange that shows closing prices, and fills orders at prices of their own.

    TensorTrade fills an order at the price that is shown. Here the price of a fill is asked for,
    with the position that the order leads to: 1 coin, 0 cash.
    """

    def __init__(
        self, price_for: Callable[[int], float], service: Callable, options: tt.ExchangeOptions
    ) -> None:
        super().__init__("exchange", service=service, options=options)
        self._price_for = price_for
        self.target = 0

    def quote_price(self, trading_pair: tt.TradingPair) -> Decimal:
        """Return the price at which the order that is on its way is filled."""
        price = Decimal(self._price_for(self.target))
        return price.quantize(Decimal(10) ** -trading_pair.base.precision)


class PositionActions(tt.BSH):
    """TensorTrade's buy-sell-hold actions: 0 be in cash, 1 be in coin.

    After a trade the position stays for at least ``min_hold`` rows, whatever is asked for. The
    first trade of an episode may come at once. Uses a :class:`TidyBroker`.
    """

    def __init__(self, cash: tt.Wallet, asset: tt.Wallet, min_hold: int) -> None:
        super().__init__(cash, asset)
        self.broker = TidyBroker()
        self._min_hold = min_hold
        self.rows_to_wait = 0

    def get_orders(self, action: int, portfolio: tt.Portfolio) -> list:
        """Return the order that takes us to the position ``action``, if it is due and allowed."""
        before = self.action
        allowed = before if self.rows_to_wait > 0 else action
        self.cash.exchange.target = allowed
        orders = super().get_orders(allowed, portfolio)
        traded = self.action != before
        self.rows_to_wait = self._min_hold - 1 if traded else max(self.rows_to_wait - 1, 0)
        return orders

    def reset(self) -> None:
        """Start a new episode, in cash."""
        super().reset()
        self.rows_to_wait = 0


class Clockwork(tt.Observer):
    """Moves the price on by a row, values the wallets, and observes nothing.

    The agent's features do not pass through TensorTrade: the environment around looks them up.
    """

    observation_space = Box(0, 1, (0,))

    def __init__(self, portfolio: tt.Portfolio, price: tt.Stream) -> None:
        cash, coin = (
            tt.Stream.sensor(wallet, lambda w: w.total_balance.as_float(), dtype="float")
            for wallet in portfolio.wallets
        )
        net_worth = cash.add(price.mul(coin).rename("worth")).rename("net_worth")
        internal = tt.Stream.group([price, net_worth]).rename("internal")
        self.feed = tt.DataFeed([internal]).attach(portfolio)

    def observe(self, env: tt.TradingEnv) -> np.ndarray:
        """Feed the next row to the exchange and the portfolio."""
        self.feed.next()
        return NOTHING

    def reset(self, random_start: int = 0) -> None:
        """Start the episode's prices again."""
        if self.feed.compiled:
            self.feed.reset(random_start)


class LogGrowth(tt.TensorTradeRewardScheme):
    """Reward: 100 times the log of net worth now over net worth one step ago.

    Fees lower net worth, so the reward counts them, and rewards add up: their sum over an episode
    is 100 times the log of the final net worth over the first.
    """

    def __init__(self) -> None:
        super().__init__()
        self._before: float | None = None

    def get_reward(self, portfolio: tt.Portfolio) -> float:
        """Return the reward of the step just made."""
        before = portfolio.initial_net_worth if self._before is None else self._before
        self._before = float(portfolio.net_worth)
        return 100.0 * math.log(self._before / float(before))

    def reset(self) -> None:
        """Start a new episode."""
        self._before = None


class RuinStopper(tt.Stopper):
    """Ends an episode (termination) when net worth falls below ``1 - max_loss`` of the start."""

    def __init__(self, max_loss: float) -> None:
        super().__init__()
        self._max_loss = max_loss

    def stop(self, env: tt.TradingEnv) -> bool:
        """Return whether too much was lost."""
        return bool(env.action_scheme.portfolio.profit_loss > self._max_loss)


class Silent(tt.Renderer, tt.Informer):
    """Draws nothing and tells nothing: the Gymnasium environment around does both."""

    def render(self, env: tt.TradingEnv, **kwargs: object) -> None:
        """Do nothing."""

    def info(self, env: tt.TradingEnv) -> dict:
        """Return nothing."""
        return {}
