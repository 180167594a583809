"""What goes wrong with a cluster, and what stands for the names that a failed cell did not make."""

import ast
import symtable
import sys
import traceback
from typing import Any, Never

from course_lib.errors import CourseError


class ClusterError(CourseError, ConnectionError):
    """No cluster: the message says in one sentence what is wrong, and then what to do."""


class ClusterLostError(CourseError, ConnectionError):
    """The cluster went away while it was used; the message says what is kept."""

    reason = "The cluster is gone."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.reason)


class NotConnectedError(ClusterError):
    """A cell uses what a cell above should have made with :func:`connect`, and could not."""


class Missing:
    """Stands for a name that a cell did not get, because its ``connect()`` failed.

    Whatever is done with it raises :class:`NotConnectedError`.

    Args:
        name: in the notebook.
    """

    def __init__(self, name: str) -> None:
        self.__dict__["_said"] = f"`{name}` is not there: run connect() above first."

    def __repr__(self) -> str:
        return self._said

    def __getattr__(self, _: str) -> Never:
        raise NotConnectedError(self._said)

    def _refuse(self, *_: Any, **__: Any) -> Never:
        raise NotConnectedError(self._said)

    __call__ = __getitem__ = __iter__ = __len__ = __bool__ = __index__ = __int__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __enter__ = __exit__ = __setattr__ = __format__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _refuse
    __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __float__ = _refuse


def leave_word(error: BaseException) -> None:
    """Put a :class:`Missing` for each name that the notebook's cell will not get.

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
                shell.user_ns[name] = Missing(name)

    shell.events.register("post_run_cell", after)


def names_from(code: str, line: int) -> list[str]:
    """Return the names that ``code`` gives a value to in ``line`` or below, functions' own not."""
    rest = [one for one in ast.parse(code).body if (one.end_lineno or 0) >= line]
    tree = ast.Module(rest, [])
    loops = [one.target for one in ast.walk(tree) if isinstance(one, ast.comprehension)]
    inner = {one.id for loop in loops for one in ast.walk(loop) if isinstance(one, ast.Name)}
    symbols = symtable.symtable(ast.unparse(tree), "cell", "exec").get_symbols()
    made = [one.get_name() for one in symbols if one.is_assigned() or one.is_imported()]
    return [name for name in made if name not in inner]
