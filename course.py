"""The course from one command, on Linux, macOS and Windows: ``python course.py lab``.

Any Python from 3.8 on can run this file; it finds, or fetches, the one that the course needs.
What it can do: ``python course.py --help``. It uses nothing but the standard library.
"""

# No annotations and no f-strings here: an old Python must get as far as the message.
import os
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))

if sys.version_info < (3, 8):  # noqa: UP036
    sys.exit(
        "error: this is Python " + sys.version.split()[0] + "; start course.py with 3.8 or newer,"
        " such as: python3 course.py lab (on Windows: py -3 course.py lab)"
    )

if __name__ == "__main__":
    sys.path.insert(0, os.path.join(ROOT, "scripts"))
    sys.dont_write_bytecode = True
    from bootstrap.verbs import main

    sys.exit(main(sys.argv[1:]))
