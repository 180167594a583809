"""One gradient step: inside RLlib, in the course's plain DQN, in stable-baselines3, and bare."""

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import nn

from benchmarks import rllib_dqn
from benchmarks.core import Bar, Benchmark, Contender, Figures, Options, median, ratio
from course_lib.agents.dqn import DQNAgent, make_q_network
from course_lib.columnar_dqn.replay import Chunk, n_step_columns
from course_lib.torch_threads import torch_threads

BATCH, FILLED, CALL = 64, 5_000, 128
GAMMA, N_STEP, LR, CLIP = (rllib_dqn.SHARED[key] for key in ("gamma", "n_step", "lr", "grad_clip"))


class Clock:
    """Adds up the time that the calls of a function take."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self.seconds = function, 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        started = time.perf_counter()
        result = self._function(*args, **kwargs)
        self.seconds += time.perf_counter() - started
        return result


Side = tuple[Callable[[int], None], Clock | None]  # takes gradient steps; the clock of the learner
Prepare = Callable[[int], AbstractContextManager[Side]]


def clocked(prepare: Prepare, count: int) -> Callable[[int], Figures]:
    """Microseconds per gradient step on one thread, after a warm-up of as many."""

    def run(seed: int) -> Figures:
        with torch_threads(1), prepare(seed) as (take, learner):
            take(count)
            before, started = learner.seconds if learner else 0.0, time.perf_counter()
            take(count)
            figures = {"us_per_update": (time.perf_counter() - started) / count * 1e6}
            if learner:
                figures["us_learner_alone"] = (learner.seconds - before) / count * 1e6
        return figures

    return run


def steps_of_an_episode(seed: int) -> Chunk:
    """Steps with random contents, of which a few pay nothing."""
    rng = np.random.default_rng(seed)
    return Chunk(
        "0", 0, rng.normal(size=(FILLED + 1, 4)).astype(np.float32),
        rng.integers(2, size=FILLED), (rng.random(FILLED) < 0.95).astype(np.float32),
        terminated=True,
    )  # fmt: skip


class Bare:
    """The same arithmetic with nothing around it: double DQN, Huber, clipping, fused Adam."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self.net = make_q_network(4, 2, (256, 256))
        self.target = copy.deepcopy(self.net)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=LR, fused=True)

    def learn(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """One gradient step; returns the td errors, which RLlib's learner returns too."""
        taken = self.net(batch["obs"]).gather(1, batch["actions"][:, None]).squeeze(1)
        with torch.no_grad():
            best = self.net(batch["new_obs"]).argmax(1, keepdim=True)
            following = self.target(batch["new_obs"]).gather(1, best).squeeze(1)
            discount = GAMMA ** batch["n_step"] * (1 - batch["terminateds"].float())
            wanted = batch["rewards"] + discount * following
        losses = nn.functional.huber_loss(taken, wanted, reduction="none")
        self.optimizer.zero_grad()
        (losses * batch["weights"]).mean().backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
        self.optimizer.step()
        return (taken - wanted).detach()


@contextmanager
def bare(seed: int) -> Iterator[Side]:
    """A loop that draws rows of numpy columns, learns from them, and copies the target at times."""
    rng, loop = np.random.default_rng(seed), Bare(seed)
    stored = n_step_columns(steps_of_an_episode(seed), n_step=N_STEP, gamma=GAMMA, num_rows=FILLED)
    stored["weights"] = np.ones(FILLED, np.float32)
    learn = Clock(loop.learn)

    def take(count: int) -> None:
        for number in range(count):
            rows = rng.integers(FILLED, size=BATCH)
            learn({name: torch.from_numpy(column[rows]) for name, column in stored.items()})
            if number % CALL == CALL - 1:
                loop.target.load_state_dict(loop.net.state_dict())

    yield take, learn


@contextmanager
def columnar(seed: int) -> Iterator[Side]:
    """As ``ColumnarDQN.training_step`` calls its learner: 128 gradient steps per call."""
    with rllib_dqn.built(rllib_dqn.columnar_config(seed)) as algo:
        algo.local_replay_buffer.add(steps_of_an_episode(seed))
        learn = Clock(algo.learner_group.update)
        algo.learner_group.update = learn
        steps = 0.0

        def take(count: int) -> None:
            nonlocal steps
            for _ in range(count // CALL):  # 256 environment steps: one move of the target network
                algo._update_learner(CALL, steps, steps + 2 * CALL)
                steps += 2 * CALL

        yield take, learn


@contextmanager
def plain(seed: int) -> Iterator[Side]:
    """The plain DQN that notebook 03 writes."""
    agent = DQNAgent(gym.make(rllib_dqn.ENV), seed=seed)
    chunk = steps_of_an_episode(seed)
    for k in range(FILLED):
        last = k == FILLED - 1
        agent.buffer.add(
            chunk.obs[k], chunk.actions[k], chunk.rewards[k], chunk.obs[k + 1], last, False
        )

    def take(count: int) -> None:
        for _ in range(count):
            agent.update()

    yield take, None


@contextmanager
def sb3(seed: int) -> Iterator[Side]:
    """stable-baselines3's own ``train``."""
    model = rllib_dqn.sb3(seed)
    model.learn(1_200)
    yield (lambda count: model.train(gradient_steps=count, batch_size=BATCH)), None


def benchmark(options: Options) -> Benchmark:
    """Microseconds per gradient step."""
    count = CALL if options.quick else 10 * CALL
    ours, floor = "ColumnarDQN (RLlib)", "bare PyTorch loop"
    easier = "not double and one step: one forward pass less"
    return Benchmark(
        name="update",
        question="Microseconds per gradient step, drawing the batch included, and the learner's "
        "part alone. Batch 64, network 4-256-256-2, double DQN, Huber loss, clipping by global "
        "norm, fused Adam, a new target network every 128 steps, one thread. Both sides draw from "
        "the same numpy columns.",
        contenders=[
            Contender(ours, clocked(columnar, count), note="128 gradient steps per call"),
            Contender(floor, clocked(bare, count)),
            Contender("plain DQN of notebook 03", clocked(plain, count), note=easier),
            Contender("stable-baselines3", clocked(sb3, count), "stable_baselines3",
                      note=f"{easier}; Adam not fused"),
        ],
        units={"us_per_update": "µs", "us_learner_alone": "µs"},
        bars=[
            Bar("ColumnarDQN over the bare loop, drawing included",
                ratio(ours, floor, "us_per_update"), 1.5, at_most=True),
            Bar("ColumnarDQN over the bare loop, learner alone",
                ratio(ours, floor, "us_learner_alone"), 1.5, at_most=True),
            Bar("for comparison: steps per second of `loop` if half a gradient step of the bare "
                "loop were all there is to a step",
                lambda results: 2e6 / median(results, floor, "us_per_update")),
        ],
        open=rllib_dqn.start_ray,
        close=rllib_dqn.stop_ray,
    )  # fmt: skip
