"""What the choices of the long study are worth: Sharpe ratios, deflated, and overfitting.

All is computed from the records of jobs and the prices. This module loads Ray and PyTorch.
"""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks import trading_report as report
from course_lib.trading import luck, markets, metrics, policy_table, study, summary

Record = dict[str, Any]
YEAR = metrics.DAYS_PER_YEAR


def choice(records: list[Record], prices: pd.DataFrame, plan: Any) -> Record:
    """Return the agent's Sharpe ratio with what luck gives the best of many, and of choosing.

    All is computed at the main fee, from the records and the prices: growth of each day.
    """
    fee = report.main_fee([record["fee"] for record in records])
    some = summary.select(records, fee=fee)
    early = [r for r in some if report.is_early(r)]
    checkpoints = list(some[0]["validation"])
    overfitting, sharpes = [], []
    for seed in plan.seeds:
        every = [
            [_days(one, prices, plan, "validation", one["validation_asked"][steps])
             for steps in checkpoints]
            for one in summary.select(some, seed=seed)
        ]  # fmt: skip
        overfitting += [luck.overfitting(np.array(one).T, num_blocks=6) for one in every]
        joined = np.concatenate(every, axis=1)
        sharpes += list(joined.mean(axis=1) / joined.std(axis=1))
    mine, mix = (
        np.mean(
            [
                _test_days(summary.select(early, seed=seed), prices, plan, which)
                for seed in plan.seeds
            ],
            axis=0,
        )
        for which in (False, True)
    )
    variances = (float(np.var(sharpes, ddof=1)), 1 / len(mine))
    return {
        "fee": fee,
        "tried": report.TRIED,
        "days": len(mine),
        "overfitting": round(float(np.mean(overfitting)), 3),
        "luck": [round(luck.best_sharpe_of(report.TRIED, v) * YEAR**0.5, 2) for v in variances],
        "agent": _sharpe(mine, variances),
        "mix": _sharpe(mix, variances),
        "beyond": _sharpe(mine - mix, variances),
    }


def _sharpe(growth: np.ndarray, variances: tuple[float, float]) -> Record:
    """The Sharpe ratio of daily growth in a year, its error, and the deflated one."""
    moments = luck.moments(growth)
    deflated = [luck.deflated_of(growth, report.TRIED, variance) for variance in variances]
    return {
        "sharpe": round(moments.sharpe * YEAR**0.5, 2),
        "error": round(luck.error_of(growth) * YEAR**0.5, 2),
        "deflated": [round(one, 3) for one in deflated],
    }


def _test_days(records: list[Record], prices: pd.DataFrame, plan: Any, mix: bool) -> np.ndarray:
    """The daily growth of the agent, or of its mix, over the tests of one seed."""
    ordered = sorted(records, key=lambda record: record["window"])
    return np.concatenate([_days(r, prices, plan, "test", r["asked"], mix) for r in ordered])


def _days(
    record: Record, prices: pd.DataFrame, plan: Any, part: str, asked: str, mix: bool = False
) -> np.ndarray:
    """Return the log growth of the agent, or of its mix, in each whole day of a part."""
    settings = plan.settings.changed(fee=record["fee"])
    window = plan.windows(len(prices))[record["window"]]
    market = study.market_of(window.cut(prices, part, plan.lead_in), settings)
    table = policy_table.unpack(asked, len(market.close) - 1)
    positions = study.positions_of(table, settings)
    worth = markets.growth_of(market.close, positions, settings.fee, market.at).mean(axis=0)
    if mix:
        worth = markets.mix_growth(market.close, record["share"], settings.fee, market.at)
    return np.diff(np.log(worth[::24]))
