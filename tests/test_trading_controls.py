"""Markets without skill, and with a signal; the jobs of the controls."""

import json

import numpy as np
import pytest
from trading_kit import market

from course_lib.trading import lookahead, markets


def made(strength: float, rows: int = 8_000, seed: int = 0):
    rng = np.random.default_rng(seed)
    return markets.without_skill(market(3_000), rows, rng=rng, strength=strength)


def test_a_market_without_skill_is_as_wild_and_cannot_be_foreseen():
    real, table = market(3_000), made(0.0)
    moves, before = (np.diff(np.log(one["close"])) for one in (table, real))
    assert moves.std() == pytest.approx(before.std(), rel=0.1)
    assert np.quantile(np.abs(moves), 0.99) == pytest.approx(
        np.quantile(np.abs(before), 0.99), rel=0.15
    )
    error = 1 / len(moves) ** 0.5
    for lag in (1, 2, 24, 48):
        signs = np.sign(moves)
        assert abs(np.corrcoef(signs[lag:], signs[:-lag])[0, 1]) < 4 * error
    assert abs(np.mean(moves > 0) - 0.5) < 3 * error


def test_a_planted_signal_leans_with_its_strength():
    right = []
    for strength in (0.0, 0.2, 0.8):
        close = np.log(made(strength)["close"])
        above = (close > close.rolling(168).mean()).to_numpy()[168:-24]
        up = (close.shift(-24) > close).to_numpy()[168:-24]
        right.append(np.mean(up == above))
    assert right[0] == pytest.approx(0.5, abs=0.05)
    assert right[0] + 0.05 < right[1] < right[2] - 0.1


def test_a_made_up_market_is_made_from_the_past_on():
    """The same draws and another length: the rows that both have are the same."""
    long, short = made(0.2, 2_000), made(0.2, 2_000)
    np.testing.assert_array_equal(long["close"], short["close"])
    assert not np.array_equal(made(0.2, 2_000, seed=1)["close"], long["close"])
    with pytest.raises(ValueError, match="block must be in"):
        markets.without_skill(market(300), 100, rng=np.random.default_rng(0), block=300)


def test_the_next_move_is_look_ahead_and_nothing_else_is():
    from course_lib.trading import features

    table = market(600)
    rng = np.random.default_rng(0)
    assert lookahead.find_leaks(features.with_next_move, table, rng=rng)
    shown = features.with_next_move(table, 24)
    assert list(shown.columns) == [*features.FEATURES, "next_move"]
    assert lookahead.find_leaks(
        lambda t: features.with_next_move(t, 24).drop(columns="next_move"), table, rng=rng
    ) == []  # fmt: skip
    close = np.log(table["close"])
    some = slice(200, -24)
    sign = np.sign(close.shift(-24) - close)
    np.testing.assert_array_equal(np.sign(shown["next_move"])[some], sign[some])


def test_the_jobs_of_the_controls_are_all_markets_and_all_agents():
    from course_lib.trading import controls

    jobs = controls.market_jobs()
    without = [job for job in jobs if job.strength == 0]
    assert len(without) == 100 * 12
    assert {job.strength for job in jobs} == {0.0, *controls.STRENGTHS}
    assert len({job.key for job in jobs}) == len(jobs)
    variants = controls.agent_variants()
    steps = list(variants.values())
    assert steps[0].changed(next_move=False) == steps[-1] == controls.Plan().settings


def test_a_job_of_a_made_up_market_is_one_of_the_study(local_ray):
    import dataclasses

    from course_lib.trading import controls

    plan = dataclasses.replace(
        controls.PLAN, train=700, validation=200, test=200, num_windows=1, checkpoints=(512,),
        settings=controls.PLAN.settings.changed(num_steps=512, episode_rows=240),
    )  # fmt: skip
    job = controls.MarketJob(0, 3, 0.001, 0.0)
    found = json.loads(json.dumps(controls.run_market_job(market(3_000), plan, job)))
    assert set(found) == {*controls.KEPT, "seconds"}
    assert found["key"] == job.key == "strength 0, market 3, window 0"
    again = controls.run_market_job(market(3_000), plan, job)
    assert again["ends"] == found["ends"], "the same market, the same agent"
