"""The check of exercise 3.3: the loss of a DQN."""

import contextlib
import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from course_lib.checks.core import Case, exercise, same
from course_lib.envs.probes import PROBES
from course_lib.tryouts.cartpole import (
    NO_GRADIENT,
    gradients,
    learned_on_probe,
    loss_of,
)

ROWS = "one q-value of each row: gather(1, batch.actions[:, None]); what follows is target_net's"
TARGET_NET = "next q-values come from target_net(batch.next_obs), not from q_net"
GATHER = "the q-value of the action TAKEN, not the largest: gather(1, batch.actions[:, None])"
SHAPES = (
    "each row is mixed with every other: `taken` must be (B,), as gather(...) and .squeeze(1) give"
)


@exercise(
    "3.3",
    parts={"the error": 3, "the action taken": 3, "the batch": 4, "gradients": 3, "probes": 1},
    needs="torch",
    hides=("course_lib.agents.dqn:dqn_loss", "course_lib.envs.probes:PROBES"),
    takes="it trains on four probes, about 5 seconds",
)
def check_dqn_loss(dqn_loss: Callable, rng: np.random.Generator) -> Iterator[Case]:
    """Losses worked by hand, gradients, and probes with exactly known q-values.

    What one part looks at is forgiven in the others: the kind of error in the first, which q-value
    is taken in the second, and the target in the third.
    """
    error, other = rng.uniform([0.1, 1.2], [0.9, 3.0]).tolist()
    one: tuple[Any, ...] = ([0], [1.0], [0.0], [0.0], [0.0])
    habit = _habit(dqn_loss, one, (other, 4.2))
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
            "action 1 was taken, with q-value 7: an error of 34.59",
            *([40.0, 7.0], ([1], *one[1:]), 34.09, "the action taken"),
            "pick the q-value of the action taken: gather(1, batch.actions[:, None])",
        ),
        (
            "action 0 was taken, with another q-value",
            *([9.0 - other, 60.0], one, 32.09 + other, "the action taken"),
            "pick the q-value of the action taken: gather(1, batch.actions[:, None])",
        ),
        (
            "two transitions, with errors of 0.39 and 3.41: the mean of 0.08 and 2.91",
            *([40.0, 7.0], ([0, 0], [1.0] * 2, [0.0] * 2, *TWO[3:]), 1.493, "the batch"),
            "the mean over the rows",
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
            got=partial(loss_of, dqn_loss, q_values, NEXT, given),
            hint=hint,
            atol=1e-3 if part == "the error" else 0.01,
            part=part,
            slips=tuple(_wrong_losses(q_values, *given)),
            forgives=tuple(_forgiven(habit, part, q_values, given)),
        )
    yield from _gradient_cases(dqn_loss, one, float(rng.choice([-1, 1])) * error, habit)
    learns = habit.size is not None
    yield from _probe_cases(dqn_loss, rng.integers(2**20, size=2).tolist(), rng, learns)


NEXT = [41.0, 30.0]
TWO = ([0, 0], [1.0] * 2, [0.0, 1.0], [0.0, 5.0], [-2.0, 0.0])
Size = Callable[[np.ndarray], np.ndarray]


def _huber_sizes(errors: np.ndarray) -> np.ndarray:
    sizes = np.abs(errors)
    return np.where(sizes < 1, 0.5 * sizes**2, sizes - 0.5)


def _huber(errors: np.ndarray) -> float:
    return float(_huber_sizes(errors).mean())


SIZES: tuple[Size, ...] = (_huber_sizes, np.square, np.abs)  # the first is what is asked for


@dataclass(frozen=True)
class _Habit:
    """What a loss does everywhere: a mistake of one part, which the others forgive.

    Attributes:
        size: of an error; None if it is none that is known.
        own: whether what follows is taken from the network that learns.
        sign: of what follows in the target.
    """

    size: Size | None = None
    own: bool = False
    sign: float = 1.0

    def targets(self, q_values: list[float], given: tuple) -> np.ndarray:
        """The targets of a batch."""
        _, rewards, terminated, _, next_obs = (np.array(column, float) for column in given)
        best = max(q_values if self.own else NEXT)
        return rewards + self.sign * 0.99 * (1 - terminated) * (best + next_obs)

    def errors(self, q_values: list[float], given: tuple) -> np.ndarray:
        """The errors of a batch, of the actions taken."""
        rows, obs = np.arange(len(given[0])), np.array(given[3])
        table = np.array(q_values) + obs[:, None]
        return table[rows, np.array(given[0])] - self.targets(q_values, given)


def _habit(dqn_loss: Callable, given: tuple, errors: tuple[float, float]) -> _Habit:
    """Find out by transitions with two errors what a loss does everywhere."""
    asked = [[41.59 + error, 3.0] for error in errors]
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [np.asarray(loss_of(dqn_loss, one, NEXT, given), float) for one in asked]
        got = [float(one.reshape(())) for one in found]
        for size, own, sign in itertools.product(SIZES, (False, True), (1.0, -1.0)):
            habit = _Habit(size, own, sign)
            wanted = [size(habit.errors(one, given)).mean() for one in asked]
            if same(wanted, got, atol=0.01):
                return habit
    return _Habit()


def _forgiven(
    habit: _Habit, part: str, q_values: list[float], given: tuple
) -> Iterator[float | np.ndarray]:
    """What a habit that another part looks at gives; also unreduced, but not of a batch."""
    if habit.size is None:
        return
    size = SIZES[0] if part == "the error" else habit.size
    target = _Habit(size) if part == "the batch" else _Habit(size, habit.own, habit.sign)
    value = float(size(target.errors(q_values, given)).mean())
    yield value
    if part != "the batch":
        yield np.array([value])


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
        *([(_huber(table[actions] - targets), ROWS)] if max(actions) < len(rows) else []),
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


def _gradient_cases(
    dqn_loss: Callable, given: tuple, error: float, habit: _Habit
) -> Iterator[Case]:
    """Gradients by each network's q-values, where the error is known."""
    outside = "is the loss computed from q_net(batch.obs), outside torch.no_grad()?"
    q_values = [41.59 + error, 7.0]
    usual = float(habit.errors(q_values, given)[0])
    slopes = (np.clip(usual, -1, 1), 2 * usual, np.sign(usual))  # of SIZES
    yield Case(
        f"the gradient moves the q-value of the action taken, and no other: {error:.2f} and 0",
        expected=[error, 0.0],
        got=partial(gradients, dqn_loss, q_values, NEXT, given, target=False),
        hint=outside,
        atol=1e-3,
        part="gradients",
        slips=(
            (NO_GRADIENT, outside),
            (partial(_moves, [False, False]), outside),
            (partial(_moves, [False, True]), GATHER),
            (partial(_moves, [True, True]), ROWS),
        ),
        forgives=tuple([slope, 0.0] for slope in slopes if habit.size is not None),
    )
    yield Case(
        "no gradient reaches the target network",
        expected=[0.0, 0.0],
        got=partial(gradients, dqn_loss, q_values, NEXT, given, target=True),
        hint="compute the targets inside torch.no_grad()",
        part="gradients",
        slips=((NO_GRADIENT, outside),),
    )


def _moves(which: list[bool], got: Any) -> bool:
    """Whether a gradient moves these q-values."""
    return [value != 0 for value in got] == which


def _probe_cases(
    dqn_loss: Callable, seeds: list[int], rng: np.random.Generator, learns: bool
) -> Iterator[Case]:
    for probe in PROBES:
        if probe.name in ("late reward", "best action", "terminated", "truncated"):
            scale = float(rng.uniform(0.7, 1.3))
            yield Case(
                f"trained on the probe '{probe.name}' it finds the exact q-values",
                expected=scale * probe.q_values,
                got=partial(_probed, probe, scale, dqn_loss, seeds),
                hint=f"once all above is right, suspect: {probe.suspect}",
                atol=0.05,
                part="probes",
                slips=((NO_GRADIENT, "nothing can be learned from a loss without a gradient"),),
                forgives=(NO_GRADIENT,) if learns else (),
            )


def _probed(probe: Any, scale: float, dqn_loss: Callable, seeds: list[int]) -> Any:
    """The q-values learned on a probe; an unlucky seed gets a second chance."""
    one: tuple[Any, ...] = ([0], [1.0], [0.0], [0.0], [0.0])
    usable = gradients(dqn_loss, [40.0, 7.0], NEXT, one, target=False)
    if usable is None or usable == NO_GRADIENT:
        return usable
    found = None
    for seed in seeds:
        found = learned_on_probe(dqn_loss, probe.name, scale, probe.obs, seed)
        if same(scale * probe.q_values, found, atol=0.05):
            break
    return found
