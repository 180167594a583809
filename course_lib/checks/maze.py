"""Checks of notebook 01. Every expected number was worked by hand."""

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np

from course_lib.agents import tabular
from course_lib.checks.core import Case, exercise
from course_lib.envs.maze import MazeEnv


def worth_from_afar(steps: int, gamma: float) -> float:
    """Discounted return of walking ``steps`` steps straight to the cheese."""
    return sum(-(gamma**t) for t in range(steps - 1)) + 20 * gamma ** (steps - 1)


class Watched(gym.Wrapper):
    """An environment that objects to a loop that does not end."""

    over = False

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        self.over = False
        return super().reset(**options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step, unless the episode is over.

        Raises:
            RuntimeError: if it is.
        """
        if self.over:
            raise RuntimeError("your loop went on after the episode had terminated or truncated")
        outcome = super().step(action)
        self.over = outcome[2] or outcome[3]
        return outcome


@exercise("1.1", "epsilon-greedy", reference=lambda: tabular.epsilon_greedy)
def check_epsilon_greedy(
    epsilon_greedy: Callable[[np.ndarray, float, np.random.Generator], int],
) -> Iterator[Case]:
    """Epsilon 0 is greedy with fair ties, epsilon 1 is uniform, 0.2 is in between."""
    q_values = np.array([1.0, 3.0, 2.0, -5.0])
    rng = np.random.default_rng(0)

    def shares(values: np.ndarray, epsilon: float) -> np.ndarray:
        picks = [epsilon_greedy(values, epsilon, rng) for _ in range(4000)]
        if None in picks:
            raise TypeError("your function returned None; does every branch return an action?")
        return np.bincount(np.asarray(picks, dtype=int), minlength=4) / len(picks)

    yield Case(
        "with epsilon 0 it always picks the highest q-value",
        expected=[0, 1, 0, 0],
        got=shares(q_values, 0.0),
        hint="did you pick the action with np.argmax, and compare rng.random() < epsilon?",
    )
    yield Case(
        "with epsilon 1 it picks every action equally often",
        expected=[0.25, 0.25, 0.25, 0.25],
        got=shares(q_values, 1.0),
        atol=0.04,
        hint="an exploring mouse picks among ALL actions: rng.integers(len(q_values))",
    )
    yield Case(
        "with epsilon 0.2 the best action gets 0.8 + 0.2 / 4 of the picks",
        expected=[0.05, 0.85, 0.05, 0.05],
        got=shares(q_values, 0.2),
        atol=0.04,
        hint="explore when rng.random() < epsilon; an exploring mouse may pick the best one, too",
    )
    yield Case(
        "equally good actions are picked equally often",
        expected=[0.5, 0, 0.5, 0],
        got=shares(np.array([2.0, 0.0, 2.0, 1.0]), 0.0),
        atol=0.04,
        hint="np.argmax always takes the first; np.flatnonzero(q_values == q_values.max()) "
        "lists all the best",
    )


@exercise("1.2", "the update rule", reference=lambda: tabular.td_update)
def check_td_update(td_update: Callable[..., float]) -> Iterator[Case]:
    """The target, the step towards it, and the end of an episode."""
    after = np.array([4.0, 10.0, -3.0, 0.0])
    yield Case(
        "with learning rate 1 it becomes the target: -1 + 0.9 * 10 = 8",
        expected=8.0,
        got=td_update(5.0, -1.0, after, False, learning_rate=1.0, gamma=0.9),
        hint="the target is reward + gamma * the HIGHEST next q-value",
    )
    yield Case(
        "with learning rate 0.25 it goes a quarter of the way: 0.75 * 5 + 0.25 * 8 = 5.75",
        expected=5.75,
        got=td_update(5.0, -1.0, after, False, learning_rate=0.25, gamma=0.9),
        hint="(1 - learning_rate) * q_value + learning_rate * target; are the two weights swapped?",
    )
    yield Case(
        "with learning rate 0 nothing is learned",
        expected=5.0,
        got=td_update(5.0, -1.0, after, False, learning_rate=0.0, gamma=0.9),
        hint="the old q-value keeps the weight 1 - learning_rate",
    )
    yield Case(
        "where the episode terminates nothing comes after: 0.5 * 5 + 0.5 * 20 = 12.5",
        expected=12.5,
        got=td_update(5.0, 20.0, after, True, learning_rate=0.5, gamma=0.9),
        hint="here the target is the reward alone: multiply the future by (not terminated)",
    )


@exercise("1.3", "one episode of learning", reference=lambda: tabular.learn_episode)
def check_learn_episode(learn_episode: Callable[..., float]) -> Iterator[Case]:
    """Two steps to the cheese, and one step cut short by the clock."""
    settings = {"learning_rate": 0.5, "gamma": 0.9, "epsilon": 0.0}
    table = np.array([[-9.0, 0.0, -9.0, -9.0], [-9.0, 4.0, -9.0, -9.0], [100.0] * 4])
    walked = table.copy()
    total = learn_episode(Watched(MazeEnv("S.C")), walked, **settings, rng=np.random.default_rng(0))
    yield Case(
        "it returns the sum of the rewards: -1 + 20 = 19",
        expected=19.0,
        got=total,
        hint="add up every reward, without gamma, and return the sum; who picks the action?",
    )
    yield Case(
        "the first step is learned from: 0.5 * 0 + 0.5 * (-1 + 0.9 * 4) = 1.3",
        expected=1.3,
        got=walked[0, 1],
        hint="write the new value to q_table[obs, action], and BEFORE obs becomes next_obs",
    )
    yield Case(
        "the step onto the cheese has no future: 0.5 * 4 + 0.5 * 20 = 12",
        expected=12.0,
        got=walked[1, 1],
        hint="hand terminated to td_update",
    )
    changed = walked.copy()
    changed[0, 1], changed[1, 1] = 0.0, 4.0
    yield Case(
        "no other entry of the table changes",
        expected=table,
        got=changed,
        hint="write to q_table[obs, action] only",
    )
    cut = table.copy()
    env = Watched(MazeEnv("S.C", max_steps=1))
    learn_episode(env, cut, **settings, rng=np.random.default_rng(0))
    yield Case(
        "an episode cut short by the clock still counts on the future: again 1.3",
        expected=1.3,
        got=cut[0, 1],
        hint="hand terminated to td_update, not terminated or truncated; that ends only the loop",
    )


def failing_settings() -> set[str]:
    """The settings of exercise 1.4 under which most mice do not learn a shortest path."""
    return {"discount 0", "learning rate 0", "learning rate 0.05"}


@exercise("1.4", "which settings fail", reference=lambda: failing_settings)
def check_failing_settings(failing: Callable[[], set[str]]) -> Iterator[Case]:
    """One case per setting; a test trains the mice and holds these answers against them."""
    given = {str(name) for name in failing()}
    why = {
        "epsilon 0": (False, "every step costs 1, so whatever was tried looks worse than the rest"),
        "epsilon 1": (False, "the WALK stays random, and the ledger learns from random walks too"),
        "discount 0": (
            True,
            "only the next reward counts, so the cheese is seen from next to it only",
        ),
        "discount 1": (False, "here every episode ends, so the sum of the rewards stays finite"),
        "learning rate 0": (True, "then nothing is ever written into the ledger"),
        "learning rate 0.05": (True, "the news of the cheese hardly moves in so few episodes"),
        "learning rate 1": (False, "nothing here is random, so the newest target is always right"),
    }
    for name, (fails, reason) in why.items():
        right = fails == (name in given)
        said = f"{name} {'fails' if fails else 'works'}: {reason}" if right else f"{name}: not so"
        yield Case(said, expected=True, got=right, hint="try it with the slider below")
    yield Case("all names are from the list", expected=set(), got=given - set(why))


@exercise("1.5", "the cheese from afar", reference=lambda: worth_from_afar)
def check_worth_from_afar(worth: Callable[[int, float], float]) -> Iterator[Case]:
    """The exact q-value of the best action, some steps away from the cheese."""
    yield Case(
        "one step away it is worth 20",
        expected=20.0,
        got=worth(1, 0.9),
        hint="the last step earns +20 and no -1",
    )
    yield Case(
        "two steps away: -1 + 0.9 * 20 = 17",
        expected=17.0,
        got=worth(2, 0.9),
        hint="the next step's worth counts gamma times",
    )
    yield Case(
        "three steps away: -1 + 0.9 * 17 = 14.3",
        expected=14.3,
        got=worth(3, 0.9),
        hint="each further step away: -1 + gamma * the worth one step nearer",
    )
    yield Case(
        "a mouse that counts only the next reward sees -1",
        expected=-1.0,
        got=worth(3, 0.0),
        hint="with gamma 0 nothing after this step counts",
    )
