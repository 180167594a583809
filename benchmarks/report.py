"""The table on the screen, and the same on the page of the docs."""

import json
import statistics
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LATEST = ROOT / "benchmarks" / "results" / "latest.json"
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def load(path: Path = LATEST) -> dict[str, Any]:
    """The records measured so far, by name of the benchmark."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def merge(record: dict[str, Any], name: str, path: Path = LATEST) -> None:
    """Put a benchmark's record in the place of its last one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    records = {**load(path), name: record}
    path.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


def number(value: float | None) -> str:
    """A figure with three digits or so."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def spread(values: list[float]) -> str:
    """Median, and the range if there is more than one value."""
    middle = number(statistics.median(values))
    low, high = number(min(values)), number(max(values))
    return middle if len(values) == 1 or low == high else f"{middle} ({low} to {high})"


def section(name: str, record: dict[str, Any]) -> str:
    """One benchmark in Markdown: its question, a table, its bars, its notes."""
    figures = list(record["units"])
    heads = [f"{figure}, {record['units'][figure]}".rstrip(", ") for figure in figures]
    lines = [f"### `{name}`", "", record["question"], ""]
    lines += ["| | runs | " + " | ".join(heads) + " |", "|---|---|" + "---|" * len(heads)]
    for contender, rows in record["results"].items():
        cells = [
            spread([row[figure] for row in rows if figure in row])
            if any(figure in row for row in rows)
            else ""
            for figure in figures
        ]
        lines.append(f"| {contender} | {len(rows)} | " + " | ".join(cells) + " |")
    lines.append("")
    lines += [f"* {_bar(bar)}" for bar in record["bars"]]
    lines += [f"* {contender}: {note}" for contender, note in record["notes"].items()]
    if record["interrupted"]:
        lines.append("* This run was interrupted.")
    return "\n".join([*lines, f"* {_machine(record['machine'])}", ""])


def _bar(bar: dict[str, Any]) -> str:
    sign = "at most" if bar["at_most"] else "at least"
    if bar["met"] is None:
        return f"{bar['text']}: not measured (bar: {sign} {number(bar['bound'])})"
    verdict = "met" if bar["met"] else "**not met**"
    return f"{bar['text']}: **{number(bar['value'])}**, {verdict} (bar: {sign} {bar['bound']:g})"


def _machine(machine: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"measured {machine['date']} on {machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory_gib']} GiB, {machine['system']}, Python {machine['python']}, "
        f"{packages}; load before: {machine['load_before']}"
    )


def text(records: dict[str, Any], names: list[str]) -> str:
    """All sections, in the order of ``names``."""
    return "\n".join(section(name, records[name]) for name in names if name in records)


def write_page(records: dict[str, Any], names: list[str], page: Path = PAGE) -> None:
    """Put the measured part into the page; what is written by hand around it stays."""
    page.write_text(with_results(page.read_text(encoding="utf-8"), text(records, names)), "utf-8")


def with_results(page: str, results: str) -> str:
    """The page with other results between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{results}\n{END}{after}"
