"""Write the scores: CSV, JSON, one page for the class and one page per learner."""

import csv
import hashlib
import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from course_lib import reports

SIGNS = {"solved": "✓", "partly": "◐", "not started yet": "○", "missing": "○"}
KINDS = ("all points", "some points", "no points", "not started", "could not be run")


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


def class_page(rows: list[dict[str, Any]], pages: dict[str, str], about: dict[str, Any]) -> str:
    """Return the page for the class."""
    return reports.render(
        "class",
        num_learners=len({row["learner"] for row in rows}),
        words=about.get("words"),
        troubles=_troubles(rows),
        exercises=_exercises(rows),
        rows=[{**_with_signs(row), "page": pages[row["learner"]]} for row in rows],
    )


def feedback_page(learner: str, rows: list[dict[str, Any]]) -> str:
    """Return one learner's page."""
    return reports.render("feedback", learner=learner, rows=[_with_signs(row) for row in rows])


def _with_signs(row: dict[str, Any]) -> dict[str, Any]:
    """Add the points of a submission, and the sign of each exercise."""
    points, of = totals(row)
    signed = [{**one, "sign": SIGNS.get(one["state"], "✗")} for one in row["exercises"]]
    return {**row, "points": points, "of": of, "exercises": signed}


def _troubles(rows: list[dict[str, Any]]) -> list[str]:
    """What an instructor should look at by hand."""
    lines = [f"{row['learner']}, {row['file']}: {row['problem']}" for row in rows if row["problem"]]
    return lines + [
        f"{row['learner']}, exercise {one['exercise']}: the grader had a problem ({one['trouble']})"
        for row in rows
        for one in row["exercises"]
        if one["trouble"]
    ]


def _exercises(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per exercise: how many solved it, how points are spread, the most frequent mistakes."""
    grouped: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        for one in row["exercises"]:
            grouped[one["exercise"]].append(one)
    found = []
    for number in sorted(grouped, key=lambda text: [int(part) for part in text.split(".")]):
        group = grouped[number]
        kinds = Counter(_kind(one) for one in group)
        found.append(
            {
                "number": number,
                "title": group[0]["title"],
                "of": group[0]["of"],
                "count": len(group),
                "mean": sum(one["points"] for one in group) / len(group),
                "kinds": [(kind, kinds[kind]) for kind in KINDS if kinds[kind]],
                "mistakes": _mistakes(group),
            }
        )
    return found


def _kind(one: dict[str, Any]) -> str:
    if one["state"] in ("not started yet", "missing"):
        return "not started"
    named = {"solved": "all points", "partly": "some points", "wrong": "no points"}
    return named.get(one["state"], "could not be run")


def _mistakes(group: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """The most frequent mistakes, with their number; each counts once per learner."""
    counts: Counter[str] = Counter()
    for one in group:
        mine = {
            f"{part['part']}: {mistake['hint'] or mistake['looked_at']}"
            for part in one["parts"]
            for mistake in part["mistakes"]
        }
        counts.update([one["message"]] if _kind(one) == "could not be run" else sorted(mine))
    return counts.most_common(5)
