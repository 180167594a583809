"""How often does a check miss a right answer by chance? Run it on the course's own versions.

python -m course_lib.grading.reliability 01 03 --runs 200
"""

import argparse
import sys
import time
from collections import Counter

from course_lib.checks.core import look, same
from course_lib.grading.course import Exercise, lessons
from course_lib.grading.expected import seed_of


def misses(exercise: Exercise, runs: int, first_seed: int = 0) -> Counter[str]:
    """Run a check on the course's own version with different seeds.

    Args:
        exercise: whose check.
        runs: number of seeds.
        first_seed: the first of them.

    Returns:
        How often each case was wrong, by its aspect. Cases without an expected value of their own
        are what the course's own version gives, so they count only where it raises an error.
    """
    check = exercise.check()
    wrong: Counter[str] = Counter()
    for seed in range(first_seed, first_seed + runs):
        for outcome in look(check.cases, check.reference(), seed_of(seed, exercise.number)):
            case = outcome.case
            right = case.hidden or same(case.expected, outcome.got, atol=case.atol)
            if outcome.error is not None or not right:
                wrong[case.aspect] += 1
    return wrong


def main(arguments: list[str] | None = None) -> int:
    """Print a line per exercise; return 1 if anything was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="+", help="two-digit numbers")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=0)
    given = parser.parse_args(arguments)
    missed = 0
    for number in given.notebooks:
        for exercise in lessons()[number].exercises:
            if exercise.check().needs == "ray":
                print(f"{exercise.number}: needs a running Ray, left out")
                continue
            started = time.perf_counter()
            wrong = misses(exercise, given.runs, given.first_seed)
            missed += sum(wrong.values())
            seconds = (time.perf_counter() - started) / given.runs
            print(
                f"{exercise.number}: {given.runs} runs, {sum(wrong.values())} misses "
                f"{dict(wrong) or ''} {seconds:.2f} s a run",
                flush=True,
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
