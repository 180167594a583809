"""Every lesson: its form, its two notebooks, and that both run."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import build
import nbformat
import notebook_nbval
import pytest
from lesson import MARKER, Lesson, SourceError, answer_texts, lessons, split_solution

ROOT = Path(__file__).resolve().parent.parent
LESSONS = lessons()
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=[one.source.stem for one in LESSONS])


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown(notebook: nbformat.NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def can_cut_network() -> bool:
    probe = "import notebook_runner; notebook_runner.cut_network()"
    run = subprocess.run([sys.executable, "-c", probe], cwd=ROOT / "tests", capture_output=True)
    return run.returncode == 0


def execute(notebook: Path, folder: Path, profile: str, *flags: str, strict: bool) -> dict:
    """Run a notebook in a process of its own and return the runner's report."""
    environment = {**os.environ, "COURSE_PROFILE": profile, "JUPYTER_PLATFORM_DIRS": "1"}
    environment["COURSE_STRICT_CHECKS"] = "1" if strict else "0"
    result = folder / "result.json"
    command = [sys.executable, str(ROOT / "tests" / "notebook_runner.py")]
    run = subprocess.run(
        [*command, str(notebook), str(result), *flags],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.exists(), run.stderr[-4000:]
    return json.loads(result.read_text())


def test_there_are_lessons_in_order() -> None:
    assert [int(lesson.number) for lesson in LESSONS] == list(range(len(LESSONS)))
    assert len(LESSONS) >= 5


def test_everything_generated_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--check"]) == 0, capsys.readouterr()


@each_lesson
def test_form_of_the_lesson(lesson: Lesson) -> None:
    notebook = read(build.targets(lesson)["learner"])
    prose = markdown(notebook)
    assert notebook.cells[0].source.startswith("# "), "the first cell is the title"
    assert lesson.title
    assert lesson.question.endswith("?"), "below the title stands one question"
    assert lesson.clocks == sorted(set(lesson.clocks)), "a running clock"
    assert 0 < lesson.clocks[-1] <= lesson.minutes
    assert sum(exercise.minutes for exercise in lesson.exercises) <= lesson.minutes
    for heading in ("## Summary", "## Common mistakes", "## Try next", "## References"):
        assert heading in prose, f"{heading} is missing"
    for cell in code_cells(notebook):
        assert not cell.outputs
        assert len(cell.source.splitlines()) <= 25, f"cell {cell.id} is too long"
        assert "import *" not in cell.source
        assert not re.search(r"^\s*[%!]\s*(pip|conda)\b", cell.source, re.MULTILINE)


@each_lesson
def test_solution_shows_what_its_code_did(lesson: Lesson) -> None:
    path = build.targets(lesson)["solution"]
    solution = read(path)
    remedy = f"`make previews NAME={lesson.source.stem}` runs it again"
    assert build.ran(solution) == build.digest(solution), f"its code was not run; {remedy}"
    kinds = {
        kind
        for cell in code_cells(solution)
        for one in cell.outputs
        for kind in one.get("data", {})
    }
    assert "image/png" in kinds
    assert not any("widget" in kind or "javascript" in kind for kind in kinds)
    assert path.stat().st_size < 600_000
    text = path.read_text(encoding="utf-8")
    assert not [own for own in (str(ROOT), "/root/", "/home/", "/tmp/") if own in text]
    assert "lesson_" + lesson.number in (ROOT / "README.md").read_text(encoding="utf-8")


@each_lesson
def test_links_lead_somewhere(lesson: Lesson) -> None:
    for kind, path in build.targets(lesson).items():
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", markdown(read(path))):
            if not link.startswith(("http:", "https:", "mailto:")):
                assert (path.parent / link).exists(), f"{kind} notebook links to {link}"
        for title, name in re.findall(r"\[(\d\d [^\]]+)\]\((\w+\.ipynb)\)", markdown(read(path))):
            assert title == lessons([name[:2]])[0].title, f"{kind} notebook calls {name} {title}"


@each_lesson
def test_learner_has_stubs_where_the_solution_has_code(lesson: Lesson) -> None:
    learner, solution = (read(build.targets(lesson)[kind]) for kind in ("learner", "solution"))
    assert lesson.exercises, "a lesson without an exercise"
    mine = {cell.id: cell.source for cell in code_cells(learner)}
    full = {cell.id: cell.source for cell in code_cells(solution)}
    for text in (*mine.values(), *full.values()):
        assert "BEGIN SOLUTION" not in text
        assert "END SOLUTION" not in text
    marked = {cell: text for cell, text in mine.items() if MARKER.search(text)}
    for cell, text in marked.items():
        number = MARKER.findall(text)[0]
        assert f'raise NotImplementedError("Exercise {number}")' in text
        assert "NotImplementedError" not in full[cell]
        ast.parse(text)
        solution_lines = set(full[cell].splitlines()) - set(text.splitlines())
        assert solution_lines, f"exercise {number} gives its solution away"
    others = {cell: text for cell, text in mine.items() if cell not in marked}
    assert "where_was_i()" in others.pop("where-was-i")
    assert all(full[cell] == text for cell, text in others.items())


@each_lesson
def test_solution_runs_without_a_network_and_prints_what_it_should(lesson: Lesson) -> None:
    """With nbval: no cell may raise, and what is the same in every run is compared."""
    offline = can_cut_network()
    flags = ["--offline"] if offline else []
    program = [sys.executable, str(ROOT / "tests" / "notebook_nbval.py")]
    solution = build.targets(lesson)["solution"]
    run = subprocess.run([*program, str(solution), *flags], capture_output=True, text=True)
    remedy = f"\nIf the new text (-) is meant: `make outputs NAME={lesson.source.stem}`"
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:] + remedy
    if not offline:
        pytest.skip("the notebook ran, but this machine does not let a test cut the network off")


@pytest.mark.parametrize(("wanted", "status"), [("7\n", 0), ("8\n", 1)])
def test_another_output_is_seen(
    wanted: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook_nbval, "STORED", tmp_path)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(7)", id="one")])
    nbformat.write(notebook, tmp_path / "tiny.ipynb")
    outputs = {"one": [{"output_type": "stream", "name": "stdout", "text": wanted}]}
    (tmp_path / "tiny.json").write_text(json.dumps(outputs))
    assert notebook_nbval.compare(tmp_path / "tiny.ipynb") == status


def pictures_of(cell: nbformat.NotebookNode) -> list[dict[str, str]]:
    """The outputs of a cell that show a picture; a widget's still has its words in the widget."""
    found = [output.get("data", {}) for output in cell.get("outputs", [])]
    pictures = [data for data in found if any(kind.startswith("image/") for kind in data)]
    return [data for data in pictures if not any("widget-view" in kind for kind in data)]


def in_words(picture: dict[str, str]) -> bool:
    return re.search(r'<img alt="[^"]{12,}"', picture.get("text/html", "")) is not None


@each_lesson
def test_learner_runs_with_every_exercise_unsolved(lesson: Lesson, tmp_path: Path) -> None:
    learner = build.targets(lesson)["learner"]
    report = execute(learner, tmp_path, "smoke", "--allow-errors", strict=False)
    notebook = nbformat.from_dict(report["notebook"])
    assert not report["failure"], report["failure"][-4000:]
    strangers = [error for error in report["errors"] if error["name"] != "NotImplementedError"]
    assert not strangers
    wordless = [cell.id for cell in notebook.cells if not all(map(in_words, pictures_of(cell)))]
    assert not wordless, "their pictures say nothing to those who hear the page"
    text = json.dumps(notebook, ensure_ascii=False)
    for exercise in lesson.exercises:
        assert f"Exercise {exercise.number}, {exercise.title}: not started yet" in text


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md")))
def test_documents_know_the_lessons(path: Path) -> None:
    """Titles in links, and minutes in the instructor's plans: '02 (35)' is all of lesson 02."""
    text = path.read_text(encoding="utf-8")
    known = {lesson.number: lesson for lesson in LESSONS}
    for number, minutes in re.findall(r"\b(\d\d) \((\d+)\)", text):
        assert int(minutes) == known[number].minutes, f"lesson {number} takes other minutes"
    for title, name in re.findall(r"\[(\d\d [^\]]+)\]\([^)]*?(\w+\.ipynb)\)", text):
        assert (title, name) == (known[title[:2]].title, known[title[:2]].file_name)


def test_plans_fit_their_day() -> None:
    guide = (ROOT / "docs" / "instructor_guide.md").read_text(encoding="utf-8")
    plans = re.findall(r"^\| (\d+) min \|([^|]+)\|", guide, re.MULTILINE)
    assert len(plans) == 3
    for day, plan in plans:
        assert sum(int(part) for part in re.findall(r"\((\d+)\b", plan)) <= int(day)


@pytest.mark.full
@pytest.mark.timeout(900)
@each_lesson
def test_laptop_profile_keeps_to_its_time_and_memory(lesson: Lesson, tmp_path: Path) -> None:
    solution = build.targets(lesson)["solution"]
    minutes = float(lesson.computing)
    report = execute(solution, tmp_path, "laptop", strict=True)
    print(f"{lesson.source.stem}: {report['seconds']:.0f} s, peak {report['peak_gib']:.2f} GiB")
    assert not report["failure"], report["failure"][-4000:]
    assert report["seconds"] <= 1.2 * 60 * minutes
    assert report["seconds"] <= 300
    assert report["peak_gib"] <= 6
    assert minutes <= lesson.minutes


class TestGenerator:
    """The generator's own rules."""

    def test_solution_and_stub(self) -> None:
        code = (
            "# EXERCISE 9.1\ndef f(x):\n    # BEGIN SOLUTION\n    return x + 1\n    # END SOLUTION"
        )
        full, stub = split_solution(code, "9.1", "here")
        assert full == "# EXERCISE 9.1\ndef f(x):\n    return x + 1"
        assert stub == '# EXERCISE 9.1\ndef f(x):\n    raise NotImplementedError("Exercise 9.1")'

    @pytest.mark.parametrize(
        "code",
        [
            "# BEGIN SOLUTION\nx = 1",
            "x = 1\n# END SOLUTION",
            "# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION",
            "# BEGIN SOLUTION\nx = 1\n# END SOLUTION",
            "# EXERCISE 9.2\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION",
        ],
        ids=["no end", "no begin", "nested", "no visible line", "another number"],
    )
    def test_refuses(self, code: str) -> None:
        with pytest.raises(SourceError, match="here"):
            split_solution(code, "9.1", "here")

    def test_unknown_number(self) -> None:
        with pytest.raises(SourceError, match="no source for notebook '77'"):
            lessons(["77"])


SMALL = """# %% [markdown]
# # 09 Small
#
# **Is it
# small?**
#
# **Time:** 3 minutes, of which the machine computes about 0.5.

# %%
import functools
import math as m

import numpy as np

LIMIT = 3
table = np.zeros(3)


@functools.cache
def helper(x):
    return m.floor(x) + LIMIT


# %% [markdown]
# ### Exercise 9.1 - small (2 min, difficulty 1 of 3)

# %%
# EXERCISE 9.1
def f(x):
    # BEGIN SOLUTION
    return helper(x)
    # END SOLUTION


# %%
f = checks.check_f(f)
"""


class TestFacts:
    """What a lesson says of itself, read from its source."""

    @staticmethod
    def lesson(folder: Path, *change: str) -> Lesson:
        path = folder / "09_small.py"
        path.write_text(SMALL.replace(*change) if change else SMALL)
        return Lesson(path)

    def test_facts(self, tmp_path: Path) -> None:
        lesson = self.lesson(tmp_path)
        assert (lesson.title, lesson.question) == ("09 Small", "Is it small?")
        assert (lesson.minutes, lesson.computing) == (3, "0.5")
        assert [(one.number, one.title, one.minutes) for one in lesson.exercises] == [
            ("9.1", "small", 2)
        ]

    def test_an_answer_brings_what_it_stands_on_and_no_more(self, tmp_path: Path) -> None:
        text = answer_texts(self.lesson(tmp_path))["9.1"]
        assert "numpy" not in text
        names: dict = {}
        exec(text, names)
        assert names["ANSWER"](2.5) == 5
        assert hasattr(names["helper"], "cache_info"), "with its decorator"

    def test_an_answer_that_stands_on_a_call_is_refused(self, tmp_path: Path) -> None:
        lesson = self.lesson(tmp_path, "return helper(x)", "return table[x]")
        with pytest.raises(SourceError, match=r"exercise 9\.1, its answer uses `table`"):
            answer_texts(lesson)

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("# # 09 Small", "# # 08 Small", "its title says 08"),
            ("# # 09 Small", "# # 09 Small | large", "so no '|' in"),
            ("small?**", "small.**", "stands no question: 'Is it small.'"),
            ("**Time:** 3 min", "**Time:** three min", "a line like '**Time:** 40 minutes"),
            ("9.1 - small (2 min,", "9.1: small (2 min,", "'### Exercise 9.1: small (2 min"),
            ("9.1 - small (2 min,", "9.1 – small (2 min,", "Exercise 9.1 \\\\u2013 small"),
            ("### Exercise", "#### Exercise", "'#### Exercise 9.1 - small"),
            ("LIMIT = 3\n", "LIMIT = 3\nLIMIT += 1\n", "through `helper`, uses `LIMIT`"),
            ("LIMIT = 3\n", "LIMIT, MORE = 3, 4\n", "through `helper`, uses `LIMIT`"),
            ("LIMIT = 3\n", "LIMIT = 3\nLIMIT = m.floor(9)\n", "through `helper`, uses `LIMIT`"),
            ("f = checks.check_f(f)", "checks.check_f(f)", "the next cell is not one line"),
            ("LIMIT = 3", "LIMIT = 3\n# %%\nLIMIT = 3", "limit-3; give one of them a name"),
        ],
    )
    def test_refuses(self, old: str, new: str, words: str, tmp_path: Path) -> None:
        lesson = self.lesson(tmp_path, old, new)
        with pytest.raises(SourceError, match=re.escape(words)):
            build.cell_ids(lesson), lesson.title, lesson.question, lesson.minutes, lesson.exercises
            answer_texts(lesson)

    def test_cells_keep_their_ids_when_others_come_and_go(self, tmp_path: Path) -> None:
        before = build.cell_ids(self.lesson(tmp_path))
        note = "# %% [markdown]\n# A word more.\n\n# %%\nimport functools"
        after = build.cell_ids(self.lesson(tmp_path, "# %%\nimport functools", note))
        assert [name for name in after if name != "a-word-more"] == before
        assert before[-2:] == ["exercise-9-1", "check-9-1"]

    def test_a_name_in_the_source_is_the_id(self, tmp_path: Path) -> None:
        lesson = self.lesson(tmp_path, "# %%\nimport func", "# %% the-tools\nimport func")
        assert build.cell_ids(lesson)[1] == "the-tools"


def test_offline_really_is_offline() -> None:
    if not can_cut_network():
        pytest.skip("this machine does not let a test cut the network off")
    probe = (
        "import notebook_runner, socket; notebook_runner.cut_network();"
        "s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname());"
        "socket.create_connection(('192.0.2.1', 80), timeout=3)"
    )
    run = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT / "tests",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode != 0
    assert "Network is unreachable" in run.stderr
