"""From what a run recorded to points, and to words that a learner understands."""

from typing import Any

from course_lib.grading.course import Lesson

STOPPED = {
    "time": "Your code did not end within the time it has. Is there a loop that never ends?",
    "memory": "Your code used more memory than it may. Does a list or an array grow without end?",
    "output": "Your code printed more than it may. Is there a print inside a loop without end?",
    "disk": "Your code wrote more to disk than it may.",
    "died": "Python itself ended while your code ran: an exit(), a crash, or a kill.",
}
NOT_STARTED = "Not started yet."
MISSING = (
    "No cell for this exercise was found. Keep the line '# EXERCISE {number}' at the top of your "
    "cell, and the name {name}."
)
TROUBLE = "The grader itself had a problem here; your teacher will look into it."


def score(
    lesson: Lesson, expected: dict[str, dict[str, Any]], ran: dict[str, dict[str, Any]] | None,
    problem: str = "",
) -> list[dict[str, Any]]:  # fmt: skip
    """Return one plain dict per exercise: points, state, message, and the parts with mistakes.

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
            one |= {"state": "unreadable", "message": problem}
        else:
            _fill(one, wanted, ran[exercise.number], exercise.name)
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
        one |= {"state": f"stopped: {reason}", "message": STOPPED.get(reason, TROUBLE)}
        if reason not in STOPPED:
            one["trouble"] = f"{reason}: {_problem(records)}"
    elif not records.get("check", {}).get("cases"):
        one |= {"state": "error", "message": _why_no_values(records, name)}
    else:
        _judge(one, wanted, records["check"]["cases"])


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


def _why_no_values(records: dict[str, Any], name: str) -> str:
    """Say why the check sent nothing that counts."""
    for role, place in (("answer", "Your cell"), ("extras", "A helper of yours")):
        error = records[role]["error"]
        if error is not None:
            return f"{place} stopped with {error['name']}: {error['text']}"
    error = records["check"]["error"]
    if error is not None and error["name"] == "NameError":
        return f"Your cell ran, but it does not define {name}."
    if error is not None:
        return f"The check of your answer stopped with {error['name']}: {error['text']}"
    return "The check of your answer could not tell its result. Does your code change how it works?"


def _judge(one: dict[str, Any], wanted: dict[str, Any], judged: list[dict[str, Any]]) -> None:
    """Give points for each part of which every case is right."""
    pairs = list(zip(wanted["cases"], judged, strict=False))
    if _not_started(pairs):
        one |= {"state": "not started yet", "message": NOT_STARTED}
        return
    for part in one["parts"]:
        cases = [(case, got) for case, got in pairs if case["part"] == part["part"]]
        part["mistakes"] = [_mistake(case, got) for case, got in cases if not got["right"]]
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


def _mistake(case: dict[str, Any], got: dict[str, Any]) -> dict[str, str]:
    """Return what was looked at, what came out, and the likely cause; never a hidden value."""
    if got["error"]:
        came_out = f"your code raised {got['text'] or got['error']}"
    elif not got["seen"]:
        came_out = "not looked at, because your code stopped before"
    else:
        came_out = f"came out: {got['got'] or 'nothing'}"
        if not case["hidden"]:
            came_out += f"; expected: {case['shown']}"
    return {
        "looked_at": case["otherwise"],
        "came_out": came_out,
        "hint": got.get("hint") or case["hint"],
    }
