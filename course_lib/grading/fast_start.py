"""Loaded first in the pytest process: keeps a slow import out of it, and ends it with the grader.

jsonschema builds a grammar of web addresses when it is imported, which takes a second and is of
no use to notebooks; it does without where that package is missing.

Standard input is a pipe that the grader holds. It closes when the grader ends, however it ends.
"""

import os
import shutil
import sys
import threading


def _end_with(pipe: int, folder: str) -> None:
    """Wait until the grader has ended; remove its folder, and end this process and its kernels."""
    os.read(pipe, 1)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


# pytest puts something else in the place of standard input, so this is a copy of it
_given = (os.dup(0), os.path.dirname(os.getcwd()))
threading.Thread(target=_end_with, args=_given, daemon=True).start()
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
