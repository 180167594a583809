"""A journal outlives an interruption at any byte."""

from pathlib import Path

import pytest

from course_lib.journal import Journal

LINES = [{"key": "ä\n", "n": 1}, {"key": "b", "n": [1.5, None]}]


def test_what_was_added_is_read_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new" / "a.jsonl")
    assert journal.read() == []
    for line in LINES:
        journal.add(line)
    assert Journal(journal.path).read() == LINES


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_that_was_cut_off_is_taken_out(cut: int, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    for line in LINES:
        journal.add(line)
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])
    whole = 2 if cut == 1 else 1  # without its line feed alone, a line is whole
    assert journal.read() == LINES[:whole]
    journal.add({"key": "c"})
    assert journal.read() == [*LINES[:whole], {"key": "c"}]
