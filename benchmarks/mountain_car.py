"""MountainCar to -110: notebook 07's network and its tiles, and stable-baselines3."""

import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from torch import Tensor, nn

from benchmarks.core import Bar, Benchmark, Contender, Figures, Options, ratio
from benchmarks.judge import Act, Judge, share, until
from course_lib.agents import tiles
from course_lib.agents.dqn import Batch, DQNAgent, DQNSettings, dqn_loss
from course_lib.envs.mountain_cars import HIGH, LOW, MountainCars
from course_lib.envs.rollouts import play_vector

ENV = "MountainCar-v0"
STOP, GOAL, EPISODES, EVERY = -107.0, -110.0, 100, 500
NETWORK, TILES, PEER = "network of notebook 07", "tiles of notebook 07", "stable-baselines3"
OLD = "settings of the article"
OURS = DQNSettings(  # as in the notebook: a test compares
    learning_rate=0.001, batch_size=64, capacity=50_000, learning_starts=1_000, gamma=0.98,
    train_every=8, num_updates=8, target_every=50, epsilon_decay_steps=10_000, epsilon_end=0.02,
    hold=20, hidden=(64, 64),
)  # fmt: skip
ARTICLE = DQNSettings(
    learning_rate=0.001, batch_size=64, capacity=50_000, learning_starts=2_000, gamma=0.99,
    train_every=100, num_updates=100, target_every=1_000, epsilon_decay_steps=2_000,
    epsilon_end=0.01, hidden=(32, 32), max_grad_norm=1.0,
)  # fmt: skip
ZOO: dict[str, Any] = {
    "learning_rate": 4e-3, "batch_size": 128, "buffer_size": 10_000, "learning_starts": 1_000,
    "gamma": 0.98, "target_update_interval": 600, "train_freq": 16, "gradient_steps": 8,
    "exploration_fraction": 0.2, "exploration_final_eps": 0.07,
    "policy_kwargs": {"net_arch": [256, 256]},
}  # fmt: skip


def scaled() -> gym.Env:
    """The car, with observations from -1 to 1."""
    return gym.wrappers.RescaleObservation(gym.make(ENV), np.float32(-1), np.float32(1))


def side_by_side(act: Act, cars: Any, *, num_episodes: int, seed: int) -> np.ndarray:
    """Returns of as many cars, moved by numpy: the same law, and a judge who takes less time."""
    return play_vector(act, cars(num_episodes), seed=seed)


def judge(act: Act, seed: int) -> Judge:
    """One who stops at -107, and counts -110 over 100 fresh episodes as reached."""
    return Judge(act, MountainCars, seed=seed, stop=STOP, goal=GOAL, num_episodes=EPISODES,
                 num_fresh=EPISODES, every=EVERY, play=side_by_side)  # fmt: skip


def never_above_0(q_net: nn.Module, target_net: nn.Module, batch: Batch, **more: Any) -> Tensor:
    """Notebook 07's loss: nothing that follows is worth more than 0."""
    return dqn_loss(q_net, lambda obs: target_net(obs).clamp(max=0), batch, **more)


def network(max_steps: int, *, old: bool = False) -> Callable[[int], Figures]:
    """Notebook 03's agent with notebook 07's settings, or the article's."""

    def run(seed: int) -> Figures:
        if old:
            agent = DQNAgent(gym.make(ENV), ARTICLE, seed=seed)
        else:
            agent = DQNAgent(scaled(), OURS, seed=seed, loss=never_above_0)
        # The judge's cars say position and velocity as they are; `scaled` says them from -1 to 1.
        see = (lambda obs: obs) if old else (lambda obs: 2 * (obs - LOW) / (HIGH - LOW) - 1)
        referee = judge(lambda obs: agent.act(see(obs)), seed)
        started = time.perf_counter()
        for progress in agent.train(max_steps):
            if referee.look(progress.step):
                break
        seconds = time.perf_counter() - started - referee.seconds
        return referee.figures(seconds, agent.step)

    return run


def tile_coder(max_steps: int) -> Callable[[int], Figures]:
    """One agent with tiles, in Gymnasium's own terms of steps."""

    def run(seed: int) -> Figures:
        grids = tiles.Tiles(LOW, HIGH, num_tilings=32, num_tiles=8)
        known = [np.zeros((grids.num_features, 3))]
        referee = judge(lambda obs: tiles.q_values(known[0], grids, obs).argmax(axis=1), seed)

        def look(rows: list[dict[str, Any]]) -> None:
            known[0] = rows[-1]["weights"][0]
            if referee.look(rows[-1]["env_steps"]):
                raise KeyboardInterrupt  # as ■ does

        started = time.perf_counter()
        _, rows = tiles.sarsa(
            MountainCars(1), grids, num_steps=max_steps, learning_rate=0.3, gamma=1.0, epsilon=0.0,
            rng=np.random.default_rng(seed), on_row=look, every=EVERY,
        )  # fmt: skip
        seconds = time.perf_counter() - started - referee.seconds
        return referee.figures(seconds, rows[-1]["env_steps"])

    return run


def zoo(max_steps: int) -> Callable[[int], Figures]:
    """stable-baselines3's DQN with the settings that RL Zoo publishes for MountainCar."""

    def run(seed: int) -> Figures:
        from stable_baselines3 import DQN

        model = DQN("MlpPolicy", ENV, seed=seed, device="cpu", **ZOO)
        return until(model, judge, seed, schedule=120_000, max_steps=max_steps, num_threads=1)

    return run


def benchmark(options: Options) -> Benchmark:
    """Training time until 100 greedy episodes average -107, and what 100 fresh ones say."""
    ours, coded, theirs = (2_000,) * 3 if options.quick else (60_000, 90_000, 120_000)
    contenders = [
        Contender(NETWORK, network(ours), note=f"at most {ours:,} steps, 1 PyTorch thread"),
        Contender(TILES, tile_coder(coded), note=f"one agent, at most {coded:,} steps"),
        Contender(OLD, network(theirs, old=True), max_seeds=3,
                  note=f"at most {theirs:,} steps, 1 thread; three seeds"),
        Contender(PEER, zoo(theirs), "stable_baselines3", max_seeds=3,
                  note=f"settings of RL Zoo, at most {theirs:,} steps, 1 thread; three seeds"),
    ]  # fmt: skip
    return Benchmark(
        name="mountain_car",
        question=f"Seconds of training until {EPISODES} greedy episodes of MountainCar average "
        f"{STOP:.0f}, looked at every {EVERY:,} steps, off the clock. `reached`: {EPISODES} more "
        f"greedy episodes average {GOAL:.0f} or more (`fresh_return`). A run that never stops "
        "counts with its whole time.",
        contenders=contenders,
        units={"seconds": "s", "env_steps": "", "steps_per_s": "1/s", "reached": "runs",
               "fresh_return": ""},
        bars=[
            Bar(f"share of the network's seeds that reach {GOAL:.0f}", share(NETWORK), 1.0),
            Bar(f"seconds, network over {PEER}", ratio(NETWORK, PEER, "seconds"), 0.5,
                at_most=True),
            Bar("for comparison: seconds, tiles over network", ratio(TILES, NETWORK, "seconds")),
        ],
    )  # fmt: skip
