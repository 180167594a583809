"""Lesson 08."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

from course_lib.agents.evolution import ranks
from mutants import Mutant, lost

EXAMPLES: dict[str, dict[str, Any]] = {
    "8.1": {
        "logits": torch.zeros(1, 2),
        "actions": torch.tensor([0]),
        "weights": torch.tensor([1.0]),
    },
    "8.2": {"to_go": np.array([[3.0, 2.0], [1.0, np.nan]])},
    "8.3": {"ratio": torch.tensor([1.5]), "advantage": torch.tensor([2.0]), "clip": 0.2},
    "8.4": {
        "evaluate_all": lambda candidates: [float(one.sum()) for one in candidates],
        "weights": np.zeros(1),
        "noise": np.ones((1, 1)),
        "sigma": 0.5,
        "learning_rate": 0.2,
    },
    "8.5": {
        "left": torch.tensor([3.0]),
        "right": torch.tensor([1.0]),
        "prefers_left": torch.tensor([1.0]),
    },
}


def log_loss(*, sign=-1, kind="log", reduce="mean", weighs=True, taken=True):
    """The log-probability loss with one thing changed."""

    def attempt(logits, actions, weights):
        chances = logits.softmax(dim=1)
        table = {"log": chances.log(), "chance": chances, "logit": logits}[kind]
        each = table.gather(1, actions[:, None])[:, 0] if taken else table.max(dim=1).values
        if weighs:
            each = each * weights
        return sign * (each if reduce == "none" else getattr(each, reduce)())

    return attempt


def _apart(logits, actions, weights):
    return -Categorical(logits=logits).log_prob(actions).mean() * weights.mean()


def _crossed(logits, actions, weights):
    return -(logits.log_softmax(1)[:, actions] * weights).sum(dim=1).mean()


def _by_numpy(logits, actions, weights):
    rows = zip(logits, actions.numpy(), weights.numpy(), strict=True)
    return -sum(row.log_softmax(0)[k] * float(w) for row, k, w in rows)[None] / len(logits)


def _over_rows(logits, actions, weights):
    logs = logits.log_softmax(dim=0)
    return -(logs.gather(1, actions[:, None])[:, 0] * weights).mean()


def _without_squeeze(logits, actions, weights):
    return -(logits.log_softmax(1).gather(1, actions[:, None]) * weights).mean()


def _positive_only(logits, actions, weights):
    return log_loss()(logits, actions, weights.clamp(min=0))


def _half_detached(logits, actions, weights):
    logs = logits - logits.logsumexp(dim=1, keepdim=True).detach()
    return -(logs.gather(1, actions[:, None])[:, 0] * weights).mean()


def _cross_entropy(logits, actions, weights):
    return (nn.functional.cross_entropy(logits, actions, reduction="none") * weights).mean()


def _in_place_better(to_go):
    to_go -= np.nanmean(to_go, axis=0)
    return to_go


def _without_zeros(to_go):
    filled = np.nan_to_num(to_go)
    return to_go - filled.sum(axis=0) / np.count_nonzero(filled, axis=0)


def _complete_only(to_go):
    return to_go - to_go[~np.isnan(to_go).any(axis=1)].mean(axis=0)


def better(*, axis=0, nan=True, sign=1, spread=False, fill=None, middle=None):
    """The advantages with one thing changed."""

    def attempt(to_go):
        table = to_go if fill is None else np.nan_to_num(to_go, nan=fill)
        take = middle or (np.nanmean if nan else np.mean)
        level = take(table, axis=axis, keepdims=axis is not None)
        found = sign * (to_go - level)
        if spread:
            found = found / (np.nanstd(to_go, axis=0) + 1e-8)
        return found

    return attempt


def _with_loops(to_go):
    found = np.full_like(to_go, np.nan)
    for step in range(to_go.shape[1]):
        alive = [row for row in range(len(to_go)) if to_go[row, step] == to_go[row, step]]
        for row in alive:
            usual = sum(to_go[one, step] for one in alive) / len(alive)
            found[row, step] = to_go[row, step] - usual
    return found


def clip_of(*, take=torch.minimum, low=True, centre=1.0, sign=1, mean=False):
    """The clipped objective with one thing changed."""

    def attempt(ratio, advantage, clip):
        near = ratio.clamp(centre - clip if low else None, centre + clip)
        found = sign * take(ratio * advantage, near * advantage)
        return found.mean() if mean else found

    return attempt


def _one_by_one(ratio, advantage, clip):
    pairs = zip(ratio, advantage, strict=True)
    return torch.stack([min(r * a, min(max(r, 1 - clip), 1 + clip) * a) for r, a in pairs])


def _two_limits(ratio, advantage, clip):
    plain = torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)
    return torch.where(advantage < 0, torch.maximum(plain, 3 * advantage), plain)


def _where(ratio, advantage, clip):
    limit = torch.where(advantage > 0, 1 + clip, 1 - clip)
    out = torch.where(advantage > 0, ratio > limit, ratio < limit)
    return torch.where(out, limit * advantage, ratio * advantage)


def step_of(
    *, back=True, scale=True, at_once=True, rank=True, sign=1, mean=True, divide=True, new=True,
    half=False,
):  # fmt: skip
    """An evolution step with one thing changed."""

    def attempt(evaluate_all, weights, noise, *, sigma, learning_rate):
        directions = np.concatenate([noise, -noise]) if back else noise
        candidates = [weights + (sigma if scale else 1) * one for one in directions]
        if at_once:
            returns = list(evaluate_all(candidates))
        else:
            returns = [evaluate_all([one])[0] for one in candidates]
        scores = ranks(returns) if rank else np.array(returns)
        count = len(noise) if half else len(directions)
        step = scores @ directions / (count if mean else 1)
        step = sign * learning_rate / (sigma if divide else 1) * step
        return weights + step if new else step

    return attempt


def _in_place(evaluate_all, weights, noise, *, sigma, learning_rate):
    directions = np.concatenate([noise, -noise])
    scores = ranks(evaluate_all([weights + sigma * one for one in directions]))
    weights += learning_rate / sigma * scores @ directions / len(directions)
    return weights


def _with_scores(change):
    """What a step makes of ranks, noise and directions."""

    def attempt(evaluate_all, weights, noise, *, sigma, learning_rate):
        directions = np.concatenate([noise, -noise])
        returns = evaluate_all([weights + sigma * one for one in directions])
        return weights + learning_rate / sigma * change(returns, noise, directions)

    return attempt


def _order(returns):
    return np.argsort(np.argsort(returns)) / (len(returns) - 1) - 0.5


def _two_calls(evaluate_all, weights, noise, *, sigma, learning_rate):
    returns = [*evaluate_all([weights + sigma * one for one in noise]),
               *evaluate_all([weights - sigma * one for one in noise])]  # fmt: skip
    directions = np.concatenate([noise, -noise])
    return weights + learning_rate / sigma * ranks(returns) @ directions / len(directions)


def _pair_by_pair(evaluate_all, weights, noise, *, sigma, learning_rate):
    both = [weights + side * sigma * one for one in noise for side in (-1, 1)]
    scores = ranks(np.asarray(evaluate_all(np.array(both)))).reshape(-1, 2)
    return weights + learning_rate / sigma * ((scores[:, 1] - scores[:, 0]) @ noise) / len(both)


def _the_best(evaluate_all, weights, noise, *, sigma, learning_rate):
    candidates = [weights + sigma * one for one in (*noise, *-noise)]
    return candidates[int(np.argmax(evaluate_all(candidates)))]


def preferred(*, sign=-1, swap=False, reduce="mean", both=True, log=True, exact=True):
    """The preference loss with one thing changed."""

    def attempt(left, right, prefers_left):
        lead = right - left if swap else left - right
        squash = nn.functional.logsigmoid if log and exact else torch.sigmoid
        yes, no = squash(lead), squash(-lead)
        if log and not exact:
            yes, no = yes.log(), no.log()
        each = prefers_left * yes
        if both:
            each = each + (1 - prefers_left) * no
        return sign * (each if reduce == "none" else getattr(each, reduce)())

    return attempt


def _entropy(left, right, prefers_left):
    return nn.functional.binary_cross_entropy_with_logits(left - right, prefers_left)


def _stable(left, right, prefers_left):
    lead = left - right
    return (lead.relu() - lead * prefers_left + (-lead.abs()).exp().log1p()).mean()


def _mixture(left, right, prefers_left):
    chance = torch.sigmoid(left - right)
    return -(prefers_left * chance + (1 - prefers_left) * (1 - chance)).log().mean()


def _sure_ones(left, right, prefers_left):
    sure = prefers_left != 0.5
    return _entropy(left[sure], right[sure], prefers_left[sure])


def _squares(left, right, prefers_left):
    return ((torch.sigmoid(left - right) - prefers_left) ** 2).mean()


RIGHT = {
    "8.1": {
        "cross entropy": _cross_entropy,
        "one of its kind": log_loss(),
        "weights by numpy": _by_numpy,
    },
    "8.2": {"loops": _with_loops, "one of its kind": better()},
    "8.3": {"where": _where, "one of its kind": clip_of(), "one by one": _one_by_one},
    "8.4": {"pair by pair": _pair_by_pair, "one of its kind": step_of()},
    "8.5": {"cross entropy": _entropy, "one of its kind": preferred(), "the stable form": _stable},
}
MUTANTS = {
    "8.1": {
        "no minus": Mutant(log_loss(sign=1), "a minus"),
        "the chance itself": Mutant(log_loss(kind="chance"), "LOGARITHM"),
        "the logit itself": Mutant(log_loss(kind="logit"), "not yet log-probabilities"),
        "the sum": Mutant(log_loss(reduce="sum"), "not the sum", (), lost("the batch")),
        "no mean": Mutant(log_loss(reduce="none"), "one number"),
        "no weight": Mutant(log_loss(weighs=False), "where is the weight"),
        "the likeliest": Mutant(log_loss(taken=False), "that was TAKEN"),
        "means apart": Mutant(_apart, "step by step", (), lost("the batch")),
        "mixed": Mutant(_crossed, "pairs each step with every other", (), lost("the batch")),
        "over the rows": Mutant(_over_rows, "dim=1", ("not yet log-probabilities",)),
        "not squeezed": Mutant(_without_squeeze, "step by step", (), lost("the batch")),
        "only good ones": Mutant(_positive_only, "also below 0", ("a minus", "the minus")),
        "half detached": Mutant(_half_detached, "depends on the logits", (), lost("the direction")),
        "detached": Mutant(
            lambda *given: log_loss()(*given).detach(), "no gradient", (), lost("the direction")
        ),
        "an array": Mutant(lambda *given: log_loss()(*given).detach().numpy(), "a tensor"),
    },
    "8.2": {
        "one mean": Mutant(better(axis=None), "EACH step"),
        "along the episode": Mutant(better(axis=1), "axis 0"),
        "the other way": Mutant(better(sign=-1), "not the other way round"),
        "np.mean": Mutant(better(nan=False), "np.nanmean", (), lost("who is over")),
        "the median": Mutant(better(middle=np.nanmedian), "not the median"),
        "divided": Mutant(better(spread=True), "only the mean"),
        "over is 0": Mutant(better(fill=0.0), "not one that returned 0", (), lost("who is over")),
        "in place": Mutant(_in_place_better, "changes the caller's own", (), lost("what stays")),
        "0 is over": Mutant(_without_zeros, "a number like others", ("nanmean",), lost("the mean")),
        "whole ones alone": Mutant(
            _complete_only, "as long as it goes on", ("not the first",), lost("who is over")
        ),
        "nan filled": Mutant(
            lambda to_go: np.nan_to_num(better()(to_go)), "leave nan", (), lost("what stays")
        ),
        "one row": Mutant(lambda to_go: better()(to_go)[0], "of shape"),
    },
    "8.3": {
        "no clip": Mutant(
            lambda ratio, advantage, clip: ratio * advantage,
            "where is the clip",
            (),
            lost("nothing more to gain", "losses in full"),
        ),
        "only the clip": Mutant(
            clip_of(take=lambda plain, near: near), "only the clip", (), lost("losses in full")
        ),
        "the larger": Mutant(
            clip_of(take=torch.maximum), "not the larger", ("where is", "only the clip")
        ),
        "one side": Mutant(
            clip_of(low=False, take=lambda plain, near: near), "two sides", ("where is the clip",)
        ),
        "another limit": Mutant(_two_limits, "must not hide it", (), lost("losses in full")),
        "always 0.2": Mutant(
            lambda ratio, advantage, clip: clip_of()(ratio, advantage, 0.2),
            "clip is an argument",
            ("the smaller of ratio",),
            None,
        ),
        "around 0": Mutant(clip_of(centre=0.0), "around 1"),
        "a loss": Mutant(clip_of(sign=-1), "no minus"),
        "the mean": Mutant(clip_of(mean=True), "no mean and no sum yet"),
        "the smaller ratio": Mutant(
            lambda ratio, advantage, clip: (
                torch.minimum(ratio, ratio.clamp(1 - clip, 1 + clip)) * advantage
            ),
            "two PRODUCTS",
        ),
    },
    "8.4": {
        "forwards only": Mutant(step_of(back=False), "backwards, too"),
        "no sigma": Mutant(step_of(scale=False), "sigma times the noise"),
        "one by one": Mutant(step_of(at_once=False), "one call", (), lost("side by side")),
        "the returns": Mutant(step_of(rank=False), "ranks in place", (), None),
        "downhill": Mutant(step_of(sign=-1), "BETTER candidates"),
        "the sum": Mutant(step_of(mean=False), "not the sum"),
        "half of them": Mutant(step_of(half=True), "mean over ALL", (), lost("the step")),
        "not divided": Mutant(step_of(divide=False), "divide by sigma"),
        "the step alone": Mutant(step_of(new=False), "from the old weights on"),
        "in place": Mutant(_in_place, "changes the caller's own", (), lost("the step")),
        "two calls": Mutant(_two_calls, "together", ("not one per",), lost("side by side")),
        "half the ranks": Mutant(
            _with_scores(
                lambda returns, noise, both: ranks(returns)[: len(noise)] @ noise / len(noise)
            ),
            "ranks of their own",
            (),
            lost("the step"),
        ),
        "winners": Mutant(
            _with_scores(
                lambda returns, noise, both: 2 * ranks(returns).clip(0) @ both / len(both)
            ),
            "away from them",
            (),
            lost("the step"),
        ),
        "own ranks": Mutant(
            _with_scores(lambda returns, noise, both: _order(returns) @ both / len(both)),
            "rank times direction",
            ("towards", "divide"),
            lost("the step"),
        ),
        "by the size": Mutant(
            _with_scores(lambda returns, noise, both: ranks(returns) @ both / both.size),
            "number of candidates",
            ("divide by sigma",),
            None,
        ),
        "sigma always 0.5": Mutant(
            lambda evaluate_all, weights, noise, sigma, learning_rate: step_of()(
                evaluate_all, weights, noise, sigma=0.5, learning_rate=learning_rate
            ),
            "sigma is an argument",
            (),
            None,
        ),
        "rate always 0.2": Mutant(
            lambda evaluate_all, weights, noise, sigma, learning_rate: step_of()(
                evaluate_all, weights, noise, sigma=sigma, learning_rate=0.2
            ),
            "learning_rate is an argument",
            (),
            None,
        ),
        "the best alone": Mutant(_the_best, "not the best alone"),
    },
    "8.5": {
        "no minus": Mutant(preferred(sign=1), "a minus"),
        "the other way": Mutant(preferred(swap=True), "not the other way round"),
        "the sum": Mutant(preferred(reduce="sum"), "not the sum", (), lost("the batch")),
        "no mean": Mutant(preferred(reduce="none"), "one number"),
        "one side": Mutant(preferred(both=False), "where the RIGHT was preferred"),
        "squares": Mutant(_squares, "not a squared error"),
        "rounded": Mutant(preferred(exact=False), "exact there", (), lost("far apart")),
        "the chance": Mutant(
            preferred(log=False), "minus its LOG", ("left minus right", "infinite")
        ),
        "one loss for both": Mutant(
            lambda left, right, prefers_left: -nn.functional.logsigmoid(left - right).mean(),
            "where the RIGHT was preferred",
            ("left minus right",),
            None,
        ),
        "a mixture": Mutant(_mixture, "not the logarithm of the sum", (), None),
        "without a half": Mutant(_sure_ones, "half of each", ("infinite",), None),
        "right detached": Mutant(
            lambda left, right, prefers_left: _entropy(left, right.detach(), prefers_left),
            "no gradient",
            (),
            lost("the chance"),
        ),
        "cut at 20": Mutant(
            lambda left, right, prefers_left: nn.functional.binary_cross_entropy_with_logits(
                (left - right).clamp(-20, 20), prefers_left
            ),
            "no upper end",
            ("infinite",),
            lost("far apart"),
        ),
    },
}
