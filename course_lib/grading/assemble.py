"""Build the notebook that is run: our set-up, the learner's answer, our check.

Only source is taken from a learner, never outputs, metadata or checks. A notebook is built for each
exercise alone, with our own solutions of the exercises before it, so that a mistake costs once.
"""

import ast
import builtins
import functools
import re
import symtable
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_lib.checks.values import MIME
from course_lib.grading.cells import Cell, changed_names, code_of, defined_names, parse, python_of
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


def free_names(source: str) -> set[str]:
    """Return the names that code looks up outside its functions; all names if it cannot be told."""
    try:
        table = symtable.symtable(python_of(source), "cell", "exec")
    except (Exception, MemoryError):
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


def extras_source(
    lesson: Lesson,
    cells: list[Cell],
    answer: Answer,
    names: set[str],
    calls: set[str],
    fixed: set[str],
) -> tuple[str, set[str]]:
    """Return the learner's own statements of other cells that give ``names``, and those names.

    Of several statements the last above the answer counts, as it does when cells are run in their
    order; without one, the first below. What the course's notebook says too is not the learner's.

    Args:
        lesson: the course's own notebook.
        cells: all of the learner's.
        answer: the learner's cell of the exercise.
        names: that the answer looks up.
        calls: those of them for which a statement that calls something is run, too.
        fixed: names that are the course's, whatever the learner gives them to.
    """
    here = max((i for i, cell in enumerate(cells) if cell.source == answer.source), default=-1)
    course = _statements(lesson)
    nodes = [
        (position, node)
        for position, cell in enumerate(cells)
        if position != here
        for node in code_of(cell)
        if ast.dump(node) not in course
    ]
    wanted, given, chosen = sorted(names - fixed), set[str](), set[int]()
    while wanted:
        name = wanted.pop()
        found = [] if name in given else _giving(nodes, name, here)
        if found and (name in calls or all(_is_plain(nodes[index][1]) for index in found)):
            given.add(name)
            chosen |= set(found)
            needs = {one for index in found for one in free_names(ast.unparse(nodes[index][1]))}
            calls = calls | needs if name in calls else calls
            wanted += sorted(needs - given - fixed)
    return "\n".join(_guarded(nodes[index][1]) for index in sorted(chosen)), given


def _giving(nodes: list[tuple[int, ast.stmt]], name: str, here: int) -> list[int]:
    """Return which statements make a name what it is when the cell at ``here`` is run."""
    gives = [i for i, (_, node) in enumerate(nodes) if name in defined_names(node)]
    above = [i for i in gives if nodes[i][0] < here]
    if not above:
        return gives[:1]
    return above[-1:] + [
        i
        for i, (position, node) in enumerate(nodes)
        if i > above[-1] and position < here and name in changed_names(node)
    ]


def _guarded(node: ast.stmt) -> str:
    """Return a statement's source; an error in one that is no definition costs no other."""
    source = ast.unparse(node)
    if isinstance(node, DEFINITIONS):
        return source
    return f"try:\n{textwrap.indent(source, '    ')}\nexcept Exception:\n    pass"


@functools.cache
def _statements(lesson: Lesson) -> frozenset[str]:
    """Return every statement of the course's notebook, as text that ignores its layout."""
    given = [node for one in lesson.exercises for node in parse(one.given)]
    own = [node for cell in lesson.cells for node in code_of(cell)]
    return frozenset(ast.dump(node) for node in given + own)


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
    fixed = {one.name for one in lesson.exercises} | _packages(lesson)
    nodes = parse(answer.source)
    defining = [ast.unparse(node) for node in nodes if not isinstance(node, ast.Expr)]
    calls = {name for source in defining for name in free_names(source)} if nodes else names
    extras, mine = extras_source(lesson, cells, answer, names, calls, fixed)
    wanted = (names | (free_names(extras) if extras else set())) - mine
    setup, provided = setup_source(lesson, exercise, wanted)
    if wanted - provided - set(dir(builtins)):
        extras = "\n".join([*_star_imports(cells), extras])
    sources = (
        _warm_up(exercise, needs) + setup,
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


def _star_imports(cells: list[Cell]) -> list[str]:
    nodes = [node for cell in cells for node in code_of(cell)]
    return [ast.unparse(node) for node in nodes if defined_names(node) == {"*"}]


def _packages(lesson: Lesson) -> set[str]:
    """Return the names that the course's notebook gives to what it imports."""
    nodes = [node for cell in lesson.cells for node in code_of(cell)]
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return {name for node in imports for name in defined_names(node)}


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
