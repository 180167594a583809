"""Money in the trading environment: fills, fees, rewards, rounding, and the broker's work."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trading_kit import env_of, market

from course_lib.trading import environment, fills, markets, prices

CENT = 0.005


def test_ledger_of_five_trades_worked_by_hand():
    """10,000 dollars, fee 1%: buy at 100, sell at 110, buy at 50, sell at 40, buy at 80."""
    env = env_of([100, 110, 50, 40, 80, 90], fee=0.01)
    env.reset()
    expected = [
        # action, cash, coin, this fee, net worth at the next price
        (1, 0.0, 99.0, 100.0, 10_890.0),  # 9,900 buy 99 coins; 99 x 110
        (0, 10_781.10, 0.0, 108.90, 10_781.10),  # 1% of 10,890 stays with the exchange
        (1, 0.0, 213.46578, 107.811, 8_538.6312),  # 10,673.289 / 50; x 40
        (0, 8_453.244888, 0.0, 85.386312, 8_453.244888),  # 8,538.6312 x 0.99
        (1, 0.0, 104.60890549, 84.53244888, 9_414.801494),  # 8,368.71243912 / 80; x 90
    ]
    for (action, cash, coin, fee, worth), price in zip(
        expected, (100, 110, 50, 40, 80), strict=True
    ):
        _, _, _, _, info = env.step(action)
        assert info["cash"] == pytest.approx(cash, abs=CENT)
        assert info["coin"] == pytest.approx(coin, abs=2e-8)
        assert info["net_worth"] == pytest.approx(worth, abs=CENT)
        assert env.fills[-1].fee == pytest.approx(fee, abs=CENT)
        assert env.fills[-1].price == price
    assert info["fees"] == pytest.approx(486.62976088, abs=CENT)
    assert [fill.side for fill in env.fills] == ["buy", "sell", "buy", "sell", "buy"]


@settings(max_examples=40)
@given(
    actions=st.lists(st.integers(0, 1), min_size=1, max_size=60),
    fee=st.sampled_from([0.0, 0.0005, 0.001, 0.0025, 0.01, 0.1]),
    min_hold=st.sampled_from([1, 1, 3]),
    seed=st.integers(0, 1000),
)
def test_no_cent_is_made_or_lost_but_by_prices_and_fees(actions, fee, min_hold, seed):
    """Over a whole episode: cash + coin * price + fees = start + what the held coin gained."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.03 * rng.standard_normal(62)))
    env = env_of(close, fee=fee, max_loss=1.0, min_hold=min_hold)
    _, info = env.reset()
    gained = 0.0
    for action in actions:
        price = info["price"]
        _, _, _, _, info = env.step(action)
        gained += info["coin"] * (info["price"] - price)
        worth = info["cash"] + info["coin"] * info["price"]
        assert worth + info["fees"] == pytest.approx(10_000 + gained, abs=CENT)
        assert info["net_worth"] == pytest.approx(worth, abs=CENT)
        assert info["fees"] == pytest.approx(sum(fill.fee for fill in env.fills), abs=1e-9)
        assert info["cash"] >= 0
        assert info["coin"] >= 0


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), fee=st.sampled_from([0.0, 0.001, 0.01]))
def test_tensortrade_agrees_with_plain_arithmetic(seed, fee):
    rng = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(0.02 * rng.standard_normal(60))), 2)
    positions = rng.integers(2, size=59)
    env = env_of(close, fee=fee, fill=str(rng.choice(fills.FILLS)), half_spread=0.003)
    env.reset()
    for position in positions:
        env.step(int(position))
    at = env.fill_prices[slice(env.first_row, None)]
    expected = 10_000 * markets.growth_of(close, positions, fee, at)
    np.testing.assert_allclose(env.net_worths, expected, rtol=1e-8)


FILLED = {  # closes 100, 107, 93, opens 101, 106, 95: bought in the first row, sold in the second
    "same close": (100, 107),
    "next open": (106, 95),
    "next close": (107, 93),
}


@pytest.mark.parametrize("fill", FILLED)
def test_orders_are_filled_when_they_say_and_half_a_spread_to_the_worse(fill):
    table = prices.price_table(np.concatenate([100 + np.sin(np.arange(191)), [100, 107, 93]]))
    table.loc[table.index[-3:], "open"] = [101.0, 106.0, 95.0]
    env = environment.make_env(table, fee=0.01, fill=fill, half_spread=0.002)
    _, info = env.reset()
    assert info["price"] == 100
    for action in (1, 0):
        env.step(action)
    buy, sell = FILLED[fill]
    assert [one.price for one in env.fills] == pytest.approx([buy * 1.002, sell * 0.998])
    assert [one.row for one in env.fills] == [info["row"], info["row"] + 1]
    expected = 10_000 * 0.99**2 * (sell * 0.998) / (buy * 1.002)
    assert env.net_worths[-1] == pytest.approx(expected)
    assert env.net_worths[1] == pytest.approx(9_900 / (buy * 1.002) * 107)


def test_log_growth_counts_the_fee_and_pbr_does_not():
    flat = [100.0, 100.0, 100.0, 110.0]
    rewards = {}
    for name in environment.REWARDS:
        env = env_of(flat, fee=0.01, reward=name)
        env.reset()
        rewards[name] = [env.step(1)[1], env.step(1)[1], env.step(1)[1]]
    assert rewards["log_growth"] == pytest.approx(
        [100 * np.log(0.99), 0.0, 100 * np.log(1.1)], abs=1e-4
    )
    assert rewards["pbr"] == pytest.approx([0.0, 0.0, 10.0])


def test_pbr_likes_a_trader_whom_the_fees_ruin():
    """Flipping with every small wave: TensorTrade's reward grows while the money shrinks."""
    close = np.tile([100.0, 100.5], 100)
    totals = {}
    for name in environment.REWARDS:
        env = env_of(close, fee=0.01, reward=name, max_loss=1.0)
        env.reset()
        totals[name] = sum(env.step(1 - step % 2)[1] for step in range(199))
    assert totals["pbr"] == pytest.approx(0.5 * 198)  # its first reward is always 0
    assert totals["log_growth"] == pytest.approx(
        100 * (100 * np.log(1.005) + 199 * np.log(0.99)), abs=0.01
    )
    assert totals["log_growth"] < -100


def step_and_count(env: environment.TradingEnv, num_steps: int) -> list[int]:
    """Trade at every step; return how many orders the broker had to look through, per step."""
    looked_at = []
    env.reset()
    broker = env._broker
    for step in range(num_steps):
        env.step(1 - step % 2)
        looked_at.append(len(broker.unexecuted) + len(broker.executed))
    return looked_at


def test_the_work_of_a_step_does_not_grow_with_the_number_of_trades(monkeypatch):
    from course_lib.trading import components

    env = environment.make_env(market(1_500))
    counts = step_and_count(env, 1_000)
    assert len(env.fills) == 1_000
    assert max(counts) <= 1
    assert len(env._broker.trades) == 0

    # the same count sees TensorTrade's own broker look through every order ever placed
    monkeypatch.setattr(components.TidyBroker, "update", components.tt.Broker.update)
    assert step_and_count(environment.make_env(market(1_500)), 50)[-1] == 50


def test_prices_with_many_decimals_keep_them():
    for scale in (1.0, 1e-5):
        close = np.concatenate([1 + 0.01 * np.sin(np.arange(191)), [1.08351, 1.08352, 1.08371]])
        table = prices.price_table(scale * np.round(close, 5))
        env = environment.make_env(table, fee=0.0, asset="EUR", half_spread=0.0)
        env.reset()
        env.step(1)
        _, _, _, _, info = env.step(1)
        assert info["net_worth"] == pytest.approx(10_000 * 1.08371 / 1.08351, abs=0.001)


def test_decimals_follow_the_smallest_price():
    assert environment.money_decimals(np.array([2_500.0, 20_000.0])) == 8
    assert environment.money_decimals(np.array([0.00002])) == 13


@pytest.mark.parametrize("cash", [1.0, 50_000_000.0, 1e12])
def test_small_and_large_sums_are_exchanged_in_full(cash):
    env = env_of([100.0, 200.0, 200.0], cash=cash)
    env.reset()
    _, _, _, _, info = env.step(1)
    assert info["cash"] == pytest.approx(0.0, abs=CENT)
    assert info["net_worth"] == pytest.approx(2 * cash * 0.999, rel=1e-6)
