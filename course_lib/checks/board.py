"""What has been solved so far in this session: the memory behind ``checks.progress()``."""

SIGNS = {"solved": "✓", "not yet": "✗"}


class Board:
    """The exercises whose checks are loaded, and what the last check of each said."""

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}
        self._states: dict[str, str] = {}

    def enlist(self, number: str, title: str) -> None:
        """Add an exercise."""
        self._titles[number] = title

    def note(self, number: str, state: str) -> bool:
        """Remember what a check said; return whether the exercise is solved now."""
        self._states[number] = state
        return state == "solved"

    def states(self) -> dict[str, str]:
        """Return the state of each exercise, in the order of their numbers."""
        ordered = sorted(self._titles, key=lambda number: [int(part) for part in number.split(".")])
        return {number: self._states.get(number, "not checked yet") for number in ordered}

    def text(self) -> str:
        """Return one line per exercise, and a count."""
        states = self.states()
        lines = [
            f"{SIGNS.get(state, '○')} Exercise {number}, {self._titles[number]}: {state}"
            for number, state in states.items()
        ]
        solved = sum(state == "solved" for state in states.values())
        return "\n".join([f"{solved} of {len(states)} exercises solved", *lines])


BOARD = Board()
