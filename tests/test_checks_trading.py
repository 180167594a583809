"""The checks of notebook 04 accept what is right and refuse what is wrong."""

import numpy as np
import pytest
from checks_kit import accepts, refuses

from course_lib.answers import answer
from course_lib.checks import core
from course_lib.checks import trading as checks

trade = answer("4.1")


def trade_variant(cash, coin, price, fee, target):
    if target and cash:
        return 0.0, cash * (1 - fee) / price + coin, cash * fee
    if not target and coin:
        return coin * price * (1 - fee) + cash, 0, coin * price * fee
    return cash, coin, 0


def trade_without_fee(cash, coin, price, fee, target):
    return (0.0, coin + cash / price, 0.0) if target else (cash + coin * price, 0.0, 0.0)


def trade_fee_on_buys_only(cash, coin, price, fee, target):
    if target:
        return trade(cash, coin, price, fee, target)
    return cash + coin * price, 0.0, 0.0


def trade_fee_in_coin(cash, coin, price, fee, target):
    cash, coin, paid = trade(cash, coin, price, fee, target)
    return cash, coin, paid / price


def trade_fee_for_holding(cash, coin, price, fee, target):
    worth = cash + coin * price
    paid = fee * worth
    return (0.0, (worth - paid) / price, paid) if target else (worth - paid, 0.0, paid)


def sees_by_loop(feature, table, row):
    other = table.copy()
    other.iloc[row + 1 :] = other.iloc[row + 1 :] * 3 + 1
    pairs = zip(feature(table)[: row + 1], feature(other)[: row + 1], strict=True)
    return any(a != b and not (np.isnan(a) and np.isnan(b)) for a, b in pairs)


def sees_with(first_changed=1, compared=1, equal=None, columns=slice(None), copy=True):
    def attempt(feature, table, row):
        before = feature(table).copy()
        changed = table.copy() if copy else table
        changed.iloc[row + first_changed :, columns] *= 2.0
        one, two = before.iloc[: row + compared], feature(changed).iloc[: row + compared]
        return not (one.equals(two) if equal is None else equal(one, two))

    return attempt


def mean_rate(trials):
    return float(trials.groupby("learning_rate")["share"].mean().idxmax())


def lucky_rate(trials):
    return float(trials.loc[trials["share"].idxmax(), "learning_rate"])


def share_itself(trials):
    return float(trials.groupby("learning_rate")["share"].median().max())


def worst_rate(trials):
    return float(trials.groupby("learning_rate")["share"].median().idxmin())


def median_by_loop(trials):
    rates = sorted(set(trials["learning_rate"]))
    shares = [np.median(trials["share"][trials["learning_rate"] == rate]) for rate in rates]
    return rates[int(np.argmax(shares))]


def dqn(make, settings, seed, **overrides):
    from course_lib.trading.agent import dqn_config

    config = dqn_config(make, settings, seed=seed)
    return config.training(**overrides) if overrides else config


RIGHT = [
    (checks.check_trade, trade_variant),
    (checks.check_sees_future, sees_by_loop),
    (checks.check_sees_future, sees_with()),
    (checks.check_best_learning_rate, median_by_loop),
    (checks.check_trading_dqn, dqn),
    (checks.check_trading_dqn, lambda make, settings, seed: dqn(make, settings, seed, tau=0.5)),
    (checks.check_lost_to_fees, lambda n, d, f: 1 - np.exp(n * d * np.log1p(-f))),
]
WRONG = [
    (checks.check_trade, trade_without_fee),
    (checks.check_trade, trade_fee_on_buys_only),
    (checks.check_trade, trade_fee_in_coin),
    (checks.check_trade, trade_fee_for_holding),
    (checks.check_sees_future, sees_with(first_changed=0)),
    (checks.check_sees_future, sees_with(compared=2)),
    (checks.check_sees_future, sees_with(compared=0)),
    (checks.check_sees_future, sees_with(equal=lambda one, two: (one == two).all())),
    (checks.check_sees_future, sees_with(columns=[3])),
    (checks.check_sees_future, sees_with(copy=False)),
    (checks.check_sees_future, lambda feature, table, row: False),
    (checks.check_best_learning_rate, mean_rate),
    (checks.check_best_learning_rate, lucky_rate),
    (checks.check_best_learning_rate, share_itself),
    (checks.check_best_learning_rate, worst_rate),
    (checks.check_trading_dqn, lambda make, settings, seed: dqn(make, settings, seed, lr=1e-3)),
    (checks.check_trading_dqn, lambda make, settings, seed: dqn(make, settings, seed, gamma=0.99)),
    (checks.check_trading_dqn, lambda make, settings, seed: dqn(make, settings, seed, n_step=1)),
    (checks.check_trading_dqn, lambda make, settings, seed: None),
    (checks.check_lost_to_fees, lambda n, d, f: n * d * f),
    (checks.check_lost_to_fees, lambda n, d, f: (1 - f) ** (n * d)),
    (checks.check_lost_to_fees, lambda n, d, f: 1 - (1 - f) ** d),
]


@pytest.fixture(autouse=True)
def lenient(monkeypatch):
    monkeypatch.delenv(core.STRICT_VARIABLE, raising=False)


@pytest.mark.parametrize(("check", "attempt"), RIGHT)
def test_right_answers_are_accepted(check, attempt):
    accepts(check, attempt)


@pytest.mark.parametrize(("check", "attempt"), WRONG)
def test_wrong_answers_are_refused(check, attempt):
    refuses(check, attempt)


def test_the_exercise_agrees_with_the_exchange():
    """The trade worked by hand in the notebook is the trade that TensorTrade books."""
    from course_lib.trading import environment, prices

    close = np.concatenate([100 + np.sin(np.arange(191)), [5_000.0, 6_000.0, 6_000.0]])
    env = environment.make_env(prices.price_table(np.round(close, 2)), fee=0.001)
    env.reset()
    _, _, _, _, info = env.step(1)
    cash, coin, fee = trade(10_000.0, 0.0, 5_000.0, 0.001, 1)
    assert (info["cash"], info["coin"], info["fees"]) == pytest.approx((cash, coin, fee))
    _, _, _, _, info = env.step(0)
    cash, coin, fee_2 = trade(cash, coin, 6_000.0, 0.001, 0)
    assert (info["cash"], info["coin"]) == pytest.approx((cash, coin), abs=0.01)
    assert info["fees"] == pytest.approx(fee + fee_2, abs=0.01)
