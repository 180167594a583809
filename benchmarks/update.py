"""One gradient step: inside RLlib, in the course's plain DQN, in stable-baselines3, and bare."""

import copy
import time
from collections.abc import Callable

import gymnasium as gym
import numpy as np
import torch
from torch import nn

from benchmarks import rllib_dqn
from benchmarks.core import Bar, Benchmark, Contender, Figures, ratio
from course_lib.agents.dqn import DQNAgent, make_q_network
from course_lib.rllib import runs

BATCH, FILLED = 64, 5_000


def _columns(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        "obs": rng.normal(size=(FILLED, 4)).astype(np.float32),
        "actions": rng.integers(2, size=FILLED),
        "rewards": np.ones(FILLED, np.float32),
        "new_obs": rng.normal(size=(FILLED, 4)).astype(np.float32),
        "terminateds": rng.random(FILLED) < 0.05,
        "n_step": np.ones(FILLED, np.float32),
    }


def clocked(prepare: Callable[[int], Callable[[int], None]], count: int) -> Callable:
    """Microseconds per gradient step, after a warm-up of as many."""

    def run(seed: int) -> Figures:
        with runs.torch_threads(1):
            take = prepare(seed)
            take(count)
            started = time.perf_counter()
            take(count)
            return {"us_per_update": (time.perf_counter() - started) / count * 1e6}

    return run


def bare(seed: int) -> Callable[[int], None]:
    """The same arithmetic with nothing around it: double DQN, Huber, clipping, fused Adam."""
    rng = np.random.default_rng(seed)
    stored = _columns(rng)
    net = make_q_network(4, 2, (256, 256))
    target = copy.deepcopy(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=2.3e-3, fused=True)

    def step() -> None:
        rows = rng.integers(FILLED, size=BATCH)
        batch = {name: torch.from_numpy(column[rows]) for name, column in stored.items()}
        taken = net(batch["obs"]).gather(1, batch["actions"][:, None]).squeeze(1)
        with torch.no_grad():
            best = net(batch["new_obs"]).argmax(1, keepdim=True)
            following = target(batch["new_obs"]).gather(1, best).squeeze(1)
            discount = 0.99 ** batch["n_step"] * (1 - batch["terminateds"].float())
            wanted = batch["rewards"] + discount * following
        loss = nn.functional.huber_loss(taken, wanted)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()

    def take(count: int) -> None:
        for number in range(count):
            step()
            if number % 128 == 0:
                target.load_state_dict(net.state_dict())

    return take


def columnar(seed: int) -> Callable[[int], None]:
    """As ColumnarDQN calls its learner: drawing, 128 gradient steps per call, logging."""
    algo = rllib_dqn.columnar(seed)
    replay = algo.local_replay_buffer
    replay._store(_columns(np.random.default_rng(seed)))
    steps = [0.0]

    def take(count: int) -> None:
        for _ in range(count // 128):
            algo._update_learner(128, steps[0], steps[0] + 256)
            steps[0] += 256

    return take


def plain(seed: int) -> Callable[[int], None]:
    """The plain DQN that notebook 03 writes; one forward pass less, for it is not double."""
    agent = DQNAgent(gym.make(rllib_dqn.ENV), seed=seed)
    rng = np.random.default_rng(seed)
    for obs, next_obs in rng.normal(size=(FILLED, 2, 4)):
        agent.buffer.add(obs, int(rng.integers(2)), 1.0, next_obs, bool(rng.random() < 0.05))

    def take(count: int) -> None:
        for _ in range(count):
            agent.update()

    return take


def sb3(seed: int) -> Callable[[int], None]:
    """stable-baselines3's ``train``; not double either."""
    model = rllib_dqn.sb3(seed)
    model.learn(1_200)
    return lambda count: model.train(gradient_steps=count, batch_size=BATCH)


def benchmark(quick: bool) -> Benchmark:
    """Microseconds per gradient step."""
    rllib_dqn.start_ray()
    count = 128 if quick else 1_280
    ours, floor = "ColumnarDQN (RLlib)", "bare PyTorch loop"
    return Benchmark(
        name="update",
        question="Microseconds per gradient step, drawing the batch included: batch 64, network "
        "4-256-256-2, double DQN, Huber loss, gradient clipping, fused Adam, one thread.",
        contenders=[
            Contender(ours, clocked(columnar, count)),
            Contender(floor, clocked(bare, count)),
            Contender("plain DQN of notebook 03", clocked(plain, count),
                      note="not double: one forward pass less"),
            Contender("stable-baselines3", clocked(sb3, count), "stable_baselines3",
                      note="not double: one forward pass less; Adam not fused"),
        ],
        units={"us_per_update": "µs"},
        bars=[Bar("ColumnarDQN over the bare loop", ratio(ours, floor, "us_per_update"), 1.5,
                  at_most=True)],
        close=rllib_dqn.stop_ray,
    )  # fmt: skip
