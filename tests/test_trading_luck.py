"""What luck alone would have given: against published numbers, and against simulated luck."""

import numpy as np
import pytest

from course_lib.trading import luck, markets


def test_the_published_example_of_a_deflated_sharpe_ratio() -> None:
    """Bailey and Lopez de Prado: 2.5 a year, 100 trials of variance 1/2, five years of days."""
    given = {"num_trials": 100, "variance": 0.5 / 250}
    assert luck.best_sharpe_of(**given) == pytest.approx(0.1132, abs=5e-5)
    deflated = luck.deflated_sharpe(2.5 / np.sqrt(250), 1250, skew=-3, kurtosis=10, **given)
    assert deflated == pytest.approx(0.9004, abs=5e-5)


def test_the_best_of_many_by_simulation() -> None:
    rng = np.random.default_rng(0)
    best = rng.normal(0, 0.3, size=(4000, 50)).max(axis=1)
    assert luck.best_sharpe_of(50, 0.09) == pytest.approx(best.mean(), rel=0.02)
    assert luck.best_sharpe_of(1, 0.09) == 0.0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_error_of_a_sharpe_ratio_by_simulation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    growth = rng.normal(0.05, 1.0, size=(4000, 300))
    measured = growth.mean(axis=1) / growth.std(axis=1)
    assert luck.sharpe_error(0.05, 300) == pytest.approx(measured.std(), rel=0.05)


class TestOverfitting:
    def test_luck_is_below_the_median_half_of_the_time(self) -> None:
        rng = np.random.default_rng(1)
        shares = [luck.overfitting(rng.normal(size=(400, 10)), num_blocks=8) for _ in range(40)]
        assert 0.4 < np.mean(shares) < 0.65  # ranks of an even number of trials: a half and a bit

    def test_skill_is_not(self) -> None:
        rng = np.random.default_rng(2)
        growth = rng.normal(size=(400, 10))
        growth[:, 3] += 0.5
        assert luck.overfitting(growth, num_blocks=8) == 0.0

    def test_what_was_fitted_to_one_half_is(self) -> None:
        """Each trial has one good block: the best of the past is among the worst of the future."""
        growth = np.zeros((80, 8)) + np.random.default_rng(3).normal(0, 0.01, size=(80, 8))
        for trial in range(8):
            growth[10 * trial : 10 * trial + 10, trial] += 1.0
            growth[:, trial] -= 1.0 / 8
        assert luck.overfitting(growth, num_blocks=8) > 0.9

    def test_bad_arguments(self) -> None:
        with pytest.raises(ValueError, match="at least 2 trials"):
            luck.overfitting(np.zeros((20, 1)))
        with pytest.raises(ValueError, match="even"):
            luck.overfitting(np.zeros((20, 2)), num_blocks=5)


class TestMatchedPositions:
    def test_same_trades_same_exposure_other_hours(self) -> None:
        rng = np.random.default_rng(4)
        mine = np.repeat([0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0], 24)
        drawn = luck.matched_positions(mine, 200, rng, decide_every=24)
        assert drawn.shape == (200, mine.size)
        trades = np.abs(np.diff(drawn, axis=1, prepend=0)).sum(axis=1)
        assert set(trades) == {np.abs(np.diff(mine, prepend=0)).sum()}
        assert set(drawn.sum(axis=1)) == {mine.sum()}
        assert not np.any(np.diff(drawn, axis=1)[:, np.arange(1, mine.size) % 24 != 0])
        assert len({row.tobytes() for row in drawn}) > 50

    def test_every_way_is_as_likely(self) -> None:
        rng = np.random.default_rng(5)
        drawn = luck.matched_positions([0, 0, 1, 1, 0], 6000, rng)
        ways, counts = np.unique(drawn, axis=0, return_counts=True)
        assert len(ways) == 2  # cash 1 + 2 or 2 + 1 around two hours of coin
        assert counts.min() > 2800

    def test_a_last_decision_that_is_cut_short(self) -> None:
        drawn = luck.matched_positions([0] * 24 + [1] * 24 + [0] * 5, 20, np.random.default_rng(6),
                                       decide_every=24)  # fmt: skip
        assert drawn.shape == (20, 53)

    @pytest.mark.parametrize("always", [0, 1])
    def test_who_never_trades_is_matched_by_itself(self, always: int) -> None:
        drawn = luck.matched_positions([always] * 30, 3, np.random.default_rng(7))
        assert np.all(drawn == always)

    def test_changes_between_decisions(self) -> None:
        with pytest.raises(ValueError, match="multiples of 24"):
            luck.matched_positions([0, 1] * 24, 3, np.random.default_rng(8), decide_every=24)


def test_the_share_below() -> None:
    assert luck.share_below(2.0, [1.0, 2.0, 3.0, 4.0]) == 0.375


def test_growth_of_many_traders_at_once() -> None:
    rng = np.random.default_rng(9)
    close, positions = 100 * np.exp(rng.normal(0, 0.01, 50).cumsum()), rng.integers(2, size=(4, 49))
    together = markets.growth_of(close, positions, 0.001)
    assert together.shape == (4, 50)
    for one, row in zip(together, positions, strict=True):
        assert np.allclose(one, markets.growth_of(close, row, 0.001))


@pytest.mark.parametrize("share", [0.0, 0.48, 1.0])
def test_a_mix_that_is_bought_once(share: float) -> None:
    close = np.array([100.0, 80.0, 120.0])
    growth = markets.mix_growth(close, share, 0.001)
    assert np.allclose(growth, (1 - share) + share * 0.999 * close / 100 + [share * 0.001, 0, 0])
