"""When do more processes or a GPU pay?"""

import time

import gymnasium as gym
import pytest
import torch
from ray.rllib.algorithms.dqn.dqn import DQNConfig

from course_lib.cluster.gpu import LearnerPlace
from course_lib.rllib import scaling

WAIT_MS = 20.0


def test_waiting_rests_before_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr(time, "sleep", rests.append)
    env = scaling.Waiting(gym.make("CartPole-v1"))
    env.reset(seed=0)
    env.step(0)
    env.wait_s = 0.5
    env.step(1)
    assert rests == [0.5]


@pytest.mark.slow  # notebook 03 does the same
def test_sampling_rates(local_ray: None) -> None:
    rows = list(
        scaling.sampling_rates(
            DQNConfig(), "CartPole-v1", num_env_runners=2, waits_ms=(0.0, WAIT_MS), seconds=0.1
        )
    )
    assert [row[0] for row in rows] == [0.0, WAIT_MS]
    _, here, there = rows[1]
    assert 0 < here <= 1e3 / WAIT_MS
    assert 0 < there <= 2 * 1e3 / WAIT_MS
    assert rows[0][1] > here
    assert rows[0][2] > 0  # whether it is above `there` depends on who else is busy


@pytest.mark.parametrize("name", ["num_env_runners", "round_steps"])
def test_sampling_needs_somebody_and_something(name: str) -> None:
    wrong = {"num_env_runners": 1, name: 0}
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        next(scaling.sampling_rates(DQNConfig(), "CartPole-v1", waits_ms=(0,), **wrong))


class TestUpdates:
    def test_cpu_alone(self) -> None:
        times = scaling.update_times(LearnerPlace(0, 0, "on the CPU"), (8, 2048), seconds=0.05)
        assert list(times) == ["CPU"]
        small, large = times["CPU"]
        assert 0 < small < large

    @pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
    @pytest.mark.parametrize("num_learners", [0, pytest.param(1, marks=pytest.mark.slow)])
    def test_gpu_that_is_only_counted(self, local_ray: None, num_learners: int) -> None:
        place = LearnerPlace(num_learners, 1, "on a GPU")
        with pytest.raises(RuntimeError, match="counts a GPU that PyTorch does not see"):
            scaling.update_times(place, (8,), seconds=0.01)

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
    def test_gpu(self) -> None:
        times = scaling.update_times(LearnerPlace(0, 1, "on a GPU"), (8, 64), seconds=0.01)
        assert min(times["GPU"]) > 0


@pytest.mark.parametrize(
    ("after", "wanted"),
    [((2, 2, 2), 1), ((0, 2, 2), 10), ((2, 0, 2), 100), ((2, 2, 1), None), ((0, 0, 0), None)],
)
def test_wins_from(after: tuple[int, ...], wanted: int | None) -> None:
    assert scaling.wins_from((1, 10, 100), (1, 1, 1), after) == wanted
