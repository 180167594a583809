"""Files of JSON lines: a record a line, written as it comes, whole after an interruption."""

import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]


def append(path: Path, record: Record) -> None:
    """Write a record at the end of the file, at once.

    Args:
        path: of the file; made with its folder if need be.
        record: what JSON can hold.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def read(path: Path, *, skip_damaged: bool = False) -> list[Record]:
    """Return the records; none if there is no file.

    A last line that an interruption cut off is left out: it begins as a record, and has no end.

    Args:
        path: of the file.
        skip_damaged: leave out any line that is no record.

    Raises:
        ValueError: naming the line, if another one is no record.
    """
    return [record for _, record in _lines(path, skip_damaged)]


def _lines(path: Path, skip_damaged: bool) -> list[tuple[bytes, Record]]:
    content = path.read_bytes() if path.exists() else b""
    found, lines = [], content.splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            found.append((line, dict(json.loads(line))))
        except (ValueError, TypeError) as error:
            cut_off = number == len(lines) and line.startswith(b"{") and content.endswith(line)
            if not skip_damaged and not cut_off:
                raise ValueError(
                    f"line {number} of {path} is no record: {line[:60]!r}; mend it or take it out"
                ) from error
    return found


class Journal:
    """A file of records that is taken up again; what an interruption cut off is cut away.

    Args:
        path: of the file.
        skip_damaged: as in :func:`read`.

    Raises:
        ValueError: if a line is damaged that no interruption explains.
    """

    def __init__(self, path: Path, *, skip_damaged: bool = False) -> None:
        lines = _lines(path, skip_damaged)
        self.path, self.records = path, [record for _, record in lines]
        whole = b"".join(line + b"\n" for line, _ in lines)
        if path.exists() and path.read_bytes() != whole:
            path.write_bytes(whole)

    def add(self, record: Record) -> None:
        """Append a record."""
        append(self.path, record)
        self.records.append(record)
