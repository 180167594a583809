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
TIMED = ("bitcoin", "euro", "markets")
"""Parts whose records say how long they took."""
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
    rank = np.clip(ahead["rank"][:3], 0, 100)
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
