"""Compare this machine's Python and packages with requirements.lock; a cluster must be of one kind.

    python scripts/cluster/check_versions.py

Exit status 1, and a line for each difference, if Ray, PyTorch, numpy or Gymnasium is another one.
"""

import importlib.metadata
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DECIDE = ("ray", "torch", "numpy", "gymnasium", "cloudpickle")


def locked(text: str) -> dict[str, str]:
    """Return package -> version of a lock file's text."""
    lines = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", text, re.MULTILINE)
    return {name.lower(): version for name, version in lines}


def differences(text: str) -> list[str]:
    """Return a sentence for each package of :data:`DECIDE` that differs from the lock."""
    wanted, found = locked(text), []
    for name in DECIDE:
        try:
            there = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            there = "missing"
        if there != wanted[name]:
            found.append(f"{name} is {there} here, and requirements.lock says {wanted[name]}")
    return found


def main() -> int:
    """Print the differences; return the exit status."""
    found = differences((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    for line in found:
        print(f"{line}: run `make setup`", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
