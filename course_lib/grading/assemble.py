"""Build the notebook that is run: our set-up, the learner's answer, our check.

Only source is taken from a learner, never outputs, metadata or checks. A notebook is built for each
exercise alone, with our own solutions of the exercises before it, so that a mistake costs once.
"""

import ast
import builtins
import re
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_lib.checks.values import MIME
from course_lib.grading.cells import Cell, code_of, defined_names
from course_lib.grading.course import MARKER, Exercise, Lesson

DEFINITIONS = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef
CHEAP_CALLS = {"profiles.current", "gym.make", "np.random.default_rng"}
START_RAY = (
    "import ray\nray.init(address='local', num_cpus=2, include_dashboard=False, "
    "log_to_driver=False, logging_level='ERROR', object_store_memory=80_000_000)"
)
DYNAMIC = {"exec", "eval", "globals", "locals", "get_ipython", "vars"}
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
    for group in (labelled, own):
        finished = [cell for cell in group if _is_finished(cell, exercise)]
        if finished:
            return Answer(finished[-1].source, "finished")
    if not labelled:
        return Answer("", "missing")
    stub = any(_stub(exercise) in cell.source for cell in labelled)
    return Answer(labelled[-1].source, "stub" if stub else "finished")


def _belongs(cell: Cell, exercise: Exercise) -> bool:
    return (
        cell.exercise == exercise.number
        or cell.id == exercise.cell_id
        or exercise.number in MARKER.findall(cell.source)
    )


def _stub(exercise: Exercise) -> str:
    return f'raise NotImplementedError("Exercise {exercise.number}")'


def _is_finished(cell: Cell, exercise: Exercise) -> bool:
    """Whether a cell defines what is asked for and holds more than the empty stub."""
    name = re.escape(exercise.name)
    defines = re.search(
        rf"^\s*(?:(?:async\s+)?def|class)\s+{name}\b|^{name}\s*[:=]", cell.source, re.M
    )
    return bool(defines) and cell.source.count(_stub(exercise)) < exercise.stubs


def _is_check(source: str) -> bool:
    """Whether a cell holds nothing but a call of a check."""
    lines = [line for line in source.splitlines() if line.strip() and line.lstrip()[0] != "#"]
    return all("checks.check_" in line for line in lines)


def free_names(source: str) -> set[str]:
    """Return the names that code looks up outside its functions; all names if it cannot be told."""
    try:
        table = symtable.symtable(TransformerManager().transform_cell(source), "cell", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return set(re.findall(r"\b[A-Za-z_]\w*\b", source))
    return set(_free(table, top=True))


def _free(table: symtable.SymbolTable, *, top: bool = False) -> Iterator[str]:
    for symbol in table.get_symbols():
        if (top and symbol.is_referenced()) or (not top and symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _free(child)


def setup_source(lesson: Lesson, exercise: Exercise, names: set[str]) -> tuple[str, set[str]]:
    """Return the statements of our own notebook that provide ``names``, and the names provided.

    Imports, functions, classes, cheap assignments, and the solutions of earlier exercises.
    """
    before = [
        node
        for cell in lesson.cells[: exercise.position]
        for node in code_of(cell)
        if _is_cheap(node)
    ]
    return _slice(before, names, everything=bool(names & DYNAMIC))


def extras_source(cells: list[Cell], answer: Answer, names: set[str]) -> str:
    """Return imports, functions, classes and constants of the learner's that provide ``names``."""
    others = [cell for cell in cells if cell.code and cell.source != answer.source]
    nodes = [node for cell in others for node in code_of(cell) if _is_plain(node)]
    return _slice(nodes, names)[0]


def _slice(
    nodes: list[ast.stmt], names: set[str], *, everything: bool = False
) -> tuple[str, set[str]]:
    """Return those statements that define ``names``, and what they need in turn.

    With ``everything``, all imports, functions and classes are taken. An assignment that needs
    what no statement provides is left out.
    """
    wanted, provided = set(names), set()
    chosen: set[int] = set()
    if everything:
        kept = [node for node in nodes if not isinstance(node, ast.Assign)]
        wanted |= {name for node in kept for name in defined_names(node)}
    while wanted:
        name = wanted.pop()
        found = [index for index, node in enumerate(nodes) if name in defined_names(node)]
        if name not in provided and found:
            provided.add(name)
            chosen.add(found[-1])
            wanted |= free_names(ast.unparse(nodes[found[-1]])) - provided
    chosen = {index for index in chosen if _can_run(nodes[index], provided)}
    return "\n".join(ast.unparse(nodes[index]) for index in sorted(chosen)), provided


def _can_run(node: ast.stmt, provided: set[str]) -> bool:
    """Whether an assignment finds the names it needs; definitions look theirs up later."""
    needed = free_names(ast.unparse(node.value)) if isinstance(node, ast.Assign) else set()
    return needed <= provided | set(dir(builtins))


def _is_cheap(node: ast.stmt) -> bool:
    """Whether running one of our own statements costs next to nothing."""
    return isinstance(node, DEFINITIONS) or (
        isinstance(node, ast.Assign)
        and all(
            ast.unparse(inner.func) in CHEAP_CALLS
            for inner in ast.walk(node.value)
            if isinstance(inner, ast.Call)
        )
    )


def _is_plain(node: ast.stmt) -> bool:
    """Whether one of the learner's statements is an import, a definition or a constant."""
    active = ast.Call | ast.Await | ast.NamedExpr
    return isinstance(node, DEFINITIONS) or (
        isinstance(node, ast.Assign)
        and not any(isinstance(inner, active) for inner in ast.walk(node.value))
    )


def build(
    lesson: Lesson, exercise: Exercise, cells: list[Cell], answer: Answer, *, seed: int,
    token: str, expected: str, needs: str = "",
) -> NotebookNode:  # fmt: skip
    """Return the notebook of one exercise and one learner.

    Args:
        lesson: the course's own notebook.
        exercise: one of its exercises.
        cells: all of the learner's cells.
        answer: the learner's cell of this exercise.
        seed: of the numbers that the check draws.
        token: marks the output that counts.
        expected: what the check's output should be, as JSON; stored as its output.
        needs: ``"torch"`` or ``"ray"``: loaded before the learner's time starts.
    """
    names = free_names(answer.source)
    setup, provided = setup_source(lesson, exercise, names)
    extras = extras_source(cells, answer, names - provided - {exercise.name})
    later = free_names(extras) - provided if extras else set()
    more, _ = setup_source(lesson, exercise, later)
    sources = (
        _warm_up(exercise, needs) + setup + "\n" + more,
        extras or "pass",
        answer.source,
        _check_source(exercise, seed, token),
    )
    made = [
        new_code_cell(source, metadata={"role": role}, execution_count=number + 1, id=role)
        for number, (role, source) in enumerate(zip(ROLES, sources, strict=True))
    ]
    made[-1].outputs = [new_output("display_data", data={MIME: expected})]
    kernel = {"name": f"course-{exercise.number}", "display_name": "course", "language": "python"}
    return new_notebook(cells=made, metadata={"kernelspec": kernel})


def _warm_up(exercise: Exercise, needs: str) -> str:
    """Load what the check needs before the learner's time starts."""
    lines = [f"import {exercise.module}, course_lib.checks.values"]
    if needs:
        lines += ["import torch", "torch.set_num_threads(1)"]
    if needs == "ray":
        lines.append(START_RAY)
    return "\n".join([*lines, ""])


def _check_source(exercise: Exercise, seed: int, token: str) -> str:
    return (
        "import course_lib.checks.values as _values, importlib as _importlib\n"
        f"_check = _importlib.import_module({exercise.module!r}).{exercise.check_name}\n"
        f"_values.emit(_check, {exercise.name}, {seed}, {token!r})"
    )


def names_of(cells: Iterable[Cell]) -> set[str]:
    """Return every exercise number that cells name."""
    return {number for cell in cells if cell.code for number in MARKER.findall(cell.source)} | {
        cell.id.removeprefix("exercise-").replace("-", ".")
        for cell in cells
        if re.fullmatch(r"exercise-\d+-\d+", cell.id)
    }
