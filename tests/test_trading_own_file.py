"""Notebook 04 runs from top to bottom on a participant's own file."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import test_trading_any_market as files

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", files.MARKETS)
def test_the_whole_notebook_runs_on_it(name, tmp_path):
    prices = files.MARKETS[name][0](tmp_path)
    notebook = nbformat.read(ROOT / "notebooks" / "solutions" / "04_trading_agent.ipynb", 4)
    changes = {
        "MY_PRICES = None": f"MY_PRICES = {str(prices)!r}",
        'GAPS = "error"': 'GAPS = "keep"',
    }
    for old, new in changes.items():
        assert sum(old in cell.source for cell in notebook.cells) == 1
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new)
    mine, result = tmp_path / "mine.ipynb", tmp_path / "result.json"
    nbformat.write(notebook, mine)
    run = subprocess.run(
        [sys.executable, str(ROOT / "tests/notebook_runner.py"), str(mine), str(tmp_path / "r")],
        env={**os.environ, "COURSE_PROFILE": "smoke", "COURSE_STRICT_CHECKS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, result.read_text()[:3_000] + run.stderr[-2_000:]
