"""Pictures of a ``TradingEnv`` (the ``env`` of each function), as text and as pixels."""

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

SHOWN_ROWS = 168


def text(env: Any, info: dict[str, Any]) -> str:
    """Return the state in one line."""
    money, coin = env.currency, env.asset
    price = f"{info['price']:,.2f}" if info["price"] >= 1 else f"{info['price']:.4g}"
    return (
        f"{env.prices.index[info['row']]:%Y-%m-%d %H:%M} UTC | "
        f"price {price} {money} | "
        f"{info['cash']:,.2f} {money} + {info['coin']:.6f} {coin} | "
        f"worth {info['net_worth']:,.2f} {money} | "
        f"fees {info['fees']:,.2f} {money} in {info['trades']} trades"
    )


def image(env: Any, info: dict[str, Any]) -> np.ndarray:
    """Return a picture of the last week, shape (320, 640, 3), uint8."""
    figure = Figure(figsize=(6.4, 3.2), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    first = max(info["row"] - SHOWN_ROWS, 0)
    close = env.prices["close"].to_numpy()
    axes.plot(np.arange(first, info["row"] + 1), close[first : info["row"] + 1], color="#333333")
    for side, marker, face in (("buy", "^", "black"), ("sell", "v", "white")):
        fills = [fill for fill in env.fills if fill.side == side and fill.row >= first]
        axes.plot(
            [fill.row for fill in fills], [fill.price for fill in fills], marker, markersize=9,
            markerfacecolor=face, markeredgecolor="black", label=side,
        )  # fmt: skip
    axes.set(xlim=(first, first + SHOWN_ROWS), xlabel="row", ylabel=f"price ({env.currency})")
    axes.set_title(text(env, info), fontsize=6)
    axes.legend(loc="upper left", fontsize="small")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
