"""Lesson 01."""

from collections.abc import Callable
from typing import Any

import numpy as np

from course_lib.agents import tabular
from course_lib.answers import answer
from course_lib.envs.maze import MazeEnv
from mutants import Mutant, lost

EXAMPLES: dict[str, dict[str, Any]] = {
    "1.1": {
        "q_values": np.array([1.0, 3.0, 2.0, -5.0]),
        "epsilon": 0.1,
        "rng": np.random.default_rng(3),
    },
    "1.2": {
        "q_value": 5.0,
        "reward": -1.0,
        "next_q_values": np.array([4.0, 10.0, -3.0, 0.0]),
        "terminated": False,
        "learning_rate": 0.5,
        "gamma": 0.9,
    },
    "1.3": {
        "env": MazeEnv("S.C"),
        "q_table": np.zeros((3, 4)),
        "learning_rate": 0.5,
        "gamma": 0.9,
        "epsilon": 0.3,
        "rng": np.random.default_rng(3),
    },
    "1.4": {},
    "1.5": {"steps": 2, "gamma": 0.9},
}
SAME = {"1.3": ("rng",)}  # other dice are as good


DICE = np.random.default_rng(8)


def _greedy_variant(q_values, epsilon, rng):
    shuffled = rng.permutation(len(q_values))
    best = shuffled[np.argmax(q_values[shuffled])]
    return best if rng.random() >= epsilon else rng.choice(len(q_values))


def _first_of_ties(q_values, epsilon, rng):
    return rng.integers(4) if rng.random() < epsilon else np.argmax(q_values)


def _the_wrong_way(q_values, epsilon, rng):
    return rng.integers(4) if rng.random() > epsilon else tabular.epsilon_greedy(q_values, 0, rng)


def _all_but_the_best(q_values, epsilon, rng):
    if rng.random() < epsilon:
        return rng.choice(np.flatnonzero(q_values != q_values.max()))
    return tabular.epsilon_greedy(q_values, 0.0, rng)


def _no_return_for_luck(q_values, epsilon, rng):
    if rng.random() >= epsilon:
        return tabular.epsilon_greedy(q_values, 0.0, rng)
    return None


def update(*, gamma=True, mask=True, best=np.max, weights=False, sign=1, inside=False):
    """The update rule with one thing changed."""

    def attempt(q, reward, after, terminated, *, learning_rate, gamma_=gamma, **given):
        discount = given["gamma"] if gamma else 1.0
        follows = best(np.asarray(after) - q) if inside else best(after)
        target = reward + discount * (not terminated or not mask) * follows
        rate = 1 - learning_rate if weights else learning_rate
        return q + sign * rate * (target - q)

    return attempt


def _all_discounted(q, reward, after, terminated, *, learning_rate, gamma):
    target = gamma * (reward + (not terminated) * max(after))
    return q + learning_rate * (target - q)


def _adds_the_target(q, reward, after, terminated, *, learning_rate, gamma):
    return q + learning_rate * (reward + gamma * (not terminated) * max(after))


def _ends_with_the_reward(q, reward, after, terminated, *, learning_rate, gamma):
    if terminated:
        return reward
    return q + learning_rate * (reward + gamma * max(after) - q)


def episode(
    *, end="both", learn_from="terminated", moves_first=False, gives="sum", copies=False,
    stands=False, drops_last=False, **fixed: float,
):  # fmt: skip
    """A learner's loop with one thing changed."""

    def attempt(env, q_table, *, learning_rate, gamma, epsilon, rng):
        learning_rate = fixed.get("learning_rate", learning_rate)
        gamma, epsilon = fixed.get("gamma", gamma), fixed.get("epsilon", epsilon)
        q_table = q_table.copy() if copies else q_table
        obs, _ = env.reset()
        rewards, done = [], False
        while not done:
            action = tabular.epsilon_greedy(q_table[obs], epsilon, rng)
            after, reward, terminated, truncated, _ = env.step(action)
            over = {"terminated": terminated, "both": terminated or truncated, "never": False}
            at = after if moves_first else obs
            if not (drops_last and over["both"]):
                q_table[at, action] = tabular.td_update(
                    q_table[at, action], reward, q_table[after], over[learn_from],
                    learning_rate=learning_rate, gamma=gamma,
                )  # fmt: skip
            obs, done = (obs if stands else after), over[end]
            rewards.append(reward)
        discounted = sum(gamma**t * one for t, one in enumerate(rewards))
        given = {"sum": sum(rewards), "last": rewards[-1], "none": None, "discounted": discounted}
        return given[gives]

    return attempt


def but(*changed: str) -> Callable[[], set[str]]:
    """The right settings, with some taken out or put in."""
    return lambda: set(answer("1.4")()) ^ set(changed)


RIGHT = {
    "1.1": {"shuffled": _greedy_variant},
    "1.2": {"one line": update()},
    "1.3": {"a list of rewards": episode()},
    "1.4": {"a list": lambda: ["learning rate 0.05", "discount 0", "learning rate 0"]},
    "1.5": {
        "closed form": lambda steps, gamma: (
            sum(-(gamma**t) for t in range(steps - 1)) + 20 * gamma ** (steps - 1)
        )
    },
}
MUTANTS = {
    "1.1": {
        "first of ties": Mutant(
            _first_of_ties, "np.argmax always takes", (), lost("breaks ties fairly")
        ),
        "the wrong way": Mutant(_the_wrong_way, "rng.random() < epsilon"),
        "never explores": Mutant(
            lambda q_values, epsilon, rng: tabular.epsilon_greedy(q_values, 0.0, rng), "epsilon"
        ),
        "all but the best": Mutant(_all_but_the_best, "among ALL actions", ("flatnonzero",)),
        "the value": Mutant(
            lambda q_values, epsilon, rng: max(q_values), "not the q-value", ("every branch",)
        ),
        "other dice": Mutant(
            lambda q_values, epsilon, rng: tabular.epsilon_greedy(q_values, epsilon, DICE),
            "from rng, which was given",
            ("ALL actions",),
            lost("explores"),
        ),
        "no return when exploring": Mutant(_no_return_for_luck, "every branch"),
    },
    "1.2": {
        "no gamma": Mutant(update(gamma=False), "gamma", ("swapped",), lost("the target")),
        "no mask": Mutant(
            update(mask=False), "not terminated", ("swapped",), lost("the end of an episode")
        ),
        "weights swapped": Mutant(update(weights=True), "weights swapped", ("TOWARDS",)),
        "minus": Mutant(update(sign=-1), "leads away", ("swapped",)),
        "gamma for the reward too": Mutant(
            _all_discounted, "for the future alone", ("swapped", "HIGHEST")
        ),
        "argmax": Mutant(update(best=np.argmax), "a place in the row", ("swapped", "HIGHEST")),
        "forgets the old q-value": Mutant(_adds_the_target, "TOWARDS", ("swapped", "HIGHEST")),
        "the reward at the end": Mutant(
            _ends_with_the_reward, "of the way to it", ("swapped",), lost("the end of an episode")
        ),
        "old value inside": Mutant(update(inside=True), "HIGHEST"),
        "mean": Mutant(update(best=np.mean), "HIGHEST", ("swapped",), lost("the target")),
        "minimum": Mutant(update(best=np.min), "HIGHEST", ("swapped",), lost("the target")),
    },
    "1.3": {
        "clock for the end": Mutant(episode(learn_from="both"), "not terminated or truncated"),
        "knows no end": Mutant(episode(learn_from="never"), "hand terminated"),
        "stops at the end only": Mutant(episode(end="terminated"), "went on after"),
        "never stops": Mutant(episode(end="never"), "went on after"),
        "moves first": Mutant(episode(moves_first=True), "BEFORE obs"),
        "never moves on": Mutant(
            episode(stands=True), "obs becomes next_obs", ("BEFORE", "hand terminated")
        ),
        "a copy": Mutant(episode(copies=True), "to no copy", ("BEFORE", "hand terminated")),
        "skips the last step": Mutant(
            episode(drops_last=True), "the last step teaches", ("BEFORE", "hand terminated")
        ),
        "discounted": Mutant(
            episode(gives="discounted"),
            "gamma belongs to the update",
            ("BEFORE",),
            lost("adds up the rewards"),
        ),
        "never explores": Mutant(
            episode(epsilon=0.0), "the epsilon that is given", ("BEFORE",), lost("learns a way")
        ),
        "a fixed epsilon": Mutant(episode(epsilon=0.1), "epsilon", ("BEFORE",)),
        "a fixed learning rate": Mutant(
            episode(learning_rate=0.5),
            "learning_rate and gamma given",
            ("BEFORE",),
        ),
        "a fixed gamma": Mutant(episode(gamma=0.9), "learning_rate and gamma given", ("BEFORE",)),
        "the last reward": Mutant(
            episode(gives="last"), "add up every reward", ("BEFORE",), lost("adds up the rewards")
        ),
        "no return at the end": Mutant(
            episode(gives="none"), "`return`", ("BEFORE",), lost("adds up the rewards")
        ),
    },
    "1.4": {
        "all": Mutant(but("epsilon 0", "epsilon 1", "discount 1", "learning rate 1")),
        "no discount": Mutant(
            but("discount 0"),
            "of the discount not all",
            ("expected", "fails"),
            lost("the discount"),
        ),
        "epsilon 1": Mutant(
            but("epsilon 1"), "of epsilon not all", ("expected", "works"), lost("epsilon")
        ),
        "none": Mutant(set, "some settings fail"),
        "a string": Mutant(lambda: "discount 0", "return a set of names"),
        "another name": Mutant(but("gamma 0"), "names are from the list", (), lost("epsilon")),
    },
    "1.5": {
        "no cost": Mutant(lambda steps, gamma: 20 * gamma ** (steps - 1), "-1", keeps=0.5),
        "no discount": Mutant(lambda steps, gamma: 20 - (steps - 1), "gamma"),
        "one too many": Mutant(lambda steps, gamma: 20 * gamma**steps, "no -1", keeps=0.0),
    },
}
