"""Is this machine ready for the workshop?

In a terminal, from the folder of the course:

    python -m course_lib.preflight                     # look at this machine
    python -m course_lib.preflight --json ada.json     # the same, and write a report
    python -m course_lib.preflight --collect FOLDER    # the room at a glance, from such reports

In a notebook: ``preflight.run()``. Every line that is not in order carries its fix. The modules
here run on an old Python too, to be able to say that it is too old.
"""

from course_lib.preflight.report import Report, Result
from course_lib.preflight.runner import run

__all__ = ["Report", "Result", "run"]
