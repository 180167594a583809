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
cannot say: in a falling market a trader who is often in cash looks clever.

The agent judged here has a learning rate of 0.001, fixed before the study. The notebook lets Tune
choose one in each run, and several are about as good. So what is said here is said of this agent.

## What is done

The study walks along the prices. Each **window** has 180 days to train, 25 days to choose and 25
days to test, in that order; the next window starts 25 days later. For each window, seed and fee:

1. an agent is trained on the train days (4,096 decisions, one a day, fee in the reward; so it
   meets each day about 23 times);
2. the **validation** days choose among its four checkpoints: nothing else is chosen;
3. the **test** days are opened, and written down at once. A job that is written down is not run
   again, whatever its result.

**Fills.** The agent decides at the close of an hour, and its order is filled at the next open, half
a spread (0.02%) to the worse, plus the fee. In this file the next open is the close before it in
99.95% of the hours, so that is hardly later; *an hour late* fills at the next close instead.

**Hours.** An agent that decides once a day has to begin at some hour, and which one is chance. The
money is divided among all 24, and what is judged is their sum.

**Two questions.** Each has a yardstick that is known before the test is opened: the agent's time in
coin on the validation days.

* *After costs:* is it ahead of a **mix** that puts this share of the money into coin once, and
  keeps the rest? Both numbers are net worth at the end, in percent of the money at the start.
* *Before costs:* is there skill in its **timing**, the sum of (position - share) x move? In a
  market without skill and without drift its mean is zero, whatever an agent does.

**Other benchmarks**, with the same fees and spreads: **buy and hold**, **cash**, a **moving
average** cross (a day against a week), and **perfect foresight**, the ceiling. And a thousand
**traders without skill** for each agent, who trade as often, at the same hours, and are as long in
coin; *rank* is the share of them that it is ahead of. It is shown, and decides nothing: they are
matched to what the agent did, and that depends on prices. Without any skill, who follows trends has
a rank far below 50%, and who trades against trends far above (a test makes such markets,
`tests/test_trading_walkforward.py`).

**Intervals** (90%) are Student's, over windows, whose tests do not overlap; a window counts once,
with the mean of its seeds. Neighbouring windows share most of their training days. No verdict is
given on fewer than ten windows.

**What was seen before, and what was chosen when.** The agent's settings were fixed while notebook
04 was made, and agents were judged on the months from January 2019 on several times then. Windows
whose test ends before that are called **early**, and carry the statement; the **later** ones stand
beside them, with a star. But the early months have been opened before too, by the first version of
this study. The agent was not changed after that; the judging was: fills and spread, windows of 25
days instead of 50, all hours of decision, the mix, Student's interval. And that timing decides, not
the rank, was chosen when the results of this study were known, because the rank was shown not to be
50% without skill. So this is no test of a plan that was fixed beforehand.
"""
WINDOW_DAYS = 25
NONE = """
## Results

None yet: run `python -m benchmarks.trading`.
"""
NAMES = {
    "timing": "timing, before costs", "mix": "ahead of the mix",
    "mix, an hour late": "the same, an hour late", "buy and hold": "of buy and hold",
    "moving average": "of the moving average", "cash": "of cash", "rank": "rank (%)",
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
    early = row["ahead"]["early"]
    return [
        "## What came out",
        "",
        *[f"* {line}" for line in report.statement(found)],
        "",
        "How much could have been seen? A study like this shows, in four of five cases, a mix that "
        f"is beaten by {early['detectable']['mix']} percent in {WINDOW_DAYS} days, or a timing of "
        f"{early['detectable']['timing']}. The first is {_a_year(early['detectable']['mix']):.0%} "
        "a "
        "year: an edge of half of that would mostly be missed. The mix has about the agent's time "
        f"in coin; with exactly its time, it is ahead by {report.show(early['mix, as long'])}.",
        "",
        f"{_best(found, early['best window'])}: without that window the early timing is "
        f"{report.show(early['best window']['without'])}.",
        "",
        "![how far ahead of the mix, by window](images/trading_windows.png)",
        "",
        f"*Reading:* {forest_reading(found)}",
        "",
        "**The hour is chance.** One and the same network, deciding at its best hour of the day, "
        f"ends {row['hours apart']:.0f} percent of the money ahead of itself deciding at its worst "
        f"(median over windows and seeds, {WINDOW_DAYS} days). Whoever shows one hour shows a "
        "ticket of a lottery.",
        "",
        f"**The best of many.** Over the {choice['days']} early test days the agent's Sharpe ratio "
        f"(seeds averaged) is {_sharpe(choice['agent'])} a year. That is the market: the mix has "
        f"{_sharpe(choice['mix'])}. What the agent gains beyond the mix, day by day, has "
        f"{_sharpe(choice['beyond'])}. By our count {choice['tried']} configurations were tried "
        "for "
        "the agent (five learning rates, three agents, four checkpoints), and the best of so many "
        f"without skill has {choice['luck'][0]:+.2f} if they differ as little as its checkpoints "
        f"and seeds do, and {choice['luck'][1]:+.2f} if they have nothing in common. The "
        "probability that the gain beyond the mix is above that, its **deflated Sharpe ratio**, is "
        f"{choice['beyond']['deflated'][0]:.0%} or {choice['beyond']['deflated'][1]:.0%}.",
        "",
        "**Choosing.** The checkpoint with the best Sharpe ratio on one half of a window's "
        "validation days is not above the median on the other half in "
        f"{choice['overfitting']:.0%} of the ways to halve them, over all windows and seeds: the "
        "**probability of backtest overfitting**, about 50% where choosing is luck. (The study "
        "itself chooses by growth.)",
        "",
        "![ahead of the mix by window and fee](images/trading_fees.png)",
        "",
        f"### Every fee, {found['seeds']} seeds, percent of the money a window",
        "",
        *_fees(found),
        "",
        "*Reading:* *of buy and hold* moves with the market, because the agent is in coin about "
        "half of the time; *ahead of the mix* takes most of that away. The table "
        f"holds {_count(found)} intervals, and nothing is corrected for that: of intervals of 90% "
        "one in ten misses. Timing leaves zero out over all windows, which half are months that "
        "were "
        "seen when the agent was made, and at the highest fee over the early ones too.",
    ]


def _a_year(percent: float) -> float:
    """What a gain in one window, in percent, comes to in a year of them."""
    return (1 + percent / 100) ** (365 / WINDOW_DAYS) - 1


def _best(found: dict[str, Any], best: dict[str, Any]) -> str:
    window = next(one for one in found["windows"] if one["number"] == best["number"])
    words = f"The best month begins on {pd.Timestamp(window['test_times'][0]):%d %B %Y}"
    return words + (f" and brings {best['share']:.0%} of the sum" if best["share"] else "")


def _sharpe(one: dict[str, Any]) -> str:
    return f"{one['sharpe']:+.2f} (give or take {one['error']:.2f})"


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
        "## Control: markets in which there is nothing, or something, to find",
        "",
        "Days of real moves, drawn with repetition, whether up or down drawn anew for each hour: "
        "as wild as bitcoin, and nothing can be foreseen. The study is done on each of "
        "them, smaller: 12 windows, one seed, fee 0.10%, a quarter of the training. In the rows "
        "below the first, which have all of the training, prices lean towards the side of their "
        "weekly mean "
        "on which they are, and the agent sees that mean.",
        "",
        "| a day goes the foreseen way | markets | timing declared skill | declared less than "
        "nothing | timing: mean | declared ahead of the mix | ahead: mean | rank: mean | rank "
        "declared above 50% | below |",
        "|---" * 10 + "|",
    ]
    for row in rows:
        lines.append(
            f"| {row['foreseen']:.0%} | {row['markets']} | {row['skill']} | {row['no skill']} | "
            f"{row['timing']:+.1f} | {row['ahead of mix']} | {row['mix']:+.1f} | "
            f"{row['rank']:.0f}% | {row['rank above']} | {row['rank below']} |"
        )
    low, high = binomial_range(none["markets"], 0.05)
    covers = none["markets"] - none["skill"] - none["no skill"]
    return [
        *lines,
        "",
        f"*Reading:* without skill, it is declared in {none['skill']} of {none['markets']} "
        f"markets; the interval of 90% promises 5 in 100 ({low} to {high} are within chance). The "
        f"interval of timing holds its truth, zero, in {covers}, that of the mix its own, the mean "
        f"of all markets, in {none['mix covers']}; both promise 90 in 100. These are days "
        "drawn one by one; real weeks, calm or wild, hang together, and that is not tested. The "
        f"rank is declared above a half in {none['rank above']} and below in {none['rank below']}.",
        "",
        "*Reading:* a weaker signal than those that are declared may be in bitcoin, and this study "
        "would not see it.",
    ]


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
            f"{rank[0]:.0%} ({rank[1]:.0%} to {rank[2]:.0%}) | {trades[0]:.1f} | "
            f"{profit[0]:,.0f} ({profit[1]:,.0f} to "
            f"{profit[2]:,.0f}) |"
        )
    shares = [row["share of foresight"][0] for row in found["rows"][:4]]
    return [
        *lines,
        "",
        f"*Reading:* shown the next day's move, the studied agent makes {shares[0]:.0%} of what "
        "can be made. That shows that it can use a plain answer; it does not show that it would "
        "find a faint, hidden or changing pattern. The agent with one decision an hour does not "
        f"even pass that: {shares[1]:.0%}, where a rule that trades when the next hour moves by "
        "more than 0.12% makes 91% (computed apart, on these months). Rewards one by one (n-step "
        f"1) give {shares[2]:.0%}, and six times the decisions {shares[3]:.0%}.",
        "",
        "*Reading:* the rows from 'hourly' to 'daily' add one change after the other; the last one "
        "also trains on 24 times as many hours, because a decision covers a day. On these months "
        f"buy and hold made {found['hold']:,.0f}, half of it in a mix {found['hold'] / 2:,.0f}: "
        f"{_reached(found)} of the agents without look-ahead reaches the mix in its median. The "
        "seeds of one agent lie far apart.",
    ]


def _reached(found: dict[str, Any]) -> str:
    """How many of the agents without look-ahead reach half of buy and hold."""
    medians = [row["net profit"][0] for row in found["rows"][4:]]
    return str(sum(value >= found["hold"] / 2 for value in medians) or "none")


def _euro(found: dict[str, Any]) -> list[str]:
    row = report.main_row(found)
    return [
        "",
        "## Another market: euros in dollars",
        "",
        "Hourly, 2017. Nothing was tuned on it, and it was opened once. Prices are those asked "
        "for. Windows have 90 days of "
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
    lines = ["", "In the tables below the agent makes its first decision in the first hour."]
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
