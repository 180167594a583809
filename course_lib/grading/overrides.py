"""What an instructor decides by hand, and keeps: ``overrides.csv`` beside the report.

Columns: learner, notebook, exercise, points, reason. It is read each time that the report is
written, and never changed.
"""

from pathlib import Path
from typing import Any

from course_lib.grading import roster

NAME = "overrides.csv"
COLUMNS = ("learner", "notebook", "exercise", "points", "reason")


def apply(rows: list[dict[str, Any]], folder: Path) -> list[str]:
    """Put the points of the file into the rows; return what does not fit, in words.

    Args:
        rows: one per submission.
        folder: of the report.
    """
    path = folder / NAME
    if not path.exists():
        return []
    try:
        _, lines = roster.table(path, "the file")
    except ValueError as error:
        return [str(error)]
    found = [(number, _one(rows, line)) for number, line in enumerate(lines, start=2)]
    return [f"{NAME}, line {number}: {problem}" for number, problem in found if problem]


def _one(rows: list[dict[str, Any]], line: dict[str, str]) -> str:
    lacking = [column for column in COLUMNS[:4] if not line.get(column)]
    if lacking:
        return f"it lacks {', '.join(lacking)}; the columns are {', '.join(COLUMNS)}"
    found = [
        one
        for row in rows
        if row["learner"] == line["learner"] and row["notebook"] == line["notebook"].zfill(2)
        for one in row["exercises"]
        if one["exercise"] == line["exercise"]
    ]
    if not found:
        what = f"{line['learner']}, notebook {line['notebook']}, exercise {line['exercise']}"
        return f"there is no {what} among what was graded"
    for one in found:
        if not line["points"].isdigit() or int(line["points"]) > one["of"]:
            return f"points must be a whole number from 0 to {one['of']}, got {line['points']}"
        one["by_hand"] = {"before": one["points"], "reason": line.get("reason", "")}
        one["points"] = int(line["points"])
    return ""
