"""The checks of notebook 00 accept what is right and refuse what is wrong."""

import math
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from checks_kit import accepts, refuses

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


class TestEpisodeReturn:
    def test_accepts_a_list_of_rewards(self) -> None:
        def variant(env: Any, choose_action: Callable) -> float:
            obs = env.reset(seed=3)[0]
            rewards = []
            while True:
                obs, reward, terminated, truncated, _ = env.step(choose_action(obs))
                rewards.append(reward)
                if terminated or truncated:
                    return math.fsum(rewards)

        accepts(checks.check_episode_return, variant)

    @staticmethod
    def loop(env: Any, choose_action: Callable, **changes: Any) -> float:
        """An episode with one mistake, chosen by name."""
        obs = first = env.reset()[0] if changes.get("reset", True) else 0
        total = reward = 0.0
        steps, done = 0, False
        while not done:
            obs, reward, terminated, truncated, _ = env.step(
                choose_action(first if changes.get("stale") else obs)
            )
            steps += 1
            done = terminated or (truncated and not changes.get("ignore_truncated"))
            if not (done and changes.get("drop_last")):
                total += reward
        mistakes = {"count": steps, "last": reward, "mean": total / steps}
        return mistakes.get(changes.get("give", ""), total)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"give": "count"}, "expected -0.5, got 3"),
            ({"give": "last"}, "expected -0.5, got 0.5"),
            ({"give": "mean"}, "add every reward"),
            ({"drop_last": True}, "the last too"),
            ({"stale": True}, "the newest observation"),
            ({"reset": False}, "step() was called before reset()"),
            ({"ignore_truncated": True}, "stop when terminated or truncated"),
        ],
        ids=["counts steps", "last reward", "mean", "drops last", "stale", "no reset", "truncated"],
    )
    def test_refuses(self, changes: dict, words: str) -> None:
        def wrong(env: Any, choose_action: Callable) -> float:
            return self.loop(env, choose_action, **changes)

        refuses(checks.check_episode_return, wrong, words)


@pytest.mark.usefixtures("running_ray")
class TestPlayInParallel:
    @pytest.mark.slow
    def test_accepts_a_decorator_and_single_gets(self) -> None:
        def variant(function: Callable, seeds: list[int]) -> list:
            import ray

            @ray.remote
            def task(seed: int) -> Any:
                return function(seed)

            references = [task.remote(seed) for seed in seeds]
            return [ray.get(reference) for reference in references]

        accepts(checks.check_play_in_parallel, variant)

    @pytest.mark.slow
    def test_refuses_references(self) -> None:
        def wrong(function: Callable, seeds: list[int]) -> list:
            import ray

            return [ray.remote(function).remote(seed) for seed in seeds]

        words = "did you return references?"
        refuses(checks.check_play_in_parallel, wrong, words)

    def test_refuses_a_plain_loop(self) -> None:
        def wrong(function: Callable, seeds: list[int]) -> list:
            return [function(seed) for seed in seeds]

        words = "call task.remote(seed)"
        refuses(checks.check_play_in_parallel, wrong, words)

    @pytest.mark.slow
    def test_refuses_get_inside_the_loop(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checks, "MEET_LIMIT_S", 2.0)

        def wrong(function: Callable, seeds: list[int]) -> list:
            import ray

            return [ray.get(ray.remote(function).remote(seed)) for seed in seeds]

        words = "ray.get inside the loop"
        refuses(checks.check_play_in_parallel, wrong, words)

    @pytest.mark.slow
    def test_refuses_another_order(self) -> None:
        def wrong(function: Callable, seeds: list[int]) -> list:
            return play_in_parallel(function, sorted(seeds))

        words = "in the same order"
        refuses(checks.check_play_in_parallel, wrong, words)


class FromZero(Scoreboard):
    def __init__(self) -> None:
        self._best, self._num_reports = 0.0, 0


class KeepsLast(Scoreboard):
    def report(self, episode_return: float) -> None:
        self._best, self._num_reports = episode_return, self._num_reports + 1


class CountsRecords(Scoreboard):
    def report(self, episode_return: float) -> None:
        self._num_reports += episode_return > self._best
        self._best = max(self._best, episode_return)


class Shared(Scoreboard):
    values: list = []  # noqa: RUF012  (the mistake to be found)

    def __init__(self) -> None:
        pass

    def report(self, episode_return: float) -> None:
        self.values.append(episode_return)

    def best(self) -> float:
        return max(self.values)

    def num_reports(self) -> int:
        return len(self.values)


class KeepsAList(Scoreboard):
    def __init__(self) -> None:
        self.values: list[float] = []

    def report(self, episode_return: float) -> None:
        self.values.append(episode_return)

    def best(self) -> float:
        return max(self.values)

    def num_reports(self) -> int:
        return len(self.values)


@pytest.mark.usefixtures("running_ray")
class TestScoreboard:
    @pytest.mark.slow
    def test_accepts_a_list(self) -> None:
        accepts(checks.check_scoreboard, KeepsAList)

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            (FromZero, "did you begin with 0?"),
            pytest.param(KeepsLast, "keep the larger one", marks=pytest.mark.slow),
            pytest.param(CountsRecords, "count every report", marks=pytest.mark.slow),
            pytest.param(Shared, "not on the class", marks=pytest.mark.slow),
        ],
    )
    def test_refuses(self, wrong: type, words: str) -> None:
        refuses(checks.check_scoreboard, wrong, words)


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
