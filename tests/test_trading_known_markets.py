"""The agent finds what is there to be found, on markets whose best trades are known."""

import numpy as np
import pytest

from course_lib.trading import baselines, environment, evaluation, markets

SEEDS = range(5)
MARKETS = {  # name: (maker, rows to train on, decisions)
    "sine": (markets.sine_market, 3_000, 4_096),
    "regimes": (markets.regime_market, 10_000, 32_768),
}


@pytest.mark.parametrize("name", MARKETS)
def test_nine_tenths_are_out_of_reach_without_looking(name):
    """The bar means something: traders that do not look at the prices stay far below it."""
    for seed in SEEDS:
        table = MARKETS[name][0](900, rng=np.random.default_rng([seed, 1]))
        env = environment.make_env(table)
        rows = slice(env.first_row, None)
        best = markets.perfect_foresight(table["close"].to_numpy()[rows], 0.001,
                                         env.fill_prices[rows])  # fmt: skip
        rng = np.random.default_rng(seed)
        busy = baselines.random_trades(best.num_trades, env.episode_rows, env.first_row, rng)
        for policy in (baselines.buy_and_hold, busy):
            run = evaluation.run_policy(policy, env, name="blind")
            assert run.net_profit / (10_000 * (best.growth - 1)) < 0.6


@pytest.mark.full
@pytest.mark.timeout(1_500)
@pytest.mark.parametrize("name", MARKETS)
def test_the_agent_finds_nine_tenths_of_the_known_profit_on_every_seed(name):
    """RLlib's DQN, five seeds, unseen noise, phases and regimes; fees on."""
    from course_lib.trading import agent

    make_market, rows, num_steps = MARKETS[name]
    settings = agent.Settings(num_steps=num_steps)
    shares = []
    for seed in SEEDS:
        known, unseen = (
            make_market(size, rng=np.random.default_rng([seed, number]))
            for number, size in enumerate((rows, 900))
        )
        make = lambda table=known: agent.training_env(table, settings)  # noqa: E731
        module, rows_of_run = agent.train_agent(agent.dqn_config(make, settings, seed), num_steps)
        shares.append(agent.share_of_foresight(module, unseen, settings))
        seconds = rows_of_run[-1]["seconds"]
        print(f"{name}, seed {seed}: {shares[-1]:.3f} of foresight after {seconds:.0f} s")
    assert min(shares) >= 0.9, shares
