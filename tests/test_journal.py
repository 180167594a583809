"""A journal is whole after an interruption at any byte, and says which line somebody damaged."""

from pathlib import Path

import pytest

from course_lib import journal
from course_lib.journal import Journal

LINES = [{"key": "ä\n\ud800", "n": 1}, {"key": "b", "n": [1.5, None]}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "new" / "a.jsonl"
    for line in LINES:
        journal.append(found, line)
    return found


def test_what_was_added_is_read_in_order(path: Path) -> None:
    """Also what no file can hold as it is: half of a surrogate pair, from a learner's message."""
    assert journal.read(path) == Journal(path).records == LINES
    assert journal.read(path.with_name("none")) == []


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_that_was_cut_off_is_cut_away(cut: int, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-cut])
    whole = LINES[: 2 if cut == 1 else 1]  # without its line feed alone, a line is whole
    assert journal.read(path) == whole
    Journal(path).add({"key": "c"})
    assert journal.read(path) == [*whole, {"key": "c"}]


@pytest.mark.parametrize("content", ["my precious notes", "hello\n", '{"key": "a"}\nmine', "[1"])
def test_a_file_that_is_no_journal_is_left_as_it_is(content: str, tmp_path: Path) -> None:
    mine = tmp_path / "notes.txt"
    mine.write_text(content)
    with pytest.raises(ValueError, match="is no record"):
        Journal(mine)
    assert mine.read_text() == content


@pytest.mark.parametrize("damage", ['{"key', "[1, 2]", "3"])
def test_a_damaged_line_is_named_or_skipped(damage: str, path: Path) -> None:
    path.write_text(damage + "\n" + path.read_text())
    with pytest.raises(ValueError, match=f"line 1 of {path} is no record"):
        journal.read(path)
    assert Journal(path, skip_damaged=True).records == LINES
    assert journal.read(path) == LINES
