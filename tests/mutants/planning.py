"""Lesson 05."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from course_lib.answers import answer
from mutants import Mutant, lost

VALUES = np.array([10.0, 4.0, 7.0])
TOWN = {
    "next_state": np.array([[1], [2], [2]]),
    "reward": np.array([[-1.0], [20.0], [0.0]]),
    "terminated": np.array([[False], [True], [True]]),
    "gamma": 0.5,
}
TWO = {
    "next_state": np.array([[0, 1], [0, 1]]),
    "reward": np.array([[-1.0, 5.0]] * 2),
    "terminated": np.zeros((2, 2), bool),
    "gamma": 0.5,
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "5.1": {
        "values": VALUES,
        "next_states": np.array([0, 1]),
        "rewards": np.array([-1.0, -10.0]),
        "terminated": np.array([False, False]),
        "gamma": 0.9,
    },
    "5.2": {**TOWN, "tolerance": 1e-9},
    "5.3": {},
    "5.4": {},
    "5.5": {"values": np.array([10.0, 2.0]), **TWO},
}


def backup(*, gamma=True, mask=True, pick=np.max, look_up=True, apart=False):
    """One backup with one thing changed."""

    def attempt(values, next_states, rewards, terminated, gamma_=0.0, **given):
        discount = (given.get("gamma", gamma_)) if gamma else 1.0
        after = values[next_states] if look_up else values[: len(next_states)]
        future = discount * (~terminated if mask else 1) * after
        return rewards.max() + future.max() if apart else pick(rewards + future)

    return attempt


def _if_any_ends(values, next_states, rewards, terminated, gamma):
    if terminated.any():
        return rewards.max()
    return (rewards + gamma * values[next_states]).max()


def _sets_states_to_0(values, next_states, rewards, terminated, gamma):
    values[next_states[terminated]] = 0
    return (rewards + gamma * values[next_states]).max()


def _with_a_loop(values, next_states, rewards, terminated, gamma):
    best = None
    for after, reward, ends in zip(next_states, rewards, terminated, strict=True):
        q_value = reward if ends else reward + gamma * values[after]
        best = q_value if best is None or q_value > best else best
    return best


def sweeps(
    *, gamma=True, mask=True, size=np.abs, most=np.max, keeps=True, times=0, in_place=False,
    pick=np.max, bound=None, zeros=True, aliased=False,
):  # fmt: skip
    """Value iteration with one thing changed."""

    def attempt(next_state, reward, terminated, gamma_, tolerance):
        discount = gamma_ if gamma else 1.0
        found = [np.zeros(len(reward))] if zeros else [reward.max(axis=1)]
        while True:
            old = found[-1]
            new = old.copy()
            for s in range(len(new)):
                come = (new if in_place else old)[next_state[s]]
                new[s] = pick(reward[s] + discount * (~terminated[s] if mask else 1) * come)
            change = most(size(new - old))
            over = len(found) > times if times else change <= (bound or tolerance)
            if aliased:
                found[-1][:] = new
                new = found[-1]
            if not over or keeps:
                found.append(new)
            if over:
                return found

    return attempt


def _sweeps_over_states(next_state, reward, terminated, gamma, tolerance):
    values = [np.zeros(len(reward))]
    for _ in range(5):
        values.append((reward + gamma * ~terminated * values[-1][next_state]).max(axis=0))
    return values


def _with_for(next_state, reward, terminated, gamma, tolerance):
    values, found = np.zeros(len(reward)), []
    for _ in range(1000):
        found.append(values)
        q_values = np.where(terminated, reward, reward + gamma * values[next_state])
        settled = np.allclose(q_values.max(1), values, rtol=0, atol=tolerance)
        values = q_values.max(1)
        if settled:
            break
    return [*found, values]


def said(**changed: str) -> Callable[[], dict[str, str]]:
    """The right words, with some changed."""
    return lambda: {**answer("5.3")(), **changed}


def both(*, mask=True, discount=True, inside=False, towards=True, ends=True, swapped=False,
         leaps=False):  # fmt: skip
    """The two functions with one thing changed."""

    def sweep(values, next_state, reward, terminated, gamma):
        return (reward + gamma * (~terminated if mask else 1) * values[next_state]).max(axis=1)

    def update(q_value, reward, next_q_values, terminated, *, learning_rate, gamma):
        gamma = gamma if discount else 1.0
        if leaps and terminated:
            return reward
        best = max(next_q_values) * (not terminated or not ends)
        if inside:
            return q_value + learning_rate * (reward + gamma * (best - q_value))
        return q_value + learning_rate * (reward + gamma * best - q_value * towards)

    return lambda: (update, sweep) if swapped else (sweep, update)


def plan(*, mask=True, gamma=True, pick=np.argmax, rewards=True, axis=1):
    """The plan with one thing changed."""

    def attempt(values, next_state, reward, terminated, gamma_):
        future = (gamma_ if gamma else 1.0) * (~terminated if mask else 1) * values[next_state]
        return pick(reward * rewards + future, axis=axis)

    return attempt


def _with_steps(next_state, reward, terminated, gamma, tolerance, *, changes=False, relative=0.0):
    """Value iteration in which the q-values are added up in place."""
    found = [np.zeros(len(reward))]
    while True:
        q_values = reward if changes else reward.copy()
        q_values += gamma * ~terminated * found[-1][next_state]
        found.append(q_values.max(axis=1))
        if np.allclose(*found[-2:], rtol=relative, atol=tolerance) or len(found) > 60:
            return found


def _sized_by_values():
    def sweep(values, next_state, reward, terminated, gamma):
        new = np.zeros(len(values))
        for state in range(len(values)):
            new[state] = max(
                r + (0 if ends else gamma * values[after])
                for after, r, ends in zip(
                    next_state[state], reward[state], terminated[state], strict=True
                )
            )
        return new

    return sweep, answer("5.4")()[1]


def _changes_tables():
    def sweep(values, next_state, reward, terminated, gamma):
        reward += gamma * ~terminated * values[next_state]
        return reward.max(axis=1)

    return sweep, answer("5.4")()[1]


def _changes_q_values():
    def update(q_value, reward, next_q_values, terminated, *, learning_rate, gamma):
        next_q_values *= not terminated
        return q_value + learning_rate * (reward + gamma * next_q_values.max() - q_value)

    return answer("5.4")()[0], update


def _changes_rewards(values, next_states, rewards, terminated, gamma):
    rewards += gamma * ~terminated * values[next_states]
    return rewards.max()


def _best_from_0(values, next_state, reward, terminated, gamma):
    q_values = reward + gamma * ~terminated * values[next_state]
    return np.where(q_values.max(axis=1) > 0, q_values.argmax(axis=1), 0)


RIGHT = {
    "5.1": {"a loop": _with_a_loop},
    "5.2": {
        "for and allclose": _with_for,
        "loops over states": sweeps(),
        "a sum in place": _with_steps,
    },
    "5.3": {"in another order": lambda: dict(reversed(answer("5.3")().items()))},
    "5.4": {"a list": lambda: list(answer("5.4")()), "loops over states": _sized_by_values},
    "5.5": {"a list": lambda *given: [int(one) for one in answer("5.5")(*given)]},
}
MUTANTS = {
    "5.1": {
        "changes the rewards": Mutant(
            _changes_rewards, "work on a new one", ("gamma",), lost("the end")
        ),
        "no gamma": Mutant(backup(gamma=False), "counts gamma times", (), lost("the discount")),
        "no end": Mutant(backup(mask=False), "nothing follows", (), lost("the end")),
        "mean": Mutant(backup(pick=np.mean), "the highest of them", ("gamma",)),
        "argmax": Mutant(backup(pick=np.argmax), "its value is max"),
        "max apart": Mutant(backup(apart=True), "add first, then max", ("nothing follows",)),
        "no look-up": Mutant(backup(look_up=False), "values[next_states]"),
        "minus": Mutant(
            lambda values, places, rewards, ends, gamma: (
                rewards - gamma * ~ends * values[places]
            ).max(),
            "is ADDED",
        ),
        "no last reward": Mutant(
            lambda values, places, rewards, ends, gamma: (
                ~ends * (rewards + gamma * values[places])
            ).max(),
            "only what follows it",
            ("argmax",),
            lost("the end"),
        ),
        "begins with 0": Mutant(
            lambda *given: max(0.0, answer("5.1")(*given)), "begin with the first", ("argmax",)
        ),
        "the wrong mask": Mutant(
            lambda values, places, rewards, ends, gamma: (
                rewards + gamma * ends * values[places]
            ).max(),
            "goes ON",
        ),
        "a state set to 0": Mutant(_sets_states_to_0, "the STATE keeps", (), lost("the end")),
        "begins with 0, loop": Mutant(
            lambda *given: max(0.0, answer("5.1")(*given)), "begin with the first", ("last step",)
        ),
        "if any ends": Mutant(_if_any_ends, "each action has its own", (), lost("the end")),
    },
    "5.2": {
        "changes the rewards": Mutant(partial(_with_steps, changes=True), "", ("RecursionError",)),
        "a share of the values": Mutant(
            partial(_with_steps, relative=1e-5), "not as a share", (), lost("the stop")
        ),
        "lists": Mutant(
            lambda *given: [list(one) for one in answer("5.2")(*given)], "a list with an array"
        ),
        "no gamma": Mutant(sweeps(gamma=False), "is gamma in it?", ("~terminated",)),
        "no end": Mutant(sweeps(mask=False), "~terminated", ("gamma",), lost("the end")),
        "no axis": Mutant(
            lambda next_state, reward, terminated, gamma, tolerance: [
                values := np.zeros(len(reward)),
                values := (reward + gamma * ~terminated * values[next_state]).max(),
                (reward + gamma * ~terminated * values[next_state]).max(),
            ],
            "axis=1 gives one for each state",
        ),
        "one sweep": Mutant(
            lambda *given: answer("5.2")(*given)[:2], "ends too early", ("its shape",)
        ),
        "less than": Mutant(
            sweeps(size=lambda change: np.abs(change) + 1e-12), "not over", (), lost("the stop")
        ),
        "the mean change": Mutant(sweeps(most=np.mean), "take the largest change"),
        "signed change": Mutant(sweeps(size=np.asarray), "np.abs", (), lost("the stop")),
        "without the last": Mutant(
            sweeps(keeps=False), "which changed nothing, belongs", (), lost("the stop")
        ),
        "a thousand sweeps": Mutant(
            sweeps(times=200), "a fixed number", ("np.abs",), lost("the stop")
        ),
        "in place": Mutant(sweeps(in_place=True), "from the OLD values", ("gamma",)),
        "mean over actions": Mutant(sweeps(pick=np.mean), "max over the actions", ("gamma",)),
        "a bound of its own": Mutant(sweeps(bound=1e-6), "that is given", (), lost("the stop")),
        "the smallest change": Mutant(sweeps(most=np.min), "largest change"),
        "never": Mutant(sweeps(times=10**9), "your sweeps do not end"),
        "the last values only": Mutant(
            lambda *given: answer("5.2")(*given)[-1], "a list with an array of all values"
        ),
        "no zeros": Mutant(
            sweeps(zeros=False), "np.zeros(num_states)", ("each time",), lost("the first sweep")
        ),
        "over the states": Mutant(_sweeps_over_states, "is it axis=1?"),
        "one array": Mutant(sweeps(aliased=True), "append a new array each time"),
    },
    "5.3": {
        "A never": Mutant(said(A="never"), "measures it", ("ride can",), lost("A")),
        "C wrong": Mutant(said(C="wrong"), "measures it", ("ride is",), lost("C")),
        "D right": Mutant(said(D="right"), "measures it", ("dead end",), lost("D")),
        "all right": Mutant(lambda: dict.fromkeys("ABCDE", "right"), "measures it", (), None, 0.4),
        "all wrong": Mutant(lambda: dict.fromkeys("ABCDE", "wrong"), "measures it", (), None, 0.4),
        "another word": Mutant(said(A="good"), "'A' is 'right' or", (), lost("A")),
        "a set": Mutant(lambda: {"C"}, "return a dict"),
        "D left out": Mutant(
            lambda: {k: v for k, v in answer("5.3")().items() if k != "D"}, "return a dict"
        ),
    },
    "5.4": {
        "changes the tables": Mutant(
            _changes_tables, "work on a new one", ("gamma",), lost("the planner")
        ),
        "changes the q-values": Mutant(
            _changes_q_values, "work on a new one", ("gamma",), lost("the learner")
        ),
        "the talk's": Mutant(both(mask=False, inside=True), "delivered again", (), None, 0.0),
        "the planner only": Mutant(
            both(inside=True), "only gamma times", ("again",), lost("the learner")
        ),
        "the learner only": Mutant(
            both(mask=False), "delivered again", ("gamma times",), lost("the planner")
        ),
        "no discount": Mutant(both(discount=False), "and gamma?", ("TOWARDS",)),
        "not towards": Mutant(both(towards=False), "TOWARDS", ("and gamma",), lost("the learner")),
        "all the way at the end": Mutant(
            both(leaps=True), "learning_rate counts", ("TOWARDS",), lost("the learner")
        ),
        "no end": Mutant(both(ends=False), "nothing follows", ("TOWARDS",), lost("the learner")),
        "swapped": Mutant(both(swapped=True), "first the sweep"),
        "one function": Mutant(lambda: both()()[0], "return the two functions"),
    },
    "5.5": {
        "best begins at 0": Mutant(_best_from_0, "not with 0"),
        "counted from 1": Mutant(lambda *given: answer("5.5")(*given) + 1, "counted from 0"),
        "the values": Mutant(plan(pick=np.max), "its place in the row"),
        "no end": Mutant(plan(mask=False), "nothing follows"),
        "no gamma": Mutant(plan(gamma=False), "argmax(axis=1)"),
        "no reward": Mutant(plan(rewards=False), "argmax(axis=1)"),
        "over the states": Mutant(plan(axis=0), "argmax(axis=1)"),
        "floats": Mutant(lambda *given: answer("5.5")(*given) * 1.0, "dtype int"),
        "the worst": Mutant(plan(pick=np.argmin), "argmax(axis=1)"),
    },
}
