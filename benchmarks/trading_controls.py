"""What the controls of the long study say: made-up markets, and agents to compare.

This module loads Ray and PyTorch.
"""

from typing import Any

import numpy as np
import pandas as pd

from course_lib.trading import agent, controls, study, summary
from course_lib.trading import markets as made

Record = dict[str, Any]


def markets(records: list[Record], prices: pd.DataFrame) -> Record:
    """Summarise the made-up markets: how often each strength of a signal is declared skill."""
    rows = []
    for strength in sorted({record["strength"] for record in records}):
        some = summary.select(records, strength=strength)
        each = [summary.select(some, seed=seed) for seed in sorted({r["seed"] for r in some})]
        each = [one for one in each if len(one) == max(map(len, each))]  # whole markets alone
        timing, mix, rank = (
            [summary.over_windows(one, value) for one in each]
            for value in (summary.timing, summary.ahead, summary.rank)
        )
        centre = float(np.mean([one.value for one in mix]))
        rows.append({
            "strength": strength,
            "foreseen": round(_foreseen(prices, strength), 3),
            "markets": len(each),
            "skill": sum(one.low > 0 for one in timing),
            "no skill": sum(one.high < 0 for one in timing),
            "timing": round(float(np.mean([one.value for one in timing])), 2),
            "ahead of mix": sum(one.low > 0 for one in mix),
            "mix": round(centre, 2),
            "mix covers": sum(one.low <= centre <= one.high for one in mix),
            "rank": round(float(np.mean([one.value for one in rank])), 1),
            "rank above": sum(one.low > 50 for one in rank),
            "rank below": sum(one.high < 50 for one in rank),
        })  # fmt: skip
    return {"rows": rows, "job_seconds": float(sum(record["seconds"] for record in records))}


def _foreseen(prices: pd.DataFrame, strength: float) -> float:
    """How often a day goes to the side of its week's mean on which it begins: 20 markets."""
    right = []
    for seed in range(20):
        rng = np.random.default_rng([seed, 9])
        table = made.without_skill(prices, 5_000, rng=rng, strength=strength)
        close = np.log(table["close"])
        above = (close > close.rolling(168).mean()).to_numpy()[168:-24:24]
        right.append(np.mean((close.shift(-24) > close).to_numpy()[168:-24:24] == above))
    return float(np.mean(right))


def agents(records: list[Record], prices: pd.DataFrame) -> Record:
    """Summarise agents that differ in one thing at a time, and what buy and hold made there."""
    names = ("share of foresight", "luck", "net profit", "trades a day", "exposure")
    variants = list(dict.fromkeys(record["variant"] for record in records))
    rows = []
    for variant in variants:
        some = summary.select(records, variant=variant)
        spread = {
            name: [round(float(f([r[name] for r in some])), 3) for f in (np.median, min, max)]
            for name in names
        }
        rows.append({"variant": variant, "seeds": len(some), **spread})
    _, unseen = controls.lesson_months(prices)
    market = study.market_of(unseen, agent.Settings())
    hold = made.mix_growth(market.close, 1.0, agent.Settings().fee, market.at)
    return {"rows": rows, "hold": round(10_000 * float(hold[-1] - 1))}
