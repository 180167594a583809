"""What goes wrong with a cluster, and what is said of names that a failed cell did not make."""

import ast
import symtable
import sys
import traceback
from typing import Any

from course_lib.errors import CourseError


class ClusterError(CourseError, ConnectionError):
    """No cluster: the message says in one sentence what is wrong, and then what to do."""


class ClusterLostError(CourseError, ConnectionError):
    """The cluster went away while it was used; the message says what is kept."""

    reason = "The cluster is gone."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.reason)


class StoppedError(CourseError, KeyboardInterrupt):
    """A click on the stop button ended :func:`connect`."""


class NotConnectedError(ClusterError):
    """A cell uses what a cell above should have made with :func:`connect`, and could not."""


def leave_word(error: BaseException) -> None:
    """Take away the names that the notebook's cell will not make, and say so where one is used.

    Does so when the cell ends, and only if it ends with ``error``. Outside of IPython nothing.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return

    def after(result: Any) -> None:
        shell.events.unregister("post_run_cell", after)
        if result.error_in_exec is error:
            frames = traceback.walk_tb(error.__traceback__)
            line = next(n for frame, n in frames if frame.f_globals is shell.user_ns)
            for name in names_from(shell.transform_cell(result.info.raw_cell), line):
                _not_made.add(name)
                shell.user_ns.pop(name, None)  # an older one would be of a cluster that is gone
            shell.set_custom_exc((NameError,), _explain)

    shell.events.register("post_run_cell", after)


_not_made: set[str] = set()


def _explain(shell: Any, _: type, error: Exception, trace: Any, tb_offset: Any = None) -> None:
    """Show an error of a cell; IPython calls this for every :class:`NameError`."""
    name = getattr(error, "name", None)
    if name in _not_made:
        error = NotConnectedError(f"`{name}` is not there: run connect() above first.")
    shell.showtraceback((type(error), error, trace), tb_offset=tb_offset)


def names_from(code: str, line: int) -> list[str]:
    """Return the names that ``code`` gives a value to in ``line`` or below, functions' own not."""
    rest = [one for one in ast.parse(code).body if (one.end_lineno or 0) >= line]
    tree = ast.Module(rest, [])
    loops = [one.target for one in ast.walk(tree) if isinstance(one, ast.comprehension)]
    inner = {one.id for loop in loops for one in ast.walk(loop) if isinstance(one, ast.Name)}
    symbols = symtable.symtable(ast.unparse(tree), "cell", "exec").get_symbols()
    made = [one.get_name() for one in symbols if one.is_assigned() or one.is_imported()]
    return [name for name in made if name not in inner]
