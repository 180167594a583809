"""From what a run recorded to points, and to words that a learner understands."""

import re
from typing import Any

from course_lib.grading.course import Lesson
from course_lib.tryouts.errors import Unfit

STOPPED = {
    "time": "Your code did not end within the time it has. Is there a loop that never ends?",
    "memory": "Your code used more memory than it may. Does a list or an array grow without end?",
    "output": "Your code printed more than it may. Is there a print inside a loop without end?",
    "disk": "Your code wrote more to disk than it may.",
    "died": "Python itself ended while your code ran: an exit(), a crash, or a kill.",
}
TAMPERED = (
    "Your code changes how Python shows or runs things, so no answer came back from it. Restart, "
    "take that out, and hand in again; or ask your teacher to read it."
)
NOT_STARTED = "Not started yet."
MISSING = (
    "No cell for this exercise was found. Keep the line '# EXERCISE {number}' at the top of your "
    "cell, and the name {name}."
)
TROUBLE = "This is not graded yet: the grader itself had a problem. Your teacher will look into it."
AT_LINE = re.compile(r" at line \d+.*$", re.DOTALL)
VERDICTS = {"solved": "right", "tampered": "tampered", "not graded": "not graded"}


def verdict(one: dict[str, Any]) -> str:
    """Return which of the five it is: right, wrong, stopped, tampered, not graded."""
    stopped = one["state"].startswith("stopped")
    return "stopped" if stopped else VERDICTS.get(one["state"], "wrong")


def score(
    lesson: Lesson, expected: dict[str, dict[str, Any]], ran: dict[str, dict[str, Any]] | None,
    problem: str = "",
) -> list[dict[str, Any]]:  # fmt: skip
    """Return one plain dict per exercise: points, state, message, and the parts with mistakes.

    What nobody could look at has ``None`` for points: it is neither right nor wrong.

    Args:
        lesson: the course's own notebook.
        expected: by exercise number.
        ran: what :func:`session.run` returned, or None if nothing could be run.
        problem: why nothing could be run.
    """
    scored = []
    for exercise in lesson.exercises:
        wanted = expected[exercise.number]
        one = _blank(exercise.number, wanted)
        if ran is None:
            one |= {"state": "not graded", "points": None, "message": problem}
        else:
            _fill(one, wanted, ran[exercise.number], exercise.name)
        one["verdict"] = verdict(one)
        scored.append(one)
    return scored


def _blank(number: str, wanted: dict[str, Any]) -> dict[str, Any]:
    return {
        "exercise": number,
        "title": wanted["title"],
        "points": 0,
        "of": sum(wanted["parts"].values()),
        "seconds": 0.0,
        "state": "",
        "message": "",
        "trouble": "",
        "missing": {},
        "by_hand": None,
        "parts": [
            {"part": part, "points": 0, "of": points, "mistakes": []}
            for part, points in wanted["parts"].items()
        ],
    }


def _fill(one: dict[str, Any], wanted: dict[str, Any], ran: dict[str, Any], name: str) -> None:
    records = ran["records"]
    mine = [record for role, record in records.items() if role != "setup"]
    one["seconds"] = round(sum(record["seconds"] for record in mine), 2)
    if ran["answer"] == "missing":
        one |= {"state": "missing", "message": MISSING.format(number=one["exercise"], name=name)}
    elif ran["answer"] == "stub":
        one |= {"state": "not started yet", "message": NOT_STARTED}
    elif (reason := _stopped(records)) != "":
        one |= _ended(reason, records)
    elif records["check"]["cases"]:
        _judge(one, wanted, records["check"]["cases"])
        if one["points"] != one["of"]:
            one["missing"] = {name: place for name, place in ran["missing"].items() if place}
        for part in one["parts"]:
            for mistake in part["mistakes"]:
                mistake["hint"] = _on_missing(mistake["came_out"], ran["missing"], mistake["hint"])
    elif (error := _error(records, name)) != "":
        one |= {"state": "error", "message": error}
        one["missing"] = {name: place for name, place in ran["missing"].items() if place}
    else:
        one |= _ended("no cases", records)


def _stopped(records: dict[str, Any]) -> str:
    setup = records.get("setup")
    if setup is None or setup["stopped"] or setup["error"]:
        return "set-up"
    for role in ("extras", "answer", "check"):
        if role not in records:
            return "no record"
        if records[role]["stopped"]:
            return str(records[role]["stopped"])
    return ""


def _problem(records: dict[str, Any]) -> str:
    problems = [record["problem"] or str(record["error"] or "") for record in records.values()]
    return next((problem for problem in problems if problem), "no reason given")


def _on_missing(came_out: str, missing: dict[str, int], hint: str) -> str:
    """Return what to do about a name that was not found; ``hint`` where that is not the matter."""
    for name, place in missing.items():
        if f"'{name}'" in came_out and "Error" in came_out:
            if place:
                return (
                    f"cell {place} of your notebook has {name}, but it is not there when this cell "
                    "runs: move it into this cell"
                )
            return f"nothing in your notebook gives {name}: is it spelt as where it was made?"
    return hint


def _ended(reason: str, records: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of an answer that was not looked at to its end."""
    if reason in STOPPED:
        return {"state": f"stopped: {reason}", "message": STOPPED[reason]}
    if reason == "tampered":
        return {"state": "tampered", "message": TAMPERED}
    trouble = f"{reason}: {_problem(records)}"
    return {"state": "not graded", "points": None, "message": TROUBLE, "trouble": trouble}


def _error(records: dict[str, Any], name: str) -> str:
    """Say which error came before the answer could be looked at; empty if none did."""
    for role, place in (("answer", "Your cell"), ("extras", "A helper of yours")):
        error = records[role]["error"]
        if error is not None:
            return f"{place} stopped with {error['name']}: {error['text']}"
    error = records["check"]["error"]
    if error is not None and error["name"] == "NameError":
        return f"Your cell ran, but it does not define {name}."
    return "" if error is None else f"{name} stopped with {error['name']}: {error['text']}"


def _judge(one: dict[str, Any], wanted: dict[str, Any], judged: list[dict[str, Any]]) -> None:
    """Give points for each part of which every case is right."""
    pairs = list(zip(wanted["cases"], judged, strict=False))
    if _not_started(pairs):
        one |= {"state": "not started yet", "message": NOT_STARTED}
        return
    for part in one["parts"]:
        cases = [(case, got) for case, got in pairs if case["part"] == part["part"]]
        known = [got["right"] for case, got in cases if not case["hidden"]]
        part["mistakes"] = [
            _mistake(case, got, known=bool(known) and all(known))
            for case, got in cases
            if not got["right"]
        ]
        if cases and not part["mistakes"]:
            part["points"] = part["of"]
    one["points"] = sum(part["points"] for part in one["parts"])
    full = one["points"] == one["of"]
    one["state"] = "solved" if full else "partly" if one["points"] else "wrong"


def _not_started(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> bool:
    for case, got in pairs:
        if got["error"] == "NotImplementedError":
            return True
        if got["right"] and case["part"]:
            return False
    return False


def _mistake(case: dict[str, Any], got: dict[str, Any], *, known: bool) -> dict[str, str]:
    """Return what was looked at, what came out, and the likely cause; never a hidden value.

    Args:
        case: what was asked.
        got: what came of it.
        known: whether the notebook's own examples of this part are right.
    """
    hint = got.get("hint") or case["hint"]
    if got["error"]:
        came_out = f"your code raised {_words_of_error(case, got)}"
    elif not got["seen"]:
        came_out = "not looked at, because your code stopped before"
    elif case["hidden"]:
        came_out = "not right"
        if known:
            hint = f"right for the notebook's numbers alone: is one written into the code? {hint}"
    else:
        came_out = f"came out: {got['got'] or 'nothing'}; expected: {case['shown']}"
    looked_at = f"{case['part']}, with other numbers" if case["hidden"] else case["otherwise"]
    return {"looked_at": looked_at, "came_out": came_out, "hint": hint}


def _words_of_error(case: dict[str, Any], got: dict[str, Any]) -> str:
    """Return an error in words; its own text may hold a hidden number, so there it is left out."""
    words = got["text"] or got["error"]
    where = AT_LINE.search(words)
    if case["hidden"] and got["error"] == Unfit.__name__:
        return "what came back is of another kind"
    return f"{got['error']}{where[0] if where else ''}" if case["hidden"] else words
