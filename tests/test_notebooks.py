"""Every lesson: its form, its two notebooks, and that both run."""

import ast
import itertools
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

ROOT = Path(__file__).resolve().parent.parent
SOURCES = build.sources()
IDS = [source.stem for source in SOURCES]
TIME_LINE = re.compile(
    r"^\*\*Time:\*\* (\d+) minutes, of which the machine computes about (\d+(?:\.\d+)?)\.$",
    re.MULTILINE,
)
each_lesson = pytest.mark.parametrize("source", SOURCES, ids=IDS)


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
    numbers = [int(source.name[:2]) for source in SOURCES]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 5


def test_nothing_generated_is_left_over() -> None:
    wanted = {target for source in SOURCES for target in build.targets(source).values()}
    present = set((ROOT / "notebooks").glob("*.ipynb"))
    present |= set((ROOT / "notebooks" / "solutions").glob("*.ipynb"))
    assert present == wanted


@each_lesson
def test_generated_files_are_current(source: Path) -> None:
    for kind, text in build.build(source).items():
        assert build.targets(source)[kind].read_text(encoding="utf-8") == text, "run `make build`"


@each_lesson
def test_form_of_the_lesson(source: Path) -> None:
    notebook = read(build.targets(source)["learner"])
    prose = markdown(notebook)
    assert notebook.cells[0].source.startswith("# "), "the first cell is the title"
    assert TIME_LINE.search(notebook.cells[0].source), "the first cell states its time"
    assert "min so far*" in prose, "a running clock"
    for heading in ("## Summary", "## Common mistakes", "## Try next", "## References"):
        assert heading in prose, f"{heading} is missing"
    for cell in code_cells(notebook):
        assert not cell.outputs
        assert len(cell.source.splitlines()) <= 25, f"cell {cell.id} is too long"
        assert "import *" not in cell.source
        assert not re.search(r"^\s*[%!]\s*(pip|conda)\b", cell.source, re.MULTILINE)


@each_lesson
def test_links_lead_somewhere(source: Path) -> None:
    for kind, path in build.targets(source).items():
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", markdown(read(path))):
            if not link.startswith(("http:", "https:", "mailto:")):
                assert (path.parent / link).exists(), f"{kind} notebook links to {link}"


@each_lesson
def test_learner_has_stubs_where_the_solution_has_code(source: Path) -> None:
    learner, solution = (read(build.targets(source)[kind]) for kind in ("learner", "solution"))
    numbers = build.HEADING.findall(markdown(learner))
    assert numbers, "a lesson without an exercise"
    assert len(numbers) == len(set(numbers))
    mine = {cell.id: cell.source for cell in code_cells(learner)}
    full = {cell.id: cell.source for cell in code_cells(solution)}
    for text in (*mine.values(), *full.values()):
        assert "BEGIN SOLUTION" not in text
        assert "END SOLUTION" not in text
    marked = {cell: text for cell, text in mine.items() if build.MARKER.search(text)}
    for cell, text in marked.items():
        number = build.MARKER.findall(text)[0]
        assert f'raise NotImplementedError("Exercise {number}")' in text
        assert "NotImplementedError" not in full[cell]
        ast.parse(text)
        solution_lines = set(full[cell].splitlines()) - set(text.splitlines())
        assert solution_lines, f"exercise {number} gives its solution away"
    others = {cell: text for cell, text in mine.items() if cell not in marked}
    assert all(full[cell] == text for cell, text in others.items())


@each_lesson
def test_each_exercise_is_followed_by_its_check(source: Path) -> None:
    cells = read(build.targets(source)["learner"]).cells
    for cell, after in itertools.pairwise(cells):
        if cell.id.startswith("exercise-"):
            assert after.cell_type == "code"
            assert "checks.check_" in after.source, f"no check after {cell.id}"
            assert len(after.source.splitlines()) == 1


@each_lesson
def test_solution_runs_without_a_network_and_prints_what_it_should(source: Path) -> None:
    """With nbval: no cell may raise, and what is the same in every run is compared."""
    offline = can_cut_network()
    flags = ["--offline"] if offline else []
    program = [sys.executable, str(ROOT / "tests" / "notebook_nbval.py")]
    solution = build.targets(source)["solution"]
    run = subprocess.run([*program, str(solution), *flags], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert len(notebook_nbval.stored(solution.stem)) >= 4
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


@each_lesson
def test_learner_runs_with_every_exercise_unsolved(source: Path, tmp_path: Path) -> None:
    learner = build.targets(source)["learner"]
    report = execute(learner, tmp_path, "smoke", "--allow-errors", strict=False)
    assert not report["failure"], report["failure"][-4000:]
    strangers = [error for error in report["errors"] if error["name"] != "NotImplementedError"]
    assert not strangers
    text = json.dumps(report["notebook"], ensure_ascii=False)
    for number in build.HEADING.findall(markdown(read(learner))):
        assert f"Exercise {number}" in text
    assert text.count("not started yet") >= 1


@each_lesson
def test_readme_states_the_same_times(source: Path) -> None:
    stated = TIME_LINE.search(read(build.targets(source)["learner"]).cells[0].source)
    assert stated is not None
    row = next(
        line
        for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
        if f"(notebooks/{source.stem}.ipynb)" in line
    )
    assert [cell.strip() for cell in row.split("|")[-3:-1]] == list(stated.groups())


@pytest.mark.full
@pytest.mark.timeout(900)
@each_lesson
def test_laptop_profile_keeps_to_its_time_and_memory(source: Path, tmp_path: Path) -> None:
    solution = build.targets(source)["solution"]
    stated = TIME_LINE.search(read(solution).cells[0].source)
    assert stated is not None
    minutes = float(stated.group(2))
    report = execute(solution, tmp_path, "laptop", strict=True)
    print(f"{source.stem}: {report['seconds']:.0f} s, peak {report['peak_gib']:.2f} GiB")
    assert not report["failure"], report["failure"][-4000:]
    assert report["seconds"] <= 1.2 * 60 * minutes
    assert report["seconds"] <= 300
    assert report["peak_gib"] <= 6
    assert minutes <= float(stated.group(1))


class TestGenerator:
    """The generator's own rules."""

    def test_solution_and_stub(self) -> None:
        code = (
            "# EXERCISE 9.1\ndef f(x):\n    # BEGIN SOLUTION\n    return x + 1\n    # END SOLUTION"
        )
        full, stub = build.split_solution(code, "9.1", "here")
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
        with pytest.raises(build.SourceError, match="here"):
            build.split_solution(code, "9.1", "here")

    def test_unknown_number(self) -> None:
        with pytest.raises(build.SourceError, match="no source for notebook '77'"):
            build.sources(["77"])


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
