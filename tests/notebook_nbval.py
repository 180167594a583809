"""Run a solution notebook with nbval and compare the cells that always print the same.

    python tests/notebook_nbval.py NOTEBOOK [--offline]         # run and compare
    python tests/notebook_nbval.py NOTEBOOK --renew [RUNS]      # write down what stays the same

What cells should print lies in ``tests/notebook_outputs``, because the notebooks are kept without
outputs. The rule: a cell is written down if its text was the same in every run, unless

* it shows a picture, or names a time, a size or a place of this machine;
* it is the call of a check, which strict checks judge already;
* the source tags it ``learned`` (``# %% tags=["learned"]``): what a network has learned differs
  from processor to processor in the last digits.

Every other cell is compared with nothing: its results are bounded by tests. A lesson may have no
such cell; nothing is printed for this file's sake.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import notebook_runner
import pytest
from nbformat import NotebookNode

SETTINGS = {
    "COURSE_PROFILE": "smoke", "COURSE_STRICT_CHECKS": "1", "JUPYTER_PLATFORM_DIRS": "1",
}  # fmt: skip
STORED = Path(__file__).with_name("notebook_outputs")
OF_THIS_MACHINE = re.compile(
    r"\d ?(s|ms|min|minutes?|GiB|MB|cores?|it/s)\b|seconds?\b"
    r"|/tmp|/home|/root|http|ObjectRef|\bRay\b|\bGPU\b|\\r"
)


def stored(stem: str) -> dict[str, list[dict[str, Any]]]:
    """Return the outputs that are compared, by cell id.

    Raises:
        FileNotFoundError: if the lesson's outputs were never written down.
    """
    path = STORED / f"{stem}.json"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `make outputs NAME={stem}` and look at it")
    return json.loads(path.read_text(encoding="utf-8"))


def with_outputs(notebook: NotebookNode, outputs: dict[str, list[dict[str, Any]]]) -> NotebookNode:
    """Give the notebook the stored outputs and no others, and those cells nbval's tag.

    Raises:
        ValueError: if an output belongs to no cell.
    """
    lost = set(outputs) - {cell.id for cell in notebook.cells}
    if lost:
        raise ValueError(
            f"no such cells: {', '.join(sorted(lost))}; where their first words have changed, give "
            "them a name in the source (`# %% the-name`), or run `make outputs` for the lesson"
        )
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []  # what is kept for those who browse is of a laptop's run
        if cell.id in outputs:
            cell.execution_count, cell.outputs = 1, nbformat.from_dict(outputs[cell.id])
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "nbval-check-output"]
    return notebook


def compare(path: Path) -> int:
    """Run nbval; return pytest's exit status."""
    notebook = with_outputs(nbformat.read(path, as_version=4), stored(path.stem))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        nbformat.write(notebook, copy)
        flags = [
            "--nbval-lax",
            "--nbval-current-env",
            "--nbval-cell-timeout=600",
            "-q",
            "--tb=short",
        ]
        alone = ["-c", "/dev/null", "--rootdir", folder, "-p", "no:cacheprovider", "--noconftest"]
        return int(pytest.main([*flags, *alone, str(copy)]))


def steady(runs: list[NotebookNode]) -> dict[str, list[dict[str, Any]]]:
    """Return the outputs that are the same in all runs, plain text, and of no machine."""
    found = {}
    for cells in zip(*(run.cells for run in runs), strict=True):
        texts = [plain(cell.get("outputs", [])) for cell in cells]
        tags = cells[0].metadata.get("tags", [])
        judged = "learned" in tags or cells[0].id.startswith("check-")
        if not judged and texts[0] and all(text == texts[0] for text in texts):
            found[cells[0].id] = texts[0]
    return found


def plain(outputs: list[NotebookNode]) -> list[dict[str, Any]]:
    """Return outputs as nbval compares them; nothing if they hold more than printed text."""
    kept: list[dict[str, Any]] = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stdout":
            if kept and kept[-1]["output_type"] == "stream":
                kept[-1]["text"] += output.text
            else:
                kept.append({"output_type": "stream", "name": "stdout", "text": output.text})
        elif output.output_type == "execute_result" and set(output.data) == {"text/plain"}:
            text = {"text/plain": output.data["text/plain"]}
            kept.append({"output_type": "execute_result", "data": text, "metadata": {},
                         "execution_count": None})  # fmt: skip
        else:
            return []
    return [] if OF_THIS_MACHINE.search(json.dumps(kept, ensure_ascii=False)) else kept


def renew(path: Path, num_runs: int) -> None:
    """Run the notebook several times and write down what stayed the same."""
    reports = [notebook_runner.execute(path) for _ in range(num_runs)]
    for report in reports:
        if report["failure"]:
            raise RuntimeError(report["failure"])
    found = steady([report["notebook"] for report in reports])
    STORED.mkdir(exist_ok=True)
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    file = STORED / f"{path.stem}.json"
    file.write_text(text, encoding="utf-8")
    print(f"tests/{STORED.name}/{file.name}: what is compared is the output of", *found)


def main() -> int:
    """Run, or renew; return 0 if every cell ran and printed what it should."""
    parser = argparse.ArgumentParser(description="Run a notebook with nbval.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--renew", type=int, nargs="?", const=3, metavar="RUNS")
    options = parser.parse_args()
    if not options.notebook.is_file():
        known = sorted(path.stem for path in STORED.glob("*.json"))
        parser.error(f"no notebook {options.notebook}; the names are {', '.join(known)}")
    os.environ.update(SETTINGS)
    if options.renew:
        renew(options.notebook.resolve(), options.renew)
        return 0
    if options.offline:
        notebook_runner.cut_network()
    return compare(options.notebook.resolve())


if __name__ == "__main__":
    sys.exit(main())
