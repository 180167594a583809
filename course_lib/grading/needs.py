"""What an answer needs from other cells: the names it looks up, and the statements that give them.

A learner's own statements go before the course's, except for what the course imports and for the
answers of other exercises.
"""

import ast
import builtins
import functools
import re
import symtable
import textwrap
from collections.abc import Iterator

from course_lib.grading.cells import Cell, code_of, parse, python_of
from course_lib.grading.course import Exercise, Lesson

DEFINITIONS = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef
CHEAP_CALLS = {"profiles.current", "gym.make", "np.random.default_rng"}
DYNAMIC = {"exec", "eval", "globals", "locals", "get_ipython", "vars"}
SCOPES = (
    ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
    | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
)  # fmt: skip


def needed_by(
    lesson: Lesson, exercise: Exercise, cells: list[Cell], answer: str, *, everything: bool = False
) -> tuple[str, str]:
    """Return what must run before an answer: the course's statements, and the learner's own.

    Args:
        lesson: the course's own notebook.
        exercise: one of its exercises.
        cells: all of the learner's.
        answer: the source of the learner's cell of this exercise.
        everything: take all that the learner wrote above, not what the answer looks up alone.
    """
    names = free_names(answer)
    fixed = {one.name for one in lesson.exercises} | _packages(lesson)
    nodes = parse(answer)
    defining = [ast.unparse(node) for node in nodes if not isinstance(node, ast.Expr)]
    calls = {name for source in defining for name in free_names(source)} if nodes else names
    if everything:
        extras, mine = everything_above(lesson, cells, answer), set[str]()
    else:
        extras, mine = extras_source(lesson, cells, answer, names, calls, fixed)
    wanted = (names | (free_names(extras) if extras else set())) - mine
    setup, provided = setup_source(lesson, exercise, wanted)
    if wanted - provided - set(dir(builtins)):
        extras = "\n".join([*_star_imports(cells), extras])
    return setup, extras


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
    answer: str,
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
        answer: the source of the learner's cell of the exercise.
        names: that the answer looks up.
        calls: those of them for which a statement that calls something is run, too.
        fixed: names that are the course's, whatever the learner gives them to.
    """
    here = max((i for i, cell in enumerate(cells) if cell.source == answer), default=-1)
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


def everything_above(lesson: Lesson, cells: list[Cell], answer: str) -> str:
    """Return all statements of the learner's own above an answer, in their order."""
    here = max((i for i, cell in enumerate(cells) if cell.source == answer), default=len(cells))
    course = _statements(lesson)
    nodes = [node for cell in cells[:here] for node in code_of(cell)]
    return "\n".join(_guarded(node, every=True) for node in nodes if ast.dump(node) not in course)


def place_of(cells: list[Cell], name: str, answer: str) -> int:
    """Return the number of the first cell, counted from 1, that gives or writes a name; or 0.

    The cell with the answer itself does not count.
    """
    others = [(i, one) for i, one in enumerate(cells, 1) if one.code and one.source != answer]
    gives = [i for i, one in others if any(name in defined_names(node) for node in code_of(one))]
    mentioned = re.compile(rf"\b{re.escape(name)}\b")
    return next(iter([*gives, *(i for i, one in others if mentioned.search(one.source))]), 0)


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


def _guarded(node: ast.stmt, *, every: bool = False) -> str:
    """Return a statement's source; an error in one costs no other, of definitions if ``every``."""
    source = ast.unparse(node)
    if isinstance(node, DEFINITIONS) and not every:
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


def _star_imports(cells: list[Cell]) -> list[str]:
    nodes = [node for cell in cells for node in code_of(cell)]
    return [ast.unparse(node) for node in nodes if defined_names(node) == {"*"}]


def _packages(lesson: Lesson) -> set[str]:
    """Return the names that the course's notebook gives to what it imports."""
    nodes = [node for cell in lesson.cells for node in code_of(cell)]
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return {name for node in imports for name in defined_names(node)}


def defined_names(node: ast.stmt) -> set[str]:
    """Return the names that a statement gives a value at the top level, in its blocks too."""
    if isinstance(node, ast.AugAssign):
        return set()
    return {name for inner in _of_this_scope(node) for name in _gives(inner)}


def changed_names(node: ast.stmt) -> set[str]:
    """Return the names whose value a statement changes: ``total += 1``, ``table[0] = 1``."""
    found = set()
    for inner in _of_this_scope(node):
        if isinstance(inner, ast.AugAssign) and isinstance(inner.target, ast.Name):
            found.add(inner.target.id)
        elif isinstance(inner, ast.Subscript | ast.Attribute) and isinstance(inner.ctx, ast.Store):
            base: ast.expr = inner
            while isinstance(base, ast.Subscript | ast.Attribute):
                base = base.value
            found |= {base.id} if isinstance(base, ast.Name) else set()
    return found


def _of_this_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is in it, but not what is in functions, classes and comprehensions."""
    yield node
    if not isinstance(node, SCOPES):
        for inner in ast.iter_child_nodes(node):
            yield from _of_this_scope(inner)


def _gives(node: ast.AST) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return {node.id}
    return set()
