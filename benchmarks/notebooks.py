"""Wall time and peak memory of each core notebook, run from top to bottom."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.core import Bar, Benchmark, Contender, Figures, NotMeasured, Options, Results

ROOT = Path(__file__).resolve().parent.parent
TIME = re.compile(r"the machine computes about (\d+(?:\.\d+)?)\.")


def stated_minutes(notebook: Path) -> float:
    """What the notebook's first cell promises."""
    first = "".join(json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]["source"])
    found = TIME.search(first)
    if not found:
        raise ValueError(f"{notebook.name} does not state its time in its first cell")
    return float(found[1])


def executed(notebook: Path, profile: str) -> Callable[[int], Figures]:
    """Seconds and peak memory (PSS of all its processes) of one run of a solution notebook."""

    def run(seed: int) -> Figures:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, notebook.name)
            shutil.copy(notebook, copy)
            result = Path(folder, "result.json")
            runner = ROOT / "tests" / "notebook_runner.py"
            done = subprocess.run(
                [sys.executable, str(runner), str(copy), str(result)],
                env={**os.environ, "COURSE_PROFILE": profile, "JUPYTER_PLATFORM_DIRS": "1"},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            report: dict[str, Any] = {"failure": done.stderr}
            if result.exists():
                report = json.loads(result.read_text())
        if report["failure"]:
            raise RuntimeError(f"{notebook.name} failed: {report['failure'][-500:]}")
        seconds = report["seconds"]
        return {
            "seconds": seconds,
            "peak_gib": report["peak_gib"],
            "stated_min": stated_minutes(notebook),
            "share_of_stated": seconds / 60 / stated_minutes(notebook),
        }

    return run


def _worst(results: Results) -> float:
    shares = [row["share_of_stated"] for rows in results.values() for row in rows]
    if not shares:
        raise NotMeasured("notebooks")
    return max(shares)


def benchmark(options: Options) -> Benchmark:
    """Every solution notebook in the laptop profile."""
    found = sorted((ROOT / "notebooks" / "solutions").glob("[0-9][0-9]_*.ipynb"))
    profile = "smoke" if options.quick else "laptop"
    found = found[1:2] if options.quick else found
    return Benchmark(
        name="notebooks",
        question=f"Each solution notebook from top to bottom, profile `{profile}`: seconds, and "
        "the peak of the memory of all its processes together (PSS).",
        contenders=[Contender(path.stem, executed(path, profile)) for path in found],
        units={"seconds": "s", "peak_gib": "GiB", "stated_min": "min", "share_of_stated": ""},
        bars=[Bar("longest run over its stated time", _worst, 1.2, at_most=True)],
        seeds=1,
    )
