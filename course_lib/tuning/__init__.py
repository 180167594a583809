"""Helpers for Ray Tune in a notebook. Tune itself stays visible: nothing here hides a ``Tuner``.

* ``trials``: where results go, live progress, what came out;
* ``search``: search algorithms, and what Tune does with one;
* ``corridor``: what lesson 02 tunes.

Importing this package loads Ray: import it where Tune is first used.
"""

from course_lib.quiet import quiet
from course_lib.tuning.search import RandomSearch, run_search, tpe_search
from course_lib.tuning.trials import RESULTS, TrialProgress, curves, frame, run_config, writable

__all__ = ["RESULTS", "RandomSearch", "TrialProgress", "curves", "frame", "quiet", "run_config",
           "run_search", "tpe_search", "writable"]  # fmt: skip
