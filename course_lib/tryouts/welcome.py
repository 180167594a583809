"""What the checks of notebook 00 do with a learner's code."""

import contextlib
import copy
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from course_lib.tryouts.core import tryout

MEET_LIMIT_S = 5.0
MANY = 100  # actions, where an episode has under ten steps


class ScriptedEnv:
    """An environment whose rewards are written down beforehand. Observations are 0, 1, 2, ...

    Args:
        rewards: one per step; the episode ends with the last.
        truncated: whether it ends by truncation instead of termination.
    """

    def __init__(self, rewards: Sequence[float], *, truncated: bool = False) -> None:
        self.rewards = list(rewards)
        self.truncated = truncated
        self.steps: int | None = None
        self.seeds: list[int | None] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict]:
        """Begin an episode."""
        self.seeds.append(seed)
        self.steps = 0
        return 0, {}

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict]:
        """Give the next reward of the script.

        Raises:
            RuntimeError: before the first reset, and after the end of an episode.
        """
        if self.steps is None:
            raise RuntimeError("step() was called before reset(): begin with obs, info = reset()")
        if self.steps == len(self.rewards):
            raise RuntimeError(
                "step() was called after the episode had ended: stop when terminated or truncated"
            )
        self.steps += 1
        end = self.steps == len(self.rewards)
        reward = self.rewards[self.steps - 1]
        return self.steps, reward, end and not self.truncated, end and self.truncated, {}


class _Chooser:
    """A policy that notes what it sees, and objects to a loop that does not end."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, obs: Any) -> int:
        if len(self.seen) == MANY:
            raise RuntimeError(
                f"choose_action was called {MANY} times in an episode of a few steps: call "
                "env.step(action) with each action, and end the loop at terminated or truncated"
            )
        self.seen.append(obs)
        return 0


@tryout
def played(episode_return: Callable, rewards: list[float], *, truncated: bool = False) -> Any:
    """Play one episode; return what the function gives back."""
    return episode_return(ScriptedEnv(rewards, truncated=truncated), _Chooser())


@tryout
def played_again(episode_return: Callable, rewards: list[float]) -> Any:
    """Play a second episode in the same environment; return what the function gives back."""
    env, choose_action = ScriptedEnv(rewards), _Chooser()
    with contextlib.suppress(Exception):  # the first is looked at elsewhere
        episode_return(env, choose_action)
    if len(choose_action.seen) == MANY:  # so would the second go on
        choose_action(0)
    return episode_return(env, _Chooser())


@tryout
def seen_in_an_episode(episode_return: Callable, rewards: list[float]) -> dict[str, Any]:
    """Play one episode; return the observations that were given, and the seeds of resets."""
    env, choose_action = ScriptedEnv(rewards), _Chooser()
    with contextlib.suppress(Exception):
        episode_return(env, choose_action)
    seeds = ["none" if seed is None else str(seed) for seed in env.seeds]
    return {"obs": choose_action.seen, "seeds": seeds}


@tryout
def ray_cpus(attempt: Any) -> float:
    """Return how many processors Ray has here; 0 where it does not run."""
    import ray

    return float(ray.cluster_resources().get("CPU", 0)) if ray.is_initialized() else 0.0


def _slow_for_three(seed: int) -> int:
    """Square; the first job ends last, so that results in the order of their ends show."""
    time.sleep(0.5 if seed == 3 else 0)
    return seed * seed


@tryout
def squares(play_in_parallel: Callable, seeds: list[int]) -> Any:
    """Return the squares of seeds, the third's slowly."""
    return _listed(play_in_parallel(_slow_for_three, seeds))


@tryout
def sums(play_in_parallel: Callable, seeds: list[int], shift: int) -> Any:
    """Return seeds, each with a number added."""
    return _listed(play_in_parallel(lambda seed: seed + shift, seeds))


def _listed(values: Any) -> Any:
    """Return plain values for the comparison; references are no numbers."""
    listed = values is None or isinstance(values, list)
    return values if listed else f"of type {type(values).__name__}"


@tryout
def process_ids(play_in_parallel: Callable) -> Any:
    """Return the number of this process, and those of the processes that two tasks ran in."""
    pids = _listed(play_in_parallel(lambda seed: os.getpid(), [0, 1]))
    return pids if pids is None else {"here": os.getpid(), "there": pids}


@tryout
def meet(play_in_parallel: Callable, factor: int) -> Any:
    """Run two tasks that wait for each other; return what they give back.

    Each gives its seed times ``factor``, and -1 if the other did not come in time.
    """
    import ray

    class Door:
        def __init__(self) -> None:
            self.arrived: set[int] = set()

        def arrive(self, seed: int) -> int:
            self.arrived.add(seed)
            return len(self.arrived)

    door: Any = ray.remote(num_cpus=0)(Door).remote()
    ray.get(door.arrive.remote(0))  # the actor itself has started before the clock runs

    def wait(seed: int) -> int:
        deadline = time.monotonic() + MEET_LIMIT_S
        with contextlib.suppress(ray.exceptions.RayError):  # nobody waits for this task any more
            while time.monotonic() < deadline:
                if ray.get(door.arrive.remote(seed)) == 3:
                    return factor * seed
                time.sleep(0.05)
        return -1

    try:
        return _listed(play_in_parallel(wait, [1, 2]))
    finally:
        ray.kill(door)


@tryout
def is_remote(scoreboard: Any) -> bool:
    """Return whether a class has been made an actor already."""
    return hasattr(scoreboard, "remote")


@tryout
def best_of(scoreboard: type, returns: list[float]) -> Any:
    """Report returns to a new board; return its best."""
    return _reported(_afresh(scoreboard)(), returns).best()


@tryout
def count_of(scoreboard: type, returns: list[float]) -> Any:
    """Report returns to a new board; return how many it counts."""
    return _reported(_afresh(scoreboard)(), returns).num_reports()


@tryout
def count_of_another(scoreboard: type, returns: list[float]) -> Any:
    """Report returns to one of two boards; return how many the other counts."""
    scoreboard = _afresh(scoreboard)
    board, other = scoreboard(), scoreboard()
    with contextlib.suppress(Exception):  # looked at elsewhere
        _reported(board, returns)
    return other.num_reports()


def _afresh(scoreboard: type) -> type:
    """The class without what boards before this one left on it: another question asks for that."""
    if not isinstance(scoreboard, type):
        return scoreboard
    kept = {
        name: copy.deepcopy(value)
        for name, value in vars(scoreboard).items()
        if isinstance(value, list | dict | set)
    }
    return type(scoreboard.__name__, (scoreboard,), kept)


def _reported(board: Any, returns: list[float]) -> Any:
    for value in returns:
        board.report(value)
    return board


@tryout
def heard_as_actor(scoreboard: type, returns: list[float]) -> list[Any]:
    """Make an actor of a board, and report returns from as many tasks; return best and count."""
    import ray

    board: Any = ray.remote(num_cpus=0)(scoreboard).remote()
    task: Any = ray.remote(lambda actor, value: ray.get(actor.report.remote(value)))
    try:
        before = ray.get(board.num_reports.remote())  # not 0 where boards share: another part
        told = [task.remote(board, value) for value in returns]
        ray.wait(told, num_returns=len(told))
        for one in told:  # Ray shows what nobody fetches
            with contextlib.suppress(ray.exceptions.RayError):
                ray.get(one)
        return [ray.get(board.best.remote()), ray.get(board.num_reports.remote()) - before]
    finally:
        with contextlib.suppress(Exception):
            ray.kill(board)
