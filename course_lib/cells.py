"""What a notebook says of a cell that was stopped or failed, and of the names it did not make.

``import course_lib`` switches this on in IPython. A click on ■ shows one sentence in place of a
traceback; a cell that then uses a name that is not there says which cell to run first. A package
that is being imported is imported to its end first: half of it would be of no use, and no second
import would succeed.
"""

import ast
import gc
import os
import signal
import symtable
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from types import FrameType, TracebackType
from typing import Any

from course_lib.errors import CourseError

ABOVE = "If a cell above makes it, run that first: menu Run, Run All Above Selected Cell."

EXERCISE = "run the cell of the exercise first, the one above that begins with `# EXERCISE`."


class StoppedError(CourseError, KeyboardInterrupt):
    """A click on the stop button, in a sentence."""


class NotMadeError(CourseError, NameError):
    """A cell uses what a cell above should have made, and did not."""


ended: list[Callable[[BaseException], BaseException | None]] = []
"""What else is done when a cell ends with an error; it may return another to show instead."""

_remedies: dict[str, str] = {}  # of each name that was not made
_cells_begun = 0


def watch() -> None:
    """Begin, where this process runs the cells of a notebook; but not where they are graded."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and os.environ.get("COURSE_GRADING") != "1":
        shell.set_custom_exc((Exception, KeyboardInterrupt), _show)
        shell.events.register("pre_run_cell", lambda info: _begin_cell())
        _stop_after_imports()
        sys.unraisablehook = partial(_lost, sys.unraisablehook)


def _begin_cell() -> None:
    global _cells_begun
    _cells_begun += 1
    _stop_after_imports()


def _stop_after_imports() -> None:
    """Take the place of Python's own handler, which the kernel sets for each cell."""
    if signal.getsignal(signal.SIGINT) in (signal.default_int_handler, signal.SIG_IGN):
        _on_stop(_interrupt)


def _on_stop(handler: Any) -> None:
    if threading.current_thread() is threading.main_thread():  # Python allows it nowhere else
        signal.signal(signal.SIGINT, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Stop the cell, or try again soon where an import is going on."""
    files = (one.f_code.co_filename for one, _ in traceback.walk_stack(frame))
    if "<frozen importlib._bootstrap>" in files:
        _press_again(number)
    else:
        signal.default_int_handler(number, frame)


def _press_again(number: int) -> None:
    """Press ■ once more in a moment, whoever listens then in this cell; the next did nothing."""
    meant = _cells_begun

    def press() -> None:
        if _cells_begun != meant or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            return
        if hasattr(signal, "pthread_kill"):  # wakes the main thread also where it waits
            signal.pthread_kill(threading.main_thread().ident or 0, number)
        else:
            signal.raise_signal(number)

    again = threading.Timer(0.1, press)
    again.daemon = True
    again.start()


def _lost(other: Callable[[Any], object], unraisable: Any) -> None:
    """Press ■ again where Python threw the first press away: in a destructor, or after a fork."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        _press_again(signal.SIGINT)
    else:
        other(unraisable)


def _show(
    shell: Any, kind: type, error: BaseException, trace: TracebackType, tb_offset: Any = None
) -> None:
    """Show what ended a cell; IPython calls this, and never again if an error leaves it."""
    if isinstance(error, KeyboardInterrupt):
        _on_stop(signal.SIG_IGN)  # a double click: until the cell is over there is no more to stop
    code = shell.user_ns["In"][-1]
    names = _not_made(code, shell.user_ns, error, trace)
    if isinstance(error, NameError):
        names = [name for name in names if name != error.name]  # another cell makes it first
    _remedies.update(dict.fromkeys(names, _remedy(code, error)))
    clearer = [other for other in [one(error) for one in ended] if other is not None]
    shown = clearer[0] if clearer else error
    if isinstance(shown, CourseError):
        pass
    elif isinstance(error, KeyboardInterrupt):
        left = f" Not made: {', '.join(names)}." if names else ""
        shown = StoppedError(
            f"stopped. What this cell has made so far is kept.{left} To go on from its beginning, "
            "run it again."
        )
    elif isinstance(error, NameError) and error.name in _remedies:
        shown = NotMadeError(f"`{error.name}` is not there: {_remedies[error.name]}")
    elif isinstance(error, NameError) and ".check_" in code:
        shown = NotMadeError(f"`{error.name}` is not there: {EXERCISE}")
    elif isinstance(error, NameError) and len(list(_frames(shell.user_ns, trace))) == 1:
        error.add_note(ABOVE)
    if isinstance(shown, NotMadeError) and "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")  # empty axes say nothing
    shell.showtraceback((type(shown), shown, trace), tb_offset=tb_offset)
    if isinstance(error, KeyboardInterrupt):
        _let_go(error)
        _close_half_drawn()


def _let_go(error: BaseException | None) -> None:
    """Drop what the stopped functions held: actors that nobody will call keep their cores."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
    gc.collect()


def _close_half_drawn() -> None:
    """Close the figures that cannot be drawn: the kernel shows what is open, or a traceback."""
    if "matplotlib.pyplot" not in sys.modules:
        return
    pyplot = sys.modules["matplotlib.pyplot"]
    for number in pyplot.get_fignums():
        try:
            pyplot.figure(number).canvas.draw()
        except Exception:  # whatever a half-made artist raises
            pyplot.close(number)


def _remedy(code: str, error: BaseException) -> str:
    """What to do about a name that is missing because its cell ended with ``error``."""
    if getattr(error, "remedy", ""):
        return error.remedy  # type: ignore[attr-defined]
    how = "was stopped" if isinstance(error, KeyboardInterrupt) else "ended with an error"
    return (
        f"the cell that makes it {how}. Run that one again first: it begins with "
        f"`{first_words(code)}`."
    )


def first_words(code: str) -> str:
    """Return the line by which a person finds a cell: the first that imports nothing."""
    lines = [line.strip() for line in code.splitlines() if line.strip()]
    own = [line for line in lines if not line.startswith(("#", "import ", "from "))]
    return (own or lines or [""])[0]


def _frames(names: dict[str, Any], trace: TracebackType | None) -> Any:
    """The lines of the traceback that are code of the notebook."""
    return (line for frame, line in traceback.walk_tb(trace) if frame.f_globals is names)


def _not_made(
    code: str, names: dict[str, Any], error: BaseException, trace: TracebackType
) -> list[str]:
    """The names that the cell would have made; an error may take back older ones of that name."""
    line = next(iter(_frames(names, trace)), None)
    if line is None:
        return []
    try:
        made = names_from(code, line)
    except SyntaxError:  # it compiled, so this is another cell's code
        return []
    if getattr(error, "takes_back", False):
        for name in made:
            names.pop(name, None)
    return [name for name in made if name not in names]


def names_from(code: str, line: int) -> list[str]:
    """Return the names that ``code`` gives a value to in ``line`` or below, functions' own not."""
    rest = [one for one in ast.parse(code).body if (one.end_lineno or 0) >= line]
    tree = ast.Module(rest, [])
    loops = [one.target for one in ast.walk(tree) if isinstance(one, ast.comprehension)]
    inner = {one.id for loop in loops for one in ast.walk(loop) if isinstance(one, ast.Name)}
    symbols = symtable.symtable(ast.unparse(tree), "cell", "exec").get_symbols()
    made = [one.get_name() for one in symbols if one.is_assigned() or one.is_imported()]
    return [name for name in made if name not in inner]
