"""Read a notebook file as cells, whatever its age and whoever saved it; and parse their code."""

import ast
import functools
import json
import re
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 200 * 2**20
MAX_SOURCE = 200_000
RUNS_THE_CELL = re.compile(r"\A\s*%%(time|capture|prun)\b.*")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Unreadable(ValueError):
    """A file is not a notebook; the message is for the learner."""


@dataclass(frozen=True)
class Cell:
    """A cell's id, its exercise by metadata if any, its source, and whether it is code."""

    id: str
    source: str
    code: bool
    exercise: str = ""


def read_cells(data: bytes) -> list[Cell]:
    """Return the cells of a notebook of format 2, 3 or 4. Outputs are not looked at.

    Raises:
        Unreadable: if the bytes are not a notebook.
    """
    if not data.strip():
        raise Unreadable("The file is empty.")
    if data.lstrip()[:7] == b"<<<<<<<" or b"\n<<<<<<< " in data:
        raise Unreadable("The file holds a merge conflict (lines that begin with <<<<<<<).")
    try:
        content = json.loads(_text(data))
        return [_cell(raw) for raw in _raw_cells(content)]
    except RecursionError:
        raise Unreadable("The file is nested too deeply to be a notebook.") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("The file is damaged: it is not a notebook that can be read.") from None


def _text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


def _raw_cells(content: dict[str, Any]) -> list[dict[str, Any]]:
    if not isinstance(content, dict):
        raise Unreadable("The file is JSON, but not a notebook.")
    if "worksheets" in content:
        return [cell for sheet in content["worksheets"] for cell in sheet.get("cells", [])]
    if "cells" not in content:
        raise Unreadable("The file is JSON, but not a notebook.")
    return list(content["cells"])


def _cell(raw: dict[str, Any]) -> Cell:
    source = raw.get("source", raw.get("input", ""))
    text = whole("".join(source) if isinstance(source, list) else str(source))
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    number = metadata.get("exercise", "")
    name = raw.get("id") or metadata.get("id") or ""
    return Cell(
        id=whole(str(name)),
        source=text[:MAX_SOURCE].replace("\r\n", "\n"),
        code=raw.get("cell_type") == "code",
        exercise=number if isinstance(number, str) else "",
    )


def whole(text: str) -> str:
    """Join halves of characters, and replace a half that stands alone: UTF-8 cannot hold it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def printable(value: Any) -> Any:
    """Return plain JSON whose texts can be written to any file, and shown on any page."""
    if isinstance(value, str):
        return CONTROL.sub("\ufffd", whole(value))
    if isinstance(value, dict):
        return {printable(name): printable(inner) for name, inner in value.items()}
    return [printable(inner) for inner in value] if isinstance(value, list) else value


def python_of(source: str) -> str:
    """Return a cell as Python: its magics as calls, and without a first line like ``%%time``."""
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager().transform_cell(RUNS_THE_CELL.sub("", source, count=1))


@functools.lru_cache(maxsize=10_000)
def parse(source: str) -> list[ast.stmt]:
    """Return the statements of a cell, magics included; an empty list where it is not Python."""
    try:
        tree = ast.parse(python_of(source))
        ast.unparse(tree)  # what is nested too deeply for this is so for all that is done with it
        return tree.body
    except (Exception, MemoryError):  # of many kinds: what a cell may hold has no end
        return []


def code_of(cell: Cell) -> list[ast.stmt]:
    """Return the statements of a code cell; none of another."""
    return parse(cell.source) if cell.code else []
