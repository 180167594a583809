"""What the checks of notebook 04 say agrees with what the lesson runs."""

from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from course_lib.answers import answer

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
