"""The map of a maze: read from text, or drawn at random, with its shortest path."""

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from course_lib.envs.map_text import read_rows

WALL, FREE, START, CHEESE, TRAP = "#", ".", "S", "C", "T"
SYMBOLS = {START: "start", CHEESE: "cheese", WALL: "wall", TRAP: "trap", FREE: "free"}
# Up, right, down, left, as changes of (row, column).
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))

CLASSIC = """
S..#....
.#.#.##.
.#...#..
.####.#.
....#..C
.##...#.
"""

Cell = tuple[int, int]


@dataclass(frozen=True)
class MazeMap:
    """A rectangular maze. Cells are (row, column); row 0 is at the top.

    Attributes:
        rows: one string per row, of the characters ``S C # T .``.
    """

    rows: tuple[str, ...]

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a map; blank lines and spaces around it do not count.

        Args:
            text: ``S`` start, ``C`` cheese, ``#`` wall, ``T`` trap, ``.`` free.

        Raises:
            ValueError: if the map is empty or not rectangular, holds another character, has not
                exactly one start and one cheese, or if no path leads to the cheese.
        """
        rows = tuple(read_rows(text, SYMBOLS, "maze"))
        for symbol in (START, CHEESE):
            count = "".join(rows).count(symbol)
            if count != 1:
                raise ValueError(
                    f"the maze needs exactly one {SYMBOLS[symbol]} ({symbol}), got {count}"
                )
        maze = cls(rows)
        if not maze.shortest_path:
            raise ValueError("no path leads from S to C around walls and traps; open one")
        return maze

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0])

    @property
    def num_states(self) -> int:
        """Number of cells, walls included."""
        return self.height * self.width

    @cached_property
    def start(self) -> Cell:
        """Where the mouse starts."""
        return self.find(START)[0]

    @cached_property
    def cheese(self) -> Cell:
        """Where the cheese lies."""
        return self.find(CHEESE)[0]

    def find(self, symbol: str) -> list[Cell]:
        """All cells that hold ``symbol``, row by row."""
        return [
            (r, c)
            for r, row in enumerate(self.rows)
            for c, held in enumerate(row)
            if held == symbol
        ]

    def state(self, cell: Cell) -> int:
        """The number of a cell: cells are counted row by row from 0."""
        return cell[0] * self.width + cell[1]

    def cell(self, state: int) -> Cell:
        """The cell with number ``state``."""
        return divmod(int(state), self.width)

    def move(self, cell: Cell, action: int) -> Cell:
        """Where ``action`` leads from ``cell``: the same cell at a wall or at the edge."""
        row, column = cell[0] + MOVES[action][0], cell[1] + MOVES[action][1]
        inside = 0 <= row < self.height and 0 <= column < self.width
        return (row, column) if inside and self.rows[row][column] != WALL else cell

    @cached_property
    def shortest_path(self) -> list[Cell]:
        """Cells of one shortest path from start to cheese around traps; empty if there is none.

        Source: breadth-first search.
        """
        before: dict[Cell, Cell | None] = {self.start: None}
        queue = deque([self.start])
        while queue and self.cheese not in before:
            cell = queue.popleft()
            for action in range(len(MOVES)):
                step = self.move(cell, action)
                if step not in before and self.rows[step[0]][step[1]] != TRAP:
                    before[step] = cell
                    queue.append(step)
        path = []
        at: Cell | None = self.cheese if self.cheese in before else None
        while at is not None:
            path.append(at)
            at = before[at]
        return path[::-1]

    @property
    def shortest_steps(self) -> int:
        """Number of steps on a shortest path."""
        return len(self.shortest_path) - 1

    def __str__(self) -> str:
        return "\n".join(self.rows)


def random_maze(
    height: int,
    width: int,
    rng: np.random.Generator,
    *,
    wall_share: float = 0.4,
    num_traps: int = 0,
) -> MazeMap:
    """Draw a solvable maze: start at the top left, cheese at the bottom right.

    A winding path is kept free first, so that a way always exists.

    Args:
        height: number of rows, at least 1.
        width: number of columns, at least 1; two cells are needed in all.
        rng: draws the maze.
        wall_share: chance of a wall on each cell beside that path, in [0, 1].
        num_traps: traps on free cells beside that path; fewer where there are not enough.

    Raises:
        ValueError: if an argument is out of range.
    """
    if height < 1 or width < 1 or height * width < 2:
        raise ValueError(f"a maze needs at least two cells, got {height} rows x {width} columns")
    if not 0 <= wall_share <= 1:
        raise ValueError(f"wall_share must be in [0, 1], got {wall_share}")
    if num_traps < 0:
        raise ValueError(f"num_traps must be at least 0, got {num_traps}")
    path = _winding_path(height, width, rng)
    grid = np.where(rng.random((height, width)) < wall_share, WALL, FREE)
    for cell in path:
        grid[cell] = FREE
    beside = np.array([cell for cell in np.argwhere(grid == FREE) if tuple(cell) not in set(path)])
    for row, column in rng.permutation(beside)[:num_traps] if len(beside) else ():
        grid[row, column] = TRAP
    grid[path[0]], grid[path[-1]] = START, CHEESE
    return MazeMap.from_text("\n".join("".join(row) for row in grid))


def _winding_path(height: int, width: int, rng: np.random.Generator) -> list[Cell]:
    """A path without loops from the top left to the bottom right: depth first, in random order."""
    goal = (height - 1, width - 1)
    path, seen = [(0, 0)], {(0, 0)}
    while path[-1] != goal:
        row, column = path[-1]
        steps = [(row + dr, column + dc) for dr, dc in MOVES]
        steps = [
            (r, c) for r, c in steps if 0 <= r < height and 0 <= c < width and (r, c) not in seen
        ]
        if steps:
            path.append(steps[rng.integers(len(steps))])
            seen.add(path[-1])
        else:
            path.pop()
    return path
