"""A journal: one JSON line for each finished piece of work, so that a long run can be taken up."""

import contextlib
import json
from pathlib import Path
from typing import Any


class Journal:
    """A file of JSON lines that grows by one line at a time, written by one thread.

    Args:
        path: of the file; it, and its folder, are made with the first line.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def read(self) -> list[dict[str, Any]]:
        """Return all lines. One that an interruption cut off is left out, and taken out."""
        if not self.path.exists():
            return []
        content, found, whole = self.path.read_bytes(), [], []
        for line in content.splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
                whole.append(line + b"\n")
        if b"".join(whole) != content:
            self.path.write_bytes(b"".join(whole))
        return found

    def add(self, line: dict[str, Any]) -> None:
        """Append a line at once."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
