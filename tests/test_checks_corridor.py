"""The check of notebook 02's objective leaves everything as it was."""

from checks_kit import not_started, verdict
from mutants.corridor import objective
from ray import tune

from course_lib.checks import corridor as checks
from course_lib.envs import corridor


def test_the_check_of_the_objective_leaves_tune_and_the_corridor_alone() -> None:
    before = tune.report, corridor.walk_time
    verdict(checks.check_objective, objective())
    verdict(checks.check_objective, not_started)
    assert (tune.report, corridor.walk_time) == before
    assert objective.__globals__["walk_time"] is before[1]
