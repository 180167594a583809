"""The class list: who handed in nothing, and the tables that Moodle and Canvas read.

A list is a CSV file with a header, as Moodle ("First name", "Last name", "ID number", "Email
address") and Canvas ("Student", "ID", "SIS Login ID") export it, or with a column ``learner``.
"""

import csv
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("learner", "name", "student", "full name")
FIRST, LAST = ("first name", "firstname", "vorname"), ("last name", "surname", "nachname")


@dataclass
class Person:
    """A line of the list.

    Attributes:
        name: as it is shown.
        row: the line itself, by column.
        keys: what a submission may call this person, simplified.
        learners: the names of this person's submissions.
    """

    name: str
    row: dict[str, str]
    keys: set[str]
    learners: list[str] = field(default_factory=list)


@dataclass
class Roster:
    """A class list, matched with the submissions.

    Attributes:
        columns: of the file, in order.
        people: its lines.
        strangers: learners who are on no line.
    """

    columns: list[str]
    people: list[Person]
    strangers: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """The names of those who handed in nothing."""
        return [person.name for person in self.people if not person.learners]

    def match(self, learners: dict[str, str]) -> None:
        """Find each learner's line.

        Args:
            learners: by name: the platform's number of the learner, or nothing.
        """
        self.strangers = []
        for person in self.people:
            person.learners = []
        for learner, number in learners.items():
            called = {_simple(learner), _simple(re.sub(r" \(\d+\)$", "", learner)), number} - {""}
            lines = [person for person in self.people if person.keys & called]
            exact = [person for person in lines if number and number in person.keys] or lines
            if len(exact) == 1:
                exact[0].learners.append(learner)
            else:
                self.strangers.append(learner)


def read(path: Path) -> Roster:
    """Read a class list.

    Raises:
        ValueError: if it is not a table, or no column says who somebody is.
    """
    columns, rows = table(path, "--roster")
    people = [_person(row) for row in rows if _name(row)]
    if not people:
        raise ValueError(
            f"--roster {path}: give a CSV file whose first line names a column `learner`, or the "
            f"list that Moodle or Canvas exports; its columns are {', '.join(columns) or 'none'}"
        )
    return Roster(columns, people)


def table(path: Path, what: str) -> tuple[list[str], list[dict[str, str]]]:
    """Return the columns and lines of a CSV file, whatever separates them.

    Args:
        path: of the file.
        what: it is, for the message.

    Raises:
        ValueError: if it cannot be read as a table.
    """
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline()
        sep = max(",;\t", key=first.count)
        frame = pd.read_csv(path, sep=sep, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # pandas' own are ValueErrors
        raise ValueError(f"{what} {path} is no CSV table: {error}") from None
    frame.columns = [str(column).strip() for column in frame.columns]
    frame = frame.map(lambda value: value.strip() if isinstance(value, str) else "")
    rows = frame.to_dict("records")
    return list(frame.columns), rows


def _person(row: dict[str, str]) -> Person:
    first, last = _of(row, FIRST), _of(row, LAST)
    name = _name(row)
    keys = {_simple(name), _simple(f"{last} {first}"), _simple(f"{first} {last}")}
    for column, value in row.items():
        plain = column.casefold()
        if value and ("id" in plain.split() or "login" in plain or "mail" in plain):
            keys |= {_simple(value), value, _simple(value.partition("@")[0])}
    if "," in name:  # Canvas: "Last, First"
        last, _, first = name.partition(",")
        keys |= {_simple(f"{first} {last}"), _simple(f"{last} {first}")}
    return Person(name, row, keys - {""})


def _name(row: dict[str, str]) -> str:
    name = _of(row, NAMES)
    return (
        "" if name == "Points Possible" else name or f"{_of(row, FIRST)} {_of(row, LAST)}".strip()
    )


def _of(row: dict[str, str], columns: tuple[str, ...]) -> str:
    return next((row[c] for c in row if c.casefold().strip() in columns and row[c]), "")


def _simple(text: str) -> str:
    """Return a name without case, accents, spaces and signs."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if char.isalnum())


def write_tables(
    roster: Roster, points: dict[str, dict[str, int | None]], of: dict[str, int], folder: Path
) -> Path:
    """Write the class list with a column of points for each notebook, as platforms read it back.

    Args:
        roster: matched with the submissions.
        points: by learner and notebook; None where something was not graded.
        of: how many points there are, by notebook.
        folder: of the report.

    Returns:
        The file, named after the platform that the list looks like.
    """
    plain = {column.casefold() for column in roster.columns}
    kind = "canvas" if "student" in plain else "moodle" if "email address" in plain else "roster"
    notebooks = sorted({number for mine in points.values() for number in mine})
    path = folder / f"{kind}.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*roster.columns, *(f"Notebook {number}" for number in notebooks)])
        if kind == "canvas":  # which wants to know
            empty = [""] * (len(roster.columns) - 1)
            writer.writerow(["    Points Possible", *empty, *(of[number] for number in notebooks)])
        for person in roster.people:
            found = [_best(person, number, points) for number in notebooks]
            writer.writerow([*person.row.values(), *found])
    return path


def _best(person: Person, number: str, points: dict[str, dict[str, Any]]) -> Any:
    """Return a person's points in a notebook; nothing where nothing was graded."""
    found = [points[learner].get(number) for learner in person.learners if learner in points]
    return max((value for value in found if value is not None), default="")
