"""What a preflight finds: one result per item, and the report that holds them."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

OK, NOTE, FAIL = "ok", "note", "fail"
FORMAT = 1
TEXTS = ("host", "time", "platform", "python", "course")  # of a report
WORDS = {OK: "ok", NOTE: "note", FAIL: "FAIL"}
MARKS = {OK: "\N{CHECK MARK}", NOTE: "!", FAIL: "\N{BALLOT X}"}
PLAIN_MARKS = {OK: "+", NOTE: "!", FAIL: "x"}
COLOURS = {OK: "32", NOTE: "33", FAIL: "31"}


@dataclass(frozen=True)
class Result:
    """What was found about one item.

    Attributes:
        item: what was looked at, in one or two words.
        status: ``"ok"``, ``"note"`` (works, but slower or not as planned) or ``"fail"``.
        detail: what was found.
        fix: what to type or do; empty when the item is in order.
    """

    item: str
    status: str
    detail: str
    fix: str = ""


@dataclass
class Report:
    """The results of one machine.

    Attributes:
        host: the machine's name on the network.
        time: when it was made, ISO 8601 with the offset from UTC.
        platform: operating system, version and processor.
        python: version of Python.
        course: version of the course.
        seconds: how long it took.
        results: one per item, in the order shown.
        name: the name of the file it was read from, without ending; for the room's table.
    """

    host: str = ""
    time: str = ""
    platform: str = ""
    python: str = ""
    course: str = ""
    seconds: float = 0.0
    results: list[Result] = field(default_factory=list)
    name: str = ""

    @property
    def ok(self) -> bool:
        """Whether no item failed."""
        return all(result.status != FAIL for result in self.results)

    def summary(self) -> str:
        """Return one sentence on the whole."""
        failed = [result.item for result in self.results if result.status == FAIL]
        notes = sum(result.status == NOTE for result in self.results)
        extra = f" {notes} of the items {'has' if notes == 1 else 'have'} a note." if notes else ""
        if failed:
            return f"Not ready yet: {', '.join(failed)}. The fix stands below each line.{extra}"
        return f"This machine is ready.{extra}"

    def to_json(self) -> str:
        """Return the report as JSON text, for :meth:`from_json`."""
        content = {"format": FORMAT, "ok": self.ok, **asdict(self)}
        del content["name"]
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, name: str = "") -> Report:
        """Read a report that :meth:`to_json` wrote.

        Raises:
            ValueError: if the text is no such report; the message says why.
        """
        if not text.strip():
            raise ValueError("the file is empty")
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"not JSON ({error})") from None
        except RecursionError:
            raise ValueError("not JSON that a preflight wrote (nested too deeply)") from None
        if not isinstance(content, dict) or not isinstance(content.get("results"), list):
            raise ValueError("JSON, but not a report of the preflight")
        if content.get("format") != FORMAT:
            raise ValueError(f"a report of another version ({content.get('format')!r})")
        if not content["results"]:
            raise ValueError("a report without results")
        texts: dict[str, Any] = {key: clean(content.get(key)) for key in TEXTS}
        results = [_result(entry) for entry in content["results"]]
        return cls(**texts, results=results, name=clean(name))


def _result(entry: Any) -> Result:
    if not isinstance(entry, dict) or entry.get("status") not in WORDS:
        raise ValueError("a report with a result that cannot be read")
    item, detail, fix = (clean(entry.get(key)) for key in ("item", "detail", "fix"))
    return Result(item or "?", entry["status"], detail, fix)


def clean(value: Any, limit: int = 300) -> str:
    """Return text from a stranger's file without line breaks or characters that steer a terminal.

    Args:
        value: whatever the file held; None counts as empty.
        limit: longest text to keep, in characters.
    """
    text = "" if value is None else str(value)
    return "".join(char for char in text[:limit] if char.isprintable())


class Style:
    """How one stream shows a status: a mark and a word always, a colour where it is wanted."""

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = stream or sys.stdout
        coloured = stream.isatty() or type(stream).__module__.startswith("ipykernel")
        self.colour = coloured and not os.environ.get("NO_COLOR")
        try:
            "".join(MARKS.values()).encode(getattr(stream, "encoding", None) or "ascii")
            self.marks = MARKS
        except (UnicodeEncodeError, LookupError):
            self.marks = PLAIN_MARKS

    def paint(self, status: str, text: str) -> str:
        """Return ``text`` in the colour of ``status``."""
        return f"\033[{COLOURS[status]}m{text}\033[0m" if self.colour else text

    def line(self, result: Result) -> str:
        """Return one item as a line, with its fix on a second one."""
        head = self.paint(result.status, f"{self.marks[result.status]} {WORDS[result.status]:4}")
        line = f"{head}  {result.item:10} {result.detail}"
        return f"{line}\n{'':18}fix: {result.fix}" if result.fix else line


def write_text(path: str | Path, text: str) -> None:
    """Write a file, making its folder first.

    Raises:
        OSError: if that is not possible.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
