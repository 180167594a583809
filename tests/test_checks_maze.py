"""The checks of notebook 01 accept right answers and name the usual wrong ones."""

from collections.abc import Callable

import numpy as np
import pytest

from course_lib.agents import tabular
from course_lib.answers import answer
from course_lib.checks import maze as checks
from course_lib.checks.core import look
from course_lib.envs.maze import MazeEnv


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_STRICT_CHECKS", "1")


def greedy_variant(q_values, epsilon, rng):
    shuffled = rng.permutation(len(q_values))
    best = shuffled[np.argmax(q_values[shuffled])]
    return best if rng.random() >= epsilon else rng.choice(len(q_values))


def first_of_ties(q_values, epsilon, rng):
    return rng.integers(4) if rng.random() < epsilon else np.argmax(q_values)


def explores_the_wrong_way(q_values, epsilon, rng):
    return rng.integers(4) if rng.random() > epsilon else tabular.epsilon_greedy(q_values, 0, rng)


def never_explores(q_values, epsilon, rng):
    return tabular.epsilon_greedy(q_values, 0.0, rng)


def explores_all_but_the_best(q_values, epsilon, rng):
    if rng.random() < epsilon:
        others = np.flatnonzero(q_values != q_values.max())
        return rng.choice(others)
    return tabular.epsilon_greedy(q_values, 0.0, rng)


def update_variant(q, reward, after, terminated, *, learning_rate, gamma):
    target = reward if terminated else reward + gamma * max(after)
    return q + learning_rate * (target - q)


def no_gamma(q, reward, after, terminated, *, learning_rate, gamma):
    return q + learning_rate * (reward + (not terminated) * max(after) - q)


def no_mask(q, reward, after, terminated, *, learning_rate, gamma):
    return q + learning_rate * (reward + gamma * max(after) - q)


def swapped_weights(q, reward, after, terminated, *, learning_rate, gamma):
    target = reward + gamma * (not terminated) * max(after)
    return learning_rate * q + (1 - learning_rate) * target


def wrong_sign(q, reward, after, terminated, *, learning_rate, gamma):
    return q - learning_rate * (reward + gamma * (not terminated) * max(after) - q)


def old_value_inside(q, reward, after, terminated, *, learning_rate, gamma):
    return q + learning_rate * (reward + gamma * (not terminated) * max(after - q))


def mean_instead_of_max(q, reward, after, terminated, *, learning_rate, gamma):
    return q + learning_rate * (reward + gamma * (not terminated) * np.mean(after) - q)


def episode(*, end="both", learn_from="terminated", moves_first=False, gives="sum"):
    """A learner's loop with one thing changed."""

    def learn_episode(env, q_table, *, learning_rate, gamma, epsilon, rng):
        obs, _ = env.reset()
        rewards, done = [], False
        while not done:
            action = tabular.epsilon_greedy(q_table[obs], epsilon, rng)
            after, reward, terminated, truncated, _ = env.step(action)
            over = {"terminated": terminated, "both": terminated or truncated, "never": False}
            at = after if moves_first else obs
            q_table[at, action] = tabular.td_update(
                q_table[at, action], reward, q_table[after], over[learn_from],
                learning_rate=learning_rate, gamma=gamma,
            )  # fmt: skip
            obs, done = after, over[end]
            rewards.append(reward)
        return {"sum": sum(rewards), "last": rewards[-1], "none": None}[gives]

    return learn_episode


def worth_closed_form(steps, gamma):
    return sum(-(gamma**t) for t in range(steps - 1)) + 20 * gamma ** (steps - 1)


def everything():
    return set(checks.SETTINGS)


RIGHT = [
    (checks.check_epsilon_greedy, tabular.epsilon_greedy),
    (checks.check_epsilon_greedy, greedy_variant),
    (checks.check_td_update, tabular.td_update),
    (checks.check_td_update, update_variant),
    (checks.check_learn_episode, tabular.learn_episode),
    (checks.check_learn_episode, episode()),
    (
        checks.check_failing_settings,
        lambda: ["learning rate 0.05", "discount 0", "learning rate 0"],
    ),
    (checks.check_worth_from_afar, worth_closed_form),
]
WRONG = [
    (checks.check_epsilon_greedy, first_of_ties, "equally good actions"),
    (checks.check_epsilon_greedy, explores_the_wrong_way, "with epsilon 0"),
    (checks.check_epsilon_greedy, never_explores, "with epsilon 1"),
    (checks.check_epsilon_greedy, explores_all_but_the_best, "with epsilon 1"),
    (checks.check_td_update, no_gamma, "becomes the target"),
    (checks.check_td_update, no_mask, "terminates nothing comes after"),
    (checks.check_td_update, swapped_weights, "a quarter of the way"),
    (checks.check_td_update, wrong_sign, "a quarter of the way"),
    (checks.check_td_update, old_value_inside, "becomes the target"),
    (checks.check_td_update, mean_instead_of_max, "becomes the target"),
    (checks.check_learn_episode, episode(learn_from="both"), "cut short by the clock"),
    (checks.check_learn_episode, episode(learn_from="never"), "has no future"),
    (checks.check_learn_episode, episode(end="terminated"), "went on after the episode"),
    (checks.check_learn_episode, episode(end="never"), "went on after the episode"),
    (checks.check_learn_episode, episode(moves_first=True), "first step is learned from"),
    (checks.check_learn_episode, episode(gives="last"), "sum of the rewards"),
    (checks.check_learn_episode, episode(gives="none"), "sum of the rewards"),
    (checks.check_failing_settings, lambda: {"discount 0"}, "learning rate 0: not so"),
    (checks.check_failing_settings, lambda: {"epsilon 1"}, "epsilon 1: not so"),
    (checks.check_failing_settings, lambda: {"gamma 0"}, "their names are from the list"),
    (checks.check_failing_settings, set, "some settings fail"),
    (checks.check_failing_settings, everything, "discount 1: not so"),
    (checks.check_failing_settings, lambda: "discount 0", "return a set of names"),
    (checks.check_failing_settings, lambda: None, "is a `return` missing"),
    (checks.check_worth_from_afar, lambda steps, gamma: 20 * gamma**steps, "one step away"),
    (checks.check_worth_from_afar, lambda steps, gamma: 20 - (steps - 1), "two steps away"),
    (checks.check_worth_from_afar, lambda steps, gamma: 20 * gamma ** (steps - 1), "two steps"),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_accepts(check: Callable, answer: Callable) -> None:
    assert check(answer) is answer


@pytest.mark.parametrize(("check", "answer", "aspect"), WRONG)
def test_rejects(check: Callable, answer: Callable, aspect: str) -> None:
    with pytest.raises(AssertionError) as error:
        check(answer)
    failed = [line for line in str(error.value).splitlines() if line.startswith("  ✗")]
    assert any(aspect in line for line in failed), str(error.value)


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
    tables, _ = tabular.q_learning_many(
        env.model(),
        env.maze.state(env.maze.start),
        num_seeds=60,
        num_episodes=80,
        max_steps=env.max_steps,
        learning_rate=knobs["learning rate"],
        gamma=knobs["discount"],
        epsilon=knobs["epsilon"],
        rng=rng,
    )
    lengths = [len(tabular.greedy_path(table, env, rng)) - 1 for table in tables]
    share = np.mean(np.array(lengths) == env.maze.shortest_steps)
    if setting in answer("1.4")():
        assert share <= 0.25
    else:
        assert share >= 0.75


@pytest.mark.parametrize("answer", [set, everything, lambda: None, lambda: {"gamma 0"}])
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
    tables, _ = tabular.q_learning_many(
        env.model(), env.maze.state(env.maze.start), num_seeds=40, num_episodes=80,
        max_steps=env.max_steps, learning_rate=0.5, gamma=0.95, epsilon=epsilon, rng=rng,
        initial_value=initial_value,
    )  # fmt: skip
    lengths = [len(tabular.greedy_path(table, env, rng)) - 1 for table in tables]
    share = np.mean(np.array(lengths) == env.maze.shortest_steps)
    assert share <= 0.05 if initial_value < -1 / (1 - 0.95) else share >= 0.95
