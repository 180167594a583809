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

Notebook 04 trains a DQN agent on hourly bitcoin prices. Is it any good? One stretch of test months
cannot say: in a falling market every trader who is often in cash looks clever.

## What is done

The study walks along the prices. Each **window** has 180 days to train, 25 days to choose and 25
days to test, in that order; the next window starts 25 days later. For each window, seed and fee:

1. an agent is trained on the train days (4,096 decisions, one a day, fee in the reward);
2. the **validation** days choose among its four checkpoints: nothing else is chosen;
3. the **test** days are opened, and written down at once. A job that is written down is not run
   again, whatever its result.

**Fills.** The agent decides at the close of an hour, and its order is filled at the next open, half
a spread (0.02%) to the worse, plus the fee. In this file the next open is the close before it in
99.95% of the hours, so that is hardly later; *an hour late* fills at the next close instead.

**Hours.** An agent that decides once a day has to begin at some hour, and which one is chance. The
money is divided among all 24, and what is judged is their sum.

**Benchmarks.** All pay the same fee and spread on the same test days.

* **mix**: a share of the money in coin, bought once, and kept. The share is the agent's own time in
  coin on the validation days, so it is known before the test is opened;
* **traders without skill**: for each agent and seed a thousand who trade as often, at the same
  hours of the day, and are as long in coin, but whose lengths of stay are drawn. *Rank* is the
  share of them that the agent is ahead of: 50% is luck;
* **buy and hold**, **cash**, a **moving average** cross (a day against a week), and **perfect
  foresight**, the ceiling.

**Numbers.** *Ahead* is net worth at the end beyond another trader's, in percent of the money at the
start. Seeds of one window trade the same prices, so a window counts once, with the mean of its
seeds; the interval (90%) is Student's over windows. No verdict is given on fewer than ten windows.
The question that decides was fixed before the study ran: the rank, on the early windows, at a fee
of 0.10%.

**What was seen before.** The agent's settings were fixed while notebook 04 was made, and agents
were judged on the months from January 2019 on several times then. Windows whose test ends before
that are called **early**, and carry the statement; the **later** ones stand beside them, with a
star. The early months have been opened once before too, by the first version of this study (orders
at the close, no spread, 50-day windows); nothing of the agent was changed after that.
"""
NONE = """
## Results

None yet: run `python -m benchmarks.trading`.
"""
NAMES = {
    "luck": "rank (%)", "mix": "ahead of the mix", "mix, an hour late": "the same, an hour late",
    "buy and hold": "of buy and hold", "moving average": "of the moving average", "cash": "of cash",
}  # fmt: skip


def page(found: dict[str, Any]) -> str:
    """Return the page."""
    if "bitcoin" not in found:
        return HEAD + NONE
    parts = [HEAD, *_bitcoin(found["bitcoin"])]
    parts += _markets(found["markets"]) if "markets" in found else []
    parts += _agents(found["agents"]) if "agents" in found else []
    parts += _euro(found["euro"]) if "euro" in found else []
    return "\n".join([*parts, *_tables(found["bitcoin"]), *_reproduce(found)]) + "\n"


def _bitcoin(found: dict[str, Any]) -> list[str]:
    row, choice = report.main_row(found), found["choice"]
    return [
        "## What came out",
        "",
        *[f"* {line}" for line in report.statement(found)],
        "",
        "![how far ahead of the mix, by window](images/trading_windows.png)",
        "",
        f"*Reading:* {forest_reading(found)}",
        "",
        f"**The hour is chance.** One and the same network, deciding at its best hour of the "
        f"day, ends {row['hours apart']:.0f} percent of the money ahead of itself deciding "
        "at its worst (median over windows and seeds of 25 days). Whoever shows one hour shows a "
        "ticket of a lottery.",
        "",
        f"**The best of many.** Over the {choice['days']} early test days the agent's Sharpe ratio "
        f"is {choice['sharpe']:+.2f} a year, give or take {choice['error']:.2f}. The best of "
        f"{choice['tried']} configurations without skill (five learning rates, three agents, four "
        f"checkpoints were tried) has {choice['luck']:+.2f} by luck. The probability that the "
        f"agent is above that, its **deflated Sharpe ratio**, is {choice['deflated']:.0%}. "
        "Choosing the best checkpoint on one half of the validation days gives one below the "
        f"median on the other half in {choice['overfitting']:.0%} of the ways to halve them: the "
        "**probability of backtest overfitting**, 50% where choosing is luck.",
        "",
        "![ahead of the mix by window and fee](images/trading_fees.png)",
        "",
        f"### Every fee, {found['seeds']} seeds",
        "",
        *_fees(found),
        "",
        "*Reading:* *of buy and hold* moves with the market, because the agent is in coin about "
        "half of the time; *ahead of the mix* takes that away. The table holds "
        f"{_count(found)} intervals: of intervals of 90% one in ten misses, so one that leaves "
        "luck out here and there says nothing; only the first lines of this page were asked "
        "beforehand.",
    ]


def _count(found: dict[str, Any]) -> int:
    return sum(len(one["ahead"]) for one in found["by_fee"]) * len(NAMES)


def _fees(found: dict[str, Any]) -> list[str]:
    heads = ["fee", "windows", *NAMES.values(), "trades a day"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for one in found["by_fee"]:
        for group, ahead in one["ahead"].items():
            cells = [f"{one['fee']:.3%}", f"{group} ({ahead['windows ahead'][1]})"]
            cells += [report.show(ahead[name]) for name in NAMES]
            cells.append(f"{one['medians'][group]['agent']['trades a day']:.2f}")
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def forest_reading(found: dict[str, Any]) -> str:
    """Say in one line what the forest plot shows."""
    intervals = report.main_row(found)["windows"]
    above = sum(low > 0 for _, low, _, _ in intervals)
    below = sum(high < 0 for _, _, high, _ in intervals)
    return (
        f"of {len(intervals)} windows, the interval lies above zero in {above}, below zero in "
        f"{below}, and holds zero in {len(intervals) - above - below}."
    )


def _markets(found: dict[str, Any]) -> list[str]:
    rows = found["rows"]
    none = rows[0]
    lines = [
        "",
        "## Control: markets in which there is nothing, or little, to find",
        "",
        "Days of real moves, drawn with repetition, whether up or down drawn anew for each hour: "
        "as wild as bitcoin, and nothing can be foreseen. The study is done on each of them "
        "(12 windows, one seed, fee 0.10%, a quarter of the training). In the rows below the "
        "first, which have all of the training, prices lean towards the side of their weekly mean "
        "on which they are, and the agent sees that mean.",
        "",
        "| a day goes the foreseen way | markets | declared: skill | declared: worse than luck | "
        "mean rank | ahead of the mix: mean | declared ahead |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['foreseen']:.0%} | {row['markets']} | {row['skill']} | {row['no skill']} | "
            f"{row['luck']:.0f}% | {row['mix']:+.1f} | {row['ahead of mix']} |"
        )
    low, high = binomial_range(none["markets"], 0.05)
    return [
        *lines,
        "",
        f"*Reading:* without skill, it is declared in {none['skill']} of {none['markets']} "
        f"markets; the interval of 90% promises 5 in 100 ({low} to {high} are within chance). "
        f"The intervals hold the truth in {none['luck covers 50']} (rank, truth 50%) and "
        f"{none['mix covers its mean']} (mix, truth: the mean of all) of {none['markets']}; they "
        "promise 90 in 100.",
        "",
        f"*Reading:* {seen_from(rows)}",
    ]


def seen_from(rows: list[dict[str, Any]]) -> str:
    """Say from which strength on the agent's skill is declared in most markets."""
    seen = [row for row in rows[1:] if row["skill"] > row["markets"] / 2]
    if not seen:
        return "none of these signals is seen in more than half of the markets."
    return (
        f"a signal is seen in more than half of the markets where a day goes the foreseen way "
        f"{seen[0]['foreseen']:.0%} of the time. A weaker one may be there, and this study would "
        "not see it."
    )


def binomial_range(count: int, share: float) -> tuple[int, int]:
    """Return between which counts chance stays in 95 of 100 cases."""
    from scipy.stats import binom

    low, high = binom.interval(0.95, count, share)
    return int(low), int(high)


def _agents(found: dict[str, Any]) -> list[str]:
    lines = [
        "",
        "## Control: an agent that knows, and one change at a time",
        "",
        "Trained on the lesson's train months, judged on its validation months, fee 0.10%. *Share "
        "of foresight* is log growth as a share of what perfect foresight makes that decides as "
        "often. Medians of the seeds (lowest to highest).",
        "",
        "| agent | share of foresight | rank | trades a day | net profit ($) |",
        "|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        share, rank, trades, profit = (
            row[name] for name in ("share of foresight", "luck", "trades a day", "net profit")
        )
        lines.append(
            f"| {row['variant']} | {share[0]:.0%} ({share[1]:.0%} to {share[2]:.0%}) | "
            f"{rank[0]:.0%} | {trades[0]:.1f} | {profit[0]:,.0f} ({profit[1]:,.0f} to "
            f"{profit[2]:,.0f}) |"
        )
    shares = [row["share of foresight"][0] for row in found["rows"][:4]]
    return [
        *lines,
        "",
        f"*Reading:* shown the next day's move, the studied agent makes {shares[0]:.0%} of what "
        "can be made. What it does not find in honest features is not there, or too faint for it. "
        f"The hourly agent of the lesson does not pass: {shares[1]:.0%}, where a rule that trades "
        "when the next hour moves by more than 0.12% makes 91%. Rewards one by one (n-step 1) "
        f"give {shares[2]:.0%}, and six times the decisions {shares[3]:.0%}. The rows from "
        "'hourly' to 'daily' add one change each; the last one also trains on 24 times as many "
        "hours, because a decision covers a day.",
    ]


def _euro(found: dict[str, Any]) -> list[str]:
    row = report.main_row(found)
    return [
        "",
        "## Another market: euros in dollars",
        "",
        "Hourly, 2017. Nothing was tuned on it, and it was opened once. Windows have 90 days of "
        "trading to train, 300 hours to choose and 300 to test; half a spread is 0.005%.",
        "",
        *[f"* {line}" for line in report.statement(found)],
        "",
        f"One network at its best hour ends {row['hours apart']:.1f} percent ahead of itself at "
        "its worst.",
        "",
        *_fees(found),
    ]


def _tables(found: dict[str, Any]) -> list[str]:
    row = report.main_row(found)
    lines = ["", "In these tables the agent makes its first decision in the first hour."]
    for group, medians in row["medians"].items():
        lines += [
            "",
            f"## Every trader at {row['fee']:.2%}: medians over windows and seeds, {group}",
        ]
        lines += ["", *_traders(medians)]
    return lines


def _traders(medians: dict[str, dict[str, float]]) -> list[str]:
    heads = ["net profit ($)", "excess over buy and hold (%)", "Sharpe, and its error", "Sortino",
             "deepest drawdown", "trades a day", "time in coin", "turnover cost"]  # fmt: skip
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
    for trader, figures in medians.items():
        f = figures
        cells = [f"{f['net profit']:,.0f}", f"{f['excess %']:+.1f}"]
        cells += [f"{f['sharpe']:.1f} ± {f['sharpe error']:.1f}"]
        cells += [f"{f['sortino']:.1f}", f"{f['drawdown']:.0%}", f"{f['trades a day']:.2f}"]
        cells += [f"{f['exposure']:.0%}", f"{f['turnover cost']:.2%}"]
        lines.append(f"| {trader} | " + " | ".join(cells) + " |")
    return lines


def _reproduce(found: dict[str, Any]) -> list[str]:
    here, bitcoin = found["machine"], found["bitcoin"]
    parts = (found[name] for name in ("bitcoin", "euro", "markets") if name in found)
    seconds = sum(part["job_seconds"] for part in parts)
    return [
        "",
        "## How to get this again",
        "",
        "    python -m benchmarks.trading",
        "",
        f"It took {seconds / 60:.0f} minutes of one core in all, on {here['processor']}, "
        f"{here['cores']} cores, {here['memory_gib']} GiB; test days were opened from "
        f"{bitcoin['opened'][0]} to {bitcoin['opened'][1]}. The records of all jobs are in "
        "`benchmarks/results/trading/`; those of bitcoin and euros hold what the agent wants in "
        "every hour, so with the prices all that is said of them can be computed again without "
        "training. `--docs` makes this page from the records. A job that is on record is not run "
        "again: move the files away to run it. It shows its "
        "progress; Ctrl-C and the same command go on later. `--address` runs it on a Ray cluster, "
        "`--prices my.csv` on your own prices, `--quick` on a made-up market, to see that it "
        "works.",
    ]


def write(found: dict[str, Any]) -> None:
    """Write docs/trading.md and its two pictures."""
    report.PAGE.write_text(page(found), encoding="utf-8")
    if "bitcoin" in found:
        draw(found["bitcoin"], report.IMAGES)


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
        f"mean, {name} windows": Interval(*row["ahead"][name]["mix"])
        for name in report.GROUPS
        if name in row["ahead"]
    }
    ax = plots.plot_forest(dict(zip(labels, intervals, strict=True)), summary)
    seeds = f"{found['seeds']} seeds"
    ax.set_title(f"ahead of the mix at {row['fee']:.2%}; windows: mean of {seeds}",
                 fontsize="medium")  # fmt: skip
    plt.savefig(folder / "trading_windows.png", dpi=110)
    label = f"ahead of the mix (% of the money), mean of {seeds}"
    ax = plots.plot_fee_grid(np.array(found["grid"]), labels, found["fees"], label=label)
    plt.savefig(folder / "trading_fees.png", dpi=110)
    plt.close("all")


def _label(window: dict[str, Any]) -> str:
    first, last = (pd.Timestamp(time) for time in window["test_times"])
    star = "" if window["early"] else " *"
    return f"{first:%d %b %y} - {last:%d %b %y}{star}"
