"""The room at a glance, from the reports that the participants sent."""

from __future__ import annotations

from pathlib import Path

from course_lib.preflight.report import FAIL, MARKS, NOTE, WORDS, Report, Style

MOST_BYTES = 1_000_000
UNKNOWN = "?"


def read_folder(folder: str | Path) -> tuple[list[Report], list[tuple[str, str]]]:
    """Read every ``*.json`` file in a folder.

    Returns:
        The reports, those that need help first; and (file name, reason) of each unreadable file.

    Raises:
        ValueError: if there is no such folder or no such file in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; give the one that holds the reports")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".json")
    if not files:
        raise ValueError(
            f"{folder} holds no .json file; each participant makes one with "
            "`python -m course_lib.preflight --json NAME.json`"
        )
    reports, broken = [], []
    for path in files:
        try:
            if path.stat().st_size > MOST_BYTES:
                raise ValueError("too large for a report")
            reports.append(Report.from_json(path.read_text(encoding="utf-8-sig"), path.stem))
        except UnicodeDecodeError:
            broken.append((path.name, "not a text file"))
        except (OSError, ValueError) as error:
            broken.append((path.name, str(error)))
    reports.sort(key=lambda report: (report.ok, report.name.lower()))
    return reports, broken


def item_names(reports: list[Report]) -> list[str]:
    """Return the items of all reports, in the order in which they first appear."""
    return list(dict.fromkeys(result.item for report in reports for result in report.results))


def headline(reports: list[Report], broken: list[tuple[str, str]]) -> str:
    """Return one sentence on the room."""
    ready = sum(report.ok for report in reports)
    noted = sum(
        report.ok and any(result.status == NOTE for result in report.results) for report in reports
    )
    text = f"{ready} of {len(reports)} machines are ready"
    text += f" ({noted} with a note)" if noted else ""
    rest = len(reports) - ready
    text += f", {rest} {'needs' if rest == 1 else 'need'} help" if rest else ""
    return text + (f"; files that cannot be read: {len(broken)}" if broken else "") + "."


def as_text(reports: list[Report], broken: list[tuple[str, str]], style: Style) -> str:
    """Return the room as a table, then each machine that needs help with its fix."""
    lines = [headline(reports, broken), ""]
    names = item_names(reports)
    wide = max([len("machine"), *(len(report.name) for report in reports)])
    if reports:
        lines.append("  ".join([f"{'machine':{wide}}", *names]))
    for report in reports:
        by_item = {result.item: result.status for result in report.results}
        cells = [_cell(style, by_item.get(name), len(name)) for name in names]
        lines.append("  ".join([f"{report.name:{wide}}", *cells]).rstrip())
    legend = ", ".join(f"{style.marks[status]} {word}" for status, word in WORDS.items())
    lines += [f"({legend}, {UNKNOWN} not looked at)", *_help(reports), *_unread(broken)]
    return "\n".join(lines)


def _cell(style: Style, status: str | None, width: int) -> str:
    mark = style.marks[status] if status else UNKNOWN
    text = f"{mark:^{width}}"
    return style.paint(status, text) if status else text


def _help(reports: list[Report]) -> list[str]:
    lines = []
    for report in reports:
        if not report.ok:
            lines += ["", f"{report.name} needs help (host {report.host}, {report.platform})"]
            for result in report.results:
                if result.status == FAIL:
                    lines += [f"    {result.item}: {result.detail}", f"        fix: {result.fix}"]
    return lines


def _unread(broken: list[tuple[str, str]]) -> list[str]:
    if not broken:
        return []
    again = "ask for them again: python -m course_lib.preflight --json NAME.json"
    return ["", f"Not readable ({again})", *(f"    {name}: {reason}" for name, reason in broken)]


def as_html(reports: list[Report], broken: list[tuple[str, str]]) -> str:
    """Return the same as one HTML page that needs nothing else."""
    from course_lib.reports import render

    names = item_names(reports)
    found = [(report.name, {one.item: one for one in report.results}) for report in reports]
    return render(
        "room",
        headline=headline(reports, broken),
        items=names,
        machines=[(machine, [results.get(name) for name in names]) for machine, results in found],
        marks=MARKS,
        words=WORDS,
        unknown=UNKNOWN,
        notes="\n".join([*_help(reports), *_unread(broken)]),
    )
