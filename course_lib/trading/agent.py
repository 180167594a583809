"""The trading agent: RLlib's DQN (as ColumnarDQN) on the trading environment.

This module loads Ray and PyTorch.
"""

import dataclasses
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pandas as pd
import ray
from ray.rllib.core.rl_module.rl_module import RLModule
from ray.tune import register_env

from course_lib.cluster.tasks import gather
from course_lib.columnar_dqn.algorithm import ColumnarDQNConfig
from course_lib.rllib import runs
from course_lib.trading import environment, evaluation, features, markets
from course_lib.trading.baselines import Policy
from course_lib.trading.fills import HALF_SPREAD, FillPrices


@dataclass(frozen=True)
class Settings:
    """How an agent is trained.

    Attributes:
        fee: fraction of each trade, as charged in training.
        decide_every: hours from one decision to the next.
        learning_rate: step size of Adam.
        gamma: discount from one decision to the next.
        n_step: rewards summed before the network's own estimate takes over.
        num_steps: decisions in training.
        episode_rows: hours in a training episode.
        window: hours in an observation.
        reward: ``"log_growth"`` or ``"pbr"``, see :class:`environment.TradingEnv`.
        min_hold: hours that a position is kept at least.
        fill: when orders are filled, see :mod:`course_lib.trading.fills`.
        half_spread: fraction of the price, in training and in judging.
        next_move: also show the move until the next decision. Nobody knows it: a test of the agent.
    """

    fee: float = 0.001
    decide_every: int = 1
    learning_rate: float = 1e-3
    gamma: float = 0.97
    n_step: int = 4
    num_steps: int = 4_000
    episode_rows: int = 168
    window: int = 24
    reward: str = "log_growth"
    min_hold: int = 1
    fill: str = "next open"
    half_spread: float = HALF_SPREAD
    next_move: bool = False

    def changed(self, **values: Any) -> "Settings":
        """Return a copy with other values."""
        return dataclasses.replace(self, **values)

    def make_env(self, prices: pd.DataFrame, **options: Any) -> environment.TradingEnv:
        """Make an environment with the agent's eyes and hands, wherever it trades."""
        names = ("decide_every", "window", "min_hold", "fill", "half_spread")
        own = {name: getattr(self, name) for name in names}
        make_features: features.MakeFeatures = features.make_features
        if self.next_move:
            make_features = partial(features.with_next_move, rows=self.decide_every)
        return environment.make_env(prices, make_features=make_features, **own, **options)


def training_env(prices: pd.DataFrame, settings: Settings) -> environment.TradingEnv:
    """Make the environment to train in: short episodes that start at random hours."""
    rows, reward = settings.episode_rows, settings.reward
    return settings.make_env(
        prices, fee=settings.fee, episode_rows=rows, reward=reward, random_start=True
    )


def judging_env(prices: pd.DataFrame, settings: Settings, fee: float) -> environment.TradingEnv:
    """Make the environment to judge in: one episode over all prices, with the fee to be paid."""
    return settings.make_env(prices, fee=fee, max_loss=1.0)


def dqn_config(make: Callable[[], gym.Env], settings: Settings, seed: int = 0) -> ColumnarDQNConfig:
    """Describe the DQN: dueling double DQN with two layers of 64 units.

    Args:
        make: makes one environment.
        settings: learning rate, discount and sizes.
        seed: of the networks, the exploration and the environment.
    """
    name = f"trading-{uuid.uuid4().hex}"
    register_env(name, lambda _: make())
    return (
        ColumnarDQNConfig()
        .environment(name)
        .env_runners(num_env_runners=0, num_envs_per_env_runner=8, rollout_fragment_length=16)
        .training(
            lr=settings.learning_rate,
            gamma=settings.gamma,
            n_step=settings.n_step,
            train_batch_size=64,
            training_intensity=32.0,
            target_network_update_freq=500,
            num_steps_sampled_before_learning_starts=500,
            epsilon=[[0, 1.0], [max(settings.num_steps // 2, 1), 0.02]],
            replay_buffer_config={"type": "ColumnarReplay", "capacity": 50_000},
            grad_clip=10.0,
        )
        .rl_module(model_config={"fcnet_hiddens": [64, 64], "fcnet_activation": "relu"})
        .reporting(min_sample_timesteps_per_iteration=512, min_time_s_per_iteration=0)
        .debugging(seed=seed)
    )


def train_agent(
    config: ColumnarDQNConfig,
    num_steps: int,
    *,
    on_row: Callable[[list[dict[str, float]]], Any] | None = None,
) -> tuple[RLModule, list[dict[str, float]]]:
    """Train, and keep only the network.

    Args:
        config: such as :func:`dqn_config` returns.
        num_steps: decisions to make.
        on_row: called with all rows of progress so far, such as ``live.update``.

    Returns:
        The network, and the rows of progress of :func:`course_lib.rllib.runs.train`.
    """
    algo = runs.build(config)
    try:
        rows = runs.train(algo, num_steps=num_steps, on_row=on_row)
        return algo.get_module(), rows
    finally:
        runs.stop(algo)


def greedy(module: RLModule) -> Policy:
    """Return the policy that takes the action with the larger q-value."""
    return lambda obs, info: int(runs.act(module, obs))


def share_of_foresight(module: RLModule, prices: pd.DataFrame, settings: Settings) -> float:
    """Return the agent's profit as a share of what perfect foresight earns on the same prices.

    Where nothing can be earned, who loses nothing has it all, and who loses has nothing.
    """
    env = judging_env(prices, settings, settings.fee)
    run = evaluation.run_policy(greedy(module), env, name="agent")
    best = markets.perfect_foresight(run.close, settings.fee, run.at)
    if best.growth == 1.0:
        return float(run.net_profit >= 0)
    return run.net_profit / (env.cash * (best.growth - 1.0))


def growth_of_foresight(run: evaluation.Run, settings: Settings) -> float:
    """Return log growth as a share of what perfect foresight makes that decides as often.

    The rows after the last whole decision are left out. Where nothing can be earned, who loses
    nothing has it all, and who loses has nothing.
    """
    every = settings.decide_every
    end = (len(run.close) - 1) // every * every
    at = FillPrices(run.at.buy[:end:every], run.at.sell[:end:every])
    best = markets.perfect_foresight(run.close[: end + 1 : every], settings.fee, at)
    growth = float(np.log(run.net_worth[end] / run.net_worth[0]))
    return growth / float(np.log(best.growth)) if best.growth > 1.0 else float(growth >= 0)


@dataclass(frozen=True)
class Trained:
    """One trained agent: the name of its variant, its seed, its settings and its network."""

    variant: str
    seed: int
    settings: Settings
    module: RLModule


Configure = Callable[[Callable[[], gym.Env], Settings, int], ColumnarDQNConfig]


def train_many(
    prices: pd.DataFrame, variants: dict[str, Settings], seeds: Sequence[int], *,
    configure: Configure = dqn_config,
) -> list[Trained]:  # fmt: skip
    """Train every variant with every seed, as many at a time as Ray has cores, with progress.

    Interrupting keeps the agents that are done.

    Args:
        prices: to train on.
        variants: name -> settings.
        seeds: for each variant.
        configure: makes the configuration from ``make``, the settings and the seed.

    Returns:
        The agents, in the order of ``variants``, then of their seeds.
    """
    table = ray.put(prices)
    jobs = [
        _train_remote.remote(table, settings, variant, seed, configure)
        for variant, settings in variants.items()
        for seed in seeds
    ]
    agents = gather(jobs, desc="agents", unit="agent")
    missing = set(variants) - {one.variant for one in agents}
    if missing:
        names = ", ".join(sorted(missing))
        print(f"No agent of {names} is done. Before you go on, run the cell again: it begins anew.")
    return agents


@ray.remote(num_cpus=1)
def _train_remote(
    prices: pd.DataFrame, settings: Settings, variant: str, seed: int, configure: Configure
) -> Trained:
    config = configure(lambda: training_env(prices, settings), settings, seed)
    return Trained(variant, seed, settings, train_agent(config, settings.num_steps)[0])


def spread(values: Sequence[float]) -> str:
    """Return 'median (lowest to highest)' of a few numbers, in whole dollars."""
    middle, low, high = np.median(values), min(values), max(values)
    return f"{middle:,.0f} ({low:,.0f} to {high:,.0f})"
