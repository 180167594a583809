"""Markets, environments and records of a study, for the tests of the trading room."""

from typing import Any

import numpy as np
import pandas as pd

from course_lib.trading import environment, features, markets, prices, summary

LEAD = features.lead_in(24)
FLAT = 100 + np.sin(np.arange(LEAD))  # a lead-in of any shape


def env_of(close: list[float] | np.ndarray, **options: Any) -> environment.TradingEnv:
    """An environment whose traded prices, after the lead-in, are ``close``."""
    table = prices.price_table(np.round(np.concatenate([FLAT, close]), 2))
    return environment.make_env(table, **{"half_spread": 0.0, **options})


def market(rows: int = 400, seed: int = 0, noise: float = 0.01) -> pd.DataFrame:
    return markets.sine_market(rows, rng=np.random.default_rng(seed), noise=noise)


def play(env: environment.TradingEnv, wish: Any, **reset: Any) -> dict[str, Any]:
    """Play an episode, asking for ``wish()`` each time; return the last ``info``."""
    env.reset(**reset)
    over = False
    while not over:
        _, _, terminated, truncated, info = env.step(int(wish()))
        over = terminated or truncated
    return info


def record(
    window: int,
    seed: int,
    excess: float,
    fee: float = 0.001,
    *,
    rank: float = 0.6,
    timing: float = 1.0,
) -> dict[str, Any]:
    """What one job of a study leaves, with the agent's excess over buy and hold (%) and rank."""
    year, month = 2018 + window // 12, 1 + window % 12
    others = {"mix": -2.0, "cash": 1.0, "buy and hold": 0.0, "moving average": 1.0}
    ends = {name: 1 + value / 100 for name, value in {"agent": excess, **others}.items()}
    mine, traders = ends["agent"], (*ends, "perfect foresight")
    figures = {name: dict.fromkeys(summary.FIGURES, 0.5) for name in traders}
    return {
        "window": window, "seed": seed, "fee": fee, "key": f"{window} {seed} {fee}",
        "chosen": "1024", "validation": {"1024": 1.0, "2048": 0.0}, "share": 0.5,
        "test_opened": f"2026-01-0{seed + 1}T00:00:00",
        "test_times": [f"{year}-{month:02d}-01 00:00:00+00:00", f"{year}-{month:02d}-28 00:00+0"],
        "figures": figures, "luck": rank, "exposure": 0.5, "seconds": 60.0, "timing": timing,
        "ends": {**ends, "agent, an hour late": mine - 0.01, "agent, at the close": mine,
                 "agent, first and last hour": [mine - 0.02, mine + 0.04]},
        "daily_excess": [excess / 3_000] * 30,
    }  # fmt: skip
