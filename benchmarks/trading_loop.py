"""The trading environment inside the full RLlib loop, with the settings of notebook 04."""

from collections.abc import Callable

from benchmarks import rllib_dqn
from benchmarks.core import Bar, Benchmark, Contender, Figures, Options, median

WARM_UP = 1_024


def clocked(num_steps: int) -> Callable[[int], Figures]:
    """Decisions per second: environment, replay and gradient steps together."""

    def measure(seed: int) -> Figures:
        from course_lib.trading import agent, prices

        table, settings = prices.load_prices(), agent.Settings()
        config = agent.dqn_config(lambda: agent.training_env(table, settings), settings, seed)
        with rllib_dqn.built(config) as algo:
            return rllib_dqn.window(algo, WARM_UP, num_steps=num_steps)

    return measure


def benchmark(options: Options) -> Benchmark:
    """Decisions per second of the trading agent's training."""
    name = "trading agent (ColumnarDQN)"
    return Benchmark(
        name="trading",
        question="Decisions per second of the trading agent while it trains on bitcoin prices: "
        "TensorTrade, replay, and half a gradient step (batch 64, 64-64) per decision.",
        contenders=[Contender(name, clocked(512 if options.quick else 4_096),
                              note="1 PyTorch thread; 8 environments in one process")],
        units={"steps_per_s": "1/s", "updates_per_step": ""},
        bars=[Bar("decisions per second", lambda r: median(r, name, "steps_per_s"), 1_000)],
        open=rllib_dqn.start_ray,
        close=rllib_dqn.stop_ray,
    )  # fmt: skip
