"""Loaded first in the pytest process: keeps a slow import out of it.

jsonschema builds a grammar of web addresses when it is imported, which takes a second and is of
no use to notebooks; it does without where that package is missing.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
