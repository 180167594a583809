"""Generate from ``notebooks/source`` all that follows from it.

    python scripts/lessons/build.py            # everything
    python scripts/lessons/build.py --check    # write nothing, fail where something is out of date

* the learner's notebook: lines between ``# BEGIN SOLUTION`` and ``# END SOLUTION`` become
  ``raise NotImplementedError``, a cell tagged ``solution`` is left out, a last cell says where one
  was; and the notebook with the solutions. Both get links to their neighbours;
* the course's own answers, ``course_lib/answers``, and the exercises' titles;
* the table of lessons in ``README.md`` and in lesson 00.

A solution notebook keeps the outputs that ``previews.py`` put there, while its code is the same.

A cell's id comes from its own words, so that it survives what happens around it: the title that
the source gives it (``# %% the-walk``), its exercise, or else the words it begins with.
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

import nbformat
from lesson import (
    CHECK,
    MARKER,
    NOTEBOOKS,
    Lesson,
    SourceError,
    answer_texts,
    lessons,
    split_solution,
)
from nbformat import NotebookNode

ROOT = NOTEBOOKS.parent
ANSWERS = ROOT / "course_lib" / "answers"
OUTPUTS = ROOT / "tests" / "notebook_outputs"
IMAGES = ROOT / "docs" / "images"
TABLE = "<!-- table of lessons -->"
README_TABLE = re.compile(r"(<!-- lessons: `make build` -->\n).*?(<!-- end of lessons -->)", re.S)
BACK = """# Back after a break? Was the page closed while a cell ran? This shows where you were.
from course_lib.widgets import where_was_i

where_was_i()"""
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def targets(lesson: Lesson) -> dict[str, Path]:
    """Return where the learner's notebook and the solution of ``lesson`` lie."""
    return {
        "learner": NOTEBOOKS / lesson.file_name,
        "solution": NOTEBOOKS / "solutions" / lesson.file_name,
    }


def everything() -> dict[Path, str]:
    """Return the text of every generated file."""
    every, texts = lessons(), {}
    for position, lesson in enumerate(every):
        neighbours = every[max(position - 1, 0) : position] + every[position + 1 : position + 2]
        paths = targets(lesson)
        for kind in ("learner", "solution"):
            notebook = generate(lesson, kind, _links(lesson, neighbours), lesson_table(every))
            if kind == "solution":
                _keep_preview(notebook, paths[kind])
            texts[paths[kind]] = as_text(notebook)
        for number, text in answer_texts(lesson).items():
            texts[ANSWERS / f"exercise_{number.replace('.', '_')}.py"] = text
    texts[ANSWERS / "titles.py"] = titles_text(every)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme_table(every)
    texts[ROOT / "README.md"] = README_TABLE.sub(lambda m: f"{m[1]}{table}\n{m[2]}", readme)
    return texts


def generate(lesson: Lesson, kind: str, links: str = "", table: str = "") -> NotebookNode:
    """Return the notebook of a lesson.

    Args:
        lesson: the lesson.
        kind: ``"learner"`` or ``"solution"``.
        links: to its neighbours, for the first and the last cell.
        table: what stands for the comment ``<!-- table of lessons -->``.

    Raises:
        SourceError: if the source does not follow the rules.
    """
    cells, exercise, ids = [], "", cell_ids(lesson)
    for index, cell in enumerate(lesson.cells):
        text, tags = cell.source, cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            numbers = re.findall(r"^#+ Exercise (\S+)", text, re.MULTILINE)
            exercise = numbers[-1] if numbers else exercise
            if index in (0, len(lesson.cells) - 1) and links:
                text = f"{text}\n\n{links}"
            if index == 0 and kind == "learner":
                text += "\n\nBack after a break? The last cell shows where you were."
            new = nbformat.v4.new_markdown_cell(text.replace(TABLE, table), id=ids[index])
        else:
            where = f"{lesson.source.name}, cell {ids[index]}"
            full, stub = split_solution(text, exercise, where)
            new = nbformat.v4.new_code_cell(stub if kind == "learner" else full, id=ids[index])
        new.metadata = {"tags": tags} if tags else {}
        if kind == "solution" or "solution" not in tags:
            cells.append(new)
    if kind == "learner":
        cells.append(nbformat.v4.new_code_cell(BACK, id="where-was-i"))
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=dict(METADATA))
    notebook.nbformat_minor = 5
    nbformat.validate(notebook)
    return notebook


def as_text(notebook: NotebookNode) -> str:
    """Return the text of a notebook's file."""
    return nbformat.writes(notebook, indent=1, ensure_ascii=False).rstrip("\n") + "\n"


def digest(notebook: NotebookNode) -> str:
    """Return a short digest of a notebook's code."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256("\0".join(code).encode()).hexdigest()[:16]


def ran(notebook: NotebookNode) -> str:
    """Return the digest of the code whose outputs a notebook shows; empty if it shows none."""
    return notebook.metadata.get("course", {}).get("ran", "")


def _keep_preview(notebook: NotebookNode, path: Path) -> None:
    """Take over the outputs of the file at ``path`` if they are of the same code."""
    old = nbformat.read(path, as_version=4) if path.exists() else nbformat.v4.new_notebook()
    if ran(old) == digest(notebook):
        notebook.metadata["course"] = dict(old.metadata["course"])
        outputs = {cell.id: cell.outputs for cell in old.cells if cell.cell_type == "code"}
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = outputs[cell.id]


def cell_ids(lesson: Lesson) -> list[str]:
    """Return the ids of a lesson's cells.

    Raises:
        SourceError: if two cells would have the same id.
    """
    ids, exercise = [], ""
    for cell in lesson.cells:
        marker = MARKER.search(cell.source) if cell.cell_type == "code" else None
        if marker:
            exercise = _dashed(marker[1])
            ids.append(f"exercise-{exercise}")
        elif cell.cell_type == "code" and CHECK.match(cell.source):
            ids.append(f"check-{exercise}")
        elif heading := re.match(r"### Exercise (\S+)", cell.source):
            ids.append(f"task-{_dashed(heading[1])}")
        else:
            ids.append(_slug(cell.metadata.get("title") or _first_words(cell)))
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise SourceError(
            f"{lesson.source.name}: two cells begin with the same words, {', '.join(twice)}; give "
            "one of them a name of its own: '# %% the-name' or '# %% the-name [markdown]'"
        )
    return ids


def _first_words(cell: NotebookNode) -> str:
    """Return the line that says what a cell is: of code the first that imports nothing."""
    lines = [line for line in cell.source.splitlines() if line.strip()] or ["empty"]
    if cell.cell_type == "code":
        own = [line for line in lines if not line.startswith(("#", "import ", "from "))]
        lines = own or lines
    return lines[0]


def _dashed(number: str) -> str:
    return number.replace(".", "-")


def _slug(text: str) -> str:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return "-".join(words[:6])[:48].strip("-") or "cell"


def _links(lesson: Lesson, neighbours: list[Lesson]) -> str:
    before = [f"← {other.link()}" for other in neighbours if other.number < lesson.number]
    after = [f"{other.link()} →" for other in neighbours if other.number > lesson.number]
    return " · ".join(before + after)


def lesson_table(every: list[Lesson]) -> str:
    """Return the table of the day, as lesson 00 shows it."""
    head = "| notebook | question | minutes |\n|---|---|---|\n"
    return head + "\n".join(f"| {one.link()} | {one.question} | {one.minutes} |" for one in every)


def readme_table(every: list[Lesson]) -> str:
    """Return the table of lessons, as the README shows it."""
    head = "| | notebook | question | minutes | computing |\n|---|---|---|---|---|\n"
    return head + "\n".join(
        f"| {_picture(one)} | [{one.title}](notebooks/{one.file_name}) | {one.question} "
        f"| {one.minutes} | {one.computing} |"
        for one in every
    )


def picture_of(lesson: Lesson) -> Path:
    """Return where the lesson's picture for the README lies, once `make previews` made it."""
    return IMAGES / f"lesson_{lesson.number}.png"


def _picture(lesson: Lesson) -> str:
    path = picture_of(lesson)
    if not path.exists():
        return ""
    name = path.relative_to(ROOT).as_posix()
    return f'<img src="{name}" width="180" alt="A picture of lesson {lesson.title}">'


def titles_text(every: list[Lesson]) -> str:
    """Return the module with the titles of all exercises."""
    lines = [
        f"    {json.dumps(exercise.number)}: {json.dumps(exercise.title, ensure_ascii=False)},\n"
        for lesson in every
        for exercise in lesson.exercises
    ]
    head = '"""Titles of the exercises; `make build` writes them from the lessons\' headings."""'
    return f"{head}\n\nTITLES = {{\n{''.join(lines)}}}\n"


def leftovers(texts: dict[Path, str]) -> list[Path]:
    """Return generated files that no lesson accounts for."""
    found = [
        *NOTEBOOKS.glob("*.ipynb"),
        *NOTEBOOKS.glob("solutions/*.ipynb"),
        *ANSWERS.glob("exercise_*.py"),
    ]
    names = {lesson.source.stem for lesson in lessons()}
    outputs = [path for path in OUTPUTS.glob("*.json") if path.stem not in names]
    pictures = set(IMAGES.glob("lesson_*.png")) - {picture_of(lesson) for lesson in lessons()}
    return sorted([*(path for path in found if path not in texts), *outputs, *pictures])


def main(arguments: list[str] | None = None) -> int:
    """Write what is out of date, or with ``--check`` name it; return the exit status."""
    parser = argparse.ArgumentParser(description="Generate all that follows from notebooks/source.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if out of date")
    check = parser.parse_args(arguments).check
    try:
        texts = everything()
    except SourceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    stale = sum([_put(path, text, write=not check) for path, text in texts.items()])
    for path in leftovers(texts):
        print(f"no lesson makes this file, remove it: {path.relative_to(ROOT)}")
        stale += 1
    return 1 if check and stale else 0  # a file that is left over is the author's to remove


def _put(path: Path, text: str, *, write: bool) -> bool:
    """Write or compare one file; return whether it differed."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{'wrote' if write else 'out of date, run `make build`:'} {path.relative_to(ROOT)}")
    return True


if __name__ == "__main__":
    sys.exit(main())
