"""Each check accepts the solution and a variant, and rejects the stub and named mistakes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from course_lib.agents import dqn  # noqa: E402
from course_lib.checks import cartpole as checks  # noqa: E402
from course_lib.checks.core import CheckFailed  # noqa: E402

F = torch.nn.functional


@pytest.fixture(autouse=True)
def strict(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT_CHECKS", "1")


class ListMemory:
    """A correct variant: one list of rows instead of columns."""

    def __init__(self, capacity, obs_shape, rng):
        self.rows, self.capacity, self.rng, self.num_added = [], capacity, rng, 0

    def __len__(self):
        return len(self.rows)

    @property
    def obs(self):
        return np.array([row[0] for row in self.rows])

    def add(self, *row):
        if len(self.rows) < self.capacity:
            self.rows.append(row)
        else:
            self.rows[self.num_added % self.capacity] = row
        self.num_added += 1

    def sample(self, batch_size):
        rows = [self.rows[i] for i in self.rng.integers(len(self.rows), size=batch_size)]
        return dqn.Batch(*(torch.as_tensor(np.array(part, float)) for part in zip(*rows)))  # noqa: B905


class EmptyMemory(dqn.ReplayBuffer):
    def add(self, *transition):
        raise NotImplementedError("Exercise 3.1")

    def sample(self, batch_size):
        raise NotImplementedError("Exercise 3.1")


class NeverOverwrites(dqn.ReplayBuffer):
    def add(self, *transition):
        if self.num_added < self.capacity:
            super().add(*transition)


class SamplesEmptyRows(dqn.ReplayBuffer):
    def sample(self, batch_size):
        rows = self.rng.integers(self.capacity, size=batch_size)
        columns = (self.obs, self.actions, self.rewards, self.next_obs, self.terminated)
        return dqn.Batch(*(torch.from_numpy(column[rows]) for column in columns))


class TearsRowsApart(dqn.ReplayBuffer):
    def sample(self, batch_size):
        columns = (self.obs, self.actions, self.rewards, self.next_obs, self.terminated)
        return dqn.Batch(
            *(
                torch.from_numpy(column[self.rng.integers(len(self), size=batch_size)])
                for column in columns
            )
        )


class ForgetsTermination(dqn.ReplayBuffer):
    def add(self, obs, action, reward, next_obs, terminated):
        super().add(obs, action, reward, next_obs, False)


def loop_targets(rewards, terminated, next_q_values, *, gamma):
    pairs = zip(rewards, terminated, next_q_values, strict=True)
    return torch.stack([r if d else r + gamma * max(q) for r, d, q in pairs])


def mse(net, target, batch, *, gamma):
    taken = net(batch.obs).gather(1, batch.actions[:, None]).squeeze(1)
    goal = dqn.td_targets(
        batch.rewards, batch.terminated, target(batch.next_obs).detach(), gamma=gamma
    )
    return F.mse_loss(taken, goal)


def huber_variant(net, target, batch, *, gamma):
    taken = net(batch.obs)[torch.arange(len(batch.actions)), batch.actions]
    following = target(batch.next_obs).detach().max(dim=1).values
    goal = batch.rewards + gamma * (1 - batch.terminated) * following
    return F.huber_loss(taken, goal)


def own_loss(*, take=None, mask=True, detach=True, swap=False, squeeze=True):
    """A loss with one mistake."""

    def loss(net, target, batch, *, gamma):
        obs, next_obs = (batch.next_obs, batch.obs) if swap else (batch.obs, batch.next_obs)
        if take == "max":
            taken = net(obs).max(dim=1).values
        else:
            taken = net(obs).gather(1, batch.actions[:, None])
            taken = taken.squeeze(1) if squeeze else taken
        following = target(next_obs).max(dim=1).values
        following = following.detach() if detach else following
        keep = (1 - batch.terminated) if mask else 1.0
        return F.smooth_l1_loss(taken, batch.rewards + gamma * keep * following)

    return loss


@pytest.mark.parametrize(
    ("check", "attempt"),
    [
        (checks.check_memory, dqn.ReplayBuffer),
        (checks.check_memory, ListMemory),
        (checks.check_td_targets, dqn.td_targets),
        (checks.check_td_targets, loop_targets),
        (checks.check_dqn_loss, dqn.dqn_loss),
        (checks.check_dqn_loss, huber_variant),
        (checks.check_epsilon_at, dqn.epsilon_at),
        (
            checks.check_epsilon_at,
            lambda step, *, decay_steps, start, end: float(
                np.interp(step, [0, decay_steps], [start, end])
            ),
        ),
    ],
)
def test_accepts(check, attempt):
    assert check(attempt) is attempt


def target_with(formula):
    return lambda rewards, terminated, next_q_values, *, gamma: formula(
        rewards, terminated, next_q_values, gamma
    )


WRONG = {
    "memory: stub": (checks.check_memory, EmptyMemory),
    "memory: never overwrites": (checks.check_memory, NeverOverwrites),
    "memory: samples empty rows": (checks.check_memory, SamplesEmptyRows),
    "memory: tears rows apart": (checks.check_memory, TearsRowsApart),
    "memory: forgets termination": (checks.check_memory, ForgetsTermination),
    "target: no gamma": (
        checks.check_td_targets,
        target_with(lambda r, d, q, g: r + (1 - d) * q.max(1).values),
    ),
    "target: no mask": (
        checks.check_td_targets,
        target_with(lambda r, d, q, g: r + g * q.max(1).values),
    ),
    "target: wrong sign": (
        checks.check_td_targets,
        target_with(lambda r, d, q, g: r - g * (1 - d) * q.max(1).values),
    ),
    "target: mean for max": (
        checks.check_td_targets,
        target_with(lambda r, d, q, g: r + g * (1 - d) * q.mean(1)),
    ),
    "target: one maximum for all": (
        checks.check_td_targets,
        target_with(lambda r, d, q, g: r + g * (1 - d) * q.max()),
    ),
    "loss: squared error": (checks.check_dqn_loss, mse),
    "loss: best q-value for the one taken": (checks.check_dqn_loss, own_loss(take="max")),
    "loss: no mask": (checks.check_dqn_loss, own_loss(mask=False)),
    "loss: gradient into the target": (checks.check_dqn_loss, own_loss(detach=False)),
    "loss: obs and next obs swapped": (checks.check_dqn_loss, own_loss(swap=True)),
    "loss: (B, 1) against (B,)": (checks.check_dqn_loss, own_loss(squeeze=False)),
    "epsilon: goes on below the end": (
        checks.check_epsilon_at,
        lambda step, *, decay_steps, start, end: start + step / decay_steps * (end - start),
    ),
    "epsilon: always start": (
        checks.check_epsilon_at,
        lambda step, *, decay_steps, start, end: start,
    ),
    "epsilon: to zero": (
        checks.check_epsilon_at,
        lambda step, *, decay_steps, start, end: max(end, start * (1 - step / decay_steps)),
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_rejects(mistake):
    check, attempt = WRONG[mistake]
    with pytest.raises(CheckFailed):
        check(attempt)
