"""A new lesson passes the tests as it comes, and a name that does not fit is refused."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lesson import SourceError, lessons
from new_lesson import new_lesson

ROOT = Path(__file__).resolve().parent.parent
NEXT = f"{len(lessons()):02d}"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("00_welcome", f"the next lesson is '{NEXT}_'"),
        (f"{NEXT}-topic", "got '"),
        (f"{NEXT}_Topic", "in small letters"),
        (f"{NEXT}_", "got '"),
        (f"{NEXT}_maze", "there is course_lib/checks/maze.py, tests/mutants/maze.py; choose"),
    ],
)
def test_a_name_that_does_not_fit(name: str, words: str) -> None:
    before = (ROOT / "course_lib" / "profiles.py").read_text(encoding="utf-8")
    with pytest.raises(SourceError, match=words):
        new_lesson(name)
    assert (ROOT / "course_lib" / "profiles.py").read_text(encoding="utf-8") == before


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_new_lesson_passes_the_tests_as_it_comes(tmp_path: Path) -> None:
    copy, name = tmp_path / "course", f"{NEXT}_throwaway"
    kept = shutil.ignore_patterns(".*", "results", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, copy, ignore=kept)
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=copy, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
        return done.stdout

    assert "A lesson that runs." in run("scripts/lessons/new_lesson.py", name)
    tests = ["tests/test_notebooks.py", "tests/test_checks_mutants.py", "tests/test_checks.py"]
    chosen = f"({name} or throwaway or {int(NEXT)}.1 or documents or generated) and not laptop"
    assert " passed" in run("-m", "pytest", "-q", *tests, "-k", chosen)
    run("-m", "ruff", "check", "--config", str(ROOT / "pyproject.toml"), "course_lib", "tests")
    run("-m", "ruff", "format", "--check", "course_lib", "tests", "notebooks")
    for kind, points in (("", "0,5"), ("solutions", "5,5")):
        folder = tmp_path / f"in{kind}"
        folder.mkdir()
        shutil.copy(copy / "notebooks" / kind / f"{name}.ipynb", folder / f"ann_{name}.ipynb")
        run("-m", "course_lib.grading", str(folder), "--out", str(tmp_path / f"out{kind}"))
        scores = (tmp_path / f"out{kind}" / "scores.csv").read_text(encoding="utf-8")
        assert f"the mean return,{points}," in scores
