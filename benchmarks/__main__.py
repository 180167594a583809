"""Measure: ``python -m benchmarks [NAME ...]``; see ``--help``."""

import argparse
import functools
import sys
from pathlib import Path
from typing import Any

from benchmarks import catalogue, machine, report
from benchmarks.catalogue import NAMES
from benchmarks.core import Options, Run

BUSY = 0.5


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the course beside its peers."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--list", action="store_true", help="say what there is, and stop")
    parser.add_argument("--seeds", type=int, help="runs of each contender (5; notebooks 1)")
    parser.add_argument("--stock-seeds", type=int, default=2, help="stock RLlib on CartPole (2)")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: does it run? The figures mean nothing"
    )
    parser.add_argument("--json", type=Path, help=f"where to ({report.LATEST.name})")
    parser.add_argument("--docs", action="store_true", help="only write docs/benchmarks.md anew")
    options = parser.parse_args(given)
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark named {', '.join(unknown)}; there are {', '.join(NAMES)}")
    for name in ("seeds", "stock_seeds"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1, got {value}")
    return options


def say(line: str) -> None:
    """Print at once, also into a pipe."""
    print(line, flush=True)


def main(given: list[str] | None = None) -> int:
    """Measure what was asked for, print the tables, and keep them as JSON and in the docs.

    Returns:
        0; 1 if a contender failed; 130 if interrupted, with what was measured kept.
    """
    options = _arguments(given)
    names = [name for name in NAMES if name in options.names] or list(NAMES)
    if options.list:
        for name in names:
            say(f"{name:14} {catalogue.in_one_line(name)}")
        return 0
    if options.docs:
        _write_page()
        return 0
    into = options.json or (report.QUICK if options.quick else report.LATEST)
    status = 0
    try:
        for name, record in _measure_all(names, options, into):
            failed = [why for why in record["without"].values() if why.startswith("failed")]
            status = 1 if failed else status
            say(f"{name}: done\n")
    except KeyboardInterrupt:
        say("interrupted; what was measured is kept")
        status = 130
    say(report.text(report.load(into), names))
    say(f"Written to {into}.")
    return status


def _measure_all(names: list[str], options: argparse.Namespace, into: Path) -> Any:
    """Yield each benchmark's name and record; the machine is looked at before the first one."""
    here = machine.describe()
    if (here["load_before"] or 0) > BUSY:
        say(f"this machine is busy (load {here['load_before']}): figures will be worse than true")
    for name in names:
        benchmark = catalogue.make(name, Options(options.quick, options.stock_seeds))
        seeds = options.seeds or (1 if options.quick else benchmark.seeds)
        keep = functools.partial(_keep, here=here, name=name, into=into)
        yield name, Run(benchmark, seeds, say, keep).measure()


def _keep(record: dict[str, Any], *, here: dict[str, Any], name: str, into: Path) -> None:
    report.merge({**record, "machine": here}, name, into)
    if into.resolve() == report.LATEST:
        _write_page()


def _write_page() -> None:
    report.write_page(report.load(report.LATEST), list(NAMES), report.PAGE)


if __name__ == "__main__":
    sys.exit(main())
