"""The results of a report, kept line by line, so that a run can be taken up again."""

import json
import secrets
from pathlib import Path
from typing import Any

from course_lib.journal import Journal


class Results:
    """The results so far, kept in a journal, with the settings that they belong to."""

    def __init__(self, out: Path, seed: int | None, timeout: float | None, mode: str) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.path = out / "results.jsonl"
        state = out / "run.json"
        before = _load(state)
        seed = before.get("seed") if seed is None else seed
        self.seed = secrets.randbits(40) if seed is None else int(seed)
        settings = {"seed": self.seed, "timeout": timeout, "mode": mode}
        if self.path.exists() and before != settings:
            self.path.rename(self.path.with_suffix(".old.jsonl"))
        state.write_text(json.dumps(settings) + "\n", encoding="utf-8")
        self._journal = Journal(self.path, skip_damaged=True)
        self.rows = {_key(row): row for row in self._journal.records}

    def add(self, row: dict[str, Any]) -> None:
        """Append a result."""
        self._journal.add(row)
        self.rows[_key(row)] = row


def _load(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["learner"], row["notebook"], row["digest"]
