"""The only place that imports TensorTrade.

``import tensortrade`` imports its subpackage ``tensortrade.agents``, which imports TensorFlow. The
course trains with RLlib and PyTorch and does not install TensorFlow, so an empty module stands in
for ``tensortrade.agents`` where TensorFlow is absent. Where it is installed nothing is replaced.

TensorTrade also sets a style for all of matplotlib when it is imported; that is undone. Some of its
docstrings make Python warn when it compiles them, so in the first run of all; that is not shown.
"""

# ruff: noqa: F401 - these names are for assembly and components

import importlib.util
import sys
import types
import warnings

import matplotlib

AGENTS = "tensortrade.agents"


def stand_in_for_agents() -> bool:
    """Put an empty module in place of ``tensortrade.agents`` if TensorFlow is absent.

    Returns:
        Whether the stand-in is in place now.
    """
    if importlib.util.find_spec("tensorflow") is None and AGENTS not in sys.modules:
        module = types.ModuleType(AGENTS, "Empty: TensorFlow is not installed.")
        module.__path__ = []  # type: ignore[attr-defined]
        sys.modules[AGENTS] = module
    return AGENTS in sys.modules and getattr(sys.modules[AGENTS], "__file__", None) is None


stand_in_for_agents()

with matplotlib.rc_context(), warnings.catch_warnings(action="ignore", category=SyntaxWarning):
    import tensortrade
    from tensortrade.env.default.actions import BSH
    from tensortrade.env.default.rewards import PBR, TensorTradeRewardScheme
    from tensortrade.env.generic import Informer, Observer, Renderer, Stopper, TradingEnv
    from tensortrade.feed.core import DataFeed, Stream
    from tensortrade.oms.exchanges import Exchange, ExchangeOptions
    from tensortrade.oms.instruments import Instrument, TradingPair
    from tensortrade.oms.orders import Broker, Trade
    from tensortrade.oms.services.execution.simulated import execute_order
    from tensortrade.oms.wallets import Portfolio, Wallet
