"""The tables on the screen, and the same on the page of the docs."""

import json
import statistics
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LATEST = ROOT / "benchmarks" / "results" / "latest.json"
QUICK = LATEST.with_name("quick.json")
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

Record = dict[str, Any]


def load(path: Path) -> dict[str, Record]:
    """The records measured so far, by name of the benchmark."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def merge(record: Record, name: str, path: Path) -> None:
    """Put a benchmark's record in the place of its last one; an interrupt leaves the file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps({**load(path), name: record}, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def number(value: float) -> str:
    """A figure with three digits or so."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: list[float], unit: str = "") -> str:
    """Median, and the range if there is more than one value; "4 of 5" for unit ``runs``."""
    if not values:
        return ""
    if unit == "runs":
        return f"{sum(values):.0f} of {len(values)}"
    middle = number(statistics.median(values))
    low, high = number(min(values)), number(max(values))
    return middle if low == high else f"{middle} ({low} to {high})"


def section(name: str, record: Record) -> str:
    """One benchmark in Markdown: its question, a table, its bars, its notes, when."""
    units = record["units"]
    heads = [f"{figure}, {unit}" if unit else figure for figure, unit in units.items()]
    lines = [f"### `{name}`", "", record["question"], ""]
    lines += ["| | seeds | " + " | ".join(heads) + " |", "|---|---|" + "---|" * len(heads)]
    for contender, rows in record["results"].items():
        cells = [
            spread([row[figure] for row in rows if figure in row], unit)
            for figure, unit in units.items()
        ]
        lines.append(f"| {contender} | {len(rows)} | " + " | ".join(cells) + " |")
    for contender in record["without"]:
        if contender not in record["results"]:
            lines.append(f"| {contender} | 0 | " + " | ".join("" for _ in units) + " |")
    lines.append("")
    lines += [f"* {bar['text']}: {verdict(bar)}" for bar in record["bars"]]
    lines += [f"* {contender}: {note}" for contender, note in record["notes"].items()]
    lines += [f"* {contender}: {why}" for contender, why in record["without"].items()]
    lines += [] if record["finished"] else ["* This run was interrupted."]
    here = record["machine"]
    return "\n".join(
        [*lines, f"* Measured {here['date']}, load before: {here['load_before']}.", ""]
    )


def verdict(bar: Record) -> str:
    """The figure, the bar, and by how much it is met or not."""
    sign = "at most" if bar["at_most"] else "at least"
    bound = "no bar" if bar["bound"] is None else f"bar: {sign} {bar['bound']:,g}"
    if bar["value"] is None:
        return f"not measured ({bound})"
    if bar["bound"] is None:
        return f"{number(bar['value'])} ({bound})"
    said = "met" if bar["met"] else "**not met**"
    return f"**{number(bar['value'])}** ({bound}), {said}{_by(bar['value'] / bar['bound'])}"


def _by(share: float) -> str:
    """How far a figure is from its bar: a percentage, or from twice or half of it on a factor."""
    if 0.5 < share < 2:
        return f" by {abs(share - 1):.0%}" if round(abs(share - 1), 2) else ""
    return f" by a factor of {number(max(share, 1 / share))}" if share else ""


def summary(records: dict[str, Record], names: list[str]) -> str:
    """All bars in one table."""
    lines = ["| benchmark | bar | measured |", "|---|---|---|"]
    for name in names:
        for bar in records.get(name, {"bars": []})["bars"]:
            lines.append(f"| `{name}` | {bar['text']} | {verdict(bar)} |")
    return "\n".join([*lines, ""]) if len(lines) > 2 else ""


def machines(records: dict[str, Record], names: list[str]) -> str:
    """On what was measured, once for all benchmarks that share it."""
    which: dict[str, list[str]] = {}
    for name in names:
        if name in records:
            which.setdefault(_machine(records[name]["machine"]), []).append(name)
    if len(which) == 1:
        return f"Measured on {next(iter(which))}.\n"
    return "".join(f"* {', '.join(which[one])}: measured on {one}.\n" for one in which)


def _machine(machine: Record) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {machine['python']}, {packages}"
    )


def text(records: dict[str, Record], names: list[str]) -> str:
    """The machine, all bars, then one section per benchmark, in the order of ``names``."""
    if not any(name in records for name in names):
        return "Nothing has been measured yet.\n"
    sections = [section(name, records[name]) for name in names if name in records]
    return "\n".join([machines(records, names), summary(records, names), *sections])


def write_page(records: dict[str, Record], names: list[str], page: Path) -> None:
    """Put the measured part into the page; what is written by hand around it stays."""
    before = page.read_text(encoding="utf-8")
    page.write_text(with_results(before, text(records, names)), encoding="utf-8")


def with_results(page: str, results: str) -> str:
    """The page with other results between its two marks.

    Raises:
        ValueError: if the page has lost a mark.
    """
    if BEGIN not in page or END not in page:
        raise ValueError(f"the page has no lines {BEGIN} and {END}; put them where results belong")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{results}\n{END}{after}"
