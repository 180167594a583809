"""Write the scores: CSV, JSON, one page for the class and one page per learner."""

import csv
import hashlib
import json
import re
from collections import Counter, defaultdict
from html import escape
from pathlib import Path
from typing import Any

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.bar { display: inline-block; height: .8rem; background: #0072b2; vertical-align: baseline; }
.note { background: #fff4d6; border-left: 4px solid #e69f00; padding: .6rem 1rem; }
.hint { color: #444; margin: .1rem 0 .5rem 1.6rem; } ul { list-style: none; padding-left: 0; }
.card { border: 1px solid #ddd; border-radius: 6px; padding: .4rem 1rem; margin: 1rem 0; }
.sum { font-weight: 600; white-space: nowrap; } .scroll { overflow-x: auto; }
"""
SIGNS = {"solved": "✓", "partly": "◐", "not started yet": "○", "missing": "○"}


def write(rows: list[dict[str, Any]], folder: Path, about: dict[str, Any]) -> None:
    """Write all files of the report.

    Args:
        rows: one per submission: ``learner``, ``notebook``, ``file``, ``problem``, ``exercises``.
        folder: of the report.
        about: the sandbox's ``mode``, ``reason`` and ``words``, and ``skipped`` counts.
    """
    rows = sorted(rows, key=lambda row: (row["learner"].casefold(), row["notebook"]))
    pages = page_names(rows)
    _write_csv(rows, folder / "scores.csv")
    content = {"sandbox": about, "submissions": rows}
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (folder / "scores.json").write_text(text + "\n", encoding="utf-8")
    (folder / "class.html").write_text(class_page(rows, pages, about), encoding="utf-8")
    feedback = folder / "feedback"
    feedback.mkdir(exist_ok=True)
    by_learner = defaultdict(list)
    for row in rows:
        by_learner[row["learner"]].append(row)
    for learner, mine in by_learner.items():
        (feedback / pages[learner]).write_text(feedback_page(learner, mine), encoding="utf-8")


def page_names(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Return a file name for each learner's page; different learners never share one."""
    names: dict[str, str] = {}
    for learner in sorted({row["learner"] for row in rows}):
        plain = re.sub(r"[^\w-]+", "_", learner).strip("_")[:60]
        mark = hashlib.sha256(learner.encode()).hexdigest()[:6]
        taken = {name.casefold() for name in names.values()}
        name = f"{plain}.html"
        names[learner] = name if plain and name.casefold() not in taken else f"{plain}-{mark}.html"
    return names


def _write_csv(rows: list[dict[str, Any]], path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        columns = ("points", "of", "seconds", "state")
        writer.writerow(["learner", "notebook", "exercise", "title", *columns])
        for row in rows:
            for one in row["exercises"] or [_nothing(row)]:
                values = [one["exercise"], one["title"], *(one[name] for name in columns)]
                writer.writerow([_cell(row["learner"]), row["notebook"], *values])


def _nothing(row: dict[str, Any]) -> dict[str, Any]:
    return {"exercise": "", "title": row["problem"], "points": 0, "of": 0, "seconds": 0,
            "state": "unreadable"}  # fmt: skip


def _cell(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return "'" + text if text[:1] in "=+-@\t" else text


def totals(row: dict[str, Any]) -> tuple[int, int]:
    """Return the points of a submission, and the points there are."""
    return sum(o["points"] for o in row["exercises"]), sum(o["of"] for o in row["exercises"])


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        '</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def class_page(rows: list[dict[str, Any]], pages: dict[str, str], about: dict[str, Any]) -> str:
    """Return the page for the class."""
    body = ["<h1>Class report</h1>"]
    learners = len({row["learner"] for row in rows})
    body.append(f"<p>{learners} learners, {len(rows)} notebooks.</p>")
    if about.get("words"):
        body.append(f'<p class="note">{escape(about["words"])}</p>')
    body += [*_troubles(rows), *_exercises(rows), *_learners(rows, pages)]
    return _page("Class report", "\n".join(body))


def _troubles(rows: list[dict[str, Any]]) -> list[str]:
    """What an instructor should look at by hand."""
    lines = [f"{row['learner']}, {row['file']}: {row['problem']}" for row in rows if row["problem"]]
    lines += [
        f"{row['learner']}, exercise {one['exercise']}: the grader had a problem ({one['trouble']})"
        for row in rows
        for one in row["exercises"]
        if one["trouble"]
    ]
    if not lines:
        return []
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return ["<h2>To look at by hand</h2>", f"<ul>{items}</ul>"]


def _exercises(rows: list[dict[str, Any]]) -> list[str]:
    """Per exercise: how many solved it, how points are spread, the most frequent mistakes."""
    grouped: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        for one in row["exercises"]:
            grouped[one["exercise"]].append(one)
    lines = ["<h2>Exercises</h2>"]
    for number in sorted(grouped, key=lambda text: [int(part) for part in text.split(".")]):
        group = grouped[number]
        lines.append(f"<h3>{number} {escape(group[0]['title'])}</h3>")
        lines += [_spread(group), _mistakes(group)]
    return lines


def _spread(group: list[dict[str, Any]]) -> str:
    kinds = Counter(_kind(one) for one in group)
    order = ["all points", "some points", "no points", "not started", "could not be run"]
    cells = "".join(
        f'<tr><td>{kind}</td><td class="n">{kinds[kind]}</td><td>'
        f'<span class="bar" style="width:{14 * kinds[kind] / len(group):.2f}rem"></span></td></tr>'
        for kind in order
        if kinds[kind]
    )
    mean = sum(one["points"] for one in group) / len(group)
    return f"<p>Mean {mean:.1f} of {group[0]['of']} points.</p><table>{cells}</table>"


def _kind(one: dict[str, Any]) -> str:
    if one["state"] in ("not started yet", "missing"):
        return "not started"
    if one["state"] in ("solved", "partly", "wrong"):
        return {"solved": "all points", "partly": "some points", "wrong": "no points"}[one["state"]]
    return "could not be run"


def _mistakes(group: list[dict[str, Any]]) -> str:
    """The most frequent mistakes; each counts once per learner."""
    counts: Counter[str] = Counter()
    for one in group:
        mine = {
            f"{part['part']}: {mistake['hint'] or mistake['looked_at']}"
            for part in one["parts"]
            for mistake in part["mistakes"]
        }
        if _kind(one) == "could not be run":
            mine = {one["message"]}
        counts.update(mine)
    if not counts:
        return ""
    items = "".join(
        f"<li>{number} × {escape(text[:240])}</li>" for text, number in counts.most_common(5)
    )
    return f"<p>Most frequent mistakes:</p><ul>{items}</ul>"


def _learners(rows: list[dict[str, Any]], pages: dict[str, str]) -> list[str]:
    lines = []
    for row in rows:
        points, of = totals(row)
        link = f'<a href="feedback/{escape(pages[row["learner"]])}">{escape(row["learner"])}</a>'
        states = " ".join(
            f"{one['exercise']}&nbsp;{SIGNS.get(one['state'], '✗')}" for one in row["exercises"]
        )
        lines.append(
            f'<tr><td>{link}</td><td>{row["notebook"]}</td><td class="n">{points}</td>'
            f'<td class="n">{of}</td><td>{states or escape(row["problem"])}</td></tr>'
        )
    head = '<tr><th>Learner</th><th>Notebook</th><th class="n">Points</th><th class="n">of</th>'
    return [
        "<h2>Learners</h2>",
        "<p>✓ solved, ◐ partly, ○ not started, ✗ no points.</p>",
        f'<div class="scroll"><table>{head}<th>Exercises</th></tr>{"".join(lines)}</table></div>',
    ]


def feedback_page(learner: str, rows: list[dict[str, Any]]) -> str:
    """Return one learner's page."""
    body = [f"<h1>Feedback for {escape(learner)}</h1>"]
    for row in rows:
        points, of = totals(row)
        body.append(f"<h2>Notebook {row['notebook'] or '?'}: {points} of {of} points</h2>")
        if row["problem"]:
            body.append(f'<p class="note">{escape(row["problem"])}</p>')
        else:
            body += [_card(one) for one in row["exercises"]]
    return _page(f"Feedback for {learner}", "\n".join(body))


def _card(one: dict[str, Any]) -> str:
    sign = SIGNS.get(one["state"], "✗")
    lines = [
        f'<div class="card"><h3>{sign} Exercise {one["exercise"]}, {escape(one["title"])}:'
        f' <span class="sum">{one["points"]} of {one["of"]} points</span></h3>'
    ]
    if one["message"]:
        lines.append(f"<p>{escape(one['message'])}</p>")
    else:
        lines += ["<ul>", *(_part(part) for part in one["parts"]), "</ul>"]
    return "\n".join([*lines, "</div>"])


def _part(part: dict[str, Any]) -> str:
    right = part["points"] == part["of"]
    head = f"{'✓' if right else '✗'} {part['part']} ({part['points']} of {part['of']})"
    lines = [f"<li>{escape(head)}"]
    for mistake in part["mistakes"]:
        text = f"{mistake['looked_at']}: {mistake['came_out']}"
        hint = f"<br>→ {escape(mistake['hint'])}" if mistake["hint"] else ""
        lines.append(f'<div class="hint">{escape(text)}{hint}</div>')
    return "".join([*lines, "</li>"])
