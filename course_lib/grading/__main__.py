"""The command: ``python -m course_lib.grading SUBMISSIONS --out REPORT``."""

import argparse
import datetime
import signal
import sys
from pathlib import Path

from course_lib.checks.core import PUBLIC_SEED
from course_lib.grading.expected import ReferenceFailed
from course_lib.grading.run import Options, grade


def parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    made = argparse.ArgumentParser(
        prog="python -m course_lib.grading",
        description="Grade a folder of learner notebooks. The submissions are never changed; a "
        "run that was interrupted goes on where it stopped when it is started again.",
    )
    made.add_argument("submissions", type=Path, help="one file, or one folder, per learner")
    made.add_argument("--out", type=Path, required=True, help="folder of the report")
    made.add_argument("--notebook", default="", metavar="NN", help="grade this notebook alone")
    made.add_argument("--mine", action="store_true", help="the notebooks right in the folder are "
                      "one learner's, your own; those that are not begun are left out")  # fmt: skip
    made.add_argument("--jobs", type=int, default=0, help="submissions at a time; one per core")
    made.add_argument("--seed", default="", help="of the hidden numbers; drawn if not given; "
                      "'public' for the seed of the notebooks' own checks")  # fmt: skip
    made.add_argument("--timeout", type=float, metavar="S", help="seconds per exercise")
    made.add_argument("--roster", type=Path, metavar="CSV", help="the class list, as Moodle or "
                      "Canvas exports it: says who handed in nothing")  # fmt: skip
    made.add_argument("--due", type=_date, metavar="DATE",
                      help="mark what is later, such as 2026-11-30T18:00")  # fmt: skip
    made.add_argument("--count", choices=("newest", "best"), default="newest",
                      help="which of a learner's versions counts")  # fmt: skip
    made.add_argument("--regrade", action="append", default=[], metavar="LEARNER",
                      help="grade a learner again, or 'all'")  # fmt: skip
    made.add_argument(
        "--sandbox", choices=("auto", "full", "reduced"), default="auto",
        help="'full' stops where no sandbox can be made, 'reduced' does without",
    )  # fmt: skip
    return made


def _date(text: str) -> datetime.datetime:
    try:
        return datetime.datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise argparse.ArgumentTypeError(f"write it as 2026-11-30T18:00, got {text}") from None


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    """Grade; return 0, 1 if something could not be graded, 2 for a wrong call, 130 if stopped."""
    given = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal may know fewer characters than a name
            stream.reconfigure(errors="replace")
    try:
        seed = PUBLIC_SEED if given.seed == "public" else int(given.seed) if given.seed else None
        options = Options(
            submissions=given.submissions,
            out=given.out,
            notebook=given.notebook and given.notebook.zfill(2),
            jobs=given.jobs,
            seed=seed,
            timeout=given.timeout,
            sandbox=given.sandbox,
            mine=given.mine,
            roster=given.roster,
            due=given.due,
            count=given.count,
            regrade=tuple(given.regrade),
        )
        return grade(options)
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.")
        return 130
    except (ValueError, FileNotFoundError, ReferenceFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
