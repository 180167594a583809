"""What a benchmark is, and how it is run: contenders in turns, medians over seeds."""

import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Figures = dict[str, float]
Results = dict[str, list[Figures]]  # contender -> one row of figures per seed


@dataclass(frozen=True)
class Contender:
    """One side of a comparison.

    Attributes:
        name: as the table shows it.
        run: measures once, for a seed; returns figures by name.
        needs: package without which it is left out.
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
    """A bound that a figure should keep.

    Attributes:
        text: what is compared.
        value: computes the figure from the results; may raise KeyError if a contender is missing.
        bound: the bound itself.
        at_most: whether the figure should stay below it, or reach it.
    """

    text: str
    value: Callable[[Results], float]
    bound: float
    at_most: bool = False

    def judge(self, results: Results) -> dict[str, Any]:
        """Compare, and say by how much."""
        row: dict[str, Any] = {"text": self.text, "bound": self.bound, "at_most": self.at_most}
        try:
            value = self.value(results)
        except (KeyError, IndexError, ZeroDivisionError, statistics.StatisticsError):
            return {**row, "value": None, "met": None}
        return {**row, "value": value, "met": (value <= self.bound) == self.at_most
                or value == self.bound}  # fmt: skip


@dataclass(frozen=True)
class Benchmark:
    """A question, the contenders that answer it, and the bars that the course sets itself.

    Attributes:
        name: on the command line.
        question: what is measured, in one line.
        contenders: measured in turns.
        units: unit of each figure.
        bars: bounds.
        seeds: how many, unless the command line says otherwise.
        close: called at the end, such as to stop Ray.
    """

    name: str
    question: str
    contenders: list[Contender]
    units: dict[str, str]
    bars: list[Bar] = field(default_factory=list)
    seeds: int = 5
    close: Callable[[], None] = lambda: None


def order(contenders: list[Contender], seeds: int) -> Iterator[tuple[int, Contender]]:
    """Yield (seed, contender), all contenders for a seed together, each seed starting with another.

    So a machine that becomes slower or faster during the run does so for all of them.
    """
    for seed in range(seeds):
        first = seed % len(contenders)
        for contender in contenders[first:] + contenders[:first]:
            if contender.max_seeds is None or seed < contender.max_seeds:
                yield seed, contender


def run(benchmark: Benchmark, seeds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure all contenders; an interrupt keeps what was measured.

    Returns:
        A record for the JSON file: question, units, rows per contender, bars, notes.
    """
    present = [c for c in benchmark.contenders if not c.missing]
    results: Results = {c.name: [] for c in present}
    interrupted = False
    try:
        for seed, contender in order(present, seeds):
            started = time.perf_counter()
            figures = contender.run(seed)
            results[contender.name].append(figures)
            shown = ", ".join(f"{name} {value:,.4g}" for name, value in figures.items())
            took = time.perf_counter() - started
            say(f"{benchmark.name}: {contender.name}, seed {seed}: {shown} ({took:.0f} s)")
    except KeyboardInterrupt:
        interrupted = True
        say(f"{benchmark.name}: interrupted; what was measured is kept")
    finally:
        benchmark.close()
    notes = {c.name: c.note for c in present if c.note}
    notes |= {
        c.name: f"not installed; `pip install {c.needs.replace('_', '-')}` to include it"
        for c in benchmark.contenders
        if c.missing
    }
    return {
        "question": benchmark.question,
        "units": benchmark.units,
        "results": results,
        "bars": [bar.judge(results) for bar in benchmark.bars],
        "notes": notes,
        "interrupted": interrupted,
    }


def median(results: Results, contender: str, figure: str) -> float:
    """Median over the seeds."""
    return statistics.median(row[figure] for row in results[contender])


def ratio(one: str, other: str, figure: str) -> Callable[[Results], float]:
    """The ratio of two contenders' medians."""
    return lambda results: median(results, one, figure) / median(results, other, figure)
