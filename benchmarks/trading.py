"""The long study of the trading agent: ``python -m benchmarks.trading``; see ``--help``.

It has four parts: bitcoin, another market that nobody tuned anything on, made-up markets with and
without something to find, and agents that differ in one thing at a time. Every finished job is
written down at once, and a job that is written down is not run again: interrupt with Ctrl-C and
start the same command to go on. The records stay in the repository; the page is made from them.
"""

import argparse
import dataclasses
import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks import machine, trading_page, trading_report
from course_lib.errors import CourseError

RECORDS = trading_report.ROOT / "benchmarks" / "results" / "trading"
EURO_FILE = trading_report.ROOT / "data" / "eur_usd_hourly.csv.gz"
COMMAND = "python -m benchmarks.trading"
PARTS = ("bitcoin", "euro", "markets", "agents")


@dataclasses.dataclass(frozen=True)
class Part:
    """One part of the study: prices, what is done with them, and the jobs."""

    prices: pd.DataFrame
    plan: Any
    jobs: Sequence[Any]
    work: Callable[..., dict]


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Study the trading agent. All of it takes about two and a half hours of one "
        "core, less what is on record already.",
    )
    parser.add_argument(
        "parts", nargs="*", help=f"some of {', '.join(PARTS)}; all of them if not given"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a made-up market, 4 jobs, half a minute: does it run?"
    )
    parser.add_argument(
        "--address",
        help="of a Ray cluster, or local; if not given, as connect() finds it (docs/cluster.md)",
    )
    parser.add_argument(
        "--prices",
        type=Path,
        help="your own CSV file in place of bitcoin: a header, times in UTC, open, high, low, "
        "close, any interval; from 5,711 rows on, and from 11,111 on for a verdict; some seconds "
        "of one core for each of its jobs",
    )
    parser.add_argument(
        "--gaps",
        choices=("error", "keep"),
        default="error",
        help="error (if not given): refuse prices with missing rows; keep: this market closes",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="the file for finished jobs of --quick or --prices; if not given, "
        "benchmarks/results/trading_NAME.jsonl",
    )
    parser.add_argument(
        "--docs",
        action="store_true",
        help="train nothing; make docs/trading.md and docs/trading.json anew from the records",
    )
    options = parser.parse_args(given)
    strange = sorted(set(options.parts) - set(PARTS))
    if strange:
        parser.error(f"there is no part {strange[0]!r}; there are {', '.join(PARTS)}")
    own = options.quick or options.prices
    if own and (options.parts or options.docs):
        parser.error("--quick and --prices go with neither a part nor --docs")
    if options.out and not own:
        parser.error("--out is for --quick or --prices")
    return options


def plan_of(name: str):
    """Return the plan of a part of the study; ``quick`` is a tiny one."""
    from course_lib.trading import controls, study

    plan = study.Plan()
    if name == "markets":
        return controls.PLAN
    if name == "euro":  # a year of hours: smaller parts, and costs as they are in that market
        settings = plan.settings.changed(half_spread=0.00005)
        return dataclasses.replace(
            plan, train=2_160, validation=300, test=300, fees=(0.0, 0.00005), settings=settings
        )
    if name == "quick":
        return dataclasses.replace(
            plan,
            num_windows=2,
            seeds=(0,),
            fees=(0.0, 0.001),
            settings=plan.settings.changed(num_steps=1_024),
            checkpoints=(512, 1_024),
        )
    return plan


def part_of(name: str, prices: pd.DataFrame) -> Part:
    """Return a part of the study; ``prices`` is the course's bitcoin, or a participant's file."""
    from course_lib.trading import controls, study
    from course_lib.trading.prices import load_prices

    plan = plan_of(name)
    if name == "markets":
        return Part(prices, plan, controls.market_jobs(plan), controls.run_market_job)
    if name == "agents":
        seeds, variants = range(5), controls.agent_variants()
        jobs = [controls.AgentJob(variant, seed) for seed in seeds for variant in variants]
        return Part(prices, plan, jobs, controls.run_agent_job)
    if name == "euro":
        prices = load_prices(EURO_FILE, gaps="keep")
    return Part(prices, plan, plan.jobs(len(prices)), study.run_job)


def about(plan, prices: pd.DataFrame) -> dict:
    """Return what decides the results: the plan, and a fingerprint of the prices."""
    digits = hashlib.sha256(pd.util.hash_pandas_object(prices).to_numpy().tobytes()).hexdigest()
    return {"plan": dataclasses.asdict(plan), "prices": digits[:16], "rows": len(prices)}


def summarise(name: str, records: list[dict], part: Part) -> dict:
    """Return everything that the page shows of one part of the study."""
    from benchmarks import trading_choice, trading_controls

    if name == "markets":
        return trading_controls.markets(records, part.prices)
    if name == "agents":
        return trading_controls.agents(records, part.prices)
    choice = trading_choice.choice(records, part.prices, part.plan)
    return {**trading_report.study(records), "choice": choice}


def open_book(path: Path, part: Part):
    """Open the file of a part's finished jobs."""
    from course_lib.trading.study import Book

    path.parent.mkdir(parents=True, exist_ok=True)
    return Book(path, about(part.plan, part.prices))


def records_of(book, part: Part) -> list[dict]:
    """Return the finished jobs in the order of the part's jobs, whoever was first."""
    found = {record["key"]: record for record in book.records}
    return [found[job.key] for job in part.jobs if job.key in found]


def run(part: Part, book, address: str | None) -> bool:
    """Run what is missing from the book; return whether the part is complete."""
    from course_lib.cluster import connect
    from course_lib.trading import study

    missing = book.missing(part.jobs)
    done = len(part.jobs) - len(missing)
    if done:
        print(f"{done} of {len(part.jobs)} jobs are done: {book.path}", flush=True)
    if not missing:
        print("Their test rows were opened; they are not opened again.", flush=True)
        return True
    with connect(address):
        bar = tqdm(total=len(part.jobs), initial=done, unit="job", file=sys.stdout)
        try:
            for record in study.run_all(part.prices, part.plan, missing, work=part.work):
                book.add(record)
                bar.update(1)
        except KeyboardInterrupt:
            print("\nInterrupted. The same command goes on from here.", flush=True)
            return False
        finally:
            bar.close()
    return True


def _own(options: argparse.Namespace) -> int:
    """Study a made-up market or a participant's prices, and print what comes out."""
    from course_lib.trading import markets, prices

    if options.prices is None:
        table = markets.regime_market(8_500, rng=np.random.default_rng(0))  # opens no real test
    else:
        table = prices.load_prices(options.prices, gaps=options.gaps)
    part = part_of("quick" if options.quick else "bitcoin", table)
    name = "quick" if options.prices is None else options.prices.name.split(".")[0]
    book = open_book(options.out or RECORDS.with_name(f"trading_{name}.jsonl"), part)
    if not run(part, book, options.address):
        return 130
    print(trading_report.text(trading_report.study(book.records)))
    print("A trial, or other prices: docs/trading.md stays as it is.")
    return 0


def main(given: list[str] | None = None) -> int:
    """Run the study as far as it is not done, and write its results down."""
    options = _arguments(given)
    if options.quick or options.prices:
        return _own(options)
    from course_lib.trading import prices

    table, found = prices.load_prices(), trading_report.load()
    for name in options.parts or PARTS:
        part, path = part_of(name, table), RECORDS / f"{name}.jsonl"
        if not options.docs:
            if not run(part, open_book(path, part), options.address):
                return 130
            found["machine"] = machine.describe()
        found[name] = summarise(name, _complete(name, path, part), part)
    if missing := {"machine", *PARTS} - set(found):
        print(f"No page yet: {', '.join(sorted(missing))} is still to be run with `{COMMAND}`.")
        return 1
    trading_report.save(found)
    trading_page.write(found)
    print(trading_report.text(found["bitcoin"]))
    print(f"Written to {trading_report.PAGE}.")
    return 0


def _complete(name: str, path: Path, part: Part) -> list[dict]:
    """Return the records of a part.

    Raises:
        ValueError: if some are missing.
    """
    missing = len(part.jobs)
    if path.is_file():
        book = open_book(path, part)
        missing = len(book.missing(part.jobs))
    if missing:
        raise ValueError(
            f"{missing} of the {len(part.jobs)} jobs of {name} are not in {path}: run them with "
            f"`{COMMAND} {name}`, or get the file back with `git checkout -- {path}`"
        )
    return records_of(book, part)


def command(given: list[str] | None = None) -> int:
    """Do what :func:`main` does; say what a person can mend, or stopped, without a traceback."""
    try:
        return main(given)
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on from here.", flush=True)
        return 130
    except (CourseError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(command(sys.argv[1:]))
