"""A reward that is learned from comparisons: which of two clips is the better one?

Source: Christiano et al. 2017, "Deep reinforcement learning from human preferences"; the model of
the answers is Bradley and Terry's of 1952.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from course_lib.agents.many_networks import ManyNetworks
from course_lib.torch_threads import torch_threads


class Clips(NamedTuple):
    """K short pieces of episodes: obs (K, T, D) and actions (K, T, A)."""

    obs: np.ndarray
    actions: np.ndarray


class Answers(NamedTuple):
    """Of each question: the numbers of its two clips, (Q, 2), and how sure it is the left, (Q,).

    1 means that the left clip is better, 0 the right, 0.5 that neither is.
    """

    pairs: np.ndarray
    left: np.ndarray


def record_clips(
    envs: gym.vector.VectorEnv, *, num_steps: int, hold: int, rng: np.random.Generator
) -> Clips:
    """Record one clip in each environment, of random actions that are kept for ``hold`` steps."""
    obs, _ = envs.reset(seed=int(rng.integers(2**31)))
    space, steps = envs.single_action_space, []
    if not isinstance(space, gym.spaces.Box):
        raise ValueError(f"clips are recorded with Box actions, got {space}")
    for step in range(num_steps):
        if step % hold == 0:
            actions = rng.uniform(space.low, space.high, size=(envs.num_envs, *space.shape))
        steps.append((obs, actions))
        obs = envs.step(actions.astype(np.float32))[0]
    return Clips(*(np.stack(column, axis=1) for column in zip(*steps, strict=True)))


def draw_pairs(num_clips: int, num_pairs: int, rng: np.random.Generator) -> np.ndarray:
    """Draw pairs of different clips, shape (num_pairs, 2)."""
    if num_clips < 2:
        raise ValueError(f"a comparison needs two clips, got {num_clips}")
    first = rng.integers(num_clips, size=num_pairs)
    return np.stack([first, (first + rng.integers(1, num_clips, num_pairs)) % num_clips], axis=1)


def judged(
    scores: np.ndarray, pairs: np.ndarray, *, wrong: float, rng: np.random.Generator
) -> np.ndarray:
    """A judge's answers: the clip with the higher score, but the other one in a share of cases.

    Args:
        scores: of the clips, shape (K,).
        pairs: shape (Q, 2).
        wrong: share of wrong answers, in [0, 1].
        rng: draws which.

    Returns:
        1 where the left clip is called better, else 0, shape (Q,).
    """
    if not 0 <= wrong <= 1:
        raise ValueError(f"wrong must be in [0, 1], got {wrong}")
    left = scores[pairs[:, 0]] > scores[pairs[:, 1]]
    return (left ^ (rng.random(len(pairs)) < wrong)).astype(float)


def preference_loss(left: Tensor, right: Tensor, prefers_left: Tensor) -> Tensor:
    """How badly rewards explain what was preferred, on average.

    The model says: the left clip is preferred with probability ``sigmoid(left - right)``.

    Args:
        left: shape (Q,), the sum of the learned rewards along the left clip.
        right: the same of the right one.
        prefers_left: shape (Q,), 1 if the left was called better, 0 if not, 0.5 if neither.
    """
    lead = left - right
    chances = prefers_left * nn.functional.logsigmoid(lead)
    return -(chances + (1 - prefers_left) * nn.functional.logsigmoid(-lead)).mean()


class RewardModels(nn.Module):
    """S reward models side by side, each learned from answers of its own.

    Args:
        clips: what the models are evened on: over all its steps a reward has mean 0 and size 1.
        num_models: S.
        hidden: units per hidden layer.
        seed: of the first weights.
    """

    def __init__(
        self, clips: Clips, num_models: int, hidden: tuple[int, ...] = (16,), *, seed: int
    ) -> None:
        super().__init__()
        seen = _inputs(clips.obs, clips.actions)
        self.middle, self.size = seen.mean(dim=(0, 1)), seen.std(dim=(0, 1)) + 1e-6
        self.num_models, self._clips = num_models, clips
        self.networks = ManyNetworks(num_models, seen.shape[-1], 1, hidden, seed=seed)
        self.scale = torch.ones(num_models, 1)
        self.shift = torch.zeros(num_models, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Rewards of inputs (S, N, D + A), as learned, (S, N)."""
        found = self.networks((inputs - self.middle) / self.size)[..., 0]
        return (found - self.shift) / self.scale

    @torch_threads(1)
    def rewards(self, obs: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Rewards of steps (S, N, ...), each model its own, (S, N)."""
        with torch.no_grad():
            return self(_inputs(obs, actions)).numpy()

    @torch_threads(1)
    def scores(self, clips: Clips) -> np.ndarray:
        """The mean reward of clips by each model, (S, K)."""
        with torch.no_grad():
            return self._along(_inputs(clips.obs, clips.actions)).numpy() / clips.obs.shape[1]

    def _along(self, steps: Tensor) -> Tensor:
        flat = steps.flatten(0, 1).expand(self.num_models, -1, -1)
        return self(flat).view(self.num_models, *steps.shape[:2]).sum(dim=2)

    @torch_threads(1)
    def learn(
        self, answers: list[Answers], *, num_rounds: int = 300, learning_rate: float = 0.01,
        weight_decay: float = 0.01,
        loss: Callable[[Tensor, Tensor, Tensor], Tensor] = preference_loss,
    ) -> list[float]:  # fmt: skip
        """Fit each model to its answers; return the mean loss after each round.

        Args:
            answers: one set for each model.
            num_rounds: gradient steps, each over all answers.
            learning_rate: of Adam.
            weight_decay: pulls weights to 0; with 40 answers much else would fit.
            loss: called like :func:`preference_loss`.
        """
        if len(answers) != self.num_models:
            raise ValueError(f"{self.num_models} models need as many sets, got {len(answers)}")
        optimizer = torch.optim.AdamW(
            self.networks.parameters(), lr=learning_rate, weight_decay=weight_decay
        )
        steps = _inputs(self._clips.obs, self._clips.actions)
        known = [torch.as_tensor(one.left, dtype=torch.float32) for one in answers]
        losses = []
        for _ in range(num_rounds):
            scores = self._along(steps)
            parts = [
                loss(own[one.pairs[:, 0]], own[one.pairs[:, 1]], left)
                for own, one, left in zip(scores, answers, known, strict=True)
            ]
            optimizer.zero_grad()
            torch.stack(parts).sum().backward()
            optimizer.step()
            losses.append(float(torch.stack(parts).detach().mean()))
        self._even()
        return losses

    def _even(self) -> None:
        """Only differences were learned: choose mean and size."""
        steps = _inputs(self._clips.obs, self._clips.actions).flatten(0, 1)
        with torch.no_grad():
            found = self(steps.expand(self.num_models, -1, -1))
            self.shift = found.mean(dim=1, keepdim=True)
            self.scale = found.std(dim=1, keepdim=True) + 1e-6


class LearnedReward(gym.vector.VectorWrapper):
    """Environments that pay what models say, and nothing else.

    Args:
        env: divided among the models in equal parts.
        models: who says it.
    """

    def __init__(self, env: gym.vector.VectorEnv, models: RewardModels) -> None:
        super().__init__(env)
        self._models, self._obs = models, np.zeros(0)

    def reset(self, **more: Any) -> tuple[np.ndarray, dict[str, Any]]:  # type: ignore[override]
        """Begin."""
        self._obs, info = self.env.reset(**more)
        return self._obs, info

    def step(self, actions: np.ndarray) -> tuple:  # type: ignore[override]
        """Take a step; its reward is the models', for the state in which the action was taken."""
        parts = (self._models.num_models, -1)
        paid = self._models.rewards(
            self._obs.reshape(*parts, self._obs.shape[-1]),
            actions.reshape(*parts, actions.shape[-1]),
        )
        self._obs, _, terminated, truncated, info = self.env.step(actions)
        return self._obs, paid.reshape(-1), terminated, truncated, info


def _inputs(obs: np.ndarray, actions: np.ndarray) -> Tensor:
    return torch.as_tensor(np.concatenate([obs, actions], axis=-1), dtype=torch.float32)
