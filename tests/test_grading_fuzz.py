"""Whatever a learner hands in, one verdict comes out, and a report that can be read.

Most of it without kernels: any notebook, any error, any text, any answer of a kernel.
"""

import csv
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbval")
from grading_corpus import answers, files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_lib.grading import assemble, cells, course, judge, report, scores, submissions
from course_lib.grading.expected import expected_of
from course_lib.tryouts.core import MIME, Elsewhere
from course_lib.tryouts.errors import RaisedThere

MAZE = course.lessons()["01"]
UPDATE = next(one for one in MAZE.exercises if one.number == "1.2")
LESSON = course.Lesson("01", "x", (), (UPDATE,))
VERDICTS = {"right", "wrong", "stopped", "tampered", "not graded"}
EXPECTED = {"1.2": expected_of(UPDATE, 3)}
any_text = st.text(st.characters(), max_size=60)  # halves of characters and controls, too
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)
code = any_text | st.sampled_from([answers.GOOD, files.STUB, "%%bash\n", "# EXERCISE 1.2\nx = ("])
near_cell = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.just("code") | plain_json,
        "source": code | st.lists(code, max_size=3) | plain_json,
        "metadata": plain_json,
        "id": st.just("exercise-1-2") | plain_json,
        "outputs": plain_json,
        "execution_count": plain_json,
    },
)
notebooks = plain_json | st.fixed_dictionaries(
    {"cells": st.lists(near_cell | plain_json, max_size=4) | plain_json},
    optional={"metadata": plain_json, "nbformat": plain_json, "worksheets": plain_json},
)
many = settings(
    max_examples=200, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip


def written(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[list[str]]]:
    """Write a report; return its rows and the lines of its table as they can be read again."""
    rows = [cells.printable(row) for row in rows]
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        report.write(rows, out, {})
        text = (out / "scores.csv").read_text(encoding="utf-8-sig")
        for page in [out / "class.html", *(out / "feedback").iterdir()]:
            page.read_text(encoding="utf-8")
        again = json.loads((out / "scores.json").read_text(encoding="utf-8"))["submissions"]
    return again, list(csv.reader(io.StringIO(text)))[1:]


@many
@given(st.binary(max_size=200) | notebooks.map(lambda nb: json.dumps(nb).encode()))
def test_any_file_is_read_or_refused(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "ann.ipynb").write_bytes(data)
        (one,) = submissions.find(Path(name), {"01": MAZE}, "01")
    for exercise in MAZE.exercises:
        answer = assemble.find_answer(one.cells, exercise)
        assert answer.state in ("finished", "stub", "missing")
        for everything in (False, True):
            made = assemble.build(
                MAZE, exercise, one.cells, answer, seed=1, expected="[]", everything=everything
            )
            json.dumps(made).encode()


cases = st.fixed_dictionaries(
    {"right": st.booleans(), "seen": st.booleans(), "got": any_text, "error": any_text,
     "text": any_text, "hint": any_text}
)  # fmt: skip
errors = st.none() | st.fixed_dictionaries({"name": any_text, "text": any_text})
records = st.fixed_dictionaries(
    {"seconds": st.floats(0, 9), "stopped": st.sampled_from(["", "", "time", "tampered", "start"]),
     "problem": any_text, "error": errors, "cases": st.none() | st.lists(cases, max_size=8)}
)  # fmt: skip


@many
@given(
    learner=any_text,
    state=st.sampled_from(["finished", "stub", "missing"]),
    ran=st.dictionaries(st.sampled_from(assemble.ROLES), records),
    missing=st.dictionaries(any_text, st.integers(0, 5), max_size=2),
)
def test_any_record_becomes_one_verdict(
    learner: str, state: str, ran: dict[str, Any], missing: dict[str, int]
) -> None:
    found = {"answer": state, "records": ran, "missing": missing}
    (one,) = scores.score(LESSON, EXPECTED, {"1.2": found})
    assert one["verdict"] in VERDICTS
    assert (one["points"] is None) == (one["verdict"] == "not graded")
    row = {"learner": learner, "notebook": "01", "file": learner, "problem": "", "seconds": 1.0,
           "exercises": [one], "late": "", "older": [learner]}  # fmt: skip
    again, lines = written([row])
    assert len(again) == len(lines) == 1


@many
@given(plain_json | st.fixed_dictionaries({"value": plain_json | st.dictionaries(
    st.sampled_from(["numbers", "list", "set", "dict", "bool", "text", "other", "none"]),
    plain_json, max_size=2)}))  # fmt: skip
def test_any_answer_of_a_kernel_is_a_value_or_an_error(sent: Any) -> None:
    text = json.dumps({**sent, "token": "t"} if isinstance(sent, dict) else sent)
    answer = judge._answer({MIME: text}, "t")
    if answer is None:
        return
    outcomes = judge.look_at(UPDATE.module, UPDATE.check_name, 5, lambda _: answer)
    judged = judge.compare(
        [{"value": one["value"], "atol": one["atol"]} for one in EXPECTED["1.2"]["cases"]], outcomes
    )
    assert not all(one["right"] for one in judged)
    assert not any(one["right"] for one in judged[4:])  # nobody guesses a drawn number
    json.dumps(judged).encode()


def test_an_error_elsewhere_keeps_its_words() -> None:
    remote = Elsewhere(lambda _: {"error": "X", "message": "m", "words": "X: m", "nothing": True})
    with pytest.raises(RaisedThere, match="m") as error:
        remote(1)
    assert (error.value.name, error.value.words, error.value.nothing) == ("X", "X: m", True)


RAISED = [
    "ValueError(chr(0xd800))", "ValueError('\\x00' * 9)", "KeyError('\\ud83d')", "Exception()",
    "type('\\u202eX', (Exception,), {})('a')", "ValueError(b'\\xff')", "SystemExit('x')",
    "type('E', (Exception,), {'__str__': lambda s: 1})()", "ValueError('<b>' * 100_000)",
    "type('E', (Exception,), {'__str__': lambda s: 1 / 0})()", "KeyboardInterrupt()",
    "GeneratorExit()", "ExceptionGroup('g', [ValueError('x')])", "StopIteration(3)",
    "RecursionError()", "MemoryError()", "UnicodeDecodeError('u', b'x', 0, 1, 'r')",
    "type('E', (BaseException,), {})('base')",
]  # fmt: skip
SHOWN = [
    "print(chr(0xd800))", "print('\\x00\\x1b[2J')", "import sys; sys.stdout = None",
    "import sys; sys.stdout.write(b'x')", "import os; os.write(1, b'\\xff\\x00')",
    "from IPython.display import display; display({'application/json': '\\ud800'}, raw=True)",
    "import os; os.close(1)", "print(end='\\r' * 10_000)", "get_ipython().kernel.session.send",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_any_error_and_any_output_of_a_running_answer_is_one_verdict(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    sources = [answers.HEAD + f"    raise {one}\n" for one in RAISED]
    sources += [f"raise {one}\n" + answers.GOOD for one in RAISED]
    sources += [f"{one}\n" + answers.GOOD for one in SHOWN]
    sources += [answers.HEAD + f"    {one}\n" + answers.RIGHT for one in SHOWN]
    for number, source in enumerate(sources):
        path = folder / f"learner {number:03}.ipynb"
        path.write_text(json.dumps(files.plain(source)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "course_lib.grading", str(folder), "--out", str(out),
         "--notebook", "01", "--timeout", "6"],
        capture_output=True, text=True, timeout=1_100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    rows = json.loads((out / "scores.json").read_text(encoding="utf-8"))["submissions"]
    assert len(rows) == len(sources)
    found = [one for row in rows for one in row["exercises"] if one["exercise"] == "1.2"]
    assert {one["verdict"] for one in found} <= VERDICTS - {"not graded"}
    for one, source in zip(found, sources, strict=True):
        inside = source.startswith(answers.HEAD + "    raise")
        assert not (inside and one["points"]), source
