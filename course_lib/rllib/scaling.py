"""Do more processes, more machines, or a GPU pay? Measured here and now, at growing sizes."""

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gymnasium as gym
import ray
import torch
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.tune import register_env
from torch import nn

from course_lib.cluster.gpu import LearnerPlace
from course_lib.rllib import runs


class Waiting(gym.Wrapper):
    """An environment of which each step takes longer, as that of a simulator or a robot does.

    Args:
        env: any environment.
        wait_s: seconds of rest before each step, 0 or more; may be changed later.
    """

    def __init__(self, env: gym.Env, wait_s: float = 0.0) -> None:
        super().__init__(env)
        self.wait_s = wait_s

    def step(self, action: Any) -> Any:
        """Rest, then step."""
        if self.wait_s:
            time.sleep(self.wait_s)
        return self.env.step(action)


def sampling_rates(
    config: AlgorithmConfig,
    env_id: str,
    *,
    num_env_runners: int,
    waits_ms: Sequence[float],
    round_steps: int = 64,
    seconds: float = 1.0,
) -> Iterator[tuple[float, float, float]]:
    """Measure who plays faster: this process, or env runners on the Ray that is connected.

    Env runners play in rounds, as they do for a DQN: weights go out, some steps are played by all
    of them together, the episodes come back.

    Args:
        config: of the algorithm whose network plays; says how many environments each player has.
        env_id: of a Gymnasium environment.
        num_env_runners: processes that play side by side, at least 1; each takes a core.
        waits_ms: milliseconds that a step is made to take longer, one measurement for each.
        round_steps: environment steps of a round, at least 1.
        seconds: that each measurement takes, at least.

    Yields:
        For each of ``waits_ms``: it, environment steps per second here, and of the env runners.

    Raises:
        ValueError: if ``num_env_runners`` or ``round_steps`` is below 1.
    """
    for name, number in (("num_env_runners", num_env_runners), ("round_steps", round_steps)):
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
    register_env("waiting", lambda _: Waiting(gym.make(env_id)))
    config = config.copy(copy_frozen=False).environment("waiting")
    config.env_runners(num_env_runners=num_env_runners, create_env_on_local_worker=True)
    config.fault_tolerance(restart_failed_env_runners=False)  # else Ray warns of each of them
    algo = runs.build(config)
    group = algo.env_runner_group

    def play_here() -> int:
        return sum(map(len, algo.env_runner.sample(num_timesteps=round_steps)))

    def play_there() -> int:
        group.sync_weights(from_worker_or_learner_group=algo.learner_group, inference_only=True)
        share = {"num_timesteps": -(-round_steps // num_env_runners)}
        episodes = group.foreach_env_runner("sample", kwargs=share, local_env_runner=False)
        return sum(len(one) for several in episodes for one in several)

    try:
        for wait_ms in waits_ms:
            group.foreach_env_runner(functools.partial(_set_wait, wait_s=wait_ms / 1e3))
            yield wait_ms, _per_second(play_here, seconds), _per_second(play_there, seconds)
    finally:
        runs.stop(algo)


def _set_wait(runner: Any, wait_s: float) -> None:
    runner.env.unwrapped.set_attr("wait_s", wait_s)


def _per_second(play: Callable[[], int], seconds: float) -> float:
    play()  # the first round is slower
    steps, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        steps += play()
    return steps / (time.perf_counter() - started)


def update_times(
    place: LearnerPlace, widths: Sequence[int], *, seconds: float = 0.5
) -> dict[str, list[float]]:
    """Measure one gradient step of a q-network on the CPU, and on a GPU where there is one.

    Args:
        place: what ``cluster.place_learner()`` returned.
        widths: units of each of the two hidden layers, one measurement for each.
        seconds: that each measurement takes, at least.

    Returns:
        ``"CPU"`` and, if ``place`` has one, ``"GPU"`` -> milliseconds for each of ``widths``.

    Raises:
        RuntimeError: if Ray counts a GPU that PyTorch does not see.
    """
    times = {"CPU": [update_ms(width, "cpu", seconds) for width in widths]}
    if place.num_gpus_per_learner:
        if place.num_learners:
            there = ray.remote(num_gpus=1, max_retries=0)(_all_on_gpu)
            times["GPU"] = ray.get(there.remote(list(widths), seconds))
        else:
            times["GPU"] = _all_on_gpu(list(widths), seconds)
    return times


def _all_on_gpu(widths: list[int], seconds: float) -> list[float]:
    if not torch.cuda.is_available():
        raise RuntimeError(
            "Ray counts a GPU that PyTorch does not see: start that worker with --num-gpus=0, or "
            "install a PyTorch for its GPU there"
        )
    return [update_ms(width, "cuda", seconds) for width in widths]


def update_ms(width: int, device: str, seconds: float) -> float:
    """Return the milliseconds of a gradient step on 64 rows, the way of its batch included.

    Args:
        width: units of each of the two hidden layers, at least 1.
        device: ``"cpu"`` or ``"cuda"``.
        seconds: to go on for, at least.
    """
    net = nn.Sequential(
        nn.Linear(4, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2)
    ).to(device)
    optimizer = torch.optim.Adam(net.parameters())
    obs, targets = torch.randn(64, 4), torch.randn(64, 2)

    def step() -> None:
        loss = nn.functional.smooth_l1_loss(net(obs.to(device)), targets.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def wait() -> None:
        if device != "cpu":
            torch.cuda.synchronize()

    for _ in range(3):
        step()
    wait()
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        for _ in range(5):
            step()
        wait()
        count += 5
    return 1e3 * (time.perf_counter() - started) / count


def wins_from(
    sizes: Sequence[float], before: Sequence[float], after: Sequence[float]
) -> float | None:
    """Return the smallest size from which on ``after`` is always larger, None if there is none."""
    found = None
    for size, one, other in zip(reversed(sizes), reversed(before), reversed(after), strict=True):
        if other <= one:
            break
        found = size
    return found
