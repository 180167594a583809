"""The page of the docs about the long study: a template, ``trading.md.j2``, and its summary."""

from pathlib import Path
from typing import Any

import jinja2
import matplotlib
import numpy as np
import pandas as pd

from benchmarks import trading_report as report
from course_lib.trading.metrics import Interval

TEMPLATE = Path(__file__).with_name("trading.md.j2")
WINDOW_DAYS = 25
NAMES = {
    "timing": "timing, before costs", "mix": "ahead of the mix",
    "mix, an hour late": "the same, an hour late", "buy and hold": "of buy and hold",
    "moving average": "of the moving average", "cash": "of cash", "rank": "rank (%)",
}  # fmt: skip


def page(found: dict[str, Any]) -> str:
    """Return the page; of parts of the study that are not there it says nothing."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    seconds = sum(found[name]["job_seconds"] for name in report.TIMED if name in found)
    parts = {name: found.get(name) for name in ("machine", "bitcoin", "markets", "agents", "euro")}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        **parts, report=report, days=WINDOW_DAYS, minutes=round(seconds / 60), percent=_percent,
        a_year=_a_year, best_month=_best_month, by_chance=by_chance, fees=_fees,
        forest_reading=forest_reading, intervals_in=_intervals_in, reached=_reached,
        sure_timing=_sure_timing,
        sharpe=_sharpe, spread=_spread, traders=_traders,
    )  # fmt: skip


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _spread(numbers: list[float], form: str) -> str:
    """Write a median with the lowest and the highest."""
    middle, low, high = (form.format(number) for number in numbers)
    return f"{middle} ({low} to {high})"


def _a_year(percent: float) -> str:
    """What a gain in one window, in percent, comes to in a year of them."""
    return _percent((1 + percent / 100) ** (365 / WINDOW_DAYS) - 1)


def _best_month(found: dict[str, Any]) -> str:
    best = report.main_row(found)["ahead"]["early"]["best window"]
    window = next(one for one in found["windows"] if one["number"] == best["number"])
    words = f"The best month begins on {pd.Timestamp(window['test_times'][0]):%d %B %Y}"
    return words + (f" and brings {best['share']:.0%} of the sum" if best["share"] else "")


def _sharpe(one: dict[str, Any]) -> str:
    return f"{one['sharpe']:+.2f} (give or take {one['error']:.2f})"


def _intervals_in(found: dict[str, Any]) -> int:
    return sum(len(one["ahead"]) for one in found["by_fee"]) * len(NAMES)


def _sure_timing(found: dict[str, Any]) -> str:
    """Name the fees and windows at which the whole interval of timing lies above zero."""
    sure = [
        f"a fee of {one['fee']:.3%} ({group} windows)"
        for one in found["by_fee"]
        for group, ahead in one["ahead"].items()
        if ahead["timing"][1] > 0
    ]
    return ", ".join(sure) or "no fee"


def _reached(found: dict[str, Any]) -> str:
    """How many of the agents without look-ahead reach half of buy and hold."""
    medians = [row["net profit"][0] for row in found["rows"][4:]]
    return str(sum(value >= found["hold"] / 2 for value in medians) or "none")


def by_chance(count: int) -> str:
    """Between which counts of one in twenty chance stays, in 95 of 100 cases."""
    from scipy.stats import binom

    return "{:.0f} to {:.0f}".format(*binom.interval(0.95, count, 0.05))


def _fees(found: dict[str, Any]) -> str:
    heads = ["fee", "windows", *NAMES.values(), "trades a day"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for one in found["by_fee"]:
        for group, ahead in one["ahead"].items():
            cells = [f"{one['fee']:.3%}", f"{group} ({ahead['windows ahead'][1]})"]
            cells += [report.show(ahead[name]) for name in NAMES]
            cells.append(f"{one['medians'][group]['agent']['trades a day']:.2f}")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def forest_reading(found: dict[str, Any]) -> str:
    """Say in one line what the forest plot shows."""
    intervals = report.main_row(found)["windows"]
    above = sum(low > 0 for _, low, _, _ in intervals)
    below = sum(high < 0 for _, _, high, _ in intervals)
    return (
        f"of {len(intervals)} windows, the interval lies above zero in {above}, below zero in "
        f"{below}, and holds zero in {len(intervals) - above - below}."
    )


def _traders(medians: dict[str, dict[str, float]]) -> str:
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
    return "\n".join(lines)


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
