"""What the checks of notebook 04 say agrees with what the lesson runs."""

import base64
import itertools
import pickle
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from checks_kit import lost_parts, share_left

from course_lib.answers import answer
from course_lib.checks import trading as checks
from course_lib.tryouts import trading as tryouts
from course_lib.tryouts.core import Elsewhere
from course_lib.tryouts.plain import encode

ROOT = Path(__file__).resolve().parents[1]
trade = answer("4.1")


def test_the_exercise_agrees_with_the_exchange():
    """The trade worked by hand in the notebook is the trade that TensorTrade books."""
    from course_lib.trading import environment, prices

    close = np.concatenate([100 + np.sin(np.arange(191)), [5_000.0, 6_000.0, 6_000.0]])
    env = environment.make_env(prices.price_table(np.round(close, 2)), fee=0.001, half_spread=0.0)
    env.reset()
    _, _, _, _, info = env.step(1)
    cash, coin, fee = trade(10_000.0, 0.0, 5_000.0, 0.001, 1)
    assert (info["cash"], info["coin"], info["fees"]) == pytest.approx((cash, coin, fee))
    _, _, _, _, info = env.step(0)
    cash, coin, fee_2 = trade(cash, coin, 6_000.0, 0.001, 0)
    assert (info["cash"], info["coin"]) == pytest.approx((cash, coin), abs=0.01)
    assert info["fees"] == pytest.approx(fee + fee_2, abs=0.01)


def test_the_mended_options_are_those_of_the_course_agent():
    """What exercise 4.4 mends is what the library's own agent is trained with."""
    from course_lib.trading.agent import Settings, dqn_config

    settings = Settings(learning_rate=0.002, gamma=0.9, n_step=3, num_steps=1_000)
    config = dqn_config(lambda: None, settings)
    mended = answer("4.4")(settings)
    assert mended == {name: getattr(config, name) for name in mended}


def test_the_learners_agent_is_the_one_that_is_searched_and_studied():
    """All that lesson 04 configures by hand is what the library's agent has."""
    from course_lib.trading.agent import Settings, dqn_config

    lesson = (ROOT / "notebooks" / "source" / "04_trading_agent.py").read_text(encoding="utf-8")
    cell = next(one for one in lesson.split("# %%") if "\ndef trading_dqn" in one)
    names = {"training_options": answer("4.4"), "register_env": lambda *given: None, "uuid4": uuid4}
    exec("from course_lib.columnar_dqn.algorithm import ColumnarDQNConfig\n" + cell, names)
    settings = Settings(learning_rate=0.002, gamma=0.9, n_step=3, num_steps=1_000)
    mine, course = names["trading_dqn"](None, settings, 5), dqn_config(lambda: None, settings, 5)
    mine, course = mine.to_dict(), course.to_dict()
    differ = {name for name in course if str(mine.get(name)) != str(course[name])}
    assert differ == {"env"}, differ
    again = names["trading_dqn"](None, settings.changed(min_hold=9), 5).to_dict()
    assert again["env"] != mine["env"], "two agents of one seed must not meet in one name"


def forger(constants: dict[int, list[bool]]) -> Elsewhere:
    """An answer to 4.2 that is the same list for as many questions, whatever they are."""

    def send(request: str) -> Any:
        function, args, _ = pickle.loads(base64.b64decode(request))
        if function is tryouts.sees:
            return {"value": encode(constants[len(args[-1])])}
        num_rows, first, _ = args
        return {"value": encode([1.0, 0.0, *tryouts.doubling_prices(num_rows, first)["close"]])}

    return Elsewhere(send)


def test_a_list_made_up_in_the_learners_process_earns_next_to_nothing():
    """The questions come in an order that is drawn: no list of answers is right for long."""
    lists = zip(
        itertools.cycle(itertools.permutations((True, False, True, False))),
        itertools.cycle(itertools.permutations((True, False, False, True, False, False))),
        range(60),
        strict=False,
    )
    shares = []
    for four, six, seed in lists:
        lost = lost_parts(checks.check_sees_future, forger({4: four, 6: six}), seed)
        shares.append(share_left(checks.check_sees_future, lost))
    assert np.mean(shares) < 0.25, "0.1 of it is for a table that is left alone"


@pytest.mark.parametrize("number", ["4.1", "4.2", "4.3", "4.4", "4.5"])
@pytest.mark.parametrize("value", [True, 0.5, [0.0, 1.0], [False, True], {"gamma": 0.9}, [{}, {}]])
def test_a_constant_from_the_learners_process_earns_nothing(number, value):
    check = next(one for one in vars(checks).values() if getattr(one, "exercise", "") == number)
    constant = Elsewhere(lambda _: {"value": encode(value)})
    for seed in range(5):
        assert lost_parts(check, constant, seed) == set(check.parts)


def test_the_rates_of_two_tables_never_have_the_same_place():
    """Who always takes the smallest rate, or the second, is never right."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        order = rng.permutation(3)
        one, other = (
            checks._trials(checks.ROLES["the best"], np.roll(order, turn), rng).rates
            for turn in (0, 1)
        )
        assert all(np.argsort(one) != np.argsort(other))
        assert sorted(one) == sorted(set(one))
