"""The grader's parts by themselves; the corpus tests them together."""

import ast
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

pytest.importorskip("nbval")
from grading_corpus import answers, files

from course_lib.checks import maze
from course_lib.checks.core import Case, Outcome, look
from course_lib.checks.values import agree, to_plain
from course_lib.grading import (
    assemble,
    cells,
    course,
    judge,
    needs,
    patches,
    report,
    sandbox,
    scores,
    stripped,
)
from course_lib.grading.budgets import BUDGETS, budget_for
from course_lib.grading.expected import ReferenceFailed, expected_of, seed_of
from course_lib.grading.results import Results
from course_lib.grading.submissions import find
from course_lib.tryouts.plain import decode, encode, in_words

LESSONS = course.lessons()
MAZE = LESSONS["01"]
SYNTAX = {"name": "SyntaxError", "text": "x"}
UPDATE = next(one for one in MAZE.exercises if one.number == "1.2")


def read(content: Any) -> list[cells.Cell]:
    return cells.read_cells(json.dumps(content).encode())


class TestCourse:
    def test_every_exercise_of_every_notebook_is_known(self) -> None:
        for lesson in LESSONS.values():
            headings = "\n".join(cell.source for cell in lesson.cells if not cell.code)
            numbers = [one.number for one in lesson.exercises]
            assert [f"### Exercise {number} " in headings for number in numbers] == [True] * len(
                numbers
            )
            assert headings.count("### Exercise ") == len(numbers)

    @pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
    def test_checks_agree_with_the_notebooks(self, lesson: course.Lesson) -> None:
        for exercise in lesson.exercises:
            assert exercise.check().exercise == exercise.number

    def test_no_notebooks_no_grading(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="make build"):
            course.lessons(tmp_path)


class TestValues:
    @pytest.mark.parametrize(
        "value",
        [1, 2.5, True, None, "text", [1, 2], (0.5, 1.5), np.array([[1.0, 2.0]]), np.float32(3),
         {"a", "b"}, set(), ["x", "y"], float("nan"), float("inf"), [], [True, False]],
    )  # fmt: skip
    def test_a_value_agrees_with_itself_after_the_journey(self, value: Any) -> None:
        plain = json.loads(json.dumps(encode(value)))
        assert agree(encode(value), plain, atol=1e-6)

    @pytest.mark.parametrize(
        ("expected", "got"),
        [(1.0, 2.0), (1.0, "1.0"), (1.0, None), (True, 1.0), (None, 0.0), ("a", "b"),
         ([1, 2], [1, 2, 3]), ({"a"}, {"b"}), (set(), {"a"}), (["x"], "x"), (0.0, [])],
    )  # fmt: skip
    def test_others_do_not(self, expected: Any, got: Any) -> None:
        assert not agree(encode(expected), json.loads(json.dumps(encode(got))), atol=1e-6)

    @pytest.mark.parametrize(
        "forged", [None, [], {}, "x", {"numbers": "x"}, {"bool": 1}, {"numbers": 1, "x": 2},
                   {"numbers": {"a": 1}}, {"numbers": [[1], [1, 2]]}, {"list": 3}],
    )  # fmt: skip
    def test_forged_values_agree_with_nothing(self, forged: Any) -> None:
        for value in (1.0, True, "x", None, [1.0], ["a"], set()):
            assert not agree(encode(value), forged, atol=1e-6)
        assert isinstance(in_words(forged), str)
        assert decode(forged) not in (1.0, True, "x", [1.0], ["a"])

    def test_objects_cannot_call_themselves_equal(self) -> None:
        class Equal:
            __eq__ = lambda self, other: True  # noqa: E731
            __hash__ = None

        assert encode(Equal()) == {"other": "Equal"}
        assert not agree(encode(1.0), encode(Equal()), atol=1e-6)

    def test_an_error_travels_as_words(self) -> None:
        record = to_plain(Outcome(Case("x", 1.0), error=ValueError("no idea")))
        assert record["error"] == "ValueError"
        assert "no idea" in record["text"]


class TestReading:
    @pytest.mark.parametrize("name", files.BROKEN)
    def test_broken_files_are_named(self, name: str) -> None:
        data, words = files.BROKEN[name]
        with pytest.raises(cells.Unreadable, match=words):
            cells.read_cells(data)

    def test_free_names(self) -> None:
        source = "def f(a, b=GIVEN):\n    run = helper(a)\n    return np.max(run) + b\nx = SIZE\n"
        assert {"GIVEN", "helper", "np", "SIZE"} <= needs.free_names(source)
        assert not {"run", "a", "b"} & needs.free_names(source)

    def test_names_of_code_that_is_not_python(self) -> None:
        assert "q_values" in needs.free_names("def f(:\n  q_values")


class TestFindingTheAnswer:
    @pytest.mark.parametrize("form", files.FORMS)
    def test_the_right_one(self, form: str) -> None:
        found = assemble.find_answer(read(files.FORMS[form](answers.GOOD)), UPDATE)
        assert found.state == "finished"
        assert "target = reward" in found.source

    @pytest.mark.parametrize(
        ("cell", "state"), [(files.exercise(files.STUB), "stub"), (files.check(), "missing")]
    )
    def test_none(self, cell: dict[str, Any], state: str) -> None:
        assert assemble.find_answer(read(files.notebook(cell)), UPDATE).state == state


class TestAssembling:
    def build(self, content: Any) -> list[Any]:
        learner = read(content)
        answer = assemble.find_answer(learner, UPDATE)
        made = assemble.build(MAZE, UPDATE, learner, answer, seed=1, expected="[]")
        return made.cells

    def test_roles_and_what_is_taken_along(self) -> None:
        setup, extras, answer, check = self.build(files.FORMS["helper-elsewhere"](answers.GOOD))
        assert [cell.metadata.role for cell in (setup, extras, answer, check)] == list(
            assemble.ROLES
        )
        assert "matplotlib" not in setup.source
        assert "def best" in extras.source
        assert "GAIN = 1.0" in extras.source
        assert check.source == "td_update"  # the check itself stays with the judge
        assert not answer.outputs

    def test_what_the_learner_does_elsewhere_is_not_run(self) -> None:
        other = files.code("print('side effect')\nnp = open('/etc/passwd')")
        content = files.notebook(other, files.exercise(answers.GOOD))
        sources = "\n".join(cell.source for cell in self.build(content))
        assert "side effect" not in sources
        assert "passwd" not in sources

    def test_earlier_solutions_come_from_the_course(self) -> None:
        third = next(one for one in MAZE.exercises if one.number == "1.3")
        answer = assemble.Answer(third.solution, "finished")
        setup, *_ = assemble.build(MAZE, third, [], answer, seed=1, expected="[]").cells
        assert "def epsilon_greedy" in setup.source
        assert "def td_update" in setup.source

    def test_cheap_statements_need_what_is_there(self) -> None:
        source, _ = needs.setup_source(MAZE, UPDATE, {"lines", "usual", "np"})
        assert "usual" in source
        assert "lines" not in source


class TestReferences:
    @pytest.mark.parametrize("exercise", MAZE.exercises, ids=lambda one: one.number)
    def test_the_copy_lacks_the_answer_alone(
        self, exercise: course.Exercise, tmp_path: Path
    ) -> None:
        stripped.copy_without_answer(exercise, tmp_path)
        assert not (tmp_path / "course_lib" / "grading").exists()
        assert not list(tmp_path.rglob("exercise_*"))
        for place in exercise.check().hides:
            module, name = place.split(":")
            path = tmp_path / (module.replace(".", "/") + ".py")
            tree = ast.parse(path.read_text())
            node = next(node for node in tree.body if name in needs.defined_names(node))
            text = ast.unparse(node)
            assert "does not count here" in text or text.endswith("= {}")

    def test_a_name_that_is_not_there(self) -> None:
        with pytest.raises(ValueError, match="is not defined"):
            stripped.empty("x = 1", "y")

    def test_seeds_differ_by_exercise(self) -> None:
        assert seed_of(1, "1.1") != seed_of(1, "1.2") != seed_of(2, "1.2")

    def test_expected_values_know_what_is_drawn(self) -> None:
        made = expected_of(UPDATE, 3)
        assert made["parts"] == maze.check_td_update.parts
        shown = [case["shown"] for case in made["cases"]]
        assert shown == ["8", "5.75", "5", "12.5", "", "", ""]

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"reference": lambda: lambda *a, **k: 0.0}, "worked by hand"),
            ({"reference": lambda: lambda: 0.0}, "raised TypeError"),
            ({"parts": {"the target": 1}}, "have no points"),
            ({"parts": dict(maze.check_td_update.parts, more=1)}, "have no case"),
            ({"cases": lambda attempt, rng: iter(())}, "looked at nothing"),
        ],
    )
    def test_a_reference_that_fails_is_refused(
        self, change: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in change.items():
            monkeypatch.setattr(maze.check_td_update, name, value)
        with pytest.raises(ReferenceFailed, match=words):
            expected_of(UPDATE, 3)


@pytest.mark.parametrize(
    "number", [pytest.param(n, marks=pytest.mark.slow if n == "03" else ()) for n in LESSONS]
)
def test_every_solution_gets_every_point_and_every_stub_none(number: str) -> None:
    """In this process, without kernels: what is handed out is not begun, what solves it counts."""
    lesson = LESSONS[number]
    untouched = cells.read_cells((course.ROOT / "notebooks" / f"{lesson.stem}.ipynb").read_bytes())
    for exercise in lesson.exercises:
        assert assemble.find_answer(untouched, exercise).state == "stub"
        answer = assemble.find_answer(list(lesson.cells), exercise)
        if exercise.check().needs == "ray":
            continue
        wanted = expected_of(exercise, 3)["cases"]
        notebook = assemble.build(
            lesson, exercise, list(lesson.cells), answer, seed=1, expected="[]"
        )
        names: dict[str, Any] = {}
        for cell in notebook.cells[:3]:
            exec(cell.source, names)
        check, seed = exercise.check(), seed_of(3, exercise.number)
        got = [to_plain(one) for one in look(check.cases, names[exercise.name], seed)]
        assert all(one["right"] for one in judge.compare(wanted, got)), exercise.number


class TestNbval:
    def test_the_patches_fit_what_is_installed(self) -> None:
        assert patches.version_problem() == ""

    def test_another_version_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(patches.nbval, "__version__", "0.12.0")
        assert "fit version 0.11.0, and 0.12.0 is installed" in patches.version_problem()
        with pytest.raises(RuntimeError, match="make setup"):
            patches.apply({}, lambda *_: True)


class TestScores:
    def ran(self, **change: Any) -> dict[str, Any]:
        record = {"seconds": 0.5, "stopped": "", "problem": "", "error": None, "cases": None}
        records = {role: dict(record) for role in assemble.ROLES}
        right = {"right": True, "seen": True, "got": "1", "error": "", "text": ""}
        records["check"]["cases"] = [dict(right) for _ in range(7)]
        for role, changes in change.items():
            records[role] |= changes
        return {"answer": "finished", "records": records, "missing": {}}

    def score(self, ran: dict[str, Any]) -> dict[str, Any]:
        wanted = {one.number: expected_of(one, 3) for one in MAZE.exercises if one is UPDATE}
        lesson = course.Lesson("01", "x", (), (UPDATE,))
        return scores.score(lesson, wanted, {"1.2": ran})[0]

    def test_all_right(self) -> None:
        one = self.score(self.ran())
        assert (one["points"], one["of"], one["state"]) == (10, 10, "solved")

    def test_a_wrong_case_costs_its_part(self) -> None:
        ran = self.ran()
        ran["records"]["check"]["cases"][6] |= {"right": False, "got": "7.5"}
        one = self.score(ran)
        assert (one["points"], one["state"]) == (7, "partly")
        mistake = one["parts"][2]["mistakes"][0]
        assert mistake["came_out"] == "not right"  # with numbers that are drawn
        assert mistake["looked_at"] == "the end of an episode, with other numbers"
        assert "right for the notebook's numbers alone" in mistake["hint"]
        assert "(not terminated)" in mistake["hint"]

    def test_a_name_that_did_not_come_along_is_said(self) -> None:
        ran = self.ran() | {"missing": {"best": 3, "wurst": 0}}
        for index, name in ((4, "best"), (6, "wurst")):
            text = f"NameError: name '{name}' is not defined"
            case = {"right": False, "error": "NameError", "text": text}
            ran["records"]["check"]["cases"][index] |= case
        one = self.score(ran)
        assert one["missing"] == {"best": 3}
        hints = [mistake["hint"] for part in one["parts"] for mistake in part["mistakes"]]
        assert len(hints) == 2

    @pytest.mark.parametrize(
        ("change", "state", "words"),
        [
            ({"check": {"stopped": "time"}}, "stopped: time", "loop"),
            ({"answer": {"stopped": "died"}}, "stopped: died", "crash"),
            ({"check": {"stopped": "tampered"}}, "tampered", "changes how Python"),
            ({"check": {"cases": None}, "answer": {"error": SYNTAX}}, "error", "SyntaxError: x"),
            (
                {"check": {"cases": None, "error": {"name": "NameError", "text": "x"}}},
                "error",
                "does not define td_update",
            ),
        ],
    )  # fmt: skip
    def test_the_reason_is_said(self, change: dict[str, Any], state: str, words: str) -> None:
        one = self.score(self.ran(**change))
        assert (one["points"], one["state"]) == (0, state)
        assert words in one["message"]

    @pytest.mark.parametrize(
        "ran",
        [
            {"answer": "finished", "records": {}, "missing": {}},
            {"setup": {"stopped": "died"}},
            {"check": {"cases": None}},
            {"check": {"cases": []}},
        ],
    )
    def test_what_nobody_looked_at_is_not_graded(self, ran: dict[str, Any]) -> None:
        one = self.score(ran if "answer" in ran else self.ran(**ran))
        assert (one["points"], one["state"], one["verdict"]) == (None, *["not graded"] * 2)
        assert one["trouble"]
        assert "teacher" in one["message"]


class TestJournal:
    def row(self, learner: str) -> dict[str, Any]:
        return {"learner": learner, "notebook": "01", "digest": "d", "exercises": []}

    def journal(self, out: Path, seed: int | None = None) -> Results:
        return Results(out, seed, None, "full")

    def test_a_run_goes_on_with_the_same_seed(self, tmp_path: Path) -> None:
        first = self.journal(tmp_path)
        first.add(self.row("ann"))
        again = self.journal(tmp_path)
        assert again.seed == first.seed
        assert list(again.rows) == [("ann", "01", "d")]

    def test_half_a_line_is_cut_off(self, tmp_path: Path) -> None:
        first = self.journal(tmp_path)
        first.add(self.row("ann"))
        with first.path.open("a") as file:
            file.write('{"learner": "bo')
        again = self.journal(tmp_path)
        again.add(self.row("bob"))
        assert sorted(learner for learner, *_ in self.journal(tmp_path).rows) == ["ann", "bob"]

    def test_another_seed_begins_anew_and_keeps_the_old_results(self, tmp_path: Path) -> None:
        self.journal(tmp_path).add(self.row("ann"))
        assert self.journal(tmp_path, seed=5).rows == {}
        assert (tmp_path / "results.old.jsonl").exists()


class TestReport:
    def test_pages_of_different_learners_have_different_names(self) -> None:
        names = report.page_names([{"learner": name} for name in ("a b", "a_b", "A_B", "é", "//")])
        assert len({name.casefold() for name in names.values()}) == 5
        assert all("/" not in name for name in names.values())

    def test_a_name_is_no_formula(self) -> None:
        assert report._cell("=1+1") == "'=1+1"


class TestSubmissions:
    def test_names_and_notebooks(self, tmp_path: Path) -> None:
        content = json.dumps(files.plain(answers.GOOD))
        for name in ("ann.ipynb", "bob_01_mouse_and_cheese.ipynb", "cy/01.ipynb", "cy/copy.ipynb",
                     ".hidden.ipynb", "cy/.ipynb_checkpoints/x.ipynb"):  # fmt: skip
            (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / name).write_text(content)
        found = find(tmp_path, LESSONS)
        assert [(one.learner, one.notebook) for one in found] == [
            ("ann", "01"), ("bob", "01"), ("cy", "01"), ("cy", "01"),
        ]  # fmt: skip

    def test_only_one_notebook(self, tmp_path: Path) -> None:
        (tmp_path / "ann.ipynb").write_text(json.dumps(files.plain(answers.GOOD)))
        (tmp_path / "03 broken.ipynb").write_text("")
        assert [one.learner for one in find(tmp_path, LESSONS, "01")] == ["ann"]
        assert [one.notebook for one in find(tmp_path, LESSONS, "03")] == ["03"]

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="must be a folder"):
            find(tmp_path / "nowhere", LESSONS)


def test_budgets() -> None:
    assert budget_for("", 3.0).seconds == 3.0
    assert budget_for("ray") is BUDGETS["ray"]
    assert BUDGETS[""].seconds <= 15
    with pytest.raises(ValueError, match="must be above 0"):
        budget_for("", 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "--out", "x"], "must be a folder"),
        ([".", "--out", "x", "--notebook", "77"], "77"),
        ([".", "--out", "x", "--jobs", "-1"], "--jobs"),
    ],
)  # fmt: skip
def test_wrong_calls(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    from course_lib.grading.__main__ import main

    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_never_collects_its_children_is_ended_too() -> None:
    code = (
        "import subprocess, time; a = subprocess.Popen('true'); print(flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    while all(one.status() != psutil.STATUS_ZOMBIE for one in sandbox.tree(process.pid)):
        time.sleep(0.05)
    sandbox.kill(process.pid)
    ended = process.poll() is not None
    process.kill()
    assert ended
