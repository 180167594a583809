"""Checks of notebook 03: the pieces of a DQN."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import Case, exercise


def _dqn() -> Any:
    from course_lib.agents import dqn  # loads PyTorch, so only when a check runs

    return dqn


def _filled(memory_class: Callable, num_transitions: int, capacity: int = 3) -> Any:
    """A memory of transitions; number i = 1, 2, ... has obs i and reward 10 i, 2 is terminal."""
    memory = memory_class(capacity, (1,), np.random.default_rng(0))
    for i in range(1, num_transitions + 1):
        memory.add(np.array([i]), i % 2, 10.0 * i, np.array([i + 1]), i == 2)
    return memory


@exercise(
    "3.1",
    parts={
        "counts": 2,
        "overwrites the oldest": 3,
        "draws": 3,
        "keeps rows together": 3,
        "marks the end": 2,
    },
    needs="torch",
    hides=("course_lib.agents.dqn:ReplayBuffer",),
)
def check_memory(memory_class: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Four transitions into a memory for three, worked by hand, and more that are drawn."""
    memory = _filled(memory_class, 2)
    yield Case(
        "two transitions added: its length is 2",
        expected=2,
        got=len(memory),
        hint="does add() count, with self.num_added += 1?",
        part="counts",
    )
    seen = np.unique(np.asarray(memory.sample(200).obs))
    yield Case(
        "sample() draws only what was stored, and all of it",
        expected=[1.0, 2.0],
        got=seen,
        hint="draw row numbers below len(self), not below self.capacity: the rest is empty",
        part="draws",
    )
    full = _filled(memory_class, 4)
    yield Case(
        "the fourth transition overwrites the oldest",
        expected=[4.0, 2.0, 3.0],
        got=np.asarray(full.obs)[:, 0],
        hint="the row to write is self.num_added % self.capacity",
        part="overwrites the oldest",
    )
    batch = full.sample(64)
    yield Case(
        "sample(64) gives 64 rows",
        expected=64,
        got=len(batch.rewards),
        part="draws",
    )
    numbers, rewards = np.asarray(batch.obs)[:, 0], np.asarray(batch.rewards)
    following, terminated = np.asarray(batch.next_obs)[:, 0], np.asarray(batch.terminated)
    together = np.allclose(rewards, 10 * numbers) and np.allclose(following, numbers + 1)
    yield Case(
        "the parts of a row stay together",
        expected=True,
        got=bool(together),
        hint="draw the row numbers once, and use the same rows for every column",
        part="keeps rows together",
    )
    yield Case(
        "only the transition that ended is marked as terminated",
        expected=True,
        got=bool(np.array_equal(terminated, (numbers == 2).astype(float))),
        hint="does add() store terminated?",
        part="marks the end",
    )
    capacity, num_added = int(rng.integers(4, 9)), int(rng.integers(10, 30))
    yield Case(
        "more transitions in another memory",
        got=lambda: np.sort(np.asarray(_filled(memory_class, num_added, capacity).obs)[:, 0]),
        hint="the row to write is self.num_added % self.capacity",
        part="overwrites the oldest",
    )


@exercise(
    "3.2",
    parts={"the target": 4, "the end of an episode": 3, "row by row": 3},
    needs="torch",
    hides=("course_lib.agents.dqn:td_targets",),
)
def check_td_targets(td_targets: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Targets worked by hand, and targets of numbers that are drawn."""
    import torch

    def ask(reward: float, terminated: float, following: list[float], gamma: float) -> np.ndarray:
        found = td_targets(
            torch.tensor([reward]),
            torch.tensor([terminated]),
            torch.tensor([following]),
            gamma=gamma,
        )
        return np.asarray(found)

    yield Case(
        "reward 1, next q-values 2 and 5, gamma 0.9: 1 + 0.9 * 5",
        expected=[5.5],
        got=ask(1.0, 0.0, [2.0, 5.0], 0.9),
        hint="reward + gamma * (the largest next q-value)",
        part="the target",
    )
    yield Case(
        "terminated: nothing follows, the reward is all",
        expected=[1.0],
        got=ask(1.0, 1.0, [2.0, 5.0], 0.9),
        hint="did you bootstrap at a terminal state? multiply by (1 - terminated)",
        part="the end of an episode",
    )
    yield Case(
        "reward -1, next q-values -122 and -130, gamma 0.99: -1 - 120.78",
        expected=[-121.78],
        got=ask(-1.0, 0.0, [-122.0, -130.0], 0.99),
        hint="the largest, not the one with the largest size; and mind the signs",
        atol=1e-4,
        part="the target",
    )
    rows = td_targets(
        torch.tensor([0.0, 1.0, 2.0]),
        torch.tensor([0.0, 0.0, 0.0]),
        torch.tensor([[4.0, 2.0], [9.0, 9.0], [-2.0, 6.0]]),
        gamma=0.5,
    )
    yield Case(
        "three transitions at once: 0 + 0.5 * 4, 1 + 0.5 * 9, 2 + 0.5 * 6",
        expected=[2.0, 5.5, 5.0],
        got=np.asarray(rows),
        hint="one maximum per row: next_q_values.max(dim=1).values",
        part="row by row",
    )
    drawn = rng.normal(size=(4, 3)).astype(np.float32) - 3
    for ends, part in (([0.0] * 4, "row by row"), ([1.0, 0.0, 1.0, 0.0], "the end of an episode")):
        given = [torch.from_numpy(drawn[:, 0].copy()), torch.tensor(ends), torch.from_numpy(drawn)]
        yield Case(
            f"four other transitions, {int(sum(ends))} of them terminated",
            got=partial(_as_array, td_targets, *given, gamma=float(rng.uniform(0.3, 0.9))),
            hint="(1 - terminated) * gamma * the best next q-value, added to the reward",
            atol=1e-4,
            part=part,
        )


def _as_array(function: Callable, *given: Any, **options: Any) -> np.ndarray:
    return np.asarray(function(*given, **options))


def _constant_net(q_values: list[float]) -> Any:
    """A network that answers ``q_values`` whatever it sees at 0."""
    import torch

    net = torch.nn.Linear(1, len(q_values))
    with torch.no_grad():
        net.weight.fill_(1.0)
        net.bias.copy_(torch.tensor(q_values))
    return net


def _batch(actions: list[int], rewards: list[float], terminated: list[float]) -> Any:
    import torch

    zeros = torch.zeros(len(actions), 1)
    return _dqn().Batch(
        zeros, torch.tensor(actions), torch.tensor(rewards), zeros, torch.tensor(terminated)
    )


@exercise(
    "3.3",
    parts={"the error": 3, "the action taken": 2, "the batch": 2, "gradients": 3, "probes": 4},
    needs="torch",
    hides=("course_lib.agents.dqn:dqn_loss",),
)
def check_dqn_loss(dqn_loss: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Losses worked by hand, gradients, and probes with exactly known q-values."""
    net, target = _constant_net([-120.0, 7.0]), _constant_net([-122.0, -130.0])
    one, pair = _batch([0], [-1.0], [0.0]), _batch([0, 0], [-1.0] * 2, [0.0, 1.0])
    yield Case(
        "q-value -120, target -121.78: error 1.78, Huber loss 1.78 - 0.5",
        expected=1.28,
        got=lambda: dqn_loss(net, target, one, gamma=0.99).item(),
        hint="3.1684 is the squared error: use smooth_l1_loss. 117.78 or so: a sign is wrong",
        atol=1e-4,
        part="the error",
    )
    small = _constant_net([-121.28, 7.0])
    yield Case(
        "an error of 0.5: half its square",
        expected=0.125,
        got=lambda: dqn_loss(small, target, one, gamma=0.99).item(),
        hint="nn.functional.smooth_l1_loss(q-values taken, targets)",
        atol=1e-3,
        part="the error",
    )
    yield Case(
        "action 1 was taken: its q-value 7 counts, error 128.78",
        expected=128.28,
        got=lambda: dqn_loss(net, target, _batch([1], [-1.0], [0.0]), gamma=0.99).item(),
        hint="pick the q-value of the action taken: gather(1, actions[:, None])",
        atol=1e-3,
        part="the action taken",
    )
    yield Case(
        "a batch of two, one terminated: the mean of 1.28 and 118.5",
        expected=59.89,
        got=lambda: dqn_loss(net, target, pair, gamma=0.99).item(),
        hint="are the two shapes both (B,)? (B, 1) against (B,) mixes every row with every other",
        atol=1e-3,
        part="the batch",
    )
    yield from _gradient_cases(dqn_loss, net, target, one)
    error = float(rng.uniform(0.1, 0.9))
    near = _constant_net([-121.78 + error, 7.0])
    yield Case(
        "another small error: half its square",
        expected=0.5 * error**2,
        got=lambda: dqn_loss(near, target, one, gamma=0.99).item(),
        hint="half the square of the error, as long as it is below 1",
        atol=1e-3,
        part="the error",
    )
    yield from _probe_cases(dqn_loss, int(rng.integers(1, 2**20)))


def _gradient_cases(dqn_loss: Callable, net: Any, target: Any, batch: Any) -> Iterator[Case]:
    net.zero_grad()
    dqn_loss(net, target, batch, gamma=0.99).backward()
    yield Case(
        "the gradient pulls down the q-value of the action taken, and no other",
        expected=[1.0, 0.0],
        got=None if net.bias.grad is None else net.bias.grad.numpy(),
        hint="is the loss computed from q_net(batch.obs), outside torch.no_grad()?",
        part="gradients",
    )
    yield Case(
        "no gradient reaches the target network",
        expected=True,
        got=target.bias.grad is None,
        hint="compute the targets inside torch.no_grad()",
        part="gradients",
    )


def _probe_cases(dqn_loss: Callable, seed: int) -> Iterator[Case]:
    from course_lib.envs.probes import PROBES

    for probe in PROBES:
        if probe.name in ("late reward", "best action", "terminated", "truncated"):
            yield Case(
                f"trained on the probe '{probe.name}' it finds the exact q-values",
                expected=probe.q_values,
                got=partial(_probed, probe, dqn_loss, seed),
                hint=f"suspect: {probe.suspect}",
                atol=0.05,
                part="probes",
            )


def _probed(probe: Any, dqn_loss: Callable, seed: int) -> np.ndarray:
    """The q-values learned on a probe; an unlucky seed gets a second chance."""
    from course_lib.agents.dqn_run import learned_q_values

    found = learned_q_values(probe, seed=seed, loss=dqn_loss)
    if np.allclose(found, probe.q_values, rtol=0, atol=0.05):
        return found
    return learned_q_values(probe, seed=seed + 1, loss=dqn_loss)


@exercise(
    "3.4",
    parts={"the line": 4, "the start": 1, "the end": 3},
    needs="torch",
    hides=("course_lib.agents.dqn:epsilon_at",),
)
def check_epsilon_at(epsilon_at: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """A straight line, then flat."""

    def ask(step: int) -> float:
        return epsilon_at(step, decay_steps=1000, start=1.0, end=0.2)

    yield Case("at step 0 all actions are random", 1.0, lambda: ask(0), part="the start")
    yield Case(
        "half way: half way between 1 and 0.2",
        expected=0.6,
        got=lambda: ask(500),
        hint="start + (step / decay_steps) * (end - start)",
        part="the line",
    )
    yield Case("at the end of the line", 0.2, lambda: ask(1000), part="the end")
    yield Case(
        "it stays there",
        expected=0.2,
        got=lambda: ask(5000),
        hint="step / decay_steps must not exceed 1: min(1.0, ...)",
        part="the end",
    )
    decay, start, end = int(rng.integers(200, 900)), float(rng.uniform(0.6, 1)), 0.05
    for step, part in ((decay // 3, "the line"), (3 * decay, "the end")):
        got = partial(epsilon_at, step, decay_steps=decay, start=start, end=end)
        hint = "start + done * (end - start), done being at most 1"
        yield Case(f"on another line, {part}", got=got, hint=hint, part=part)
