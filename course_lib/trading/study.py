"""One job of the long study, and all of them on Ray. This module loads Ray and PyTorch.

A job is one window, one seed and one fee: train on the window's train rows, choose the number of
training steps on its validation rows, then open its test rows, once.
"""

import contextlib
import copy
import dataclasses
import datetime
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import ray
from ray.rllib.core.rl_module.rl_module import RLModule
from tqdm import tqdm

from course_lib.cluster.tasks import as_completed
from course_lib.journal import Journal
from course_lib.profiles import TradingSizes
from course_lib.rllib import runs
from course_lib.trading import (
    agent,
    baselines,
    evaluation,
    features,
    fills,
    luck,
    markets,
    policy_table,
    walkforward,
)
from course_lib.trading.evaluation import Run
from course_lib.trading.fills import FillPrices
from course_lib.trading.walkforward import Window

Record = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Job:
    """One window, one seed, one fee."""

    window: int
    seed: int
    fee: float

    @property
    def key(self) -> str:
        """A name for it, unique within a study."""
        return f"window {self.window}, seed {self.seed}, fee {self.fee:g}"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is studied: everything that decides the results, apart from the prices.

    Attributes:
        train: rows to train on.
        validation: rows to choose on.
        test: rows to test on.
        num_windows: at most.
        seeds: one agent each.
        fees: each trained with and judged with.
        settings: of the agent; its fee is replaced by the job's.
        checkpoints: numbers of training steps between which the validation rows choose.
    """

    train: int = 4_320
    validation: int = 600
    test: int = 600
    num_windows: int = 25
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    fees: tuple[float, ...] = (0.0, 0.001, 0.005)
    settings: agent.Settings = dataclasses.field(
        default_factory=lambda: agent.Settings(
            decide_every=24, gamma=0.9, n_step=1, episode_rows=30 * 24, num_steps=4_096
        )
    )
    checkpoints: tuple[int, ...] = (1_024, 2_048, 3_072, 4_096)

    @property
    def lead_in(self) -> int:
        """Rows of history in front of each part."""
        return features.lead_in(self.settings.window)

    def windows(self, num_rows: int) -> list[Window]:
        """Lay the windows over a table of ``num_rows`` rows."""
        sizes = {part: getattr(self, part) for part in walkforward.PARTS}
        return walkforward.windows(
            num_rows, **sizes, lead_in=self.lead_in, at_most=self.num_windows
        )

    def jobs(self, num_rows: int) -> list[Job]:
        """Return all jobs; those of one seed first, so that an early look covers every window."""
        numbers = [window.number for window in self.windows(num_rows)]
        return [Job(w, s, f) for s in self.seeds for f in self.fees for w in numbers]


def run_job(prices: pd.DataFrame, plan: Plan, job: Job) -> Record:
    """Train, choose, then test once.

    Args:
        prices: the whole table.
        plan: of the study.
        job: which part of it.

    Returns:
        A record that can be written as JSON: the job, the validation scores, the choice, and what
        :func:`judge_on` says of it. With the prices, it is enough to compute all of that again, at
        other fees and fills too.
    """
    started = time.perf_counter()
    window = plan.windows(len(prices))[job.window]
    settings = plan.settings.changed(fee=job.fee)
    tables, modules = train_and_ask(prices, window, plan, settings, job.seed)
    validation = market_of(window.cut(prices, "validation", plan.lead_in), settings)
    held = {steps: positions_of(asked, settings) for steps, asked in tables.items()}
    scores = {steps: log_gain(validation, rows, settings) for steps, rows in held.items()}
    chosen = walkforward.choose(scores)
    share = float(held[chosen].mean())
    opened = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    table = window.cut(prices, "test", plan.lead_in)  # nothing above has seen these rows
    tested = judge_on(table, modules[chosen], settings, seed=job.seed, share=share)
    return _rounded({
        **dataclasses.asdict(job),
        "key": job.key,
        "validation": scores,
        "validation_asked": {steps: policy_table.pack(asked) for steps, asked in tables.items()},
        "chosen": chosen,
        "share": share,
        "test_opened": opened,
        "test_times": [str(time) for time in window.times(prices, "test")],
        **tested,
        "seconds": round(time.perf_counter() - started, 1),
    })  # fmt: skip


def _rounded(found: Any) -> Any:
    """The same with six digits of every number, because records are kept as text."""
    if isinstance(found, dict):
        return {name: _rounded(value) for name, value in found.items()}
    if isinstance(found, list):
        return [_rounded(value) for value in found]
    return float(f"{found:.6g}") if isinstance(found, float) else found


def train_and_ask(
    prices: pd.DataFrame, window: Window, plan: Plan, settings: agent.Settings, seed: int
) -> tuple[dict[str, np.ndarray], dict[str, RLModule]]:
    """Train on the window's train rows, and ask each checkpoint about its validation rows.

    Returns:
        For each checkpoint, named by its steps: the table of :func:`policy_table.ask`; and the
        network.
    """
    train = window.cut(prices, "train", plan.lead_in)
    env = agent.judging_env(window.cut(prices, "validation", plan.lead_in), settings, settings.fee)
    config = agent.dqn_config(lambda: agent.training_env(train, settings), settings, seed)
    tables, modules = {}, {}
    for steps, module in train_in_stages(config, plan.checkpoints):
        tables[str(steps)], modules[str(steps)] = policy_table.ask(module, env), module
    return tables, modules


def train_in_stages(config: Any, stages: Sequence[int]) -> Iterator[tuple[int, RLModule]]:
    """Train up to each number of steps in turn, and yield a copy of the network there."""
    algo = runs.build(config)
    try:
        for steps in stages:
            for _ in runs.iterate(algo, num_steps=steps):
                pass
            yield steps, copy.deepcopy(algo.get_module())
    finally:
        runs.stop(algo)


@dataclasses.dataclass(frozen=True)
class Market:
    """The rows on which traders are judged: closes, shape (T,), and what orders are filled at."""

    close: np.ndarray
    at: FillPrices


def market_of(table: pd.DataFrame, settings: agent.Settings, fill: str | None = None) -> Market:
    """Return the rows after the lead-in of a table."""
    rows = slice(features.lead_in(settings.window), None)
    at = fills.fill_prices(table, fill or settings.fill, settings.half_spread)
    return Market(table["close"].to_numpy(dtype=float)[rows], at[rows])


def positions_of(asked: np.ndarray, settings: agent.Settings) -> np.ndarray:
    """Return the positions of an agent that begins at each hour of its first decision's day.

    Returns:
        Shape (decide_every, T - 1). The hour of a daily decision is chance: all are judged.
    """
    every = settings.decide_every
    return policy_table.follow(
        asked, phases=range(every), decide_every=every, min_hold=settings.min_hold
    )


def log_gain(market: Market, positions: np.ndarray, settings: agent.Settings) -> float:
    """Return the log growth of money that is divided among traders at first, in percent."""
    growth = markets.growth_of(market.close, positions, settings.fee, market.at)
    return float(100 * np.log(growth[:, -1].mean()))


def judge_on(
    table: pd.DataFrame, module: RLModule, settings: agent.Settings, *, seed: int, share: float
) -> Record:
    """Return the figures of the agent and of traders that need no learning on one table.

    Args:
        table: lead-in and the rows to be judged on.
        module: of the agent.
        settings: of the agent.
        seed: of the traders without skill.
        share: of the money that the mix has in coin, known before the table was opened.

    Returns:
        ``asked``: the agent as a table, see :mod:`policy_table`; ``figures``: name of the trader ->
        figures of :func:`evaluation.metrics`, the agent's with its first decision in the first row;
        ``timing``: see :func:`timing_of`; ``ends``: name -> net worth at the end over that at
        first, the agent's money divided among all hours of decision; ``luck``: see :func:`luck_of`;
        ``daily_excess``: gain of the agent beyond the mix in each day, as a fraction of the first
        net worth.
    """
    env = agent.judging_env(table, settings.changed(decide_every=1, min_hold=1), settings.fee)
    policies = {
        "cash": baselines.cash,
        "buy and hold": baselines.buy_and_hold,
        "moving average": baselines.moving_average_cross(table),
        "perfect foresight": baselines.foresight(env),
    }
    others = {name: evaluation.run_policy(p, env, name=name) for name, p in policies.items()}
    hold = others["buy and hold"]
    asked = policy_table.ask(module, env)
    traders = {
        "agent": agent_run(table, module, settings),
        "mix": evaluation.mix(hold, share),
        **others,
    }
    positions, market = positions_of(asked, settings), market_of(table, settings)
    growth = markets.growth_of(market.close, positions, settings.fee, market.at)
    mine, mixed = growth.mean(axis=0), traders["mix"].net_worth / hold.net_worth[0]
    late, kind = (
        markets.growth_of(market.close, positions, settings.fee, market_of(table, settings, how).at)
        for how in ("next close", "same close")
    )
    return {
        "asked": policy_table.pack(asked),
        "figures": {name: evaluation.metrics(run, hold) for name, run in traders.items()},
        "ends": {
            **{name: float(run.net_worth[-1] / run.net_worth[0]) for name, run in traders.items()},
            "agent": float(mine[-1]),
            "agent, first and last hour": [float(end(growth[:, -1])) for end in (np.min, np.max)],
            "agent, an hour late": float(late[:, -1].mean()),
            "agent, at the close": float(kind[:, -1].mean()),
        },
        "exposure": float(positions.mean()),
        "timing": timing_of(market, positions, share),
        "luck": luck_of(market, positions, settings, np.random.default_rng([seed, 1])),
        "daily_excess": walkforward.daily_sums(np.diff(mine - mixed), hold.times[1:]),
    }


def timing_of(market: Market, positions: np.ndarray, share: float) -> float:
    """Return what an agent's choice of hours brought, before costs, in percent of log growth.

    It is the sum of (position - share) x move. The share is known beforehand, and a position before
    its move; so without skill the mean is zero, whatever the agent does, trends or their opposite.

    Args:
        market: the rows.
        positions: shape (num_traders, T - 1), whose mean is taken.
        share: in coin, known before the first row.
    """
    moves = np.diff(np.log(market.close))
    return float(100 * ((positions.mean(axis=0) - share) * moves).sum())


def luck_of(
    market: Market, positions: np.ndarray, settings: agent.Settings, rng: np.random.Generator,
    *, num_traders: int = 1_000,
) -> float:  # fmt: skip
    """Return the share of traders without skill that an agent is ahead of, 0 to 1.

    Each hour of decision has its share of them, who decide at that hour too. They are matched to
    what the agent did, and what it did may follow from what prices did: without any skill, who
    follows trends is ahead of fewer than half of them, and who trades against trends of more.
    """
    number, shares = -(-num_traders // len(positions)), []
    for phase, mine in enumerate(positions):
        rows, at = mine[phase:], market.at[slice(phase, None)]
        lucky = luck.lucky_growth(
            market.close[phase:], rows, settings.fee, at, rng=rng, num_traders=number,
            decide_every=settings.decide_every,
        )  # fmt: skip
        growth = markets.growth_of(market.close[phase:], rows, settings.fee, at)[-1]
        shares.append(luck.share_below(float(growth), lucky))
    return float(np.mean(shares))


def agent_run(table: pd.DataFrame, module: RLModule, settings: agent.Settings) -> Run:
    """Let an agent trade a table greedily, with the fee of its settings."""
    env = agent.judging_env(table, settings, settings.fee)
    return evaluation.run_policy(agent.greedy(module), env, name="agent")


@ray.remote(num_cpus=1, max_retries=2)
def _remote(work: Callable[..., Record], prices: pd.DataFrame, plan: Plan, job: Job) -> Record:
    return work(prices, plan, job)


def run_all(
    prices: pd.DataFrame, plan: Plan, jobs: Sequence[Job], *,
    work: Callable[[pd.DataFrame, Plan, Job], Record] = run_job,
    tick: Callable[[], object] | None = None,
) -> Iterator[Record]:  # fmt: skip
    """Run jobs on Ray, as many at a time as it has cores, and yield records as they come.

    Stopping early (also by an interrupt) cancels what is still running.

    Args:
        prices: the whole table.
        plan: of the study.
        jobs: those that are still to do.
        work: does one job.
        tick: called every half second, to let a clock move.
    """
    table = ray.put(prices)
    refs = as_completed([_remote.remote(work, table, plan, job) for job in jobs], tick=tick)
    with contextlib.closing(refs):
        yield from map(ray.get, refs)


def small_plan(num_rows: int, sizes: TradingSizes, *, settings: agent.Settings) -> Plan:
    """Return a plan of the latest few windows that suits a table of any length.

    Args:
        num_rows: of the price table, at least about 700.
        sizes: windows, seeds, fees and training steps.
        settings: of the agent.
    """
    part = num_rows // 12
    return Plan(
        train=3 * part,
        validation=part,
        test=part,
        num_windows=sizes.study_windows,
        seeds=tuple(range(sizes.study_seeds)),
        fees=sizes.study_fees,
        settings=settings.changed(
            num_steps=sizes.study_steps[-1], episode_rows=min(settings.episode_rows, 2 * part)
        ),
        checkpoints=sizes.study_steps,
    )


def collect(prices: pd.DataFrame, plan: Plan) -> list[Record]:
    """Run a whole plan with a bar of progress; interrupting keeps the jobs that are done."""
    jobs = plan.jobs(len(prices))
    records: list[Record] = []
    bar = tqdm(total=len(jobs), unit="job", file=sys.stdout)
    try:
        with bar:
            for record in run_all(prices, plan, jobs, tick=bar.refresh):
                records.append(record)
                bar.update()
    except KeyboardInterrupt:
        if not records:
            raise
        print(f"Stopped: {len(records)} of {len(jobs)} jobs are done, and kept.")
    order = {job.key: number for number, job in enumerate(jobs)}
    return sorted(records, key=lambda record: order[record["key"]])


class Book:
    """A file with one line for each finished job, so that a study can be taken up again.

    Its first line names the plan and the data. A job that is in the book is not run again: its
    test rows were opened, and they are opened once.
    """

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        """Open the book, or begin one.

        Args:
            path: of the file.
            about: what decides the results, as JSON.

        Raises:
            ValueError: if the book belongs to something else.
        """
        self.path, about = Path(path), json.loads(json.dumps(about))
        self._journal = Journal(self.path)
        if not self._journal.records:
            self._journal.add({"about": about})
        head, *self.records = self._journal.records
        if head.get("about") != about:
            raise ValueError(
                f"{self.path} holds results of another plan or of other prices; keep it, and give "
                "another file with --out"
            )

    def missing(self, jobs: Sequence[Job]) -> list[Job]:
        """Return the jobs that are not in the book."""
        done = {record["key"] for record in self.records}
        return [job for job in jobs if job.key not in done]

    def add(self, record: Record) -> None:
        """Write a finished job down at once.

        Raises:
            ValueError: if it is there already.
        """
        if any(record["key"] == old["key"] for old in self.records):
            raise ValueError(f"the test rows of {record['key']} were opened before")
        self.records.append(record)
        self._journal.add(record)
