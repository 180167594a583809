"""What the checks of lesson 00, and its text, rest on; wrong answers are in ``mutants``."""

import os
import sys
from collections.abc import Iterator

import pytest
from checks_kit import refuses

from course_lib.answers import answer
from course_lib.checks import welcome as checks


@pytest.fixture(scope="module")
def running_ray(local_ray: None) -> Iterator[None]:
    from ray import cloudpickle

    # A notebook's classes travel to Ray's workers as a whole; those of a test module would not.
    here = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(here)
    yield
    cloudpickle.unregister_pickle_by_value(here)


play_in_parallel, Scoreboard = answer("0.2"), answer("0.3")


def test_a_check_without_ray_says_which_cell_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    right_answers = (
        (checks.check_play_in_parallel, lambda *given: play_in_parallel(*given)),
        (checks.check_scoreboard, type("Mine", (Scoreboard,), {})),
    )
    for check, mine in right_answers:
        words = "run the cell `cluster = connect()` first"
        refuses(check, mine, words)


def test_pids_are_those_of_other_processes(running_ray: None) -> None:
    assert os.getpid() not in play_in_parallel(lambda seed: os.getpid(), [1, 2])


def test_one_line_keeps_the_pole_up_for_500_steps() -> None:
    """What lesson 00 says of a rule; leaning alone is far from it."""
    import gymnasium as gym

    env = gym.make("CartPole-v1")
    env.reset(seed=1)
    returns = {
        weight: [
            answer("0.1")(env, lambda obs, weight=weight: int(obs[2] + weight * obs[3] > 0))
            for _ in range(20)
        ]
        for weight in (0.0, 0.5)
    }
    assert min(returns[0.5]) == 500
    assert max(returns[0.0]) < 100
