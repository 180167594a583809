"""Write the scores: CSV, JSON, one page for the class and one page per learner."""

import csv
import hashlib
import json
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course_lib import reports
from course_lib.grading import alike, overrides, roster
from course_lib.grading.course import Lesson

SIGNS = {"solved": "✓", "partly": "◐", "not started yet": "○", "missing": "○", "not graded": "?"}
KINDS = ("all points", "some points", "no points", "not started", "stopped", "tampered",
         "not graded")  # fmt: skip
VERDICT_KINDS = {name: name for name in ("stopped", "tampered", "not graded")}


def write(
    rows: list[dict[str, Any]],
    folder: Path,
    about: dict[str, Any],
    people: roster.Roster | None = None,
    course: dict[str, Lesson] | None = None,
) -> list[dict[str, Any]]:
    """Write all files of the report; return the rows that count.

    Args:
        rows: one per version of a notebook: ``learner``, ``notebook``, ``file``, ``problem``,
            ``exercises``. Of several the best counts.
        folder: of the report.
        about: the sandbox's ``mode``, ``reason`` and ``words``; how many are ``graded``, ``of``
            how many.
        people: the class list.
        course: the lessons, whose answers nobody is compared by.
    """
    notes = overrides.apply(rows, folder)
    rows = _best(rows)
    rows.sort(key=lambda row: (row["learner"].casefold(), row["notebook"]))
    pages = page_names(rows)
    if people is not None:
        people.match({row["learner"]: row.get("id", "") for row in rows})
        notes += [
            f"{name}: not on the class list, or on several lines" for name in people.strangers
        ]
        of = {row["notebook"]: totals(row)[1] for row in rows if row["exercises"]}
        roster.write_tables(people, _points(rows), of, folder)
    own = {
        one.number: one.solution for lesson in (course or {}).values() for one in lesson.exercises
    }
    same = alike.groups(rows, own)
    for one in (one for row in rows for one in row["exercises"]):
        one.pop("source", None)
    missing = [] if people is None else people.missing
    _write_csv(rows, missing, folder / "scores.csv")
    content = {"sandbox": about, "submissions": rows, "missing": missing}
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (folder / "scores.json").write_text(text + "\n", encoding="utf-8")
    page = class_page(rows, pages, about, missing=missing, notes=notes, equal=same)
    (folder / "class.html").write_text(page, encoding="utf-8")
    feedback = folder / "feedback"
    feedback.mkdir(exist_ok=True)
    by_learner = defaultdict(list)
    for row in rows:
        by_learner[row["learner"]].append(row)
    for learner, mine in by_learner.items():
        (feedback / pages[learner]).write_text(feedback_page(learner, mine), encoding="utf-8")
    return rows


def _best(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each learner's notebook, with most points; it names the others."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["learner"], row["notebook"]].append(row)
    found = []
    for group in groups.values():
        best = max(group, key=totals)
        others = [row["file"] for row in group if row is not best]
        found.append({**best, "older": [*best.get("older", []), *others]})
    return found


def _points(rows: list[dict[str, Any]]) -> dict[str, dict[str, int | None]]:
    """Return the points by learner and notebook; None where an exercise is not graded."""
    found: dict[str, dict[str, int | None]] = defaultdict(dict)
    for row in rows:
        whole = all(one["points"] is not None for one in row["exercises"])
        if row["exercises"]:
            found[row["learner"]][row["notebook"]] = totals(row)[0] if whole else None
    return found


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


def _write_csv(rows: list[dict[str, Any]], missing: list[str], path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        columns = ("points", "of", "seconds", "verdict", "state")
        more = ("late", "by hand")
        writer.writerow(["learner", "notebook", "exercise", "title", *columns, *more])
        for row in rows:
            for one in row["exercises"] or [_nothing(row)]:
                values = [one["exercise"], one["title"], *(one[name] for name in columns)]
                by_hand = (one.get("by_hand") or {}).get("reason", "")
                values += [row.get("late", ""), _cell(by_hand)]
                writer.writerow([_cell(row["learner"]), row["notebook"], *values])
        for name in missing:
            writer.writerow([_cell(name), *[""] * 6, "not graded", "nothing handed in", "", ""])


def _nothing(row: dict[str, Any]) -> dict[str, Any]:
    return {"exercise": "", "title": row["problem"], "points": None, "of": None, "seconds": 0,
            "verdict": "not graded", "state": "not graded"}  # fmt: skip


def _cell(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t")) else text


def totals(row: dict[str, Any]) -> tuple[int, int]:
    """Return the points of a submission, and the points there are."""
    points = sum(one["points"] or 0 for one in row["exercises"])
    return points, sum(one["of"] for one in row["exercises"])


def class_page(
    rows: list[dict[str, Any]],
    pages: dict[str, str],
    about: dict[str, Any],
    *,
    missing: Sequence[str] = (),
    notes: Sequence[str] = (),
    equal: Sequence[dict[str, Any]] = (),
) -> str:
    """Return the page for the class.

    Args:
        rows: one per notebook.
        pages: the file of each learner's page.
        about: the sandbox, and how many are graded.
        missing: who handed in nothing.
        notes: what else to look at by hand.
        equal: groups of equal answers.
    """
    return reports.render(
        "class",
        num_learners=len({row["learner"] for row in rows}),
        words=about.get("words"),
        graded=about.get("graded", len(rows)),
        of=about.get("of", len(rows)),
        missing=missing,
        equal=equal,
        troubles=[*_troubles(rows), *notes],
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
    for learner, one in [(row["learner"], one) for row in rows for one in row["exercises"]]:
        who = f"{learner}, exercise {one['exercise']}"
        if one["trouble"]:
            lines.append(f"{who}: not graded, the grader had a problem ({one['trouble']})")
        if one["state"] == "tampered":
            lines.append(f"{who}: tampered with how answers are shown; read it")
        for name, place in one["missing"].items():
            lines.append(f"{who}: {name}, of cell {place}, was not there when the answer ran")
    return lines


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
        graded = [one["points"] for one in group if one["points"] is not None]
        found.append(
            {
                "number": number,
                "title": group[0]["title"],
                "of": group[0]["of"],
                "count": len(group),
                "mean": statistics.fmean(graded) if graded else None,
                "kinds": [(kind, kinds[kind]) for kind in KINDS if kinds[kind]],
                "mistakes": _mistakes(group),
            }
        )
    return found


def _kind(one: dict[str, Any]) -> str:
    if one["state"] in ("not started yet", "missing"):
        return "not started"
    named = {"solved": "all points", "partly": "some points"}
    return named.get(one["state"], VERDICT_KINDS.get(one["verdict"], "no points"))


def _mistakes(group: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """The most frequent mistakes, with their number; each counts once per learner."""
    counts: Counter[str] = Counter()
    for one in group:
        mine = {
            f"{part['part']}: {mistake['hint'] or mistake['looked_at']}"
            for part in one["parts"]
            for mistake in part["mistakes"]
        }
        said = one["state"] == "error" or one["verdict"] == "stopped"
        counts.update([one["message"]] if said else sorted(mine))
    return counts.most_common(5)
