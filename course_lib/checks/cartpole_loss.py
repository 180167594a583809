"""Checks of notebook 03: the target and the loss of a DQN."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import FROM_REFERENCE, Case, exercise


def _dqn() -> Any:
    from course_lib.agents import dqn  # loads PyTorch, so only when a check runs

    return dqn


@exercise(
    "3.2",
    parts={"the target": 4, "the end of an episode": 3, "row by row": 3},
    needs="torch",
    hides=("course_lib.agents.dqn:td_targets",),
)
def check_td_targets(td_targets: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Targets worked by hand, and targets of numbers that are drawn."""
    target, end, rowwise = "the target", "the end of an episode", "row by row"
    drawn = rng.normal(size=(4, 3)) - 3
    ends = [1.0, 0.0, 1.0, 0.0]
    for aspect, rewards, terminated, following, gamma, expected, part, hint in (
        (
            "reward 1, next q-values 2 and 5, gamma 0.9: 1 + 0.9 * 5",
            *([1.0], [0.0], [[2.0, 5.0]], 0.9, [5.5], target),
            "reward + gamma * (the largest next q-value)",
        ),
        (
            "terminated: nothing follows, the reward is all",
            *([1.0], [1.0], [[2.0, 5.0]], 0.9, [1.0], end),
            "at a terminal state the reward is all: multiply what follows by (1 - terminated)",
        ),
        (
            "a game that takes 1 per step: reward -1, next q-values -122 and -130, gamma 0.99",
            *([-1.0], [0.0], [[-122.0, -130.0]], 0.99, [-121.78], target),
            "the largest, not the one with the largest size; and mind the signs",
        ),
        (
            "three transitions at once: 0 + 0.5 * 4, 1 + 0.5 * 9, 2 + 0.5 * 6",
            *([0.0, 1.0, 2.0], [0.0] * 3, [[4.0, 2.0], [9.0, 9.0], [-2.0, 6.0]], 0.5),
            *([2.0, 5.5, 5.0], rowwise),
            "one maximum per row: next_q_values.max(dim=1).values",
        ),
        (
            "four other transitions",
            *(drawn[:, 0], [0.0] * 4, drawn, float(rng.uniform(0.3, 0.9)), FROM_REFERENCE, rowwise),
            "reward + gamma * the largest next q-value of the same row",
        ),
        (
            "four more, two of them terminated",
            *(drawn[:, 1], ends, drawn, float(rng.uniform(0.3, 0.9)), FROM_REFERENCE, end),
            "(1 - terminated) * gamma * the best next q-value, added to the reward",
        ),
    ):
        yield Case(
            aspect,
            expected=expected,
            got=partial(_targets, td_targets, rewards, terminated, following, gamma),
            hint=hint,
            atol=1e-4,
            part=part,
            slips=(
                *((words, VALUES) for words in ("return_types.max", "integer tensors of a single")),
                *((words, MASK) for words in ("operator.invert", "Boolean value of Tensor")),
                *_wrong_targets(rewards, terminated, following, gamma),
            ),
        )


MASK = "terminated holds 0.0 or 1.0 for each row: (1 - terminated) switches the future off"
VALUES = "max(dim=1) gives values and their positions: take .max(dim=1).values"


def _targets(td_targets: Callable, *given: Any) -> Any:
    """Call with tensors; return an array, or None."""
    import torch

    *columns, gamma = given
    tensors = [torch.tensor(np.array(column), dtype=torch.float32) for column in columns]
    found = td_targets(*tensors, gamma=gamma)
    if isinstance(found, np.ndarray | list):
        raise TypeError(f"return a tensor; it returned a {type(found).__name__}")
    return found if found is None else np.asarray(found)


def _wrong_targets(*given: Any) -> list[tuple[np.ndarray, str]]:
    """What usual mistakes make of a batch, where it differs from what is right."""
    rewards, terminated, following, gamma = (np.asarray(one, float) for one in given)
    best, mask = following.max(axis=1), 1 - terminated
    right = rewards + gamma * mask * best
    shape = "the shape must be (B,): .max(dim=1).values drops the column, keepdim keeps it"
    wrong = (
        (rewards + gamma * best, "is (1 - terminated) there?"),
        (mask * (rewards + gamma * best), "the reward of the last step counts: mask the rest only"),
        (rewards + mask * best, "is gamma there?"),
        (rewards + 0.9 * mask * best, "take the gamma that is given, not one of your own"),
        (rewards + 0.99 * mask * best, "take the gamma that is given, not one of your own"),
        (rewards + gamma * terminated * best, "(1 - terminated), not terminated: the future ends"),
        (rewards + gamma * mask * following.sum(axis=1), "the largest q-value, not the sum"),
        (gamma * (rewards + mask * best), "gamma counts for what follows alone"),
        (rewards + gamma * mask * following.argmax(axis=1), "argmax gives positions: take max"),
        (rewards - gamma * mask * best, "mind the signs: what follows is added"),
        (rewards + gamma * mask * following.max(), "one maximum for each row, not one for all"),
        (rewards + gamma * mask * following.mean(axis=1), "the largest q-value, not the mean"),
        (rewards + gamma * mask * following.min(axis=1), "the largest q-value, not the smallest"),
        (rewards + gamma * mask * best[:, None], shape),
        ((rewards + gamma * mask * best)[:, None], shape),
    )
    return [
        (value, hint)
        for value, hint in wrong
        if value.shape != right.shape or not np.allclose(value, right, atol=1e-3)
    ]


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

    return _dqn().Batch(
        torch.tensor(obs)[:, None],
        torch.tensor(actions),
        torch.tensor(rewards),
        torch.tensor(next_obs)[:, None],
        torch.tensor(terminated),
    )


NO_GRADIENT = "no gradient"
ROWS = "one q-value of each row: gather(1, batch.actions[:, None]); what follows is target_net's"
TARGET_NET = "next q-values come from target_net(batch.next_obs), not from q_net"
GATHER = "the q-value of the action TAKEN, not the largest: gather(1, batch.actions[:, None])"
SHAPES = (
    "each row is mixed with every other: `taken` must be (B,), as gather(...) and .squeeze(1) give"
)


@exercise(
    "3.3",
    parts={"the error": 3, "the action taken": 2, "the batch": 2, "gradients": 3, "probes": 4},
    needs="torch",
    hides=("course_lib.agents.dqn:dqn_loss",),
    takes="it trains on four probes, about 5 seconds",
)
def check_dqn_loss(dqn_loss: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Losses worked by hand, gradients, and probes with exactly known q-values."""
    error = float(rng.uniform(0.1, 0.9))
    one: tuple[Any, ...] = ([0], [1.0], [0.0], [0.0], [0.0])
    for aspect, q_values, given, expected, part, hint in (
        (
            "q-value 40, target 41.59: error 1.59, Huber loss 1.59 - 0.5",
            *([40.0, 7.0], one, 1.09, "the error"),
            "compare with the three steps in the text",
        ),
        (
            "an error of 0.5: half its square",
            *([41.09, 7.0], one, 0.125, "the error"),
            "nn.functional.smooth_l1_loss(q-values taken, targets)",
        ),
        (
            "another small error: half its square",
            *([41.59 - error, 7.0], one, 0.5 * error**2, "the error"),
            "half the square of the error, as long as it is below 1",
        ),
        (
            "actions 1 and 0 were taken, with q-values 7 and 40: the mean of 34.09 and 1.09",
            *([40.0, 7.0], ([1, 0], [1.0] * 2, *[[0.0] * 2] * 3), 17.59, "the action taken"),
            "pick the q-value of the action taken: gather(1, batch.actions[:, None])",
        ),
        (
            "another batch of two, the second terminated: the mean of 0.08 and 43.5",
            *([40.0, 7.0], TWO, 21.788, "the batch"),
            "the mean over the rows; and does td_targets get batch.terminated?",
        ),
    ):
        yield Case(
            aspect,
            expected=expected,
            got=partial(_loss, dqn_loss, q_values, given),
            hint=hint,
            atol=1e-3 if part == "the error" else 0.01,
            part=part,
            slips=tuple(_wrong_losses(q_values, *given)),
        )
    yield from _gradient_cases(dqn_loss, one)
    yield from _probe_cases(dqn_loss, int(rng.integers(1, 2**20)))


NEXT = [41.0, 30.0]
TWO = ([0, 0], [1.0] * 2, [0.0, 1.0], [0.0, 5.0], [-2.0, 0.0])


def _loss(dqn_loss: Callable, q_values: list[float], given: tuple) -> Any:
    """A loss as a number, or as an array where it is more than one."""
    found = dqn_loss(_constant_net(q_values), _constant_net(NEXT), _batch(*given), gamma=0.99)
    return found.detach().numpy() if hasattr(found, "detach") else found


def _huber(errors: np.ndarray) -> float:
    sizes = np.abs(errors)
    return float(np.where(sizes < 1, 0.5 * sizes**2, sizes - 0.5).mean())


def _wrong_losses(
    q_values: list[float],
    actions: list[int],
    rewards: list[float],
    terminated: list[float],
    obs: list[float],
    next_obs: list[float],
) -> list[tuple[float, str]]:
    """What usual mistakes make of a batch, where it differs from what is right."""
    rows, goal, shift = np.arange(len(actions)), np.array(rewards), np.array(next_obs)
    table = np.array(q_values) + np.array(obs)[:, None]
    taken, keep = table[rows, actions], 0.99 * (1 - np.array(terminated))
    targets = goal + keep * (max(NEXT) + shift)
    swapped = (np.array(q_values) + shift[:, None])[rows, actions]
    right = _huber(taken - targets)
    wrong = (
        (_huber(taken - goal - keep * (max(q_values) + shift)), TARGET_NET),
        (_huber(table.max(axis=1) - targets), GATHER),
        (_huber(taken[:, None] - targets[None, :]), SHAPES),
        (_huber(table[actions] - targets), ROWS),
        (
            _huber(taken - goal - keep * (max(NEXT) + np.array(obs))),
            "the target looks at batch.next_obs; batch.obs is what the action was taken in",
        ),
        (
            float(np.abs(taken - targets).mean()) if len(rows) > 1 else right,
            "the plain size: smooth_l1_loss is asked for",
        ),
        (float(((taken - targets) ** 2).mean()), "the squared error: smooth_l1_loss is asked for"),
        (float(np.abs(taken - targets).mean()), "the plain size: smooth_l1_loss is asked for"),
        (_huber(taken - goal - 0.99 * (max(NEXT) + shift)), "hand batch.terminated to td_targets"),
        (_huber(swapped - goal - keep * (max(NEXT) + np.array(obs))), "obs and next_obs: swapped?"),
        (right * len(actions), "the mean over the batch, not the sum"),
        (_huber(taken - goal + keep * (max(NEXT) + shift)), "a sign is wrong: what follows adds"),
        (-right, "a loss falls towards 0: is there a minus too many?"),
    )
    return [(value, hint) for value, hint in wrong if abs(value - right) > 0.01]


def _gradient_cases(dqn_loss: Callable, given: tuple) -> Iterator[Case]:
    outside = "is the loss computed from q_net(batch.obs), outside torch.no_grad()?"
    yield Case(
        "the gradient moves the q-value of the action taken, and no other",
        expected=[True, False],
        got=lambda: _gradients(dqn_loss, given, target=False),
        hint=outside,
        part="gradients",
        slips=((NO_GRADIENT, outside), ([False, True], GATHER), ([True, True], ROWS)),
    )
    yield Case(
        "no gradient reaches the target network",
        expected=[False, False],
        got=lambda: _gradients(dqn_loss, given, target=True),
        hint="compute the targets inside torch.no_grad()",
        part="gradients",
        slips=((NO_GRADIENT, outside),),
    )


def _gradients(dqn_loss: Callable, given: tuple, *, target: bool) -> Any:
    """Which q-values a step on the loss would move, of one of the two networks."""
    net, target_net = _constant_net([40.0, 7.0]), _constant_net(NEXT)
    loss = dqn_loss(net, target_net, _batch(*given), gamma=0.99)
    if loss is None:
        return None
    if not getattr(loss, "requires_grad", False):
        return NO_GRADIENT
    loss.sum().backward()
    found = (target_net if target else net).bias.grad
    return [False, False] if found is None else (found != 0).tolist()


def _probe_cases(dqn_loss: Callable, seed: int) -> Iterator[Case]:
    from course_lib.envs.probes import PROBES

    for probe in PROBES:
        if probe.name in ("late reward", "best action", "terminated", "truncated"):
            yield Case(
                f"trained on the probe '{probe.name}' it finds the exact q-values",
                expected=probe.q_values,
                got=partial(_probed, probe, dqn_loss, seed),
                hint=f"once all above is right, suspect: {probe.suspect}",
                atol=0.05,
                part="probes",
                slips=((NO_GRADIENT, "nothing can be learned from a loss without a gradient"),),
            )


def _probed(probe: Any, dqn_loss: Callable, seed: int) -> Any:
    """The q-values learned on a probe; an unlucky seed gets a second chance."""
    from course_lib.agents.dqn_run import learned_q_values

    usable = _gradients(dqn_loss, ([0], [1.0], [0.0], [0.0], [0.0]), target=False)
    if usable is None or usable == NO_GRADIENT:
        return usable
    found = learned_q_values(probe, seed=seed, loss=dqn_loss)
    if np.allclose(found, probe.q_values, rtol=0, atol=0.05):
        return found
    return learned_q_values(probe, seed=seed + 1, loss=dqn_loss)
