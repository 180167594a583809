"""The command: ``python -m course_lib.preflight``."""

from __future__ import annotations

import argparse
import sys

from course_lib.preflight import collect, runner
from course_lib.preflight.report import Style, write_text


def main(arguments: list[str] | None = None) -> int:
    """Look at this machine, or at the reports of many; return 0 if all is well, 1 if not, or 2.

    Args:
        arguments: the command line without the program's name.
    """
    parser = argparse.ArgumentParser(
        prog="python -m course_lib.preflight",
        description="Say whether this machine is ready for the workshop, and how to mend it.",
    )
    parser.add_argument("--json", metavar="FILE", help="also write the report to FILE")
    parser.add_argument("--collect", metavar="FOLDER", help="read the reports in FOLDER instead")
    parser.add_argument("--html", metavar="FILE", help="with --collect: also write a page to FILE")
    options = parser.parse_args(arguments)
    if options.json and options.collect:
        parser.error("--json writes a report and --collect reads reports: give one of them")
    if options.html and not options.collect:
        parser.error("--html goes with --collect FOLDER")
    try:
        if options.collect:
            return _collect(options.collect, options.html)
        return 0 if runner.run(options.json).ok else 1
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 2


def _collect(folder: str, page: str | None) -> int:
    reports, broken = collect.read_folder(folder)
    print(collect.as_text(reports, broken, Style()))
    if page:
        write_text(page, collect.as_html(reports, broken))
        print(f"\nPage written to {page}")
    return 0 if reports and not broken and all(report.ok for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
