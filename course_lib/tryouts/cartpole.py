"""What the checks of notebook 03 do with a learner's code."""

from collections.abc import Callable, Iterable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from course_lib.tryouts.core import tryout
from course_lib.tryouts.errors import Unfit

COLUMNS = ("obs", "actions", "rewards", "next_obs", "terminated")
NO_GRADIENT = "no gradient"


def _filled(
    memory_class: Callable, first: int, num_transitions: int, capacity: int, *, counts: bool = True
) -> Any:
    """A memory; transition i = 1, 2, ... has obs first + i, reward ten times that.

    A memory that does not count by itself is helped, unless that is looked at.
    """
    memory = memory_class(capacity, (1,), np.random.default_rng(0))
    for i in range(1, num_transitions + 1):
        obs = first + i
        memory.add(np.array([obs]), obs % 2, 10.0 * obs, np.array([obs + 1]), i % 3 == 2, False)
        if counts and hasattr(memory, "num_added"):
            memory.num_added = i
    return memory


@tryout
def length(memory_class: Callable, num_transitions: int, capacity: int) -> int:
    """Return the length of a memory after some transitions."""
    return len(_filled(memory_class, 0, num_transitions, capacity, counts=False))


@tryout
def obs_of_rows(
    memory_class: Callable, first: int, num_transitions: int, capacity: int
) -> list[float]:
    """Return the observations that a memory holds, row by row.

    A memory without rows is asked for many; each is put into the row that it would have.
    """
    memory = _filled(memory_class, first, num_transitions, capacity)
    if hasattr(memory, "obs"):
        return np.asarray(memory.obs)[:, 0].tolist()
    held = np.unique(_columns(_some_batches(memory, 10, 50))["obs"])
    return sorted(held.tolist(), key=lambda obs: (obs - first - 1) % capacity)


@tryout
def drawn(
    memory_class: Callable, first: int, num_transitions: int, *, batch_size: int, times: int
) -> dict[str, np.ndarray] | None:
    """Return what batches hold, by column, each of shape (times, batch_size)."""
    memory = _filled(memory_class, first, num_transitions, num_transitions + 20)
    batches = [memory.sample(batch_size) for _ in range(times)]
    return None if any(batch is None for batch in batches) else _columns(batches)


@tryout
def stored(memory_class: Callable, first: int, num_transitions: int) -> dict[str, np.ndarray]:
    """Return many rows of a memory by column, or its arrays where it draws none."""
    memory = _filled(memory_class, first, num_transitions, num_transitions + 20)
    return _columns(_some_batches(memory, 20, 50))


@tryout
def ends(memory_class: Callable, flags: list[tuple[bool, bool]]) -> list[float]:
    """How often an end is marked in memories of transitions that are alike.

    Args:
        memory_class: the learner's.
        flags: ``terminated`` and ``truncated`` of the transitions of each memory.
    """
    shares = []
    for terminated, truncated in flags:
        memory = memory_class(8, (1,), np.random.default_rng(0))
        for i in range(8):
            memory.add(np.array([i]), 0, 1.0, np.array([i]), terminated, truncated)
            if hasattr(memory, "num_added"):
                memory.num_added = i + 1
        (batch,) = _some_batches(memory, 8, 1)
        shares.append(float(np.mean(np.asarray(batch.terminated))))
    return shares


def _some_batches(memory: Any, batch_size: int, times: int) -> list[Any]:
    """Batches that a memory draws; its arrays as one batch if drawing is what does not work."""
    try:
        batches = [memory.sample(batch_size) for _ in range(times)]
        _columns(batches)
        return batches
    except Exception:
        names = (*COLUMNS[:4], "ends" if hasattr(memory, "ends") else "terminated")
        rows = slice(len(memory))
        arrays = (np.asarray(getattr(memory, name))[rows] for name in names)
        return [SimpleNamespace(**dict(zip(COLUMNS, arrays, strict=True)))]


def _columns(batches: Iterable[Any]) -> dict[str, np.ndarray]:
    return {
        name: np.array([np.asarray(getattr(b, name), float).reshape(-1) for b in batches])
        for name in COLUMNS
    }


@tryout
def targets(td_targets: Callable, *given: Any) -> Any:
    """Call with tensors; return an array, or None.

    Raises:
        Unfit: if it gives back an array or a list.
    """
    import torch

    *columns, gamma = given
    tensors = [torch.tensor(np.array(column), dtype=torch.float32) for column in columns]
    found = td_targets(*tensors, gamma=gamma)
    if isinstance(found, np.ndarray | list):
        raise Unfit(f"return a tensor; it returned a {type(found).__name__}")
    return found if found is None else np.asarray(found)


def _constant_net(q_values: list[float]) -> Any:
    """A network that answers ``q_values`` whatever it sees at 0."""
    import torch

    net = torch.nn.Linear(1, len(q_values))
    with torch.no_grad():
        net.weight.fill_(1.0)
        net.bias.copy_(torch.tensor(q_values))
    return net


def _batch(
    actions: list[int],
    rewards: list[float],
    terminated: list[float],
    obs: list[float],
    next_obs: list[float],
) -> Any:
    import torch

    from course_lib.agents.dqn import Batch

    return Batch(
        torch.tensor(obs)[:, None],
        torch.tensor(actions),
        torch.tensor(rewards),
        torch.tensor(next_obs)[:, None],
        torch.tensor(terminated),
    )


@tryout
def loss_of(
    dqn_loss: Callable, q_values: list[float], next_q_values: list[float], batch: tuple
) -> Any:
    """A loss as a number, or as an array where it is more than one."""
    nets = _constant_net(q_values), _constant_net(next_q_values)
    found = dqn_loss(*nets, _batch(*batch), gamma=0.99)
    return found.detach().numpy() if hasattr(found, "detach") else found


@tryout
def gradients(
    dqn_loss: Callable, q_values: list[float], next_q_values: list[float], batch: tuple,
    *, target: bool,
) -> Any:  # fmt: skip
    """The gradient of a loss by the q-values of one of the two networks."""
    net, target_net = _constant_net(q_values), _constant_net(next_q_values)
    loss = dqn_loss(net, target_net, _batch(*batch), gamma=0.99)
    if loss is None:
        return None
    if not getattr(loss, "requires_grad", False):
        return NO_GRADIENT
    loss.sum().backward()
    found = (target_net if target else net).bias.grad
    return [0.0] * len(q_values) if found is None else found.tolist()


@tryout
def learned_on_probe(
    dqn_loss: Callable, name: str, scale: float, obs: np.ndarray, seed: int
) -> np.ndarray:
    """Train a small DQN with a loss on a probe whose rewards are scaled; return its q-values.

    Args:
        dqn_loss: the learner's loss.
        name: of the probe.
        scale: what its rewards are multiplied by.
        obs: the observations to ask for, shape (N, 1).
        seed: of the agent.
    """
    from gymnasium.wrappers import TransformReward

    from course_lib.agents.dqn_run import learned_q_values
    from course_lib.envs import probes

    environments: dict[str, Callable[[], Any]] = {
        "late reward": probes.LateReward,
        "best action": probes.BestAction,
        "terminated": partial(probes.EndOfTime, "terminated"),
        "truncated": partial(probes.EndOfTime, "truncated"),
    }

    def make() -> Any:
        return TransformReward(environments[name](), lambda reward: scale * float(reward))

    probe: Any = SimpleNamespace(make=make, obs=obs)
    return learned_q_values(probe, seed=seed, loss=dqn_loss)
