"""The trading environment inside the full RLlib loop, with the settings of notebook 04."""

from collections.abc import Callable

from benchmarks import rllib_dqn
from benchmarks.core import Bar, Benchmark, Contender, Figures, median


def clocked(num_steps: int) -> Callable[[int], Figures]:
    """Decisions per second: environment, replay and gradient steps together."""
    from course_lib.rllib import runs
    from course_lib.trading import agent, prices

    table = prices.load_prices()
    settings = agent.Settings()

    def measure(seed: int) -> Figures:
        config = agent.dqn_config(lambda: agent.training_env(table, settings), settings, seed)
        algo = runs.build(config)
        rows = list(runs.iterate(algo, num_steps=1_024 + num_steps))
        runs.stop(algo)
        first = next(row for row in rows if row["env_steps"] >= 1_024)
        steps = rows[-1]["env_steps"] - first["env_steps"]
        return {"steps_per_s": steps / (rows[-1]["seconds"] - first["seconds"])}

    return measure


def benchmark(quick: bool) -> Benchmark:
    """Decisions per second of the trading agent's training."""
    rllib_dqn.start_ray()
    name = "trading agent (ColumnarDQN)"
    return Benchmark(
        name="trading_loop",
        question="Decisions per second of the trading agent while it trains on bitcoin: "
        "TensorTrade, replay, and half a gradient step (batch 64, 64-64) per decision.",
        contenders=[Contender(name, clocked(1_024 if quick else 4_096))],
        units={"steps_per_s": "1/s"},
        bars=[Bar("decisions per second", lambda r: median(r, name, "steps_per_s"), 1_000)],
        close=rllib_dqn.stop_ray,
    )
