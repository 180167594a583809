"""Windows in the order of time, the choice on validation only, the test opened once."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
from trading_kit import record

from course_lib.trading import lookahead, markets, metrics, summary, walkforward
from course_lib.trading.walkforward import PARTS

SIZES = {"train": 50, "validation": 20, "test": 10, "lead_in": 5}


def test_windows_follow_each_other_and_end_with_the_table():
    found = walkforward.windows(118, **SIZES)
    assert [window.number for window in found] == [0, 1, 2, 3]
    assert found[0].edges == (8, 58, 78, 88)
    assert found[-1].edges == (38, 88, 108, 118)
    tests = [window.rows("test") for window in found]
    assert all(end == first for (_, end), (first, _) in itertools.pairwise(tests))


def test_within_a_window_time_runs_from_train_to_test():
    table = markets.sine_market(118, rng=np.random.default_rng(0))
    for window in walkforward.windows(118, **SIZES):
        cuts = [window.cut(table, part, lead_in=5) for part in PARTS]
        assert [len(cut) for cut in cuts] == [55, 25, 15]
        for part, cut in zip(PARTS, cuts, strict=True):
            assert window.times(table, part) == (cut.index[5], cut.index[-1])
        for earlier, later in itertools.pairwise(cuts):
            assert earlier.index[-1] < later.index[5], "history may overlap, traded rows may not"


def test_only_the_latest_windows_are_kept():
    assert [w.edges[-1] for w in walkforward.windows(118, **SIZES, at_most=2)] == [108, 118]


def test_impossible_windows_are_refused():
    with pytest.raises(ValueError, match="too few for one window"):
        walkforward.windows(84, **SIZES)
    with pytest.raises(ValueError, match="test must have at least 2 rows"):
        walkforward.windows(84, **{**SIZES, "test": 1})
    with pytest.raises(ValueError, match="part must be"):
        walkforward.windows(118, **SIZES)[0].rows("exam")


def test_choose_takes_the_best_finite_score():
    assert walkforward.choose({"a": 1.0, "b": 3.0, "c": 3.0}) == "b"
    assert walkforward.choose({"a": float("nan"), "b": -5.0, "c": float("inf")}) == "b"
    with pytest.raises(ValueError, match="nothing to choose"):
        walkforward.choose({})


def test_daily_sums_add_up():
    table = markets.sine_market(60, rng=np.random.default_rng(0))
    sums = walkforward.daily_sums(np.ones(59), table.index[1:])
    assert sums == [23.0, 24.0, 12.0]


RECORDS = [
    record(window, seed, 10.0 * window + seed - 1000 * fee, fee)
    for window in range(3)
    for seed in range(3)
    for fee in (0.0, 0.001)
]


def test_the_fee_grid_holds_means_over_seeds():
    windows, fees, grid = summary.fee_grid(RECORDS, "buy and hold")
    assert windows == [0, 1, 2]
    assert fees == [0.0, 0.001]
    np.testing.assert_allclose(grid, [[1.0, 0.0], [11.0, 10.0], [21.0, 20.0]])


def test_seeds_of_a_window_count_once():
    some = summary.select(RECORDS, fee=0.0)
    found = summary.over_windows(some, lambda r: summary.ahead(r, "buy and hold"))
    assert (found.value, found.count) == (pytest.approx(11.0), 3)
    twice = summary.over_windows(some + some, lambda r: summary.ahead(r, "buy and hold"))
    assert twice == found, "more seeds of the same windows make nothing surer"


def test_window_intervals_of_steady_gains_are_points():
    found = summary.window_intervals(summary.select(RECORDS, fee=0.0))
    assert len(found) == 3
    for interval, middle in zip(found, (1.0, 11.0, 21.0), strict=True):
        assert interval.value == pytest.approx(middle)
        assert interval.low == pytest.approx(interval.high)


def test_medians_hold_every_figure_and_comparisons_every_trader():
    some = summary.select(RECORDS, fee=0.0)
    assert set(summary.medians(some)["agent"]) == set(summary.FIGURES)
    found = summary.comparisons(some)
    others = {"rank", "timing", "mix, an hour late", "mix, as long"}
    assert set(found) == {*others, *summary.OTHERS}
    assert found["rank"].value == pytest.approx(60.0)
    assert found["timing"].value == 1.0
    assert found["mix, as long"].value == pytest.approx(11.0), "half of buy and hold, which stood"
    assert found["mix"].value == pytest.approx(11.0 + 2.0)
    assert found["mix, an hour late"].value == pytest.approx(11.0 + 2.0 - 1.0)
    assert summary.hours_apart(some) == pytest.approx(6.0)


def test_choosing_among_many_is_called_luck_where_it_is():
    rng = np.random.default_rng(0)
    noise = 0.01 * rng.standard_normal((1_000, 20))
    found = summary.choice(noise)
    assert found["best"] == (noise.mean(axis=0) / noise.std(axis=0)).argmax()
    assert found["deflated"] < 0.95
    assert 0.2 < found["overfitting"] < 0.8
    noise[:, 3] += 0.004
    found = summary.choice(noise)
    assert found["best"] == 3
    assert found["deflated"] > 0.99
    assert found["overfitting"] == 0
    assert np.isfinite(list(summary.choice(np.zeros((20, 3))).values())).all(), "nobody traded"
    for too_few in (np.zeros((20, 1)), np.diff([])):  # a training that was stopped
        with pytest.raises(ValueError, match="two agents or more"):
            summary.choice(too_few)


def test_what_a_study_can_see_is_seen_as_often_as_it_says():
    """A truth of that size is declared in four of five studies of the same spread."""
    rng = np.random.default_rng(0)
    one = metrics.mean_interval(rng.standard_normal(13))
    size = summary.detectable(one) / (one.high - one.value)
    assert size == pytest.approx((1.782 + 0.873) / 1.782, abs=0.01)
    spread, seen = 13**0.5, []
    for _ in range(1_000):
        values = 2.655 + spread * rng.standard_normal(13)  # the standard error of a mean is 1
        seen.append(metrics.mean_interval(values).low > 0)
    assert np.mean(seen) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(
    ("low", "high", "word"), [(1.0, 2.0, "Yes: up"), (-2.0, -1.0, "No: down"), (-1, 1, "Not shown")]
)
def test_the_verdict_follows_the_interval(low, high, word):
    interval = summary.Interval((low + high) / 2, low, high, 10)
    assert summary.verdict(interval, better="up", worse="down").startswith(word)
    few = dataclasses.replace(interval, count=9)
    assert summary.verdict(few, better="up", worse="down").startswith("No verdict: 9 windows")
    moved = summary.Interval(50 + (low + high) / 2, 50 + low, 50 + high, 10)
    assert summary.verdict(moved, better="up", worse="down", level=50).startswith(word)


@pytest.fixture
def plan():
    from course_lib.trading import agent, study

    settings = agent.Settings(num_steps=768, episode_rows=240, decide_every=24, n_step=1)
    return study.Plan(
        train=700, validation=200, test=200, num_windows=2, seeds=(0,), fees=(0.001,),
        settings=settings, checkpoints=(512, 768),
    )  # fmt: skip


def test_scores_and_choice_do_not_see_the_test(plan, local_ray):
    """Another future from the first test row on: the same scores, the same choice."""
    from course_lib.trading import study

    table = markets.regime_market(1_500, rng=np.random.default_rng(0))
    window = plan.windows(len(table))[0]
    rng = np.random.default_rng(1)
    changed = lookahead.with_other_future(table, window.rows("test")[0] - 1, rng)
    settings = plan.settings.changed(fee=0.001)
    one, other = (
        study.train_and_ask(prices, window, plan, settings, 0)[0] for prices in (table, changed)
    )
    assert list(one) == ["512", "768"]
    for steps, asked in one.items():
        np.testing.assert_array_equal(asked, other[steps])


def test_a_job_is_complete_and_can_be_written_down(plan, local_ray):
    from course_lib.trading import study

    table = markets.regime_market(1_500, rng=np.random.default_rng(0))
    found = json.loads(json.dumps(study.run_job(table, plan, study.Job(1, 0, 0.001))))
    assert found["chosen"] == walkforward.choose(found["validation"])
    assert found["test_times"][1] == str(table.index[-1])
    assert set(found["figures"]) == {
        "agent", "mix", "cash", "buy and hold", "moving average", "perfect foresight",
    }  # fmt: skip
    numbers = found["figures"]
    assert numbers["buy and hold"]["excess %"] == 0
    assert numbers["perfect foresight"]["net profit"] >= max(
        one["net profit"] for one in numbers.values()
    )
    assert 100 * sum(found["daily_excess"]) == pytest.approx(summary.ahead(found), abs=1e-3)
    assert numbers["mix"]["exposure"] == pytest.approx(found["share"], abs=1e-5)
    assert 0 <= found["luck"] <= 1
    assert np.isfinite(found["timing"])


def test_a_record_and_the_prices_are_enough_to_compute_it_again(plan, local_ray):
    """Without the network: growth at every hour, from what is written down."""
    from course_lib.trading import policy_table, study

    table = markets.regime_market(1_500, rng=np.random.default_rng(0))
    found = json.loads(json.dumps(study.run_job(table, plan, study.Job(1, 0, 0.001))))
    settings, window = plan.settings.changed(fee=0.001), plan.windows(len(table))[1]
    ends = {}
    for part, text in (("test", found["asked"]),
                       ("validation", found["validation_asked"][found["chosen"]])):  # fmt: skip
        market = study.market_of(window.cut(table, part, plan.lead_in), settings)
        asked = policy_table.unpack(text, len(market.close) - 1)
        held = study.positions_of(asked, settings)
        ends[part] = markets.growth_of(market.close, held, 0.001, market.at)[:, -1]
        if part == "validation":
            assert held.mean() == pytest.approx(found["share"], abs=1e-5)
    assert ends["test"].mean() == pytest.approx(found["ends"]["agent"], abs=1e-5)
    best, worst = found["ends"]["agent, first and last hour"]
    assert (ends["test"].min(), ends["test"].max()) == pytest.approx((best, worst), abs=1e-5)
    score = found["validation"][found["chosen"]]
    assert 100 * np.log(ends["validation"].mean()) == pytest.approx(score, abs=1e-3)
    figures = found["figures"]["agent"]
    assert 1 + figures["net profit"] / 10_000 == pytest.approx(ends["test"][0], abs=1e-5)


@pytest.mark.parametrize("side", [1, -1])
def test_timing_is_zero_without_skill_and_a_rank_is_not_half(side):
    """Whoever follows trends, or trades against them: on average nothing, before costs."""
    from course_lib.trading import agent, study

    rng = np.random.default_rng(0)
    real = markets.sine_market(2_000, rng=rng, noise=0.02)
    settings, timings, ranks = agent.Settings(fee=0.0, half_spread=0.0), [], []
    for number in range(150):
        table = markets.without_skill(real, 191 + 300, rng=rng)
        market = study.market_of(table, settings)
        trend = side * (table["close"] - table["close"].rolling(100).mean()).to_numpy()
        positions = (trend[191:-1] > 0).astype(int)[None]
        timings.append(study.timing_of(market, positions, 0.5))
        if number < 50:
            ranks.append(study.luck_of(market, positions, settings, rng, num_traders=200))
    error = np.std(timings) / len(timings) ** 0.5
    assert abs(np.mean(timings)) < 3 * error
    assert side * (np.mean(ranks) - 0.5) < -0.08, "trends below, their opposite above"


def test_timing_worked_by_hand():
    from course_lib.trading import study
    from course_lib.trading.fills import FillPrices

    close = np.exp([0.0, 0.1, 0.05, 0.05])  # moves of 10%, -5% and nothing
    market = study.Market(close, FillPrices(close[:-1], close[:-1]))
    positions = np.array([[1, 0, 1], [1, 1, 0]])
    found = study.timing_of(market, positions, 0.4)
    assert found == pytest.approx(100 * (0.6 * 0.1 - 0.1 * 0.05))


def test_traders_without_skill_are_matched_and_their_middle_is_luck():
    from course_lib.trading import agent, study

    rng = np.random.default_rng(0)
    table = markets.without_skill(markets.regime_market(2_000, rng=rng), 900, rng=rng)
    settings = agent.Settings(decide_every=24, fee=0.001)
    market = study.market_of(table, settings)
    ranks = []
    for _ in range(60):
        asked = rng.integers(2, size=(2, len(market.close) - 1))
        positions = study.positions_of(asked, settings)
        ranks.append(study.luck_of(market, positions, settings, rng, num_traders=240))
    assert np.mean(ranks) == pytest.approx(0.5, abs=0.06)
    best = markets.perfect_foresight(market.close[::24], 0.0).positions
    knows = np.repeat(best, 24)[None, : len(market.close) - 1]
    knows = np.pad(knows, ((0, 0), (0, len(market.close) - 1 - knows.shape[1])), mode="edge")
    assert study.luck_of(market, knows, settings, rng) > 0.99


def test_all_jobs_run_once_and_a_study_is_taken_up_again(plan, local_ray, tmp_path):
    from course_lib.trading import study

    plan = dataclasses.replace(plan, seeds=(0, 1), fees=(0.0, 0.001))
    table = markets.sine_market(1_500, rng=np.random.default_rng(0))
    jobs = plan.jobs(len(table))
    assert len(jobs) == len({job.key for job in jobs}) == 8
    assert {job.window for job in jobs[:2]} == {0, 1}, "an early look covers every window"
    path = tmp_path / "new" / "book.jsonl"
    book = study.Book(path, {"plan": 1})
    fake = lambda prices, plan, job: {"key": job.key, "rows": len(prices)}  # noqa: E731
    for number, done in enumerate(study.run_all(table, plan, book.missing(jobs), work=fake)):
        book.add(done)
        if number == 2:
            break  # an interruption
    with path.open("a") as file:
        file.write('{"key": "cut o')  # the machine went off while writing
    book = study.Book(path, {"plan": 1})
    assert len(book.missing(jobs)) == 5
    for done in study.run_all(table, plan, book.missing(jobs), work=fake):
        assert done["rows"] == 1_500
        book.add(done)
    assert study.Book(path, {"plan": 1}).missing(jobs) == []
    with pytest.raises(ValueError, match="were opened before"):
        book.add(done)
    with pytest.raises(ValueError, match="another plan"):
        study.Book(path, {"plan": 2})
