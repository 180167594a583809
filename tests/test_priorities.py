"""Drawing in proportion to priorities, against arithmetic that can be checked by eye."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.columnar_dqn.priorities import Priorities, SumTree
from course_lib.columnar_dqn.replay import Chunk, ColumnarReplay


@settings(max_examples=200)
@given(
    values=st.lists(st.integers(0, 9), min_size=1, max_size=40),
    changes=st.lists(st.tuples(st.integers(0, 39), st.integers(0, 9)), max_size=20),
)
def test_the_tree_finds_what_a_running_sum_finds(values, changes):
    tree, plain = SumTree(len(values)), np.array(values, float)
    tree.set(np.arange(len(values)), plain)
    for row, value in changes:
        row %= len(values)
        plain[row] = value
        tree.set(np.array([row]), np.array([float(value)]))
    assert tree.total == plain.sum()
    np.testing.assert_array_equal(tree[slice(0, len(values))], plain)
    if plain.sum():
        mass = np.arange(plain.sum()) + 0.5  # whole numbers: in the middle of each unit of mass
        expected = np.searchsorted(np.cumsum(plain), mass, side="right")
        np.testing.assert_array_equal(tree.find(mass), expected)


def test_a_mass_that_rounding_put_beyond_the_end_still_finds_a_row_with_something_in_it():
    tree = SumTree(5)
    tree.set(np.array([1, 3]), np.array([0.1, 0.2]))
    assert tree.find(np.array([tree.total, tree.total * 2])).tolist() == [3, 3]


def test_of_equal_rows_the_last_value_counts():
    tree = SumTree(4)
    tree.set(np.array([2, 2, 2]), np.array([5.0, 6.0, 7.0]))
    assert tree.total == 7


def filled(td_errors, *, alpha):
    priorities = Priorities(len(td_errors) + 3, alpha=alpha)  # three rows are still empty
    index = np.arange(len(td_errors))
    priorities.add(index)
    priorities.update(index, np.array(td_errors))
    return priorities


@pytest.mark.parametrize("alpha", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rows_come_up_as_often_as_their_priority_says(alpha, seed):
    td_errors = np.array([0.5, -4.0, 1.0, 0.0, 2.0, 8.0, -1.0])
    priorities = filled(td_errors, alpha=alpha)
    rng = np.random.default_rng(seed)
    index, _ = priorities.sample(70_000, filled=7, beta=0.0, rng=rng)
    share = (np.abs(td_errors) + Priorities.FLOOR) ** alpha
    expected = 70_000 * share / share.sum()
    likely = expected > 5  # the row with td error 0 is nearly never drawn
    counts = np.bincount(index, minlength=7)[:7]
    chi_square = ((counts - expected)[likely] ** 2 / expected[likely]).sum()
    # at most 6 degrees of freedom; one fair sampler in 10,000 exceeds 27.9
    assert chi_square < 27.9
    assert (counts[~likely] < 50).all()


def test_the_weights_undo_the_uneven_draw():
    """With beta 1, the weighted draw estimates the plain mean of any quantity."""
    td_errors = np.array([0.1, 0.5, 1.0, 2.0, 4.0])
    priorities = filled(td_errors, alpha=0.7)
    rng = np.random.default_rng(0)
    index, weights = priorities.sample(200_000, filled=5, beta=1.0, rng=rng)
    quantity = np.array([3.0, -1.0, 4.0, 1.0, -5.0])
    estimate = (weights * quantity[index]).sum() / weights.sum()
    assert estimate == pytest.approx(quantity.mean(), abs=0.05)
    assert weights.min() > 0 and weights.max() == 1


def test_weights_by_hand():
    priorities = filled([1.0 - Priorities.FLOOR, 3.0 - Priorities.FLOOR], alpha=1.0)
    index, weights = priorities.sample(50, filled=2, beta=0.5, rng=np.random.default_rng(0))
    # probabilities 1/4 and 3/4: (2 * 1/4) ** -0.5 = 1.414, (2 * 3/4) ** -0.5 = 0.816
    np.testing.assert_allclose(weights[index == 0], 1.0)
    np.testing.assert_allclose(weights[index == 1], 0.8165 / 1.4142, rtol=1e-4)


def test_a_new_row_gets_the_largest_priority_so_far():
    priorities = filled([1.0, 50.0, 2.0], alpha=1.0)
    priorities.update(np.array([1]), np.array([0.0]))
    priorities.add(np.array([3]))
    index, _ = priorities.sample(10_000, filled=4, beta=0.0, rng=np.random.default_rng(1))
    share = (index == 3).mean()
    assert share == pytest.approx(50 / 53, abs=0.02)


def test_a_negative_alpha_is_refused():
    with pytest.raises(ValueError, match="alpha must be at least 0, got -1"):
        Priorities(4, alpha=-1)


def test_a_memory_that_wraps_around_forgets_the_priorities_of_what_it_overwrites():
    replay = ColumnarReplay(4, alpha=1.0, rng=np.random.default_rng(0))
    obs = np.arange(5, dtype=np.float32)
    replay.add(Chunk("0", 0, obs, np.zeros(4, int), np.ones(4), truncated=True))
    replay.priorities.update(np.arange(4), np.array([0.0, 0.0, 0.0, 0.5]))
    replay.add(Chunk("1", 0, obs[:2] + 100, np.zeros(1, int), np.ones(1), truncated=True))
    index, _ = replay.draw(3_000, beta=0.4)
    seen = replay.take(index)["obs"]
    # row 0 was overwritten: priority 1 (the largest so far) beside 0.5 of row 3
    assert (seen == 100).mean() == pytest.approx(2 / 3, abs=0.05)
    assert set(np.unique(seen)) <= {3, 100}


def test_state_brought_back_continues_alike_and_only_fits_its_own_kind():
    def fresh(alpha=0.6):
        replay = ColumnarReplay(8, alpha=alpha, rng=np.random.default_rng(5))
        obs = np.arange(7, dtype=np.float32)
        replay.add(Chunk("0", 0, obs, np.zeros(6, int), np.ones(6), truncated=True))
        return replay

    one, other = fresh(), fresh()
    one.priorities.update(np.arange(6), np.array([0.1, 2.0, 0.3, 4.0, 0.5, 6.0]))
    other.set_state(one.get_state())
    for a, b in zip(one.draw(50, beta=0.4), other.draw(50, beta=0.4), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="prioritised, this one is uniform"):
        fresh(alpha=0.0).set_state(one.get_state())
