"""Lesson 03."""

from collections import deque
from typing import Any

import numpy as np
import pytest
import torch

from course_lib.agents import dqn
from mutants import Mutant, lost

F = torch.nn.functional
EXAMPLES: dict[str, dict[str, Any]] = {
    "3.1": {},
    "3.2": {
        "rewards": torch.tensor([1.0]),
        "terminated": torch.tensor([0.0]),
        "next_q_values": torch.tensor([[2.0, 5.0]]),
        "gamma": 0.9,
    },
    "3.3": {},
    "3.4": {
        "errors": {"late reward": 0.0, "best action": 0.01, "terminated": 0.0, "truncated": 1.0}
    },
}


def quicken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes take seconds for each wrong loss: here they find their q-values at once."""
    from course_lib.checks import cartpole_loss
    from course_lib.envs.probes import PROBES

    exact = {probe.name: probe.q_values for probe in PROBES}
    monkeypatch.setattr(
        cartpole_loss, "learned_on_probe", lambda loss, name, scale, *_: scale * exact[name]
    )


DICE = np.random.default_rng(8)


class ListMemory:
    """One list of rows instead of columns."""

    def __init__(self, capacity, obs_shape, rng):
        self.rows, self.capacity, self.rng, self.num_added = [], capacity, rng, 0

    def __len__(self):
        return len(self.rows)

    @property
    def obs(self):
        return np.array([row[0] for row in self.rows])

    def add(self, *given):
        row = given[:5]
        if len(self.rows) < self.capacity:
            self.rows.append(row)
        else:
            self.rows[self.num_added % self.capacity] = row
        self.num_added += 1

    def sample(self, batch_size):
        rows = [self.rows[i] for i in self.rng.integers(len(self.rows), size=batch_size)]
        return dqn.Batch(*(torch.as_tensor(np.array(part, float)) for part in zip(*rows)))  # noqa: B905


class DequeMemory:
    """No rows at all, and nothing that is called obs."""

    def __init__(self, capacity, obs_shape, rng):
        self.held, self.rng = deque(maxlen=capacity), rng

    def __len__(self):
        return len(self.held)

    def add(self, *given):
        self.held.append(given[:5])

    def sample(self, batch_size):
        rows = [self.held[i] for i in self.rng.integers(len(self.held), size=batch_size)]
        return dqn.Batch(*(torch.as_tensor(np.array(part, float)) for part in zip(*rows)))  # noqa: B905


def memory(**methods: Any) -> type:
    """The course's memory with other methods."""
    return type("Memory", (dqn.ReplayBuffer,), methods)


def draws(choose: Any) -> type:
    """A memory that draws its rows otherwise."""

    def sample(self, batch_size):
        rows = choose(self, batch_size)
        columns = (self.obs, self.actions, self.rewards, self.next_obs, self.terminated)
        return dqn.Batch(*(torch.from_numpy(column[rows]) for column in columns))

    return memory(sample=sample)


def _torn(self, batch_size):
    columns = (self.obs, self.actions, self.rewards, self.next_obs, self.terminated)
    return dqn.Batch(
        *(torch.from_numpy(c[self.rng.integers(len(self), size=batch_size)]) for c in columns)
    )


def _never_overwrites(self, *transition):
    if self.num_added < self.capacity:
        dqn.ReplayBuffer.add(self, *transition)


def _never_wraps(self, *transition):
    if self.num_added >= self.capacity:
        raise IndexError(f"index {self.num_added} is out of bounds for axis 0")
    dqn.ReplayBuffer.add(self, *transition)


def _counts_first(self, *transition):
    self.num_added += 1
    dqn.ReplayBuffer.add(self, *transition)
    self.num_added -= 1


def _never_counts(self, *transition):
    dqn.ReplayBuffer.add(self, *transition)
    self.num_added = 1


def loss(*, take="gather", mask=True, detach=True, swap=False, squeeze=True, net="target",
         how=F.smooth_l1_loss, sign=1, next_obs=True):  # fmt: skip
    """A loss with one thing changed."""

    def attempt(q_net, target_net, batch, *, gamma):
        obs, after = (batch.next_obs, batch.obs) if swap else (batch.obs, batch.next_obs)
        after = after if next_obs else obs
        q_values = q_net(obs)
        taken = q_values.gather(1, batch.actions[:, None])
        taken = taken.squeeze(1) if squeeze else taken
        taken = q_values.max(dim=1).values if take == "max" else taken
        taken = q_values[torch.arange(len(obs)), batch.actions] if take == "index" else taken
        taken = q_values[batch.actions] if take == "rows" else taken
        following = (target_net if net == "target" else q_net)(after).max(dim=1).values
        following = following.detach() if detach else following
        keep = (1 - batch.terminated) if mask else 1.0
        return how(taken, batch.rewards + sign * gamma * keep * following)

    return attempt


def _without_gradient(*given, gamma):
    with torch.no_grad():
        return dqn.dqn_loss(*given, gamma=gamma)


def target(formula: Any) -> Any:
    return lambda rewards, terminated, next_q_values, *, gamma: formula(
        rewards, terminated, next_q_values, gamma
    )


def _loop_targets(rewards, terminated, next_q_values, *, gamma):
    pairs = zip(rewards, terminated, next_q_values, strict=True)
    return torch.stack([r if d else r + gamma * max(q) for r, d, q in pairs])


def by_probes(limit: float, ends="always bootstraps", goes_on="never bootstraps") -> Any:
    """A diagnosis that takes an error above the limit for wrong."""

    def attempt(errors):
        wrong = {probe for probe, error in errors.items() if error > limit}
        if len(wrong) < 2:
            names = {"truncated": "clock is the end", "late reward": "old obs"}
            return names[wrong.pop()] if wrong else "squared loss"
        return ends if "terminated" in wrong else goes_on

    return attempt


def _by_numbers(errors):
    late, _, ended, cut = (round(error + 0.25) for error in errors.values())
    if ended:
        return "always bootstraps"
    names = {(0, 0): "squared loss", (0, 1): "clock is the end", (1, 0): "old obs"}
    return names.get((min(late, 1), min(cut, 1)), "never bootstraps")


RIGHT = {
    "3.1": {
        "a list": ListMemory,
        "a deque": DequeMemory,
        "without repetition": draws(lambda m, n: m.rng.choice(len(m), n, replace=False)),
        "floor": draws(lambda m, n: (m.rng.random(n) * len(m)).astype(int)),
    },
    "3.2": {
        "a loop": _loop_targets,
        "amax": target(lambda r, d, q, g: r + g * (1 - d) * q.amax(1)),
    },
    "3.3": {"indices": loss(take="index"), "huber_loss": loss(how=F.huber_loss)},
    "3.4": {"by numbers": _by_numbers},
}
CAPACITY, OLDEST, ROWS = "not capacity", "self.num_added % self.capacity", "draw the row numbers"
MASK, SHAPE, SQUEEZE, TARGET_NET, TAKEN = (
    "(1 - terminated) there", "shape must be", ".squeeze(1)", "target_net(batch.next_obs)", "TAKEN"
)  # fmt: skip
OFTEN = ("error", "the action taken", "the batch")
MUTANTS = {
    "3.1": {
        "never overwrites": Mutant(
            memory(add=_never_overwrites), OLDEST, (CAPACITY,), lost("overwrites the oldest")
        ),
        "empty rows": Mutant(
            draws(lambda m, n: m.rng.integers(m.capacity, size=n)), CAPACITY, ("never draws high",),
            lost("draws"),
        ),
        "the last row never": Mutant(
            draws(lambda m, n: m.rng.integers(0, len(m) - 1, size=n)), "never draws high",
            (CAPACITY, ROWS), lost("draws"),
        ),
        "the first row never": Mutant(
            draws(lambda m, n: m.rng.integers(1, len(m), size=n)), "begin with 0", (CAPACITY,),
            lost("draws"),
        ),
        "arange": Mutant(
            draws(lambda m, n: np.arange(n) % len(m)), "always the same", (CAPACITY,), lost("draws")
        ),
        "the newest": Mutant(
            draws(lambda m, n: np.arange(m.num_added - n, m.num_added) % m.capacity),
            "the newest rows only", (CAPACITY,), lost("draws"),
        ),
        "one row many times": Mutant(
            draws(lambda m, n: np.full(n, m.rng.integers(len(m)))), "at random", (CAPACITY,)
        ),
        "another size": Mutant(
            draws(lambda m, n: m.rng.integers(len(m), size=20)), "size=batch_size", (CAPACITY,),
            lost("draws"),
        ),
        "rows torn apart": Mutant(
            memory(sample=_torn), ROWS, (CAPACITY, "store terminated"), lost("keeps rows together")
        ),
        "forgets the end": Mutant(
            memory(add=lambda self, *t: dqn.ReplayBuffer.add(self, *t[:4], False, False)),
            "store terminated", (ROWS, CAPACITY), lost("marks the end"),
        ),
        "the clock, too": Mutant(
            memory(add=lambda self, *t: dqn.ReplayBuffer.add(self, *t[:4], t[4] or t[5], False)),
            "the world would go on", (ROWS, CAPACITY), lost("marks the end"),
        ),
        "the clock alone": Mutant(
            memory(add=lambda self, *t: dqn.ReplayBuffer.add(self, *t[:4], t[5], False)),
            "not the end of the world", (ROWS, CAPACITY), lost("marks the end"),
        ),
        "only without the clock": Mutant(
            memory(
                add=lambda self, *t: dqn.ReplayBuffer.add(self, *t[:4], t[4] and not t[5], False)
            ),
            "where the clock stops as well", (ROWS, CAPACITY), lost("marks the end"),
        ),
        "upside down": Mutant(
            memory(add=lambda self, *t: dqn.ReplayBuffer.add(self, *t[:4], not t[4], False)),
            "upside down", (ROWS, CAPACITY), lost("marks the end"),
        ),
        "no modulo": Mutant(
            memory(add=_never_wraps), OLDEST, (CAPACITY, ROWS), lost("overwrites the oldest")
        ),
        "counts first": Mutant(
            memory(add=_counts_first), "count after", (CAPACITY, ROWS),
            lost("overwrites the oldest"),
        ),
        "forgets next_obs": Mutant(
            memory(add=lambda self, *t: dqn.ReplayBuffer.add(self, *t[:3], 0 * t[3], *t[4:])),
            "each part into its own column", (ROWS, CAPACITY), lost("keeps rows together"),
        ),
        "other dice": Mutant(
            draws(lambda m, n: DICE.integers(len(m), size=n)), "with self.rng", (CAPACITY,),
            lost("draws"),
        ),
        "one number": Mutant(
            draws(lambda m, n: m.rng.integers(len(m))), "holds batch_size numbers", (CAPACITY,),
            lost("draws"),
        ),
        "does not count": Mutant(
            memory(add=_never_counts), "self.num_added += 1", (), lost("counts")
        ),
        "sample without return": Mutant(
            memory(sample=lambda self, n: None), "is a `return` missing?", (CAPACITY, ROWS),
            lost("draws"),
        ),
        "empty methods": Mutant(memory(add=lambda *_: None, sample=lambda *_: None), keeps=0.0),
    },
    "3.2": {
        "no gamma": Mutant(
            target(lambda r, d, q, g: r + (1 - d) * q.max(1).values), "is gamma there", (MASK,)
        ),
        "no mask": Mutant(
            target(lambda r, d, q, g: r + g * q.max(1).values), MASK, ("gamma there", SHAPE),
            lost("the end of an episode"),
        ),
        "all masked": Mutant(
            target(lambda r, d, q, g: (1 - d) * (r + g * q.max(1).values)), "the rest only",
            (MASK,), lost("the end of an episode"),
        ),
        "minus": Mutant(
            target(lambda r, d, q, g: r - g * (1 - d) * q.max(1).values), "signs", (MASK,)
        ),
        "mean": Mutant(target(lambda r, d, q, g: r + g * (1 - d) * q.mean(1)), "not the mean"),
        "inverted": Mutant(
            target(lambda r, d, q, g: r + g * ~d * q.max(1).values), "switches the future off",
            (MASK, SHAPE), keeps=0.0,
        ),
        "not": Mutant(
            target(lambda r, d, q, g: r + g * (not d) * q.max(1).values),
            "switches the future off", (MASK, SHAPE),
        ),
        "the sum": Mutant(
            target(lambda r, d, q, g: r + g * (1 - d) * q.sum(1)), "not the sum", (MASK, SHAPE)
        ),
        "the mask upside down": Mutant(
            target(lambda r, d, q, g: r + g * d * q.max(1).values), "not terminated", (SHAPE,)
        ),
        "a gamma of one's own": Mutant(
            target(lambda r, d, q, g: r + 0.99 * (1 - d) * q.max(1).values), "gamma that is given",
            (MASK, SHAPE),
        ),
        "argmax": Mutant(
            target(lambda r, d, q, g: r + g * (1 - d) * q.argmax(1)), "argmax gives positions",
            (MASK, SHAPE),
        ),
        "gamma for the reward": Mutant(
            target(lambda r, d, q, g: g * (r + (1 - d) * q.max(1).values)), "follows alone",
            (MASK, SHAPE, "mind the signs"),
        ),
        "numpy": Mutant(
            target(lambda r, d, q, g: (r + g * (1 - d) * q.max(1).values).numpy()),
            "return a tensor", (MASK,), keeps=0.0,
        ),
        "one maximum": Mutant(
            target(lambda r, d, q, g: r + g * (1 - d) * q.max()), "one maximum for each row",
            (MASK, "not the mean"),
        ),
        "keepdim": Mutant(
            target(lambda r, d, q, g: r + g * (1 - d) * q.max(1, keepdim=True).values), SHAPE,
            (MASK, "gamma there"), keeps=0.0,
        ),
        "max without values": Mutant(
            target(lambda r, d, q, g: r + g * (1 - d) * q.max(dim=1)), ".max(dim=1).values",
            (MASK, SHAPE), keeps=0.0,
        ),
        "max without values, otherwise": Mutant(
            target(lambda r, d, q, g: r + q.max(dim=1) * g), ".max(dim=1).values", (MASK,),
            keeps=0.0,
        ),
    },
    "3.3": {
        "squared": Mutant(
            loss(how=F.mse_loss), "squared error", (TARGET_NET, TAKEN, SQUEEZE), lost("the error")
        ),
        "the plain size": Mutant(
            loss(how=F.l1_loss), "plain size", (TARGET_NET, TAKEN, SQUEEZE), lost("the error")
        ),
        "max for gather": Mutant(
            loss(take="max"), TAKEN, (TARGET_NET, SQUEEZE, "squared"), lost("the action taken")
        ),
        "q_net for the targets": Mutant(
            loss(net="own"), TARGET_NET, (TAKEN, SQUEEZE, "squared", "no_grad"), lost("the batch")
        ),
        "no mask": Mutant(
            loss(mask=False), "hand batch.terminated", (TARGET_NET, TAKEN, SQUEEZE),
            lost("the batch"),
        ),
        "gradient into the target": Mutant(
            loss(detach=False), "no_grad", (TARGET_NET, TAKEN), lost("gradients")
        ),
        "swapped": Mutant(loss(swap=True), "swapped", (SQUEEZE, TARGET_NET), lost("the batch")),
        "the old obs": Mutant(
            loss(next_obs=False), "the target looks at batch.next_obs",
            (SQUEEZE, TARGET_NET, TAKEN), lost("the batch"),
        ),
        "rows for q-values": Mutant(
            loss(take="rows"), "one q-value of each row", (TARGET_NET, "the mean over")
        ),
        "(B, 1) against (B,)": Mutant(
            loss(squeeze=False), SQUEEZE, (TARGET_NET, TAKEN, "suspect"), lost("the batch")
        ),
        "minus": Mutant(loss(sign=-1), "sign is wrong", (TARGET_NET, SQUEEZE), lost("the batch")),
        "no gradient": Mutant(
            _without_gradient, "outside torch.no_grad()", (TARGET_NET,), lost("gradients")
        ),
        "sum": Mutant(
            loss(how=lambda a, b: F.smooth_l1_loss(a, b, reduction="sum")), "not the sum",
            (TARGET_NET, SQUEEZE), lost("the batch"),
        ),
        "not reduced": Mutant(
            loss(how=lambda a, b: F.smooth_l1_loss(a, b, reduction="none")), "one number", (),
            lost("the batch"),
        ),
    },
    "3.4": {
        "any difference": Mutant(by_probes(0.0), "no probe see", ("multiplied by 0",)),
        "large ones only": Mutant(
            by_probes(0.95), "two probes need",
        ),
        "never and always swapped": Mutant(
            by_probes(0.05, ends="never bootstraps", goes_on="always bootstraps"),
            "multiplied by 0", ("no probe see",), lost("never bootstraps", "always bootstraps"),
        ),
        "other words": Mutant(lambda errors: "old_obs", "return one of", ("expected",), keeps=0.0),
        "the first probe alone": Mutant(
            lambda errors: "old obs" if errors["late reward"] > 0.05 else "squared loss",
            "what is stored", ("no probe see",), keeps=0.4,
        ),
    },
}  # fmt: skip
