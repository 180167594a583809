"""Generate the learner and solution notebooks from ``notebooks/source``.

    python notebooks/build.py            # all
    python notebooks/build.py 01 03      # some
    python notebooks/build.py --check    # write nothing, fail where a notebook is out of date

A source is a jupytext percent script that holds the solutions:

* lines between ``# BEGIN SOLUTION`` and ``# END SOLUTION`` become ``raise NotImplementedError`` in
  the learner's notebook, with the number of the exercise whose heading stands above;
* a cell tagged ``solution`` is left out of the learner's notebook.

Cell ids follow from the source alone, so the same source gives the same files.
"""

import argparse
import re
import sys
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

HERE = Path(__file__).resolve().parent
BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
HEADING = re.compile(r"^### Exercise (\d+\.\d+)\b", re.MULTILINE)
MARKER = re.compile(r"^# EXERCISE (\d+\.\d+)\s*$", re.MULTILINE)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class SourceError(ValueError):
    """A source does not follow the rules above."""


def sources(numbers: list[str] | None = None) -> list[Path]:
    """Return the sources, or those whose two-digit number is in ``numbers``.

    Raises:
        SourceError: if a number has no source.
    """
    found = sorted((HERE / "source").glob("[0-9][0-9]_*.py"))
    known = {path.name[:2] for path in found}
    for number in numbers or []:
        if number not in known:
            raise SourceError(f"no source for notebook {number!r}; there are {sorted(known)}")
    return [path for path in found if not numbers or path.name[:2] in numbers]


def targets(source: Path) -> dict[str, Path]:
    """Return where the learner and the solution notebook of ``source`` lie."""
    name = source.with_suffix(".ipynb").name
    return {"learner": HERE / name, "solution": HERE / "solutions" / name}


def build(source: Path) -> dict[str, str]:
    """Return the text of both notebooks of ``source``, by kind."""
    return {kind: _text(_generate(source, kind)) for kind in ("learner", "solution")}


def _generate(source: Path, kind: str) -> NotebookNode:
    notebook = jupytext.read(source, fmt="py:percent")
    cells, exercise = [], ""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            headings = HEADING.findall(cell.source)
            exercise = headings[-1] if headings else exercise
        tags = cell.metadata.get("tags", [])
        if kind == "learner" and "solution" in tags:
            continue
        cell.metadata = {"tags": tags} if tags else {}
        cell.id = _cell_id(source, index, cell)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            where = f"{source.name}, cell {index}"
            marked, unmarked = split_solution(cell.source, exercise, where)
            cell.source = unmarked if kind == "learner" else marked
        cells.append(cell)
    new = nbformat.v4.new_notebook(cells=cells, metadata=METADATA)
    new.nbformat_minor = 5
    nbformat.validate(new)
    return new


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


def _cell_id(source: Path, index: int, cell: NotebookNode) -> str:
    marker = MARKER.search(cell.source) if cell.cell_type == "code" else None
    if marker:
        return "exercise-" + marker.group(1).replace(".", "-")
    return f"nb{source.name[:2]}-{index:03d}"


def _text(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook, indent=1, ensure_ascii=False).rstrip("\n") + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the notebooks, or with ``--check`` compare them; return the exit status."""
    parser = argparse.ArgumentParser(description="Generate the notebooks from notebooks/source.")
    parser.add_argument("numbers", nargs="*", help="two-digit numbers, such as 01; all if none")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if out of date")
    options = parser.parse_args(arguments)
    stale = 0
    try:
        for source in sources(options.numbers):
            for kind, text in build(source).items():
                stale += _put(targets(source)[kind], text, write=not options.check)
    except SourceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 1 if options.check and stale else 0


def _put(path: Path, text: str, *, write: bool) -> bool:
    """Write or compare one notebook; return whether it differed."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{'wrote' if write else 'out of date, run `make build`:'} {path.relative_to(HERE)}")
    return True


if __name__ == "__main__":
    sys.exit(main())
