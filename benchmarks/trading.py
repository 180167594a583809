"""The long study of the trading agent: ``python -m benchmarks.trading``; see ``--help``.

Windows of train, validation and test along the prices, several seeds, several fees. Every finished
job is written down at once, and a job that is written down is not run again: interrupt with Ctrl-C
and start the same command to go on.
"""

import argparse
import dataclasses
import hashlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks import machine, trading_page, trading_report

BOOK = trading_report.ROOT / "results" / "trading_jobs.jsonl"
QUICK_BOOK = BOOK.with_name("trading_quick.jsonl")
COMMAND = "python -m benchmarks.trading"


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Study the trading agent.")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a made-up market, 4 jobs: does it run?",
    )
    parser.add_argument("--address", help="of a Ray cluster; if not given, as the notebooks do")
    parser.add_argument("--prices", type=Path, help="your own CSV file; the course's bitcoin")
    parser.add_argument(
        "--gaps", choices=("error", "keep"), default="error", help="keep: the market closes"
    )
    parser.add_argument("--out", type=Path, help=f"where finished jobs go ({BOOK.name})")
    parser.add_argument("--docs", action="store_true", help="only write docs/trading.md anew")
    return parser.parse_args(given)


def plan_of(quick: bool):
    """Return the plan of the study, or a tiny one."""
    from course_lib.trading import study

    plan = study.Plan()
    if not quick:
        return plan
    settings = plan.settings.changed(num_steps=1_024)
    return dataclasses.replace(
        plan,
        num_windows=2,
        seeds=(0,),
        fees=(0.0, 0.001),
        settings=settings,
        checkpoints=(512, 1_024),
    )


def about(plan, prices: pd.DataFrame) -> dict:
    """Return what decides the results: the plan, and a fingerprint of the prices."""
    digits = hashlib.sha256(pd.util.hash_pandas_object(prices).to_numpy().tobytes()).hexdigest()
    return {"plan": dataclasses.asdict(plan), "prices": digits[:16], "rows": len(prices)}


def run(plan, prices: pd.DataFrame, book, address: str | None) -> bool:
    """Run what is missing from the book; return whether the study is complete."""
    from course_lib.cluster import connect
    from course_lib.trading import study

    jobs = plan.jobs(len(prices))
    missing = book.missing(jobs)
    if len(missing) < len(jobs):
        print(f"{len(jobs) - len(missing)} of {len(jobs)} jobs are done: {book.path}", flush=True)
    if not missing:
        print("Their test rows were opened; they are not opened again.", flush=True)
        return True
    with connect(address):
        bar = tqdm(total=len(jobs), initial=len(jobs) - len(missing), unit="job", file=sys.stdout)
        try:
            for record in study.run_all(prices, plan, missing):
                book.add(record)
                bar.update(1)
        except KeyboardInterrupt:
            print("\nInterrupted. The same command goes on from here.", flush=True)
            return False
        finally:
            bar.close()
    return True


def main(given: list[str] | None = None) -> int:
    """Run the study as far as it is not done, and write its results down."""
    options = _arguments(given)
    if options.docs:
        trading_page.write(trading_report.load())
        return 0
    from course_lib.trading import markets, prices, study

    here = machine.describe()
    if options.quick and options.prices is None:
        table = markets.regime_market(8_500, rng=np.random.default_rng(0))  # opens no real test
    else:
        table = prices.load_prices(options.prices, gaps=options.gaps)
    plan = plan_of(options.quick)
    default = QUICK_BOOK if options.quick else BOOK
    book = study.Book(options.out or default, about(plan, table))
    complete = run(plan, table, book, options.address)
    if not complete:
        return 130
    summary = trading_report.summarise(book.records, here, f"{COMMAND} {' '.join(given or [])}")
    print(trading_report.text(summary))
    if options.quick or options.prices or options.out:
        print("A trial, or other prices: docs/trading.md stays as it is.")
        return 0
    trading_report.save(summary)
    trading_page.write(summary)
    print(f"Written to {trading_report.PAGE}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
