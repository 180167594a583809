"""Read a lock: one package after the other, each with its version, its marker and its hashes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

# Only PyTorch's own wheels for GPUs need them.
GPU_ONLY = ("nvidia-", "cuda-", "triton")


@dataclass(frozen=True)
class Locked:
    """A package of a lock.

    Attributes:
        name: as in the lock.
        version: the only one allowed.
        text: its lines, with marker and hashes.
    """

    name: str
    version: str
    text: str

    @property
    def hashes(self) -> list[str]:
        """The sha256 of every file of that version."""
        return re.findall(r"--hash=sha256:([0-9a-f]{64})", self.text)


def parse(text: str) -> dict[str, Locked]:
    """The packages of a lock by name."""
    blocks = re.findall(r"^[A-Za-z0-9].*(?:\n[ \t].*)*", text, re.MULTILINE)
    found = (re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", block) for block in blocks)
    return {one[1]: Locked(one[1], one[2], block) for one, block in zip(found, blocks) if one}


def digest(*paths: Path, more: str = "") -> str:
    """The sha256 of text files and of more text; line ends, which Git may change, do not count."""
    text = "".join(path.read_text(encoding="utf-8") for path in paths) + more
    return hashlib.sha256(text.encode()).hexdigest()


def read(path: Path) -> dict[str, Locked]:
    """The packages of a lock file by name."""
    return parse(path.read_text(encoding="utf-8"))
