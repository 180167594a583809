"""What the long study says about its records, and that its command runs from end to end."""

import contextlib
import functools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from trading_kit import market, record

from benchmarks import trading, trading_controls, trading_page, trading_report
from course_lib.trading import study

ROOT = Path(__file__).resolve().parents[1]
MACHINE = {"processor": "one", "cores": 2, "memory_gib": 8, "date": "2026-01-01"}
ONE = {"sharpe": 0.5, "error": 1.1, "deflated": [0.15, 0.01]}
CHOICE = {"fee": 0.001, "tried": 60, "days": 300, "overfitting": 0.47, "luck": [0.4, 2.5],
          "agent": ONE, "mix": ONE, "beyond": ONE}  # fmt: skip


@functools.cache
def found(level: float, timing: float = 1.0) -> dict:
    records = [
        record(
            window,
            seed,
            level + 0.1 * seed + 0.02 * window,
            fee,
            rank=0.6 + 0.002 * window,
            timing=timing + 0.1 * (window % 3 - 1),
        )
        for window in range(24)
        for seed in range(3)
        for fee in (0.0, 0.001)
    ]
    return {**trading_report.study(records), "choice": CHOICE}


def made_up(strength: float, timing: float, markets: int) -> list[dict]:
    return [
        {**record(window, seed, -3.0, timing=timing + 0.1 * (window % 3)), "strength": strength}
        for seed in range(markets)
        for window in range(12)
    ]


@functools.cache
def whole(level: float) -> dict:
    agents = [
        {"variant": name, "seed": seed, "share of foresight": share, "luck": 0.5,
         "net profit": 100.0 * seed, "trades a day": 0.5, "exposure": 0.5}
        for name, share in (("knows", 0.95), ("a", 0.4), ("b", 0.5), ("hourly", 0.01))
        for seed in range(3)
    ]  # fmt: skip
    some = [*made_up(0.0, -0.1, 4), *made_up(0.2, -1.0, 2), *made_up(0.8, 0.7, 2)]
    parts = {"bitcoin": found(level), "euro": found(level), "machine": MACHINE}
    parts["markets"] = trading_controls.markets(some, market(2_000))
    return json.loads(
        json.dumps(
            {**parts, "agents": {**trading_controls.agents(agents, market(2_000)), "hold": 5_000}}
        )
    )


def test_early_windows_carry_the_statement():
    study = found(5.0)
    assert [window["early"] for window in study["windows"]] == [True] * 12 + [False] * 12
    row = trading_report.main_row(study)
    assert row["fee"] == 0.001
    assert row["ahead"]["early"]["buy and hold"][0] == pytest.approx(5.21)
    assert row["ahead"]["later"]["buy and hold"][0] == pytest.approx(5.45)
    lines = trading_report.statement(study)
    assert "12 early windows of 27 days, 3 seeds" in lines[0]
    assert "61.1%" in lines[6], "the early ranks, from 60 to 62.2"


@pytest.mark.parametrize(
    ("timing", "words"),
    [(1.0, "Yes: more than luck"), (-1.0, "No: less than nothing"), (0.0, "Not shown")],
)
def test_the_statement_says_what_the_timing_says(timing, words):
    assert words in trading_report.statement(found(5.0, timing))[1]


@pytest.mark.parametrize(
    ("level", "words"),
    [(5.0, "Yes: it ends above the mix"), (-9.0, "No: it ends below the mix"),
     (-2.21, "Not shown")],
)  # fmt: skip
def test_the_statement_says_what_the_numbers_say(level, words):
    lines = trading_report.statement(found(level))
    assert "does the agent beat the mix?" in lines[0]
    assert words in lines[0]
    assert "0.50 times a day" in lines[-1]


def test_no_verdict_on_few_windows():
    records = [record(window, 0, 5.0) for window in range(9)]
    lines = trading_report.statement(trading_report.study(records))
    assert all("No verdict: 9 windows are too few" in line for line in lines[:-2])


def test_the_page_shows_the_numbers_and_the_command(tmp_path):
    parts = whole(-9.0)
    page = trading_page.page(parts)
    for line in trading_report.statement(parts["bitcoin"]):
        assert line in page
    assert "    python -m benchmarks.trading\n" in page
    assert "It took 384 minutes of one core" in page, "a minute for each record"
    assert page.count("| 0.100% |") == 6, "early, later, all: bitcoin and euro"
    for name in ("perfect foresight", "moving average", "mix"):
        assert f"| {name} |" in page
    assert "makes 95% of what can" in page
    assert "buy and hold made 5,000, half of it in a mix 2,500: none of the agents" in page
    trading_page.draw(parts["bitcoin"], tmp_path)
    for name in ("trading_windows.png", "trading_fees.png"):
        assert f"images/{name}" in page
        assert (tmp_path / name).stat().st_size > 5_000


def test_what_is_said_of_markets_without_skill_is_counted():
    rows = whole(5.0)["markets"]["rows"]
    assert [(row["markets"], row["skill"], row["no skill"]) for row in rows] == [
        (4, 0, 0), (2, 0, 2), (2, 2, 0),
    ]  # fmt: skip
    assert [row["rank above"] for row in rows] == [4, 2, 2], "all of them have a rank of 60"
    assert [row["ahead of mix"] for row in rows] == [0, 0, 0]
    page = trading_page.page(whole(5.0))
    assert "it is declared in 0 of 4 markets" in page
    assert "holds its truth, zero, in 4" in page
    assert 0.4 < rows[0]["foreseen"] < 0.6 < rows[1]["foreseen"] + 0.1 < rows[2]["foreseen"]
    assert trading_page.by_chance(100) == "1 to 10"


def test_the_rule_that_knows_the_next_hour_makes_what_the_page_says(course_prices):
    from course_lib.trading import agent, controls, evaluation

    settings = agent.Settings()
    _, table = controls.lesson_months(course_prices)
    log_close = np.log(table["close"])
    moves = (log_close.shift(-1) - log_close).to_numpy()
    wanted = np.where(np.abs(moves) > 0.0012, moves > 0, np.nan)
    position = pd.Series(wanted).ffill().fillna(0).astype(int)
    run = evaluation.run_policy(
        lambda obs, info: position[info["row"]], agent.judging_env(table, settings, 0.001), name="r"
    )
    assert round(100 * agent.growth_of_foresight(run, settings)) == 91


def test_without_a_study_the_page_says_so():
    assert "None yet" in trading_page.page({})


def test_the_docs_are_what_the_summary_says():
    assert trading_report.PAGE.read_text(encoding="utf-8") == trading_page.page(
        trading_report.load()
    )


def test_the_agents_are_trained_on_the_months_of_the_lesson():
    from course_lib.trading import controls

    lesson = (ROOT / "notebooks" / "source" / "04_trading_agent.py").read_text(encoding="utf-8")
    shares = ", ".join(f'"{name}": {share}' for name, share in controls.LESSON_SHARES.items())
    assert f"prices.split(data, {{{shares}}})" in lesson


def test_the_lesson_says_what_the_study_says():
    lesson = (ROOT / "notebooks" / "source" / "04_trading_agent.py").read_text(encoding="utf-8")
    words = " ".join(lesson.replace("\n#", "\n").split())
    lines = trading_report.statement(trading_report.load()["bitcoin"])
    for line in (*lines[:3], lines[5]):
        assert line in words


@pytest.mark.parametrize("name", trading.PARTS)
def test_the_summary_is_what_the_records_say(name, course_prices):
    """Nothing is trained: what is in the repository is enough to compute the page again."""
    part, path = trading.part_of(name, course_prices), trading.RECORDS / f"{name}.jsonl"
    assert path.is_file()
    book = trading.open_book(path, part)
    assert book.missing(part.jobs) == []
    records = trading.records_of(book, part)
    again = trading.summarise(name, records, part)
    assert json.loads(json.dumps(again)) == trading_report.load()[name]


@pytest.fixture(scope="module")
def course_prices():
    from course_lib.trading import prices

    return prices.load_prices()


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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["elsewhere"], "there is no part 'elsewhere'; there are bitcoin"),
        (["euro", "--quick"], "neither a part nor --docs"),
        (["--docs", "--prices", "mine.csv"], "neither a part nor --docs"),
        (["--out", "mine.jsonl"], "--out is for"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, words, capfd):
    with pytest.raises(SystemExit) as stopped:
        trading.command(arguments)
    assert stopped.value.code == 2
    assert words in capfd.readouterr().err


def test_errors_of_a_person_are_a_sentence(tmp_path, monkeypatch, capfd):
    few = tmp_path / "few.csv"
    market(500).to_csv(few)
    notes = tmp_path / "notes.txt"
    notes.write_text("my own")
    many = tmp_path / "many.csv"
    market(6_000).to_csv(many)
    monkeypatch.setattr(trading, "RECORDS", tmp_path)
    for arguments, words in (
        (["--prices", str(tmp_path / "none.csv")], "is not a file"),
        (["--prices", str(few)], "give at least 5711 rows"),
        (["--prices", str(many), "--out", str(notes)], "is no record"),
        (["--docs"], "375 of the 375 jobs of bitcoin are not in"),
    ):
        assert trading.command(arguments) == 1
        said = capfd.readouterr()
        assert said.err.startswith("error: ")
        assert words in said.err
        assert "Traceback" not in said.err
    assert notes.read_text() == "my own"
    monkeypatch.setattr(trading, "main", lambda given: (_ for _ in ()).throw(KeyboardInterrupt))
    assert trading.command([]) == 130
    assert "goes on from here" in capfd.readouterr().out


def test_the_command_asks_for_what_is_missing(tmp_path, monkeypatch, capfd):
    """The same without training: each job is done at once."""

    def done_at_once(prices, plan, jobs, work):
        return ({**record(job.window, job.seed, 5.0, job.fee), "key": job.key} for job in jobs)

    def call(*arguments):
        assert trading.main(list(arguments)) == 0
        return capfd.readouterr().out

    monkeypatch.setattr(study, "run_all", done_at_once)
    monkeypatch.setattr("course_lib.cluster.connect", contextlib.nullcontext)
    taken_up_again(call, tmp_path / "jobs.jsonl")
