"""What the long study says: a summary as JSON, a text for the screen, a page for the docs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from course_lib.trading import summary
from course_lib.trading.metrics import Interval, mean_interval

ROOT = Path(__file__).resolve().parent.parent
LATEST = ROOT / "docs" / "trading.json"
PAGE = ROOT / "docs" / "trading.md"
IMAGES = ROOT / "docs" / "images"
EARLY_UNTIL = "2019-01-01"
"""On prices from here on agents were judged while the course was made."""
MAIN_FEE = 0.001
GROUPS = ("early", "later", "all")
TRIED = 60
"""Configurations that were tried for the agent: five learning rates, three agents, four stages."""

Record = dict[str, Any]


def load() -> dict[str, Any]:
    """Return the latest summary; empty if the study was never finished."""
    return json.loads(LATEST.read_text(encoding="utf-8")) if LATEST.exists() else {}


def save(found: dict[str, Any]) -> None:
    """Keep a summary."""
    LATEST.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def is_early(record: Record) -> bool:
    """Whether the test ends before the months on which the course's agents were judged."""
    return pd.Timestamp(record["test_times"][1]) < pd.Timestamp(EARLY_UNTIL, tz="UTC")


def summarise(name: str, records: list[Record], prices: pd.DataFrame, plan: Any) -> Record:
    """Return everything that the page shows of one part of the study."""
    if name == "markets":
        return markets(records, prices)
    if name == "agents":
        return {**agents(records), "hold": hold_of_the_lesson(prices)}
    return {**study(records), "choice": choice(records, prices, plan)}


def study(records: list[Record]) -> Record:
    """Summarise windows, seeds and fees on one market."""
    fees = sorted({record["fee"] for record in records})
    windows, _, grid = summary.fee_grid(records)
    return {
        "jobs": len(records),
        "seeds": len({record["seed"] for record in records}),
        "job_seconds": float(sum(record["seconds"] for record in records)),
        "opened": [min(r["test_opened"] for r in records), max(r["test_opened"] for r in records)],
        "windows": [_window(records, number) for number in windows],
        "fees": fees,
        "grid": grid.round(2).tolist(),
        "by_fee": [_fee(summary.select(records, fee=fee), fee) for fee in fees],
    }


def _window(records: list[Record], number: int) -> Record:
    record = summary.select(records, window=number)[0]
    return {"number": number, "test_times": record["test_times"], "early": is_early(record)}


def _fee(records: list[Record], fee: float) -> Record:
    """Summarise the jobs of one fee: all windows, the early ones, and the later ones."""
    groups = {
        "early": [record for record in records if is_early(record)],
        "later": [record for record in records if not is_early(record)],
        "all": records,
    }
    if not groups["later"] or not groups["early"]:
        groups = {"all": records}
    some = {name: group for name, group in groups.items() if len(summary.windows_of(group)) > 1}
    return {
        "fee": fee,
        "medians": {name: summary.medians(group) for name, group in some.items()},
        "ahead": {name: _comparisons(group) for name, group in some.items()},
        "windows": [_interval(one) for one in summary.window_intervals(records)],
        "hours apart": round(summary.hours_apart(records), 1),
        "chosen": {
            steps: sum(record["chosen"] == steps for record in records)
            for steps in records[0]["validation"]
        },
    }


def _comparisons(records: list[Record]) -> dict[str, Any]:
    comparisons = summary.comparisons(records)
    means = summary.window_means(records, summary.ahead)
    timing = summary.window_means(records, summary.timing)
    without = np.delete(timing, timing.argmax())
    return {
        **{name: _interval(one) for name, one in comparisons.items()},
        "windows ahead": [int((means > 0).sum()), len(means)],
        "best window": {
            "number": summary.windows_of(records)[int(timing.argmax())],
            "share": round(float(timing.max() / timing.sum()), 3) if timing.sum() > 0 else None,
            "without": _interval(mean_interval(without)) if len(without) > 1 else None,
        },
        "exposure": round(float(np.mean([record["exposure"] for record in records])), 3),
        "detectable": {
            name: round(summary.detectable(comparisons[name]), 1) for name in ("mix", "timing")
        },
    }


def _interval(one: Interval) -> list[float]:
    return [round(one.value, 2), round(one.low, 2), round(one.high, 2), one.count]


def choice(records: list[Record], prices: pd.DataFrame, plan: Any) -> Record:
    """Return the agent's Sharpe ratio with what luck gives the best of many, and of choosing.

    All is computed at the main fee, from the records and the prices: growth of each day.
    """
    from course_lib.trading import luck, metrics

    fee = main_fee([record["fee"] for record in records])
    some = summary.select(records, fee=fee)
    early = [r for r in some if is_early(r)]
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
                _test_days(summary.select(early, seed=seed), prices, plan, mix)
                for seed in plan.seeds
            ],
            axis=0,
        )
        for mix in (False, True)
    )
    variances = (float(np.var(sharpes, ddof=1)), 1 / len(mine))
    year = metrics.DAYS_PER_YEAR
    return {
        "fee": fee,
        "tried": TRIED,
        "days": len(mine),
        "overfitting": round(float(np.mean(overfitting)), 3),
        "luck": [round(luck.best_sharpe_of(TRIED, one) * year**0.5, 2) for one in variances],
        **{
            name: {
                "sharpe": round(float(growth.mean() / growth.std()) * year**0.5, 2),
                "error": round(
                    luck.yearly_sharpe_error(np.exp(np.append(0.0, np.cumsum(growth))), year), 2
                ),
                "deflated": [round(summary.deflated(growth, TRIED, one), 3) for one in variances],
            }
            for name, growth in {"agent": mine, "mix": mix, "beyond": mine - mix}.items()
        },
    }


def _test_days(records: list[Record], prices: pd.DataFrame, plan: Any, mix: bool) -> np.ndarray:
    """The daily growth of the agent, or of its mix, over the tests of one seed."""
    ordered = sorted(records, key=lambda record: record["window"])
    return np.concatenate([_days(r, prices, plan, "test", r["asked"], mix) for r in ordered])


def _days(
    record: Record, prices: pd.DataFrame, plan: Any, part: str, asked: str, mix: bool = False
) -> np.ndarray:
    """Return the log growth of the agent, or of its mix, in each whole day of a part."""
    from course_lib.trading import markets, policy_table
    from course_lib.trading import study as jobs

    settings = plan.settings.changed(fee=record["fee"])
    window = plan.windows(len(prices))[record["window"]]
    market = jobs.market_of(window.cut(prices, part, plan.lead_in), settings)
    table = policy_table.unpack(asked, len(market.close) - 1)
    positions = jobs.positions_of(table, settings)
    worth = markets.growth_of(market.close, positions, settings.fee, market.at).mean(axis=0)
    if mix:
        worth = markets.mix_growth(market.close, record["share"], settings.fee, market.at)
    return np.diff(np.log(worth[::24]))


def markets(records: list[Record], prices: pd.DataFrame) -> Record:
    """Summarise the made-up markets: how often each strength of a signal is declared skill."""
    from course_lib.trading import markets as made

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
            "foreseen": round(_foreseen(made, prices, strength), 3),
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


def _foreseen(made: Any, prices: pd.DataFrame, strength: float) -> float:
    """How often a day goes to the side of its week's mean on which it begins: 20 markets."""
    right = []
    for seed in range(20):
        rng = np.random.default_rng([seed, 9])
        table = made.without_skill(prices, 5_000, rng=rng, strength=strength)
        close = np.log(table["close"])
        above = (close > close.rolling(168).mean()).to_numpy()[168:-24:24]
        right.append(np.mean((close.shift(-24) > close).to_numpy()[168:-24:24] == above))
    return float(np.mean(right))


def agents(records: list[Record]) -> Record:
    """Summarise agents that differ in one thing at a time: medians over the seeds."""
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
    return {"rows": rows}


def hold_of_the_lesson(prices: pd.DataFrame) -> float:
    """Return the net profit of buy and hold on the lesson's validation months, in dollars."""
    from course_lib.trading import agent, markets
    from course_lib.trading import prices as tables
    from course_lib.trading import study as jobs

    periods = tables.split(prices, {"train": 0.65, "validation": 0.15, "test": 0.2})
    table = tables.period(prices, *periods["validation"], lead_in=191)
    market = jobs.market_of(table, agent.Settings())
    growth = markets.mix_growth(market.close, 1.0, MAIN_FEE, market.at)
    return round(10_000 * float(growth[-1] - 1))


def main_fee(fees: list[float]) -> float:
    """Return the main fee, or the nearest one."""
    return min(fees, key=lambda fee: abs(fee - MAIN_FEE))


def as_interval(numbers: list[float]) -> Interval:
    """Return an interval from its four numbers."""
    value, low, high, count = numbers
    return Interval(value, low, high, int(count))


def show(interval: list[float]) -> str:
    """Write an interval: value, and its range in brackets."""
    return f"{interval[0]:+.1f} ({interval[1]:+.1f} to {interval[2]:+.1f})"


def main_row(found: Record) -> Record:
    """Return the summary at the main fee, or at the nearest one."""
    fee = main_fee(found["fees"])
    return next(row for row in found["by_fee"] if row["fee"] == fee)


def statement(found: Record) -> list[str]:
    """Return the final statement, sentence by sentence, each from the numbers alone."""
    row = main_row(found)
    group = "early" if "early" in row["ahead"] else "all"
    ahead, medians = row["ahead"][group], row["medians"][group]["agent"]
    which = "" if group == "all" else f"{group} "
    times = [pd.Timestamp(time) for time in found["windows"][0]["test_times"]]
    days = round((times[1] - times[0]) / pd.Timedelta(days=1))
    lines = [
        f"Fee {row['fee']:.3%}, {ahead['windows ahead'][1]} {which}windows of {days} days, "
        f"{found['seeds']} seeds. After costs: does the agent beat the mix? "
        f"{show(ahead['mix'])} percent of the money a window. "
        + summary.verdict(
            as_interval(ahead["mix"]), better="it ends above the mix", worse="it ends below the mix"
        ),
        f"Before costs: has it skill? Its timing brings {show(ahead['timing'])} percent a window. "
        + summary.verdict(
            as_interval(ahead["timing"]), better="more than luck", worse="less than nothing"
        ),
    ]
    if group == "early":
        every = row["ahead"]["all"]
        lines.append(
            f"Over all {every['windows ahead'][1]} windows, with months that were seen before: "
            f"timing {show(every['timing'])}, ahead of the mix {show(every['mix'])}."
        )
    for name in summary.OTHERS[1:]:
        words = f"the {name}" if name == "moving average" else name
        lines.append(
            f"Better than {words}? {show(ahead[name])}. "
            + summary.verdict(
                as_interval(ahead[name]),
                better=f"the agent ends above {words}",
                worse=f"the agent ends below {words}",
            )
        )
    rank = ahead["rank"]
    lines += [
        f"Rank: it is ahead of {rank[0]:.1f}% ({rank[1]:.1f}% to {rank[2]:.1f}%) of the traders "
        "without skill who trade as much.",
        f"It is in coin {ahead['exposure']:.0%} of the time; deciding at one hour of the day it "
        f"trades {medians['trades a day']:.2f} times a day.",
    ]
    return lines


def text(found: Record) -> str:
    """Return the statement and one line for each fee."""
    lines = [*statement(found), ""]
    for row in found["by_fee"]:
        agent, ahead = row["medians"]["all"]["agent"], row["ahead"]["all"]
        lines.append(
            f"fee {row['fee']:.3%}: ahead of the mix {show(ahead['mix'])} %, "
            f"timing {show(ahead['timing'])} %, {agent['trades a day']:.2f} trades a day"
        )
    return "\n".join(lines)
