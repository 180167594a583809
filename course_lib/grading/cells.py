"""Read a notebook file as cells, whatever its age and whoever saved it; and parse their code."""

import ast
import json
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 200 * 2**20
MAX_SOURCE = 200_000


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
    text = "".join(source) if isinstance(source, list) else str(source)
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    number = metadata.get("exercise", "")
    name = raw.get("id") or metadata.get("id") or ""
    return Cell(
        id=str(name),
        source=text[:MAX_SOURCE].replace("\r\n", "\n"),
        code=raw.get("cell_type") == "code",
        exercise=number if isinstance(number, str) else "",
    )


def parse(source: str) -> list[ast.stmt]:
    """Return the statements of a cell, magics included; an empty list where it is not Python."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return ast.parse(TransformerManager().transform_cell(source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def code_of(cell: Cell) -> list[ast.stmt]:
    """Return the statements of a code cell; none of another."""
    return parse(cell.source) if cell.code else []


def defined_names(node: ast.stmt) -> set[str]:
    """Return the names that a statement defines at the top level."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    return {
        name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)
    }
