"""What a lesson says of itself: read from its source, the only place where it stands.

A lesson's first cell begins with its title, ``# NN Title``, and one question; it holds the line
``**Time:** 40 minutes, of which the machine computes about 1.`` An exercise has a heading,
``### Exercise 1.2 - the update rule (5 min, difficulty 2 of 3)``, and a cell that starts with
``# EXERCISE 1.2``; the cell after it hands the answer to its check.
"""

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jupytext
from nbformat import NotebookNode

from course_lib.grading.needs import free_names

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
HEADING = re.compile(r"### Exercise (\d+\.\d+) - (.+) \((\d+) min, difficulty ([123]) of 3\)")
MARKER = re.compile(r"^# EXERCISE (\d+\.\d+)\s*$", re.MULTILINE)
CHECK = re.compile(r"^(\w+) = checks\.check_\w+\(\1\)$")
TITLE = re.compile(r"^# (\d\d) (.+)\n\n(.+(?:\n.+)*)", re.MULTILINE)
TIME_LINE = "**Time:** 40 minutes, of which the machine computes about 2."
TIME = re.compile(
    r"^\*\*Time:\*\* (\d+) minutes, of which the machine computes about (\d+(?:\.\d+)?)\.$",
    re.MULTILINE,
)
CLOCK = re.compile(r"^\*(\d+) min so far\*$", re.MULTILINE)


class SourceError(ValueError):
    """A source does not follow the rules; the message names the place and the remedy."""


@dataclass(frozen=True)
class Exercise:
    """What a heading says of an exercise: number, title, minutes, and difficulty from 1 to 3."""

    number: str
    title: str
    minutes: int
    difficulty: int


@dataclass(frozen=True)
class Lesson:
    """A source and what it says of itself.

    Attributes:
        source: the file in ``notebooks/source``.
    """

    source: Path

    @property
    def number(self) -> str:
        """Two digits, from the file's name."""
        return self.source.name[:2]

    @property
    def file_name(self) -> str:
        """Name of both notebooks."""
        return self.source.with_suffix(".ipynb").name

    @cached_property
    def cells(self) -> list[NotebookNode]:
        """The cells as they stand in the source."""
        return list(jupytext.read(self.source, fmt="py:percent").cells)

    def _first(self, pattern: re.Pattern[str], wanted: str) -> tuple[str, ...]:
        found = pattern.search(self.cells[0].source) if self.cells else None
        if found is None:
            raise SourceError(f"{self.source.name}: the first cell must hold {wanted}")
        return found.groups()

    @property
    def title(self) -> str:
        """Title with the number, such as ``"01 Mouse and cheese"``.

        Raises:
            SourceError: if there is none, or it has another number than the file.
        """
        number, title, _ = self._first(TITLE, "the title '# NN Title' and a question below it")
        if number != self.number:
            raise SourceError(f"{self.source.name}: its title says {number}")
        return f"{number} {self._for_tables(title)}"

    @property
    def question(self) -> str:
        """The one question of the lesson, on one line.

        Raises:
            SourceError: if what stands below the title asks nothing.
        """
        text = " ".join(self._first(TITLE, "a question below the title")[2].split()).strip("*")
        if not text.endswith("?"):
            raise SourceError(f"{self.source.name}: below the title stands no question: {text!r}")
        return self._for_tables(text)

    def _for_tables(self, text: str) -> str:
        if "|" in text:
            raise SourceError(f"{self.source.name}: tables hold this text, so no '|' in {text!r}")
        return text

    @property
    def minutes(self) -> int:
        """Minutes of a participant who does the exercises."""
        return int(self._first(TIME, f"a line like {TIME_LINE!r}")[0])

    @property
    def computing(self) -> str:
        """Minutes of them that 2 cores compute, as written."""
        return self._first(TIME, f"a line like {TIME_LINE!r}")[1]

    @cached_property
    def exercises(self) -> list[Exercise]:
        """The exercises by their headings, in order.

        Raises:
            SourceError: if a heading has another form, or a number stands twice.
        """
        prose = "\n".join(cell.source for cell in self.cells if cell.cell_type == "markdown")
        found: dict[str, Exercise] = {}
        for line in re.findall(r"^#+ Exercise.*$", prose, re.MULTILINE):
            parts = HEADING.fullmatch(line)
            if parts is None or parts[1] in found:
                raise SourceError(
                    f"{self.source.name}: {ascii(line)[1:-1]!r} must be like '### Exercise 5.1 - "
                    "the loss (5 min, difficulty 2 of 3)', with a number of its own"
                )
            found[parts[1]] = Exercise(parts[1], parts[2], int(parts[3]), int(parts[4]))
        return list(found.values())

    @property
    def clocks(self) -> list[int]:
        """Minutes so far, as the lesson tells them."""
        return [int(found) for cell in self.cells for found in CLOCK.findall(cell.source)]

    def link(self) -> str:
        """Return a markdown link from a neighbour's notebook."""
        return f"[{self.title}]({self.file_name})"


def lessons(numbers: list[str] | None = None) -> list[Lesson]:
    """Return the lessons in order, or those whose two-digit number is in ``numbers``.

    Raises:
        SourceError: if a number has no source.
    """
    found = [Lesson(path) for path in sorted((NOTEBOOKS / "source").glob("[0-9][0-9]_*.py"))]
    known = [lesson.number for lesson in found]
    for number in numbers or []:
        if number not in known:
            raise SourceError(f"no source for notebook {number!r}; there are {known}")
    return [lesson for lesson in found if not numbers or lesson.number in numbers]


def split_solution(code: str, exercise: str, where: str) -> tuple[str, str]:
    """Return ``code`` with the solution (markers removed), and with the stub in its place.

    Args:
        code: one code cell.
        exercise: number of the exercise that the cell belongs to.
        where: named in errors.

    Raises:
        SourceError: if markers do not pair up, or the exercise has no number or no visible line.
    """
    full, stub, inside = [], [], False
    for line in code.splitlines():
        bare = line.strip()
        if bare in (BEGIN, END):
            if inside == (bare == BEGIN):
                raise SourceError(f"{where}: {bare!r} without its partner")
            inside = bare == BEGIN
            if inside:
                indent = line[: len(line) - len(line.lstrip())]
                stub.append(f'{indent}raise NotImplementedError("Exercise {exercise}")')
        else:
            full.append(line)
            stub += [] if inside else [line]
    if inside:
        raise SourceError(f"{where}: {BEGIN!r} without its partner")
    if full != stub and MARKER.findall(code) != [exercise]:
        raise SourceError(
            f"{where}: an exercise cell must hold one line '# EXERCISE {exercise or 'N.M'}' "
            "under a heading '### Exercise N.M'"
        )
    return "\n".join(full), "\n".join(stub)


def answer_texts(lesson: Lesson) -> dict[str, str]:
    """Return a module with the answer of each exercise, by its number, for ``course_lib/answers``.

    It holds the exercise's cell, and of the cells before it the imports, functions, classes and
    constants that it uses.

    Raises:
        SourceError: if an answer uses what another kind of statement makes.
    """
    provided: dict[str, str] = {}
    texts: dict[str, str] = {}
    for cell, after in zip(lesson.cells, [*lesson.cells[1:], NotebookNode(source="")], strict=True):
        if cell.cell_type != "code" or CHECK.match(cell.source):
            continue
        marker = MARKER.search(cell.source)
        if marker is None:
            provided |= dict(_provides(cell.source))
            continue
        number, called = marker[1], CHECK.match(after.source)
        where = f"{lesson.source.name}, exercise {number}"
        if called is None:
            raise SourceError(f"{where}: the next cell is not one line 'f = checks.check_f(f)'")
        code = split_solution(cell.source, number, where)[0]
        texts[number] = _module(
            number, called[1], _needed(code, provided, f"{where}, its answer"), code
        )
        module = f"course_lib.answers.exercise_{number.replace('.', '_')}"
        provided |= {name: f"from {module} import {name}" for name in _defined(code)}
    return texts


def _module(number: str, name: str, needed: list[str], code: str) -> str:
    """Return the text of one answer's module: imports in isort's order, then what is defined."""
    imports = {text for text in needed if text.startswith(("import ", "from "))}
    own = sorted(text for text in imports if "course_lib" in text)
    others = sorted(imports - set(own), key=lambda text: (text.startswith("from"), text))
    head = f'"""Answer to exercise {number}; `make build` writes it from the lesson."""'
    blocks = [head, "\n".join(others), "\n".join(own)]
    defined = [text for text in needed if text not in imports]
    body = "\n\n\n".join([*defined, f"{code}\n\n\nANSWER = {name}"])
    gap = "\n\n" if not imports and not body.startswith(("def ", "class ", "#")) else "\n\n\n"
    return "\n\n".join(block for block in blocks if block) + f"{gap}{body}\n"


def _provides(code: str) -> Iterator[tuple[str, str]]:
    """Yield each name that a cell defines outside functions, with the text that does it.

    The text is empty where it takes more than an import, a definition or a plain constant.
    """
    for node in ast.parse(code).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            start = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                renamed = f" as {alias.asname}" if alias.asname else ""
                name = alias.asname or alias.name.split(".")[0]
                yield name, f"{start}import {alias.name}{renamed}"
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            first = min(part.lineno for part in [node, *node.decorator_list])
            yield node.name, "\n".join(code.splitlines()[first - 1 : node.end_lineno])
        else:
            parts = list(ast.walk(node))
            constant = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            plain = constant and not any(isinstance(part, ast.Call) for part in parts)
            text = ast.get_source_segment(code, node) or "" if plain else ""
            for part in parts:
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    yield part.id, text


def _needed(code: str, provided: dict[str, str], where: str) -> list[str]:
    """Return the texts, in order of need, that ``code`` stands on."""
    texts: list[str] = []
    for name in sorted(free_names(code) - _defined(code) - set(dir(builtins))):
        if not provided.get(name):
            raise SourceError(
                f"{where} uses `{name}`, which no import, function, class or plain constant above "
                "it defines; hand it in as an argument"
            )
        above = {other: text for other, text in provided.items() if other != name}
        through = f"{where}, its answer through `{name}`,"
        for text in [*_needed(provided[name], above, through), provided[name]]:
            texts += [text] if text not in texts else []
    return texts


def _defined(code: str) -> set[str]:
    return {name for name, _ in _provides(code)}
