"""Controls of the whole study: it must find what is there, and must not find what is not.

* Markets without skill, and with a weak signal planted in them: train, choose and test as the study
  does, and see how often it declares skill.
* An agent that is shown the next move must come close to perfect foresight.
* From hourly to daily, one change at a time.

This module loads Ray and PyTorch.
"""

import dataclasses

import numpy as np
import pandas as pd

from course_lib.trading import agent, evaluation, features, markets, prices, study
from course_lib.trading.study import Job, Plan, Record

LESSON_SHARES = {"train": 0.65, "validation": 0.15, "test": 0.2}
STRENGTHS = (0.1, 0.2, 0.4, 0.8)
PLAN = dataclasses.replace(
    Plan(),
    num_windows=12,
    seeds=tuple(range(100)),
    fees=(0.001,),
    settings=Plan().settings.changed(num_steps=1_024),
    checkpoints=(512, 1_024),
)
"""As the long study, with a quarter of its training: where nothing can be learned, less will do.

Markets with a signal are trained on as long as in the study.
"""
KEPT = (
    "key", "window", "seed", "strength", "fee", "chosen", "share", "exposure", "timing", "luck",
    "ends",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class MarketJob(Job):
    """One window of one made-up market; its seed is the market's and the agent's."""

    strength: float = 0.0

    @property
    def key(self) -> str:
        """A name for it, unique within the controls."""
        return f"strength {self.strength:g}, market {self.seed}, window {self.window}"


def market_jobs(plan: Plan = PLAN, *, planted_markets: int = 3) -> list[MarketJob]:
    """Return the jobs of all markets: first those without skill, then those with a signal."""
    fee, windows = plan.fees[0], range(plan.num_windows)
    kinds = [(seed, 0.0) for seed in plan.seeds]
    kinds += [(seed, x) for seed in plan.seeds[:planted_markets] for x in STRENGTHS]
    return [MarketJob(window, seed, fee, x) for seed, x in kinds for window in windows]


def run_market_job(table: pd.DataFrame, plan: Plan, job: MarketJob) -> Record:
    """Make the market of a job from real prices, and do one window of the study on it."""
    size = plan.lead_in + plan.train + plan.validation + plan.num_windows * plan.test
    rng = np.random.default_rng([job.seed, round(1_000 * job.strength)])
    made = markets.without_skill(table, size, rng=rng, strength=job.strength)
    if job.strength > 0:
        whole = Plan()
        plan = dataclasses.replace(plan, settings=whole.settings, checkpoints=whole.checkpoints)
    record = study.run_job(made, plan, job)
    return {name: record[name] for name in (*KEPT, "seconds")}


def agent_variants() -> dict[str, agent.Settings]:
    """Return agents to compare: with the next move, and from hourly to daily step by step."""
    daily = Plan().settings
    hourly = agent.Settings(num_steps=daily.num_steps, episode_rows=3 * 24)
    kept = hourly.changed(min_hold=24)
    patient = kept.changed(gamma=round(daily.gamma ** (1 / 24), 4), episode_rows=30 * 24)
    return {
        "daily, shown the next day": daily.changed(next_move=True),
        "hourly, shown the next hour": hourly.changed(next_move=True),
        "the same, n-step 1": hourly.changed(next_move=True, n_step=1),
        "the same, n-step 1, 24,576 decisions": hourly.changed(
            next_move=True, n_step=1, num_steps=24_576
        ),
        "hourly": hourly,
        "a position is kept for a day": kept,
        "a discount of ten days, and longer episodes": patient,
        "one reward (n-step 1) instead of four": patient.changed(n_step=1),
        "one decision a day: daily": daily,
    }


@dataclasses.dataclass(frozen=True)
class AgentJob:
    """One agent that is trained on the lesson's train months, and judged on its validation months.

    Attributes:
        variant: its name in :func:`agent_variants`.
        seed: of the agent.
    """

    variant: str
    seed: int

    @property
    def key(self) -> str:
        """A name for it, unique within the controls."""
        return f"{self.variant}, seed {self.seed}"


def lesson_months(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the train and the validation months of notebook 04, with their history in front."""
    periods = prices.split(table, LESSON_SHARES)
    lead_in = features.lead_in(agent.Settings().window)
    train, validation = (
        prices.period(table, *periods[name], lead_in=lead_in) for name in ("train", "validation")
    )
    return train, validation


def run_agent_job(table: pd.DataFrame, plan: Plan, job: AgentJob) -> Record:
    """Train one agent and judge it against foresight, the mix, and traders without skill."""
    settings = agent_variants()[job.variant]
    train, unseen = lesson_months(table)
    config = agent.dqn_config(lambda: agent.training_env(train, settings), settings, job.seed)
    module, _ = agent.train_agent(config, settings.num_steps)
    run = study.agent_run(unseen, module, settings)
    found, market = evaluation.metrics(run), study.market_of(unseen, settings)
    rng = np.random.default_rng([job.seed, 2])
    return {
        "key": job.key,
        **dataclasses.asdict(job),
        "share of foresight": agent.growth_of_foresight(run, settings),
        "luck": study.luck_of(market, run.positions[None], settings, rng),
        **{name: found[name] for name in ("net profit", "trades a day", "exposure")},
    }
