"""The pytest plugin: what nbval runs is turned into one JSON line per cell.

It reads its settings from the file that ``COURSE_GRADING_RUN`` names: ``records`` (a path) and
``kernels`` (by kernel name). Expected values come with the notebooks and stay in this process.
"""

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from course_lib import journal
from course_lib.grading import judge, patches
from course_lib.tryouts.core import MIME

VARIABLE = "COURSE_GRADING_RUN"


class Settings:
    """What the run is about; read once."""

    records: Path


def pytest_configure(config: pytest.Config) -> None:
    """Read the settings and patch nbval."""
    content = json.loads(Path(os.environ.pop(VARIABLE)).read_text(encoding="utf-8"))
    Settings.records = Path(content["records"])
    patches.scrub()
    patches.apply(content["kernels"], compare)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take nbval's options from the cell's role alone, and remove the notebooks from disk."""
    for item in items:
        if isinstance(item, IPyNbCell):
            item.options.clear()
            item.options.update(check=_role(item) == "check", check_exception=True, skip=False)
            item.fspath_of_notebook = str(item.path)
    for path in {item.path for item in items}:
        path.unlink(missing_ok=True)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start the clock of the learner's time with the first cell that is the learner's."""
    if isinstance(item, IPyNbCell) and _role(item) == "extras" and item.parent.kernel is not None:
        item.parent.kernel.allow(item.parent.kernel.budget.seconds)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """Write down what came out of a cell."""
    outcome: Any = yield
    outcome.get_result()
    if not isinstance(item, IPyNbCell) or (call.when != "call" and call.excinfo is None):
        return
    kernel = item.parent.kernel
    record = {
        "exercise": _exercise(item.parent),
        "role": _role(item),
        "when": call.when,
        "seconds": round(call.duration, 2),
        "stopped": getattr(kernel, "stopped", "") if kernel is not None else "start",
        "problem": "" if call.excinfo is None else str(call.excinfo.value)[:300],
        "error": _error(item.test_outputs or []),
        "cases": getattr(item, "cases", None),
    }
    journal.append(Settings.records, record)


def _role(item: IPyNbCell) -> str:
    return str(item.cell.metadata.get("role", ""))


def _exercise(notebook: IPyNbFile) -> str:
    return str(notebook.nb.metadata.kernelspec.name).removeprefix("course-")


def _error(outputs: list[nbformat.NotebookNode]) -> dict[str, str] | None:
    """Return the error that a cell ended with."""
    for output in outputs:
        if output.output_type == "error":
            return {"name": str(output.ename)[:80], "text": str(output.evalue)[:300]}
    return None


def compare(
    cell: IPyNbCell, outputs: list[nbformat.NotebookNode], stored: list[nbformat.NotebookNode]
) -> bool:
    """Look at the answer from here, call by call, and compare what comes back with what should."""
    if _error(outputs) is not None:  # there is no answer
        return False
    about = cell.parent.nb.metadata.course
    asked = partial(judge.ask, cell.parent.kernel, about["name"])
    outcomes = judge.look_at(about["module"], about["check"], about["seed"], asked)
    if cell.parent.kernel.stopped:
        raise patches.Stopped(cell.parent.kernel.stopped)
    cell.cases = judge.compare(json.loads(stored[0]["data"][MIME]), outcomes)
    cell.comparison_traceback = ["values differ"]
    return all(case["right"] for case in cell.cases)
