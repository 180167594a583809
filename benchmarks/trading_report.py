"""What the long study says: a summary as JSON, a text for the screen, a page for the docs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from course_lib.trading import summary

ROOT = Path(__file__).resolve().parent.parent
LATEST = ROOT / "docs" / "trading.json"
PAGE = ROOT / "docs" / "trading.md"
IMAGES = ROOT / "docs" / "images"
FRESH_UNTIL = "2019-01-01"
"""On prices from here on agents were judged while the course was made; not on earlier ones."""
MAIN_FEE = 0.001
SEED = 0  # of the resampling
GROUPS = ("fresh", "later", "all")

Record = dict[str, Any]


def load() -> dict[str, Any]:
    """Return the latest summary; empty if the study was never finished."""
    return json.loads(LATEST.read_text(encoding="utf-8")) if LATEST.exists() else {}


def save(found: dict[str, Any]) -> None:
    """Keep a summary."""
    LATEST.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def is_fresh(record: Record) -> bool:
    """Whether no agent was judged on these prices before the study did it."""
    return pd.Timestamp(record["test_times"][1]) < pd.Timestamp(FRESH_UNTIL, tz="UTC")


def summarise(records: list[Record], machine: dict[str, Any], command: str) -> dict[str, Any]:
    """Return everything that the page shows, from the records of all jobs."""
    rng = np.random.default_rng(SEED)
    fees = sorted({record["fee"] for record in records})
    windows, _, grid = summary.fee_grid(records)
    return {
        "command": command.strip(),
        "machine": machine,
        "jobs": len(records),
        "seeds": len({record["seed"] for record in records}),
        "job_seconds": float(sum(record["seconds"] for record in records)),
        "opened": [min(r["test_opened"] for r in records), max(r["test_opened"] for r in records)],
        "windows": [_window(records, number) for number in windows],
        "fees": fees,
        "grid": grid.round(2).tolist(),
        "by_fee": [_fee(summary.select(records, fee=fee), fee, rng) for fee in fees],
    }


def _window(records: list[Record], number: int) -> Record:
    record = summary.select(records, window=number)[0]
    return {"number": number, "test_times": record["test_times"], "fresh": is_fresh(record)}


def _fee(records: list[Record], fee: float, rng: np.random.Generator) -> Record:
    """Summarise the jobs of one fee: all windows, the fresh ones, and the later ones."""
    groups = {
        "fresh": [record for record in records if is_fresh(record)],
        "later": [record for record in records if not is_fresh(record)],
        "all": records,
    }
    return {
        "fee": fee,
        "medians": {name: summary.medians(some) for name, some in groups.items() if some},
        "excess": {name: _comparisons(some, rng) for name, some in groups.items() if some},
        "windows": [_interval(one) for one in summary.window_intervals(records, rng)],
        "chosen": {
            steps: sum(record["chosen"] == steps for record in records)
            for steps in records[0]["validation"]
        },
    }


def _comparisons(records: list[Record], rng: np.random.Generator) -> dict[str, Any]:
    """Return the agent beyond others, each with its interval, and how often it is ahead."""
    excess = summary.by_window(records, "excess %")
    late = [
        [r["late_excess"] for r in summary.select(records, window=number)]
        for number in sorted({record["window"] for record in records})
    ]
    others = ("random", "moving average", "cash")
    return {
        "buy and hold": _interval(summary.overall(excess, rng)),
        **{name: _interval(summary.overall(summary.beyond(records, name), rng)) for name in others},
        "an hour late": _interval(summary.overall(late, rng)),
        "share ahead": float(np.mean(np.concatenate(excess) > 0)),
        "windows ahead": [int(sum(np.median(one) > 0 for one in excess)), len(excess)],
    }


def _interval(one: Any) -> list[float]:
    return [round(value, 2) for value in (one.value, one.low, one.high)]


def show(interval: list[float]) -> str:
    """Write an interval: value, and its range in brackets."""
    value, low, high = interval
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def main_row(found: dict[str, Any]) -> Record:
    """Return the summary at the main fee, or at the nearest one."""
    return min(found["by_fee"], key=lambda row: abs(row["fee"] - MAIN_FEE))


def statement(found: dict[str, Any]) -> list[str]:
    """Return the final statement, sentence by sentence, each from the numbers alone."""
    row = main_row(found)
    group = "fresh" if "fresh" in row["excess"] else "all"
    excess, medians = row["excess"][group], row["medians"][group]["agent"]
    count = excess["windows ahead"]
    lines = [
        f"Fee {row['fee']:.2%}, {count[1]} {group} windows, {found['seeds']} seeds: median excess "
        f"over buy and hold {show(excess['buy and hold'])} "
        f"percent of net worth; ahead in {count[0]} of {count[1]} windows.",
    ]
    for name in ("buy and hold", "random", "cash"):
        interval = summary.Interval(*excess[name])
        words = "random trades, as many" if name == "random" else name
        lines.append(
            f"Better than {words}? {show(excess[name])}. "
            + summary.verdict(
                interval,
                better=f"the agent ends above {words}",
                worse=f"the agent ends below {words}",
            )
        )
    aims = {
        "median excess not below 0": excess["buy and hold"][0] >= 0,
        "fewer than 2 trades a day": medians["trades a day"] < 2,
    }
    lines += [f"Aim: {aim}: {'met' if met else 'not met'}." for aim, met in aims.items()]
    return lines


def text(found: dict[str, Any]) -> str:
    """Return the statement and one line for each fee."""
    lines = [*statement(found), ""]
    for row in found["by_fee"]:
        agent = row["medians"]["all"]["agent"]
        lines.append(
            f"fee {row['fee']:.2%}: excess {show(row['excess']['all']['buy and hold'])} %, "
            f"{agent['trades a day']:.2f} trades a day, exposure {agent['exposure']:.0%}"
        )
    return "\n".join(lines)
