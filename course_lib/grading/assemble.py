"""Build the notebook that is run: our set-up, the learner's answer, our check.

Only source is taken from a learner, never outputs, metadata or checks. A notebook is built for each
exercise alone, with our own solutions of the exercises before it, so that a mistake costs once.
"""

import ast
import importlib.util
import re
from collections.abc import Iterable
from dataclasses import dataclass

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_lib.grading.cells import Cell, parse
from course_lib.grading.course import MARKER, Exercise, Lesson
from course_lib.grading.needs import defined_names, needed_by
from course_lib.tryouts.core import MIME

START_RAY = (
    "import ray\nray.init(address='local', num_cpus=2, include_dashboard=False, "
    "log_to_driver=False, logging_level='ERROR', object_store_memory=80_000_000)"
)
ROLES = ("setup", "extras", "answer", "check")


@dataclass(frozen=True)
class Answer:
    """What a learner wrote for an exercise.

    Attributes:
        source: the cell's code, empty if there is none.
        state: ``"finished"``, ``"stub"`` or ``"missing"``.
    """

    source: str
    state: str


def find_answer(cells: list[Cell], exercise: Exercise) -> Answer:
    """Return the learner's answer: the last finished copy of the exercise's cell.

    A cell belongs to the exercise by its metadata, its id or its line ``# EXERCISE N.M``. If no
    such cell is finished, a cell that defines what the exercise asks for will do.
    """
    own = [cell for cell in cells if cell.code and not _is_check(cell.source)]
    labelled = [cell for cell in own if _belongs(cell, exercise)]
    written = [cell for cell in own if not _is_untouched(cell, exercise)]
    for group in (labelled, own):
        finished = [cell for cell in group if cell in written and _defines(cell, exercise.name)]
        if finished:
            return Answer(finished[-1].source, "finished")
    if not labelled:
        return Answer("", "missing")
    stub = all(cell not in written for cell in labelled)
    return Answer(labelled[-1].source, "stub" if stub else "finished")


def _belongs(cell: Cell, exercise: Exercise) -> bool:
    return (
        cell.exercise == exercise.number
        or cell.id == exercise.cell_id
        or exercise.number in MARKER.findall(cell.source)
    )


def _is_untouched(cell: Cell, exercise: Exercise) -> bool:
    """Whether a cell does what the learner's notebook came with; comments do nothing."""
    given, found = parse(exercise.given), parse(cell.source)
    defining = [node for node in found if exercise.name in defined_names(node)]
    if defining and _only_refuses(defining[-1]):
        return True
    if not (given and found):
        return cell.source.strip() == exercise.given.strip()
    return [ast.dump(node) for node in given] == [ast.dump(node) for node in found]


def _only_refuses(node: ast.stmt) -> bool:
    """Whether a function's body is ``raise NotImplementedError``, and a docstring if any."""
    body = node.body if isinstance(node, ast.FunctionDef) else []
    first = isinstance(body[0], ast.Expr) if body else False
    rest = body[1:] if first else body
    return len(rest) == 1 and ast.unparse(rest[0]).startswith("raise NotImplementedError")


def _defines(cell: Cell, name: str) -> bool:
    """Whether a cell defines a name, or would if its code were whole."""
    found = rf"^\s*(?:(?:async\s+)?def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*[:=]"
    return re.search(found, cell.source, re.M) is not None


def _is_check(source: str) -> bool:
    """Whether a cell holds nothing but a call of a check."""
    lines = [line for line in source.splitlines() if line.strip() and line.lstrip()[0] != "#"]
    return all("checks.check_" in line for line in lines)


def build(
    lesson: Lesson, exercise: Exercise, cells: list[Cell], answer: Answer, *, seed: int,
    expected: str, needs: str = "", everything: bool = False,
) -> NotebookNode:  # fmt: skip
    """Return the notebook of one exercise and one learner.

    Args:
        lesson: the course's own notebook.
        exercise: one of its exercises.
        cells: all of the learner's cells.
        answer: the learner's cell of this exercise.
        seed: of the numbers that the check draws.
        expected: what the check's output should be, as JSON; stored as its output.
        needs: ``"torch"`` or ``"ray"``: loaded before the learner's time starts.
        everything: run all that the learner wrote above, not what the answer looks up alone.
    """
    setup, extras = needed_by(lesson, exercise, cells, answer.source, everything=everything)
    sources = (
        _warm_up(exercise, needs) + setup,
        extras or "pass",
        answer.source,
        exercise.name,
    )
    made = [
        new_code_cell(source, metadata={"role": role}, execution_count=number + 1, id=role)
        for number, (role, source) in enumerate(zip(ROLES, sources, strict=True))
    ]
    made[-1].outputs = [new_output("display_data", data={MIME: expected})]
    kernel = {"name": f"course-{exercise.number}", "display_name": "course", "language": "python"}
    about = {
        "name": exercise.name,
        "module": exercise.module,
        "check": exercise.check_name,
        "seed": seed,
    }
    return new_notebook(cells=made, metadata={"kernelspec": kernel, "course": about})


def _warm_up(exercise: Exercise, needs: str) -> str:
    """Load what the check needs before the learner's time starts."""
    name = f"course_lib.tryouts.{exercise.module.rpartition('.')[2]}"
    lines = [f"import {name if importlib.util.find_spec(name) else 'course_lib.tryouts.core'}"]
    if needs:
        lines += ["import torch", "torch.set_num_threads(1)"]
    if needs == "ray":
        lines.append(START_RAY)
    return "\n".join([*lines, ""])


def names_of(cells: Iterable[Cell]) -> set[str]:
    """Return every exercise number that cells name."""
    return {number for cell in cells if cell.code for number in MARKER.findall(cell.source)} | {
        cell.id.removeprefix("exercise-").replace("-", ".")
        for cell in cells
        if re.fullmatch(r"exercise-\d+-\d+", cell.id)
    }
