"""Bytes that the replay memory takes, by its capacity."""

import tracemalloc
from collections.abc import Callable

import numpy as np

from benchmarks.core import Bar, Benchmark, Contender, Figures, Options, Results, median
from course_lib.columnar_dqn.replay import Chunk, ColumnarReplay

SIZES = (10_000, 100_000, 1_000_000)


def measured(capacity: int, alpha: float = 0.0) -> Callable[[int], Figures]:
    """Bytes allocated by a memory of this capacity once it is full of CartPole steps."""

    def run(seed: int) -> Figures:
        rng = np.random.default_rng(seed)
        chunk = Chunk(
            "0", 0, rng.normal(size=(1_001, 4)).astype(np.float32), np.zeros(1_000, np.int32),
            np.ones(1_000), truncated=True,
        )  # fmt: skip
        _fill(ColumnarReplay(1_000, alpha=alpha, rng=rng), chunk)  # what numpy loads at first use
        tracemalloc.start()
        replay = ColumnarReplay(capacity, alpha=alpha, rng=rng)
        _fill(replay, chunk)
        taken = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        tree = replay.priorities.nbytes / capacity if replay.priorities else 0
        stated = replay.bytes_per_transition + tree
        return {"bytes_per_transition": taken / capacity, "stated": stated, "total_mb": taken / 1e6}

    return run


def _fill(replay: ColumnarReplay, chunk: Chunk) -> None:
    while len(replay) < replay.capacity:
        replay.add(chunk)


def _growth(results: Results) -> float:
    small, large = (
        median(results, f"capacity {size:,}", "total_mb") for size in (SIZES[0], SIZES[-1])
    )
    return large / small / (SIZES[-1] / SIZES[0])


def benchmark(options: Options) -> Benchmark:
    """Bytes per transition."""
    name = f"capacity {SIZES[0]:,}, prioritised"
    return Benchmark(
        name="memory",
        question="Memory of a full ColumnarReplay with observations of four float32, as allocated "
        "and as stated by `bytes_per_transition` (and `priorities.nbytes`).",
        contenders=[
            *(Contender(f"capacity {size:,}", measured(size)) for size in SIZES),
            Contender(name, measured(SIZES[0], 0.6),
                      note="the sum tree takes 16 to 32 bytes more; its size is a power of two"),
        ],
        units={"bytes_per_transition": "B", "stated": "B", "total_mb": "MB"},
        bars=[Bar("memory at 100 times the capacity, over 100 times the memory", _growth, 1.02,
                  at_most=True)],
        seeds=1,
    )  # fmt: skip
