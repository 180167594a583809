"""Lesson 07."""

from typing import Any

import gymnasium as gym
import numpy as np

from course_lib.answers import answer
from mutants import Mutant, lost

EXAMPLES: dict[str, dict[str, Any]] = {
    "7.1": {
        "greedy": lambda: 7,
        "held": 2,
        "steps_left": 3,
        "epsilon": 0.0,
        "hold": 8,
        "num_actions": 3,
        "rng": np.random.default_rng(0),
    },
    "7.2": {"steps": 3, "gamma": 0.5},
    "7.3": {},
    "7.4": {"ours": np.array([-110.0, -120.0]), "theirs": np.array([-111.0, -123.0])},
    "7.5": {"gravity": 0.002, "force": 0.0015},
}


def explorer(
    *, first=True, counts=True, more=-1, keeps_greedy=False, flip=False, draw=None, keeps=True,
    own_dice=False,
):  # fmt: skip
    """Held exploration with one thing changed."""

    def attempt(greedy, held, steps_left, *, epsilon, hold, num_actions, rng):
        dice = np.random.default_rng() if own_dice else rng
        random = (dice.random() < epsilon) != flip
        if steps_left > 0 and keeps and (first or not random):
            return held, steps_left - counts
        if random:
            action = dice.integers(num_actions) if draw is None else draw(dice, held)
            return int(action), hold + more
        return greedy(), hold - 1 if keeps_greedy else 0

    return attempt


def _one_draw(greedy, held, steps_left, *, epsilon, hold, num_actions, rng):
    if steps_left > 0:
        return held, steps_left - 1
    drawn = rng.random()
    return (int(drawn * num_actions), hold - 1) if drawn < epsilon else (greedy(), 0)


def _two_draws(greedy, held, steps_left, *, epsilon, hold, num_actions, rng):
    if steps_left > 0:
        return held, steps_left - 1
    action = int(rng.integers(num_actions)) if rng.random() < epsilon else greedy()
    return action, hold - 1 if rng.random() < epsilon else 0


def _not_the_best(greedy, held, steps_left, *, epsilon, hold, num_actions, rng):
    if steps_left > 0:
        return held, steps_left - 1
    if rng.random() < epsilon:
        return int(rng.choice([one for one in range(num_actions) if one != greedy()])), hold - 1
    return greedy(), 0


def _class(**_):
    class Explore:
        def __call__(self, greedy, held, steps_left, *, epsilon, hold, num_actions, rng):
            if not steps_left:
                if rng.random() >= epsilon:
                    return [greedy(), 0]
                held, steps_left = rng.choice(num_actions), hold
            return [held, steps_left - 1]

    return Explore()


def total(*, sign=-1, start=0, more=0, ever=None, last=False, formula=False):
    """The worth of some steps with one thing changed."""

    def attempt(steps, gamma):
        if steps is None:
            return sign * gamma**start / (1 - gamma) if ever is None else ever(gamma)
        if formula:
            return -(1 - gamma**steps) / (1 - gamma)
        if last:
            return sign * gamma**steps
        return sign * sum(gamma ** (k + start) for k in range(steps + more))

    return attempt


def _by_hand(steps, gamma):
    if steps is None:
        return 1 / (gamma - 1)
    following = 0
    for _ in range(steps):
        following = -1 + gamma * following
    return following


def interval(*, ddof=1, times=2.0, root=0.5, paired=True, flip=False, backwards=False):
    """The paired interval with one thing changed."""

    def attempt(ours, theirs):
        ours, theirs = (theirs, ours) if flip else (ours, theirs)
        n, differences = len(ours), ours - theirs
        spread = differences.std(ddof=ddof)
        if not paired:
            spread = np.sqrt(ours.var(ddof=1) + theirs.var(ddof=1))
        reach = times * spread / n**root
        found = (differences.mean() - reach, differences.mean() + reach)
        return found[::-1] if backwards else found

    return attempt


def _in_place(ours, theirs):
    ours -= theirs
    reach = 2 * ours.std(ddof=1) / len(ours) ** 0.5
    return ours.mean() - reach, ours.mean() + reach


def _with_lists(ours, theirs):
    gaps = [a - b for a, b in zip(ours, theirs, strict=True)]
    mean = sum(gaps) / len(gaps)
    reach = 2 * (sum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1) / len(gaps)) ** 0.5
    return np.array([mean - reach, mean + reach])


def made(*, gravity=True, force=True, inside=True, limit=True, swap=False):
    """Another mountain with one thing changed."""

    def attempt(gravity_, force_):
        env = gym.make("MountainCar-v0")
        place = env.unwrapped if inside else env
        pull, push = (force_, gravity_) if swap else (gravity_, force_)
        if gravity:
            place.gravity = pull
        if force:
            place.force = push
        return env if limit else env.unwrapped

    return attempt


def _shared():
    env = gym.make("MountainCar-v0")

    def attempt(gravity, force):
        env.unwrapped.gravity, env.unwrapped.force = gravity, force
        return env

    return attempt


def _longer(gravity, force):
    env = gym.make("MountainCar-v0", max_episode_steps=250)
    env.unwrapped.gravity, env.unwrapped.force = gravity, force
    return env


class _ClockEnds(gym.Wrapper):
    def step(self, action):
        obs, reward, terminated, truncated, info = self.env.step(action)
        return obs, reward, terminated or truncated, False, info

    @classmethod
    def make(cls, gravity, force):
        return cls(made()(gravity, force))


class _InReset(gym.Wrapper):
    @classmethod
    def make(cls, gravity, force):
        env = cls(gym.make("MountainCar-v0"))
        env.law = gravity, force
        return env

    def reset(self, **more):
        self.unwrapped.gravity, self.unwrapped.force = self.law
        return self.env.reset(**more)


def _rescaled(gravity, force):
    return gym.wrappers.RescaleObservation(made()(gravity, force), np.float32(-1), np.float32(1))


def _set_attributes(gravity, force):
    env = gym.make("MountainCar-v0")
    env.set_wrapper_attr("gravity", gravity)
    env.set_wrapper_attr("force", force)
    return env


def said(**changed):
    """The right words, with some changed."""
    words = {key.replace("_", " "): word for key, word in changed.items()}
    return lambda: {**answer("7.3")(), **words}


RIGHT = {
    "7.1": {
        "one of its kind": explorer(),
        "an object that returns lists": _class(),
        "an array": lambda *given, **more: np.array(explorer()(*given, **more)),
    },
    "7.2": {"from behind": _by_hand, "a sum": total()},
    "7.3": {
        "in another order": lambda: dict(reversed(answer("7.3")().items())),
        "in capitals": lambda: {name: f" {word.upper()}" for name, word in answer("7.3")().items()},
    },
    "7.4": {"by hand": _with_lists, "one of its kind": interval()},
    "7.5": {
        "one of its kind": made(),
        "set_wrapper_attr": _set_attributes,
        "shown otherwise": _rescaled,
    },
}
MUTANTS = {
    "7.1": {
        "interrupts": Mutant(explorer(first=False), "is not interrupted", (), lost("keeps")),
        "does not count": Mutant(explorer(counts=False), "count down", (), lost("keeps")),
        "never keeps": Mutant(explorer(keeps=False), "the held action goes on", (), lost("keeps")),
        "one too many": Mutant(explorer(more=0), "the first of them", (), lost("how long")),
        "draws each step": Mutant(
            lambda greedy, held, left, **more: (
                *explorer()(greedy, held, left, **more)[:1],
                max(left - 1, 0),
            ),
            "a random action is kept",
            ("first of them",),
            lost("how long"),
        ),
        "keeps greedy ones": Mutant(
            explorer(keeps_greedy=True), "only RANDOM actions", (), lost("greedy")
        ),
        "the wrong way round": Mutant(explorer(flip=True), "the wrong way round"),
        "two actions": Mutant(
            explorer(draw=lambda dice, held: dice.integers(2)), "num_actions", (), lost("draws")
        ),
        "the held one again": Mutant(
            explorer(draw=lambda dice, held: held), "draw a new one", (), lost("draws")
        ),
        "one draw for both": Mutant(_one_draw, "which", (), lost("draws")),
        "two draws": Mutant(_two_draws, "ONE draw", (), lost("how long")),
        "not the best": Mutant(_not_the_best, "also the best one", (), lost("draws")),
        "seeded dice": Mutant(
            lambda *given, rng, **more: explorer()(*given, rng=np.random.default_rng(1), **more),
            "no dice of your own",
            (),
            None,
        ),
        "swapped": Mutant(
            lambda *given, **more: explorer()(*given, **more)[::-1],
            "the action first",
            ("rng.integers", "in all", "return greedy"),
            None,
        ),
        "0 is kept": Mutant(
            lambda greedy, held, left, **more: (held, left - 1) if left >= 0 else (greedy(), 0),
            "nothing is kept any more",
            ("in all",),
            None,
        ),
        "not called": Mutant(
            lambda greedy, held, left, **more: (
                (held, left - 1)
                if left > 0
                else (greedy, 0)
                if more["rng"].random() >= more["epsilon"]
                else (int(more["rng"].integers(more["num_actions"])), more["hold"] - 1)
            ),
            "is a function",
            (),
            None,
        ),
        "a float": Mutant(explorer(draw=lambda dice, held: dice.integers(3, size=1)), "", (), None),
        "own dice": Mutant(explorer(own_dice=True), "from rng", (), lost("draws")),
        "the action alone": Mutant(
            lambda *given, **more: explorer()(*given, **more)[0], "return two numbers"
        ),
    },
    "7.2": {
        "plus": Mutant(total(sign=1), "COSTS 1"),
        "one too many": Mutant(
            total(more=1), "one term too many", ("COSTS",), lost("some steps", "no discount")
        ),
        "from gamma on": Mutant(
            total(start=1), "the first step costs 1", (), lost("some steps", "never")
        ),
        "the last term": Mutant(total(last=True), "one term only"),
        "no gamma": Mutant(
            lambda steps, gamma: -float(steps or 1 / (1 - gamma)),
            "is gamma in it",
            (),
            lost("some steps"),
        ),
        "never is 0": Mutant(total(ever=lambda gamma: 0.0), "not 0", (), lost("never")),
        "never is 200 steps": Mutant(
            total(ever=lambda gamma: -(1 - gamma**200) / (1 - gamma) - 1e-4), "", (), lost("never")
        ),
        "200 steps are for ever": Mutant(
            lambda steps, gamma: total()(200 if steps is None else steps, gamma),
            "has no end",
            (),
            lost("never"),
        ),
        "one too few": Mutant(total(more=-1), "one term is missing", ("divides",), None),
        "200 at most": Mutant(
            lambda steps, gamma: total()(None if steps is None else min(steps, 200), gamma),
            "each of the steps",
            (),
            lost("no discount"),
        ),
        "the formula": Mutant(total(formula=True), "divides by 1 - gamma", (), lost("no discount")),
    },
    "7.3": {
        "never reached": Mutant(said(no_end="below -100"), "measures it", (), lost("no end")),
        "no difference": Mutant(said(an_end="about -100"), "measures it", (), lost("an end")),
        "ruins it": Mutant(said(real_car="far fewer"), "measures it", (), lost("real car")),
        "all wrong": Mutant(
            said(no_end="well above -100", an_end="below -100", real_car="far fewer"),
            "measures it",
            (),
            None,
            0.0,
        ),
        "another word": Mutant(said(real_car="none"), "'about as many' or 'far fewer'"),
    },
    "7.4": {
        "not paired": Mutant(interval(paired=False), "within each seed", ("ddof",), None),
        "ddof 0": Mutant(interval(ddof=0), "ddof=1", (), lost("the width")),
        "not divided": Mutant(interval(root=0), "single seeds", (), lost("the width")),
        "one error": Mutant(interval(times=1), "TWO standard errors", (), lost("the width")),
        "by n": Mutant(interval(root=1), "not by n", (), lost("the width")),
        "theirs minus ours": Mutant(interval(flip=True), "the other way round"),
        "in place": Mutant(_in_place, "changes the caller's own", (), lost("the direction")),
        "the variance": Mutant(
            lambda ours, theirs: (
                (ours - theirs).mean() - 2 * (ours - theirs).var(ddof=1) / len(ours) ** 0.5,
                (ours - theirs).mean() + 2 * (ours - theirs).var(ddof=1) / len(ours) ** 0.5,
            ),
            "not the variance",
            ("single seeds", "ddof"),
            lost("the width"),
        ),
        "rounded": Mutant(
            lambda ours, theirs: tuple(round(one, 1) for one in interval()(ours, theirs)),
            "do not round",
            (),
            lost("the width"),
        ),
        "high first": Mutant(interval(backwards=True), "low comes first", (), lost("the width")),
        "the mean alone": Mutant(lambda ours, theirs: (ours - theirs).mean(), "two numbers"),
    },
    "7.5": {
        "on the wrapper": Mutant(made(inside=False), "on env.unwrapped"),
        "no gravity": Mutant(made(gravity=False), "still the usual", (), lost("gravity")),
        "no force": Mutant(made(force=False), "still the usual", (), lost("force")),
        "exchanged": Mutant(made(swap=True), "are exchanged", (), lost("gravity", "force")),
        "no limit": Mutant(made(limit=False), "no time limit", (), lost("all else")),
        "to gym.make": Mutant(
            lambda gravity, force: gym.make("MountainCar-v0", gravity=gravity, force=force),
            "gym.make does not take them",
            (),
            None,
        ),
        "another limit": Mutant(_longer, "its limit is 200", (), lost("all else")),
        "the clock ends it": Mutant(_ClockEnds.make, "truncates", (), lost("all else")),
        "in reset": Mutant(_InReset.make, "not in reset", (), lost("gravity", "force")),
        "a number": Mutant(lambda gravity, force: (gravity, force), "return one environment"),
        "shared": Mutant(_shared(), "in each call", (), lost("gravity", "force")),
    },
}
