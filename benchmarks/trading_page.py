"""The page of the docs about the long study, from its summary."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from benchmarks import trading_report as report
from course_lib.trading.metrics import Interval

HEAD = """# The trading agent, judged

*This page is written by `python -m benchmarks.trading`. Change that, not this.*

## What is done

Notebook 04 trains a DQN agent on hourly bitcoin prices. Is it any good? One stretch of test months
cannot say: in a falling market every trader who is often in cash looks clever. So the study walks
along the prices. Each **window** has 180 days to train, 50 days to choose and 50 days to test, in
that order; the next window starts 50 days later. For each window, seed and fee:

1. an agent is trained on the train days (4,096 decisions, one a day, fee in the reward);
2. the **validation** days choose among its four checkpoints: nothing else is chosen;
3. the **test** days are opened once, and written down at once. A job that is written down is not
   run again, whatever its result.

The agent's other settings (one decision a day, discount, network) were not tuned on these windows.
But they were fixed while notebook 04 was made, and agents were judged on its months from January
2019 on three times then. So the windows whose test ends before 2019 are called **fresh**, and only
they carry the final statement; the **later** ones are shown beside them, marked with a star.

Each agent meets traders that need no learning on the same test days: **cash**, **buy and hold**, a
**moving average** cross (a day against a week), **random** with as many trades as the agent, and
**perfect foresight**, the ceiling. All pay the same fee.

**Excess** says by how many percent net worth ends above that of buy and hold. Its **interval**
(90%) comes from drawing whole windows again and again, and seeds within them, because the seeds of
one window trade the same prices. For a single window it is that of the mean over its seeds, as if
the money were divided among them, and comes from drawing weeks of the test (a block bootstrap),
because neighbouring hours are not independent. All other figures are medians, so that one lucky
seed does not count for five. With so few windows the intervals are rough. Orders are filled at the
close that the agent has just seen; *an hour late* shows the excess if every order came an hour
later.
"""
NONE = """
## Results

None yet: run `python -m benchmarks.trading`.
"""


def page(found: dict[str, Any]) -> str:
    """Return the page."""
    if not found:
        return HEAD + NONE
    row = report.main_row(found)
    parts = [HEAD, *_results(found, row), *_tables(found, row), *_reproduce(found)]
    return "\n".join(parts) + "\n"


def _results(found: dict[str, Any], row: dict[str, Any]) -> list[str]:
    low, high = found["fees"][0], found["fees"][-1]
    return [
        "## What came out",
        "",
        *[f"* {line}" for line in report.statement(found)],
        "",
        "![excess of each window](images/trading_windows.png)",
        "",
        f"*Reading:* {forest_reading(found)}",
        "",
        "![excess by window and fee](images/trading_fees.png)",
        "",
        f"*Reading:* the median excess over all windows goes from "
        f"{_all(found, 0):+.1f}% at a fee of {low:.2%} to {_all(found, -1):+.1f}% at {high:.2%}.",
        "",
    ]


def _all(found: dict[str, Any], index: int) -> float:
    return found["by_fee"][index]["excess"]["all"]["buy and hold"][0]


def forest_reading(found: dict[str, Any]) -> str:
    """Say in one line what the forest plot shows."""
    intervals = report.main_row(found)["windows"]
    above = sum(low > 0 for _, low, _ in intervals)
    below = sum(high < 0 for _, _, high in intervals)
    return (
        f"of {len(intervals)} windows, the interval lies above zero in {above}, below zero in "
        f"{below}, and holds zero in {len(intervals) - above - below}."
    )


def _tables(found: dict[str, Any], row: dict[str, Any]) -> list[str]:
    lines = [f"## Every fee: excess in percent, median ({found['seeds']} seeds) and interval", ""]
    heads = ["fee", "windows", "over buy and hold", "over random", "over moving average"]
    heads += ["over cash", "over buy and hold, an hour late", "trades a day"]
    lines += ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for one in found["by_fee"]:
        for group in one["excess"]:
            lines.append(_fee_row(one, group))
    for group, medians in row["medians"].items():
        lines += [
            "",
            f"## Every trader at {row['fee']:.2%}: medians over windows and seeds, {group}",
        ]
        lines += ["", *_traders(medians)]
    return lines


def _fee_row(one: dict[str, Any], group: str) -> str:
    excess = one["excess"][group]
    names = ("buy and hold", "random", "moving average", "cash", "an hour late")
    cells = [f"{one['fee']:.2%}", f"{group} ({excess['windows ahead'][1]})"]
    cells += [report.show(excess[name]) for name in names]
    cells.append(f"{one['medians'][group]['agent']['trades a day']:.2f}")
    return "| " + " | ".join(cells) + " |"


def _traders(medians: dict[str, dict[str, float]]) -> list[str]:
    heads = ["net profit ($)", "excess %", "Sharpe", "Sortino", "deepest drawdown", "trades a day",
             "time in coin", "turnover cost"]  # fmt: skip
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
    for trader, figures in medians.items():
        f = figures
        cells = [f"{f['net profit']:,.0f}", f"{f['excess %']:+.1f}", f"{f['sharpe']:.2f}"]
        cells += [f"{f['sortino']:.2f}", f"{f['drawdown']:.0%}", f"{f['trades a day']:.2f}"]
        cells += [f"{f['exposure']:.0%}", f"{f['turnover cost']:.2%}"]
        lines.append(f"| {trader} | " + " | ".join(cells) + " |")
    return lines


def _reproduce(found: dict[str, Any]) -> list[str]:
    here = found["machine"]
    return [
        "",
        "## How to get this again",
        "",
        f"    {found['command']}",
        "",
        f"{found['jobs']} jobs took {found['job_seconds'] / 60:.0f} minutes of one core in all, on "
        f"{here['processor']}, {here['cores']} cores, {here['memory_gib']} GiB, finished on "
        f"{found['opened'][1][:10]}. Test days were opened from {found['opened'][0]} to "
        f"{found['opened'][1]}. It shows its progress; Ctrl-C and the same command go on later. "
        "`--address` runs it on a Ray cluster, `--prices my.csv` on your own prices, `--quick` on "
        "a made-up market, to see that it works.",
    ]


def write(found: dict[str, Any]) -> None:
    """Write docs/trading.md and its two pictures."""
    report.PAGE.write_text(page(found), encoding="utf-8")
    if found:
        draw(found, report.IMAGES)


def draw(found: dict[str, Any], folder: Path) -> None:
    """Draw the forest plot and the heat map as PNG files."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from course_lib import plots

    folder.mkdir(parents=True, exist_ok=True)
    row = report.main_row(found)
    labels = [_label(window) for window in found["windows"]]
    intervals = [Interval(*one) for one in row["windows"]]
    summary = {
        f"median, {name} windows": Interval(*row["excess"][name]["buy and hold"])
        for name in report.GROUPS
        if name in row["excess"]
    }
    ax = plots.plot_forest(dict(zip(labels, intervals, strict=True)), summary)
    seeds = f"{found['seeds']} seeds"
    ax.set_title(f"excess over buy and hold at {row['fee']:.2%}; windows: mean of {seeds}",
                 fontsize="medium")  # fmt: skip
    plt.savefig(folder / "trading_windows.png", dpi=110)
    label = f"excess over buy and hold (%), median of {seeds}"
    ax = plots.plot_fee_grid(np.array(found["grid"]), labels, found["fees"], label=label)
    plt.savefig(folder / "trading_fees.png", dpi=110)
    plt.close("all")


def _label(window: dict[str, Any]) -> str:
    first, last = (pd.Timestamp(time) for time in window["test_times"])
    star = "" if window["fresh"] else " *"
    return f"{first:%d %b %y} - {last:%d %b %y}{star}"
