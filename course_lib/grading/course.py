"""The course as the grader sees it: notebooks, exercises, and the check of each."""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.grading.cells import Cell, code_of, read_cells

ROOT = Path(__file__).resolve().parents[2]
SOLUTIONS = ROOT / "notebooks" / "solutions"
MARKER = re.compile(r"^\s*#\s*EXERCISE\s+(\d+\.\d+)\b", re.MULTILINE)
CHECK_CALL = re.compile(r"checks\.(check_\w+)\((\w+)\)")


@dataclass(frozen=True)
class Exercise:
    """One exercise of a notebook.

    Attributes:
        number: such as ``"1.2"``.
        cell_id: the id of its cell, ``"exercise-1-2"``.
        name: what the learner defines: a function or a class.
        module: of its check, such as ``"course_lib.checks.maze"``.
        check_name: the check's name in that module.
        position: index of its cell among the notebook's cells.
        solution: the course's own source of the cell.
        given: the source of the cell in the learner's notebook.
    """

    number: str
    cell_id: str
    name: str
    module: str
    check_name: str
    position: int
    solution: str
    given: str = ""

    def check(self) -> Any:
        """Import and return the check."""
        return getattr(importlib.import_module(self.module), self.check_name)

    @property
    def title(self) -> str:
        """The exercise's short name."""
        return str(self.check().title)


@dataclass(frozen=True)
class Lesson:
    """One notebook of the course, in its full version."""

    number: str
    stem: str
    cells: tuple[Cell, ...]
    exercises: tuple[Exercise, ...]


def lessons(folder: Path = SOLUTIONS) -> dict[str, Lesson]:
    """Return the lessons with exercises, by their two-digit number.

    Raises:
        FileNotFoundError: if the folder holds no notebook.
    """
    paths = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise FileNotFoundError(
            f"no solution notebooks in {folder}; the grader runs from a clone of the course: "
            "run `make build` there"
        )
    found = {path.name[:2]: _lesson(path) for path in paths}
    return {number: lesson for number, lesson in found.items() if lesson.exercises}


def _lesson(path: Path) -> Lesson:
    cells = tuple(read_cells(path.read_bytes()))
    return Lesson(path.name[:2], path.stem, cells, tuple(_exercises(cells, _given(path))))


def _given(path: Path) -> dict[str, str]:
    """Return the source of each cell of the learner's notebook, by cell id."""
    learners = path.parent.parent / path.name
    cells = read_cells(learners.read_bytes()) if learners.exists() else []
    return {cell.id: cell.source for cell in cells}


def _exercises(cells: tuple[Cell, ...], given: dict[str, str]) -> Iterator[Exercise]:
    module = _checks_module(cells)
    for index, cell in enumerate(cells[:-1]):
        marker = MARKER.search(cell.source) if cell.code else None
        call = CHECK_CALL.search(cells[index + 1].source)
        if marker and call:
            yield Exercise(
                number=marker.group(1),
                cell_id=cell.id,
                name=call.group(2),
                module=module,
                check_name=call.group(1),
                position=index,
                solution=cell.source,
                given=given.get(cell.id, ""),
            )


def _checks_module(cells: tuple[Cell, ...]) -> str:
    """Return the module that a notebook imports as ``checks``."""
    for cell in cells:
        for node in code_of(cell):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == "checks":
                        return f"{node.module}.{alias.name}"
    return ""


def points(check: Any, aspects: list[tuple[str, str]]) -> dict[str, int]:
    """Return the points of each part of an exercise.

    Args:
        check: the exercise's check.
        aspects: part and aspect of each case, from running the course's own version.
    """
    return dict(check.parts) or {aspect: 1 for _, aspect in aspects}
