"""A copy of ``course_lib`` without answers and checks, for the kernel that runs an exercise."""

import ast
import importlib
import shutil
from pathlib import Path
from typing import Any

from course_lib.grading.course import Exercise
from course_lib.grading.sandbox import FONTS

LIBRARY = Path(__file__).resolve().parents[1]
REFUSAL = "raise RuntimeError('the course\\'s own version does not count here; write your own')"
NO_CHECKS = "def __getattr__(name):\n    return lambda attempt=None, *_: attempt\n"


def copy_without_answer(exercise: Exercise, folder: Path) -> Path:
    """Copy the library to ``folder`` without grader and answers; empty what the exercise hides.

    Returns:
        The folder, to be put on Python's path.
    """
    target = folder / "course_lib"
    left_out = shutil.ignore_patterns("__pycache__", "grading", "checks", "exercise_*.py", "*.pyc")
    shutil.copytree(LIBRARY, target, ignore=left_out)
    _copy_names_of_checks(target / "checks")
    _copy_fonts(folder / FONTS)
    for place in exercise.check().hides:
        module, name = place.split(":")
        path = _file_of(module, target)
        path.write_text(empty(path.read_text(encoding="utf-8"), name), encoding="utf-8")
    return folder


def _copy_names_of_checks(folder: Path) -> None:
    """Make modules of checks in which a check is any name, and gives back what it gets."""
    folder.mkdir()
    for path in (LIBRARY / "checks").glob("*.py"):
        content = "" if path.name == "__init__.py" else NO_CHECKS
        (folder / path.name).write_text(content, encoding="utf-8")


def _copy_fonts(folder: Path) -> None:
    """Copy matplotlib's list of fonts, if it has made one."""
    from matplotlib import get_cachedir

    folder.mkdir()
    for path in Path(get_cachedir()).glob("fontlist-*.json"):
        shutil.copy(path, folder)


def _file_of(module: str, target: Path) -> Path:
    original = Path(str(importlib.import_module(module).__file__)).resolve()
    return target / original.relative_to(LIBRARY)


def empty(source: str, name: str) -> str:
    """Return ``source`` with the body of a function, a class's methods or a constant's value gone.

    Raises:
        ValueError: if the name is not defined at the top level.
    """
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            for inner in ast.walk(node):
                if isinstance(inner, ast.FunctionDef):
                    inner.body = ast.parse(REFUSAL).body
            return ast.unparse(tree)
        if isinstance(node, ast.Assign) and _names(node) == {name}:
            node.value = ast.parse("{}", mode="eval").body
            return ast.unparse(tree)
    raise ValueError(f"{name} is not defined at the top level of its module; the grader hides it")


def _names(node: ast.Assign) -> set[Any]:
    return {getattr(target, "id", None) for target in node.targets}
