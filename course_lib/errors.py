"""Errors that say in one sentence what is wrong, and in the next what to do."""

import os


class CourseError(Exception):
    """Base of the course's own errors: a notebook shows the message alone.

    The whole traceback comes with ``%tb Verbose`` in the next cell, or for every error with
    ``COURSE_TRACEBACK=1``. Outside of notebooks these are errors like any other.
    """

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython shows in place of a traceback."""
        from IPython import get_ipython

        shell = get_ipython()
        wanted = os.environ.get("COURSE_TRACEBACK", "0") not in ("", "0")
        if shell is not None and (wanted or shell.InteractiveTB.mode == "Verbose"):
            return shell.InteractiveTB.structured_traceback(
                type(self), self, self.__traceback__, tb_offset=1
            )
        return [f"{type(self).__name__}: {self}", "(where it happened: %tb Verbose)"]
