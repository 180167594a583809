"""The HTML pages: whatever a stranger writes stays text, and a missing value is an error."""

import re
from typing import Any

import jinja2
import pytest

from course_lib import reports
from course_lib.grading import report as grading
from course_lib.preflight import Report, Result, collect
from course_lib.preflight.report import FAIL, OK

EVIL = "</pre><script>alert(1)</script><b title='x' class=\"y\">&"
MISTAKE = {"looked_at": EVIL, "came_out": EVIL, "hint": EVIL}


def exercise(state: str, message: str = "") -> dict[str, Any]:
    part = {"part": EVIL, "points": 0, "of": 3, "mistakes": [MISTAKE]}
    return {"exercise": "1.2", "title": EVIL, "points": 0, "of": 3, "state": state,
            "message": message, "trouble": EVIL, "parts": [part], "verdict": "wrong",
            "missing": {EVIL: 3}, "by_hand": {"before": 0, "reason": EVIL}}  # fmt: skip


def graded() -> list[dict[str, Any]]:
    states = [exercise("wrong"), exercise("error", EVIL)]
    row = {"learner": EVIL, "notebook": "01", "file": EVIL, "problem": "", "exercises": states,
           "late": EVIL, "older": [EVIL]}  # fmt: skip
    return [row, {**row, "learner": "x", "problem": EVIL, "exercises": []}]


def class_page() -> str:
    equal = [{"exercise": EVIL, "answers": {EVIL: EVIL, "x": EVIL}}]
    return grading.class_page(
        graded(), {EVIL: EVIL, "x": "x.html"}, {"words": EVIL, "graded": 1, "of": 2},
        missing=[EVIL], notes=[EVIL], equal=equal,
    )  # fmt: skip


def feedback_page() -> str:
    return grading.feedback_page(EVIL, graded())


def room() -> str:
    results = [Result(EVIL, FAIL, EVIL, EVIL), Result("Ray", OK, EVIL)]
    return collect.as_html([Report(host=EVIL, name=EVIL, results=results)], [(EVIL, EVIL)])


PAGES = {"class": class_page, "feedback": feedback_page, "room": room}


@pytest.mark.parametrize("name", PAGES)
def test_a_strangers_text_stays_text(name: str) -> None:
    page = PAGES[name]()
    assert len(re.findall(r"&lt;script&gt;", page)) >= 4
    for forbidden in ("<script", "<b ", "title='x'", 'class="y"', "</pre><"):
        assert forbidden not in page.replace("</pre>\n</body>", "")


def test_every_page_escapes_by_itself() -> None:
    """No template switches escaping off, each extends the base, and each is in the test above."""
    names = {path.name for path in reports.TEMPLATES.iterdir()}
    assert names == {"base.html.j2", *(f"{name}.html.j2" for name in PAGES)}
    for path in reports.TEMPLATES.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"safe|autoescape|xmlattr", text), path
        assert "base.html.j2" in text or path.name == "base.html.j2"
        assert "http" not in text, "a page needs nothing from the network"


def test_a_value_that_is_not_given_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'learner' is undefined"):
        reports.render("feedback", rows=[])
    with pytest.raises(jinja2.TemplateNotFound):
        reports.render("nothing")


def test_what_the_class_page_says() -> None:
    page = class_page()
    assert "2 learners, 2 notebooks." in page
    assert "Mean 0.0 of 3 points." in page
    assert "1 of 2 notebooks are graded" in page
    assert 'class="n">2</td>' in page, "two exercises without points"
    assert page.count("the grader had a problem") == 2
