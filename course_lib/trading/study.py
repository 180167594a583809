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
from course_lib.trading import agent, baselines, evaluation, features, markets, metrics, walkforward
from course_lib.trading.evaluation import Run
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
    validation: int = 1_200
    test: int = 1_200
    num_windows: int = 12
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    fees: tuple[float, ...] = (0.0, 0.0005, 0.001, 0.0025, 0.005)
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
        A record that can be written as JSON: the job, the validation scores, the choice, the
        figures of the agent and of the baselines on the test rows, and the excess of each day.
    """
    started = time.perf_counter()
    window = plan.windows(len(prices))[job.window]
    settings = plan.settings.changed(fee=job.fee)
    scores, modules = train_and_score(prices, window, plan, settings, job.seed)
    chosen = walkforward.choose(scores)
    opened = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    table = window.cut(prices, "test", plan.lead_in)  # nothing above has seen these rows
    tested = judge_on(table, modules[chosen], settings, job.seed)
    return {
        **dataclasses.asdict(job),
        "key": job.key,
        "validation": scores,
        "chosen": chosen,
        "test_opened": opened,
        "test_times": [str(time) for time in window.times(prices, "test")],
        **tested,
        "seconds": round(time.perf_counter() - started, 1),
    }


def train_and_score(
    prices: pd.DataFrame, window: Window, plan: Plan, settings: agent.Settings, seed: int
) -> tuple[dict[str, float], dict[str, RLModule]]:
    """Train on the window's train rows, and score each checkpoint on its validation rows.

    Returns:
        For each checkpoint, named by its steps: log growth on the validation rows with fees, in
        percent; and the network.
    """
    train = window.cut(prices, "train", plan.lead_in)
    validation = window.cut(prices, "validation", plan.lead_in)
    config = agent.dqn_config(lambda: agent.training_env(train, settings), settings, seed)
    scores, modules = {}, {}
    for steps, module in train_in_stages(config, plan.checkpoints):
        run = agent_run(validation, module, settings)
        modules[str(steps)] = module
        scores[str(steps)] = float(100 * np.log(run.net_worth[-1] / run.net_worth[0]))
    return scores, modules


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


def agent_run(table: pd.DataFrame, module: RLModule, settings: agent.Settings) -> Run:
    """Let an agent trade a table greedily, with the fee of its settings."""
    env = agent.judging_env(table, settings, settings.fee)
    return evaluation.run_policy(agent.greedy(module), env, name="agent")


def judge_on(table: pd.DataFrame, module: RLModule, settings: agent.Settings, seed: int) -> Record:
    """Return the figures of the agent and of the baselines on one table.

    Returns:
        ``figures``: name of the trader -> figures of :func:`evaluation.metrics`; ``daily_excess``:
        log growth of the agent beyond buy and hold, each day; ``late_excess``: the agent's excess
        in percent had every order been filled one row later.
    """
    run = agent_run(table, module, settings)
    rng = np.random.default_rng([seed, 1])
    env = agent.judging_env(table, settings.changed(decide_every=1, min_hold=1), settings.fee)
    rows, first = env.episode_rows, env.first_row
    policies = {
        "cash": baselines.cash,
        "buy and hold": baselines.buy_and_hold,
        "moving average": baselines.moving_average_cross(table),
        "random": baselines.random_trades(len(run.fills), rows, first, rng),
        "perfect foresight": baselines.foresight(table, first, settings.fee),
    }
    others = {name: evaluation.run_policy(p, env, name=name) for name, p in policies.items()}
    hold = others["buy and hold"]
    excess = metrics.excess_growth(run.net_worth, hold.net_worth)
    late = markets.growth_of(run.close, np.append(0, run.positions[:-1]), settings.fee)
    hold_growth = hold.net_worth[-1] / hold.net_worth[0]
    return {
        "figures": {r.name: evaluation.metrics(r, hold) for r in (run, *others.values())},
        "daily_excess": walkforward.daily_sums(excess, hold.times[1:]),
        "late_excess": float(100 * (late[-1] / hold_growth - 1)),
    }


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
