"""The columns of ColumnarReplay against a loop that can be checked by eye."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.columnar_dqn.replay import Chunk, ColumnarReplay, n_step_columns


def sample(replay, num_rows):
    return replay.take(replay.draw(num_rows)[0])


def naive(rewards, n, gamma, terminated):
    """(return, index of the next observation, terminal, window) of every step of one episode."""
    rows = []
    for t in range(len(rewards)):
        total, k = 0.0, 0
        while k < n and t + k < len(rewards):
            total += gamma**k * rewards[t + k]
            k += 1
        rows.append((total, t + k, terminated and t + k == len(rewards), k))
    return rows


def episode(name, rewards, cuts, ending):
    """Cut one episode into stretches; observation t of it is t, action t is t % 3."""
    length = len(rewards)
    bounds = [0, *sorted({c % (length + 1) for c in cuts} - {0, length}), length]
    for first, last in itertools.pairwise(bounds):
        yield Chunk(
            name,
            first,
            np.arange(first, last + 1, dtype=np.float32)[:, None] + 1000 * int(name),
            np.arange(first, last) % 3,
            np.array(rewards[first:last]),
            terminated=ending == "terminated" and last == length,
            truncated=ending == "truncated" and last == length,
        )


EPISODES = st.lists(
    st.tuples(
        st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12),
        st.lists(st.integers(0, 12), max_size=4),
        st.sampled_from(["terminated", "truncated"]),
    ),
    min_size=1,
    max_size=5,
)


def contents(replay):
    names = ("obs", "actions", "rewards", "new_obs", "terminateds", "n_step")
    columns = [replay._columns[name][: len(replay)].reshape(len(replay)) for name in names]
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


@settings(max_examples=300)
@given(episodes=EPISODES, n=st.integers(1, 5), gamma=st.sampled_from([0.0, 0.5, 0.9, 1.0]))
def test_any_stream_of_stretches_gives_the_columns_of_the_loop(episodes, n, gamma):
    replay = ColumnarReplay(1000, n_step=n, gamma=gamma, rng=np.random.default_rng(0))
    streams = [
        list(episode(str(i), rewards, cuts, ending))
        for i, (rewards, cuts, ending) in enumerate(episodes)
    ]
    while any(streams):  # stretches of the episodes arrive in turns, as from several samplers
        for stream in streams:
            if stream:
                replay.add(stream.pop(0))
    expected = []
    for i, (rewards, _, ending) in enumerate(episodes):
        for t, row in enumerate(naive(rewards, n, gamma, ending == "terminated")):
            total, following, terminal, window = row
            seen = 1000 * i + t
            expected.append((seen, t % 3, total, 1000 * i + following, terminal, window))
    found = contents(replay)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found, sorted(expected), rtol=1e-5, atol=1e-5)
    assert not replay._open


@settings(max_examples=100)
@given(
    capacity=st.integers(1, 12),
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=6),
    n=st.integers(1, 3),
)
def test_a_full_memory_holds_the_newest(capacity, lengths, n):
    replay = ColumnarReplay(capacity, n_step=n, gamma=0.5, rng=np.random.default_rng(0))
    stored = []
    for i, length in enumerate(lengths):
        rewards = [float(t) for t in range(length)]
        for chunk in episode(str(i), rewards, [length // 2], "terminated"):
            replay.add(chunk)
        for t, (total, following, terminal, window) in enumerate(naive(rewards, n, 0.5, True)):
            stored.append((1000 * i + t, t % 3, total, 1000 * i + following, terminal, window))
    assert replay.num_added == len(stored)
    np.testing.assert_allclose(contents(replay), sorted(stored[-capacity:]), rtol=1e-6)
    first, since = replay.rows_since(max(0, len(stored) - 2))
    assert first + len(since["obs"]) == len(stored)
    np.testing.assert_array_equal(since["obs"][:, 0], [row[0] for row in stored[first:]])


def test_a_window_is_not_terminal_before_the_last_step():
    chunk = Chunk("0", 0, np.arange(4.0), np.zeros(3, int), np.array([1.0, 2, 4]), terminated=True)
    columns = n_step_columns(chunk, n_step=2, gamma=0.5, num_rows=3)
    assert columns["rewards"].tolist() == [2.0, 4.0, 4.0]  # 1 + 0.5*2, 2 + 0.5*4, 4
    assert columns["terminateds"].tolist() == [False, True, True]
    assert columns["n_step"].tolist() == [2, 2, 1]
    assert columns["new_obs"].tolist() == [2, 3, 3]


def test_a_lost_stretch_does_not_join_what_is_apart():
    replay = ColumnarReplay(100, n_step=3, gamma=1.0, rng=np.random.default_rng(0))
    first, _, third = episode("0", [1.0] * 9, [3, 6], "terminated")
    replay.add(first)
    replay.add(third)
    assert len(replay) == 6
    assert max(row[5] for row in contents(replay) if row[0] < 3) <= 3
    assert all(row[3] <= 3 for row in contents(replay) if row[0] < 3)  # never reaches obs 6


def test_the_dtype_and_shape_of_observations_are_kept():
    replay = ColumnarReplay(4, rng=np.random.default_rng(0))
    obs = np.zeros((3, 2, 5), np.uint8)
    replay.add(Chunk("0", 0, obs, np.zeros(2, np.int64), np.ones(2), truncated=True))
    batch = sample(replay, 7)
    assert batch["obs"].dtype == np.uint8 and batch["obs"].shape == (7, 2, 5)
    assert replay.bytes_per_transition == 10 + 10 + 8 + 4 + 1 + 4


def test_sampling_is_uniform():
    replay = ColumnarReplay(10, rng=np.random.default_rng(3))
    for chunk in episode("0", [0.0] * 25, [7, 8], "terminated"):
        replay.add(chunk)
    counts = np.bincount(sample(replay, 20_000)["obs"][:, 0].astype(int), minlength=25)
    assert not counts[:15].any()
    # chi-square with 9 degrees of freedom; 0.001 of fair samplers exceed 27.9
    assert ((counts[15:] - 2000) ** 2 / 2000).sum() < 27.9


def test_a_state_brought_back_continues_alike():
    def fresh():
        return ColumnarReplay(8, n_step=2, gamma=0.9, rng=np.random.default_rng(5))

    one, other = fresh(), fresh()
    first, second = episode("0", [1.0] * 12, [7], "truncated")
    one.add(first)
    other.set_state(one.get_state())
    for replay in (one, other):
        replay.add(second)
    a, b = sample(one, 30), sample(other, 30)
    assert all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("bad", [{"capacity": 0}, {"n_step": 0}, {"n_step": 1.5}, {"gamma": 1.1}])
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        ColumnarReplay(**{"capacity": 5, **bad}, rng=np.random.default_rng(0))


def test_an_empty_memory_says_so_and_a_wrong_state_too():
    replay = ColumnarReplay(5, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="empty"):
        sample(replay, 1)
    big = ColumnarReplay(50, rng=np.random.default_rng(0))
    for chunk in episode("0", [0.0] * 25, [], "terminated"):
        big.add(chunk)
    with pytest.raises(ValueError, match="capacity 5"):
        replay.set_state(big.get_state())
