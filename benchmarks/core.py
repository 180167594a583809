"""What a benchmark is, and how it is run: contenders in turns, medians over seeds."""

import importlib.util
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Figures = dict[str, float]
Results = dict[str, list[Figures]]  # contender -> one row of figures per seed


@dataclass(frozen=True)
class Options:
    """What the command line says to a benchmark.

    Attributes:
        quick: tiny sizes, to see whether it runs.
        stock_seeds: runs of stock RLlib where one takes minutes, at least 1.
    """

    quick: bool = False
    stock_seeds: int = 2


@dataclass(frozen=True)
class Contender:
    """One side of a comparison.

    Attributes:
        name: as the table shows it.
        run: measures once, for a seed; returns figures by name.
        needs: package without which it is left out, as Python imports it.
        max_seeds: fewer runs than the others, where one takes minutes.
        note: what a reader must know, such as its settings.
    """

    name: str
    run: Callable[[int], Figures]
    needs: str = ""
    max_seeds: int | None = None
    note: str = ""

    @property
    def missing(self) -> bool:
        """Whether the package that it needs is not installed."""
        return bool(self.needs) and importlib.util.find_spec(self.needs) is None


@dataclass(frozen=True)
class Bar:
    """A bound that a figure should keep: data for the table, never a test.

    Attributes:
        text: what is compared.
        value: computes the figure; raises :class:`NotMeasured` if a contender has no rows.
        bound: the bound itself, above 0; None for a comparison that is shown without a verdict.
        at_most: whether the figure should stay below it, or reach it.
    """

    text: str
    value: Callable[[Results], float]
    bound: float | None = None
    at_most: bool = False

    def judge(self, results: Results) -> dict[str, Any]:
        """Compare; ``value`` is None where it was not measured, ``met`` also without a bound."""
        row: dict[str, Any] = {"text": self.text, "bound": self.bound, "at_most": self.at_most}
        try:
            value = self.value(results)
        except NotMeasured:
            return {**row, "value": None, "met": None}
        if math.isnan(value):
            return {**row, "value": None, "met": None}
        if self.bound is None:
            return {**row, "value": value, "met": None}
        met = value <= self.bound if self.at_most else value >= self.bound
        return {**row, "value": value, "met": met}


class NotMeasured(Exception):
    """A contender has no rows: its package is missing, it failed, or the run was interrupted."""


@dataclass(frozen=True)
class Benchmark:
    """A question, the contenders that answer it, and the bars that the course sets itself.

    Attributes:
        name: on the command line.
        question: what is measured.
        contenders: measured in turns.
        units: figure -> unit; ``"runs"`` marks a yes (1) or no (0), shown as "4 of 5".
        bars: bounds.
        seeds: how many, unless the command line says otherwise.
        open: called before the first measurement, such as to start Ray.
        close: called at the end, whatever happens.
    """

    name: str
    question: str
    contenders: list[Contender]
    units: dict[str, str]
    bars: list[Bar] = field(default_factory=list)
    seeds: int = 5
    open: Callable[[], None] = lambda: None
    close: Callable[[], None] = lambda: None


def order(contenders: list[Contender], seeds: int) -> Iterator[tuple[int, Contender]]:
    """Yield (seed, contender), all contenders for a seed together, each seed starting with another.

    So a machine that becomes slower or faster during the run does so for all of them.
    """
    for seed in range(seeds):
        first = seed % len(contenders) if contenders else 0
        for contender in contenders[first:] + contenders[:first]:
            if contender.max_seeds is None or seed < contender.max_seeds:
                yield seed, contender


class Run:
    """One benchmark while it is measured.

    Args:
        benchmark: what to measure.
        seeds: runs of each contender, at least 1.
        say: prints a line of progress.
        keep: gets the record so far after each measurement, such as to write it to a file.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        seeds: int,
        say: Callable[[str], None] = print,
        keep: Callable[[dict[str, Any]], None] = lambda record: None,
    ) -> None:
        self._benchmark, self._say, self._keep = benchmark, say, keep
        present = [c for c in benchmark.contenders if not c.missing]
        self._turns = list(order(present, seeds))
        self._results: Results = {c.name: [] for c in present}
        self._without = {
            c.name: f"not installed: `pip install {c.needs.replace('_', '-')}`"
            for c in benchmark.contenders
            if c.missing
        }

    def measure(self) -> dict[str, Any]:
        """Measure all contenders, each in its turn; return the record.

        A contender that fails is left out from then on, and the others go on.

        Raises:
            KeyboardInterrupt: if the run is interrupted; ``keep`` has what was measured.
        """
        try:
            self._benchmark.open()
            for number, (seed, contender) in enumerate(self._turns, start=1):
                if contender.name in self._without:
                    continue
                where = f"{self._benchmark.name} {number}/{len(self._turns)}"
                self._say(f"{where}: {contender.name}, seed {seed} ...")
                self._take(contender, seed)
                self._keep(self.record(finished=False))
        finally:
            self._benchmark.close()
        record = self.record(finished=True)
        self._keep(record)
        return record

    def _take(self, contender: Contender, seed: int) -> None:
        started = time.perf_counter()
        try:
            figures = contender.run(seed)
        except Exception as error:
            self._without[contender.name] = f"failed: {type(error).__name__}: {error}"[:300]
            self._say(f"    {self._without[contender.name]}")
            return
        self._results[contender.name].append(figures)
        shown = ", ".join(f"{name} {value:,.4g}" for name, value in figures.items())
        self._say(f"    {shown} (took {time.perf_counter() - started:.0f} s)")

    def record(self, *, finished: bool) -> dict[str, Any]:
        """What goes into the JSON file.

        Returns:
            ``question``, ``units``, ``results`` (rows per contender), ``bars`` (judged),
            ``notes``, ``without`` (contender -> why it has fewer rows or none) and ``finished``.
        """
        benchmark = self._benchmark
        return {
            "question": benchmark.question,
            "units": benchmark.units,
            "results": self._results,
            "bars": [bar.judge(self._results) for bar in benchmark.bars],
            "notes": {c.name: c.note for c in benchmark.contenders if c.note},
            "without": self._without,
            "finished": finished,
        }


def median(results: Results, contender: str, figure: str) -> float:
    """Median over the seeds.

    Raises:
        NotMeasured: if the contender has no rows.
    """
    if not results.get(contender):
        raise NotMeasured(contender)
    return statistics.median(row[figure] for row in results[contender])


def ratio(one: str, other: str, figure: str) -> Callable[[Results], float]:
    """The ratio of two contenders' medians."""
    return lambda results: median(results, one, figure) / median(results, other, figure)
