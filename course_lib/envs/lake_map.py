"""Maps of the frozen lake, read from text."""

from course_lib.envs.map_text import MapTextError, read_rows

SYMBOLS = {"S": "start", "F": "frozen", "H": "hole", "G": "goal"}


def read_lake(text: str) -> list[str]:
    """Read a map for ``gymnasium.make("FrozenLake-v1", desc=...)``; blank lines do not count.

    Args:
        text: rows of ``S`` start, ``F`` frozen, ``H`` hole, ``G`` goal.

    Raises:
        MapTextError: if it is empty, not rectangular, holds something else, or has not exactly one
            start and at least one goal that can be reached.
    """
    rows = read_rows(text, SYMBOLS, "map")
    starts, goals = "".join(rows).count("S"), "".join(rows).count("G")
    if starts != 1 or not goals:
        raise MapTextError(f"a map needs one S and at least one G, got {starts} and {goals}")
    if not _goal_is_reached(rows):
        raise MapTextError("no way leads from S to G around the holes; freeze one of them")
    return rows


def _goal_is_reached(rows: list[str]) -> bool:
    cells = {(r, c): held for r, row in enumerate(rows) for c, held in enumerate(row)}
    seen = {next(cell for cell, held in cells.items() if held == "S")}
    edge = list(seen)
    while edge:
        r, c = edge.pop()
        if cells[r, c] == "G":
            return True
        near = {(r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)} - seen
        ahead = [cell for cell in near if cells.get(cell, "H") != "H"]
        seen.update(ahead)
        edge += ahead
    return False
