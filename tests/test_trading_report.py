"""What the long study says about its records, and that its command runs from end to end."""

import contextlib
import functools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from trading_kit import record

from benchmarks import trading, trading_page, trading_report
from course_lib.trading import study, summary

ROOT = Path(__file__).resolve().parents[1]
MACHINE = {"processor": "one", "cores": 2, "memory_gib": 8, "date": "2026-01-01"}


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    """Intervals of 200 draws instead of 2,000: what is tested here is what is said of them."""
    monkeypatch.setattr(summary, "overall", functools.partial(summary.overall, num_draws=200))


@functools.cache
def found(level: float) -> dict:
    records = [
        record(window, seed, level + 0.1 * seed + 0.2 * window, fee)
        for window in range(8)
        for seed in range(3)
        for fee in (0.0, 0.001)
    ]
    return trading_report.summarise(records, MACHINE, "python -m benchmarks.trading")


def test_fresh_windows_carry_the_statement():
    study = found(5.0)
    assert [window["fresh"] for window in study["windows"]] == [True] * 6 + [False] * 2
    row = trading_report.main_row(study)
    assert row["fee"] == 0.001
    assert row["excess"]["fresh"]["buy and hold"][0] == pytest.approx(5.6)
    assert row["excess"]["later"]["buy and hold"][0] == pytest.approx(6.4)
    lines = trading_report.statement(study)
    assert "6 fresh windows, 3 seeds" in lines[0]
    assert "ahead in 6 of 6 windows" in lines[0]


@pytest.mark.parametrize(
    ("level", "words", "aim"),
    [
        (5.0, "Yes: the agent ends above buy and hold", "met"),
        (-9.0, "No: the agent ends below buy and hold", "not met"),
        (-0.6, "Not shown", "met"),
    ],
)
def test_the_statement_says_what_the_numbers_say(level, words, aim):
    lines = trading_report.statement(found(level))
    assert words in lines[1]
    assert f"Aim: median excess not below 0: {aim}." in lines
    assert "Aim: fewer than 2 trades a day: met." in lines


def test_the_page_shows_the_numbers_the_date_and_the_command(tmp_path):
    study = json.loads(json.dumps(found(-9.0)))
    page = trading_page.page(study)
    for line in trading_report.statement(study):
        assert line in page
    assert "    python -m benchmarks.trading\n" in page
    assert "finished on 2026-01-03" in page
    assert "48 jobs took 48 minutes" in page
    assert page.count("| 0.10% |") == 3, "fresh, later, all"
    for name in ("perfect foresight", "moving average", "random"):
        assert f"| {name} |" in page
    trading_page.draw(study, tmp_path)
    for name in ("trading_windows.png", "trading_fees.png"):
        assert f"images/{name}" in page
        assert (tmp_path / name).stat().st_size > 5_000


def test_without_a_study_the_page_says_so():
    assert "None yet" in trading_page.page({})


def test_the_docs_are_what_the_summary_says():
    assert trading_report.PAGE.read_text(encoding="utf-8") == trading_page.page(
        trading_report.load()
    )


def command(*arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.trading", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


def taken_up_again(call: Callable[..., str], book: Path) -> None:
    """Run the study, cut its last line off, go on, and look at what the command says."""
    before = trading_report.PAGE.read_text(encoding="utf-8")
    flags = ("--quick", "--address", "local", "--out", str(book))
    assert "4/4" in call(*flags)
    lines = book.read_text().splitlines()
    assert len(lines) == 5
    book.write_text("\n".join(lines[:-1]) + "\n")  # as if it had been interrupted
    assert "3 of 4 jobs are done" in call(*flags)
    again = book.read_text().splitlines()
    assert again[:-1] == lines[:-1]
    assert json.loads(again[-1])["figures"] == json.loads(lines[-1])["figures"], "same seed, same"
    assert trading_report.PAGE.read_text(encoding="utf-8") == before
    assert "not opened again" in call(*flags)


@pytest.mark.slow
def test_the_command_runs_and_is_taken_up_again(tmp_path):
    taken_up_again(command, tmp_path / "jobs.jsonl")


def test_the_command_asks_for_what_is_missing(tmp_path, monkeypatch, capfd):
    """The same without training: each job is done at once."""

    def done_at_once(prices, plan, jobs):
        return ({**record(job.window, job.seed, 5.0, job.fee), "key": job.key} for job in jobs)

    def call(*arguments):
        assert trading.main(list(arguments)) == 0
        return capfd.readouterr().out

    monkeypatch.setattr(study, "run_all", done_at_once)
    monkeypatch.setattr("course_lib.cluster.connect", contextlib.nullcontext)
    taken_up_again(call, tmp_path / "jobs.jsonl")
