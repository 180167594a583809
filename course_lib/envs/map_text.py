"""Maps of cells, read from text."""

from collections.abc import Mapping

from course_lib.errors import CourseError


class MapTextError(CourseError, ValueError):
    """A text that is no map."""


def read_rows(text: str, symbols: Mapping[str, str], name: str) -> list[str]:
    """Read the rows of a map; blank lines and spaces around it do not count.

    Args:
        text: one character for each cell.
        symbols: the characters that are allowed, and what each stands for.
        name: what the map is called in errors.

    Raises:
        MapTextError: if it is empty, not rectangular, or holds another character.
    """
    rows = [line.strip() for line in text.splitlines() if line.strip()]
    allowed = ", ".join(f"{key} {meaning}" for key, meaning in symbols.items())
    if not rows:
        raise MapTextError(f"the {name} is empty; give rows of {allowed}")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise MapTextError(
                f"row {number} of the {name} has {len(row)} cells and row 1 has {len(rows[0])}; "
                "make all rows equally long"
            )
        for column, symbol in enumerate(row, start=1):
            if symbol not in symbols:
                raise MapTextError(
                    f"row {number}, column {column} of the {name} holds {symbol!r}; use {allowed}"
                )
    return rows
