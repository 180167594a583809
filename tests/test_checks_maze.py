"""What the checks of lesson 01, and its text, rest on; wrong answers are in ``mutants``."""

from collections.abc import Callable

import numpy as np
import pytest

from course_lib.agents import tabular
from course_lib.answers import answer
from course_lib.checks import maze as checks
from course_lib.checks.core import look
from course_lib.envs.maze import MazeEnv
from course_lib.envs.tables import SideBySide


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_STRICT_CHECKS", "1")


def test_false_alarms_of_the_chance_checks_are_rare() -> None:
    """The check of epsilon-greedy has its own seed; other seeds of it would agree as well."""
    wrong = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        picks = np.array(
            [tabular.epsilon_greedy(np.array([1.0, 3.0, 2.0, -5.0]), 1.0, rng) for _ in range(4000)]
        )
        wrong += np.any(np.abs(np.bincount(picks, minlength=4) / 4000 - 0.25) > 0.04)
    assert wrong == 0


@pytest.mark.parametrize(
    "setting",
    ["epsilon 0", "epsilon 1", "discount 0", "discount 1",
     "learning rate 0", "learning rate 0.05", "learning rate 1"],
)  # fmt: skip
def test_the_failing_settings_do_fail(setting: str) -> None:
    name, value = setting.rsplit(" ", 1)
    knobs = {"learning rate": 0.5, "discount": 0.95, "epsilon": 0.1, name: float(value)}
    env, rng = MazeEnv(), np.random.default_rng(5)
    world = SideBySide(
        env.model(), env.maze.state(env.maze.start), num_seeds=60, num_episodes=80,
        max_steps=env.max_steps, rng=rng,
    )  # fmt: skip
    tables, _ = tabular.q_learning_many(
        world, learning_rate=knobs["learning rate"], gamma=knobs["discount"],
        epsilon=knobs["epsilon"],
    )  # fmt: skip
    lengths = [len(tabular.greedy_path(table, env, rng)) - 1 for table in tables]
    share = np.mean(np.array(lengths) == env.maze.shortest_steps)
    if setting in answer("1.4")():
        assert share <= 0.25
    else:
        assert share >= 0.75


@pytest.mark.parametrize(
    "answer", [set, lambda: set(checks.SETTINGS), lambda: None, lambda: {"gamma 0"}]
)
def test_names_that_say_nothing_earn_nothing(answer: Callable) -> None:
    check = checks.check_failing_settings
    own = look(check.cases, check.reference(), 1)
    wrong = {
        mine.case.part
        for mine, theirs in zip(look(check.cases, answer, 1), own, strict=True)
        if mine.error is not None or mine.got != theirs.got
    }
    assert wrong == set(check.parts)


@pytest.mark.parametrize("answer", [lambda: None, lambda: 1 / 0])
def test_an_error_does_not_tell_which_settings_fail(answer: Callable) -> None:
    with pytest.raises(AssertionError) as error:
        checks.check_failing_settings(answer)
    assert not any(reason in str(error.value) for reason in checks.REASONS.values())


@pytest.mark.parametrize(("initial_value", "epsilon"), [(-25, 0), (-25, 0.1), (-15, 0), (20, 0)])
def test_an_empty_ledger_is_optimistic_above_the_worth_of_walking_for_ever(
    initial_value: float, epsilon: float
) -> None:
    env, rng = MazeEnv(), np.random.default_rng(3)
    world = SideBySide(
        env.model(), env.maze.state(env.maze.start), num_seeds=40, num_episodes=80,
        max_steps=env.max_steps, rng=rng,
    )  # fmt: skip
    tables, _ = tabular.q_learning_many(
        world, learning_rate=0.5, gamma=0.95, epsilon=epsilon, initial_value=initial_value
    )
    lengths = [len(tabular.greedy_path(table, env, rng)) - 1 for table in tables]
    share = np.mean(np.array(lengths) == env.maze.shortest_steps)
    assert share <= 0.05 if initial_value < -1 / (1 - 0.95) else share >= 0.95


def test_the_cell_below_the_cheese_is_reached_over_it_alone() -> None:
    """Lesson 01 says so: its entry stays as the empty ledger had it."""
    maze = MazeEnv().maze
    around = {maze.move((5, 7), action) for action in range(4)} - {(5, 7)}
    assert around == set(maze.find("C"))
