"""Measure: ``python -m benchmarks [NAME ...]``; see ``--help``."""

import argparse
import sys
from pathlib import Path

from benchmarks import core, machine, report
from benchmarks.catalogue import NAMES, make


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the course beside its peers."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--list", action="store_true", help="say what there is, and stop")
    parser.add_argument("--seeds", type=int, help="runs of each contender (5; notebooks 1)")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: does it run? The figures mean nothing"
    )
    parser.add_argument("--json", type=Path, help=f"results ({report.LATEST.name})")
    parser.add_argument("--docs", action="store_true", help="only write the page of the docs anew")
    options = parser.parse_args(given)
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark named {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if options.seeds is not None and options.seeds < 1:
        parser.error(f"--seeds must be at least 1, got {options.seeds}")
    return options


def say(line: str) -> None:
    """Print at once, also into a pipe."""
    print(line, flush=True)


def main(given: list[str] | None = None) -> int:
    """Measure what was asked for, print the table, and keep it as JSON and in the docs."""
    options = _arguments(given)
    names = options.names or list(NAMES)
    if options.list:
        for name in names:
            say(f"{name:14} {make(name, quick=True).question}")
        return 0
    into = options.json or (report.LATEST.with_name("quick.json") if options.quick
                            else report.LATEST)  # fmt: skip
    if not options.docs:
        for name in names:
            _measure(name, options, into)
        say(report.text(report.load(into), names))
        say(f"Written to {into}.")
    if into == report.LATEST:
        report.write_page(report.load(), list(NAMES))
    return 0


def _measure(name: str, options: argparse.Namespace, into: Path) -> None:
    here = machine.describe()
    if (here["load_before"] or 0) > 0.5:
        say(f"{name}: this machine is busy (load {here['load_before']}); figures will be worse")
    benchmark = make(name, quick=options.quick)
    seeds = options.seeds or (1 if options.quick else benchmark.seeds)
    record = core.run(benchmark, seeds, say)
    report.merge({**record, "machine": here}, name, into)


if __name__ == "__main__":
    sys.exit(main())
