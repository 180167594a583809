"""Shared by all tests."""

import os
import sys
from pathlib import Path

import matplotlib

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "notebooks"), str(ROOT / "scripts"), str(ROOT / "tests")]
matplotlib.use("Agg")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
