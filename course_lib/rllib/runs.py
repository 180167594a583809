"""Build, train, act, evaluate, save and load: an RLlib run without the ceremony."""

import contextlib
import functools
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.core import COMPONENT_LEARNER, COMPONENT_RL_MODULE
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.rl_module import RLModule

from course_lib import training
from course_lib.columnar_dqn.settings import at_step
from course_lib.envs.rollouts import MakeEnv, Policy, play
from course_lib.quiet import quiet
from course_lib.torch_threads import torch_threads
from course_lib.training import Row

_LOSSES = ("qf_loss", "total_loss")
_RETURNS = "training_returns"


def build(config: AlgorithmConfig) -> Algorithm:
    """Build the algorithm that ``config`` describes; ``config`` itself stays as it is."""
    with quiet():
        config = config.copy(copy_frozen=False)
        config.debugging(log_level="ERROR")
        there = config.callbacks_on_episode_end or []
        there = list(there) if isinstance(there, list | tuple) else [there]
        config.callbacks(on_episode_end=[*there, log_return])
        return config.build_algo()


def log_return(
    *, episode: Any, metrics_logger: Any, prev_episode_chunks: Any = None, **_: Any
) -> None:
    """Note the return of a finished training episode; RLlib itself keeps only averages."""
    total = sum(chunk.get_return() for chunk in (*(prev_episode_chunks or ()), episode))
    metrics_logger.log_value(_RETURNS, total, reduce="item_series")


def iterate(algo: Algorithm, *, num_steps: int, window: int = training.WINDOW) -> Iterator[Row]:
    """Train until ``num_steps`` environment steps in all, one row per iteration.

    A row holds ``env_steps`` (lifetime), ``seconds`` (of training, lifetime of this iterator),
    ``mean_return`` and ``max_return`` of the last ``window`` training episodes, and ``loss``,
    ``mean_q`` and ``epsilon`` where the algorithm has them; what is not known yet is nan.

    Args:
        algo: what :func:`build` returned.
        num_steps: lifetime environment steps at which to stop.
        window: training episodes to look back over.
    """
    recent: deque[float] = deque(maxlen=window)
    seconds, env_steps = 0.0, 0.0
    while env_steps < num_steps:
        start = time.perf_counter()
        with torch_threads(1):
            result = algo.train()
        seconds += time.perf_counter() - start
        ended = np.atleast_1d(result["env_runners"].get(_RETURNS, np.nan)).astype(float)
        recent.extend(ended[np.isfinite(ended)])  # nan: no episode ended in this iteration
        env_steps, _ = counts(result)
        learner = result.get("learners", {}).get("default_policy", {})
        loss = next((learner[key] for key in _LOSSES if key in learner), np.nan)
        yield {
            "env_steps": env_steps,
            "seconds": seconds,
            **training.return_figures(recent),
            "loss": float(loss),
            "mean_q": float(learner.get("qf_mean", np.nan)),
            "epsilon": epsilon_at(algo.config, env_steps),
        }


def counts(result: dict[str, Any]) -> tuple[float, float]:
    """Read off what ``algo.train()`` returns: environment steps and transitions replayed, ever."""
    learner = result.get("learners", {}).get("default_policy", {})
    trained = learner.get("num_module_steps_trained_lifetime", 0)
    return float(result.get("num_env_steps_sampled_lifetime", 0)), float(trained)


def epsilon_at(config: AlgorithmConfig, env_steps: float) -> float:
    """Probability of a random action after ``env_steps`` steps; nan where there is no epsilon."""
    schedule = getattr(config, "epsilon", None)
    if schedule is None:
        return float("nan")
    return at_step(schedule, env_steps)


def train(
    algo: Algorithm, *, num_steps: int, evaluate_every: int = 2_000, **more: Any
) -> list[Row]:
    """Train for at most ``num_steps`` environment steps, and stop early when it plays well.

    Args:
        algo: what :func:`build` returned.
        num_steps: lifetime environment steps at which to stop.
        evaluate_every: environment steps between two evaluations.
        **more: ``evaluate_on``, ``target``, ``on_row`` and more of :func:`training.train`, which
            says what happens to the weights and when the cell is interrupted.

    Returns:
        Rows as in :func:`iterate`, with ``greedy_return`` (nan where nothing was evaluated).
    """
    return training.train(
        iterate(algo, num_steps=num_steps),
        policy=lambda: policy_of(algo),
        weights=algo.get_weights,
        restore=functools.partial(set_weights, algo),
        evaluate_every=evaluate_every,
        **more,
    )


def set_weights(algo: Algorithm, weights: dict[str, Any]) -> None:
    """Give the learner and all env runners the weights that ``algo.get_weights()`` returned."""
    algo.learner_group.set_weights(weights)
    part = f"{COMPONENT_LEARNER}/{COMPONENT_RL_MODULE}"
    state = algo.learner_group.get_state(components=part, inference_only=True)[COMPONENT_LEARNER]
    state = {COMPONENT_RL_MODULE: state[COMPONENT_RL_MODULE]}  # without a number: always taken
    algo.env_runner_group.foreach_env_runner(lambda runner: runner.set_state(state))


def policy_of(source: Algorithm | RLModule) -> Policy:
    """Return the greedy policy: observations, shape (N, ...), in, actions, shape (N,), out."""
    module = source.get_module() if isinstance(source, Algorithm) else source
    if module is None:
        raise ValueError("the algorithm has no module 'default_policy' to act with")

    def act_on(obs: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            out = module.forward_inference({Columns.OBS: _as_tensor(obs)})
        if Columns.ACTIONS in out:
            return out[Columns.ACTIONS].cpu().numpy()
        kind = module.get_inference_action_dist_cls()
        best = kind.from_logits(out[Columns.ACTION_DIST_INPUTS]).to_deterministic()
        return best.sample().cpu().numpy()

    return act_on


def act(source: Algorithm | RLModule, obs: np.ndarray) -> Any:
    """Return the greedy action for one observation."""
    action = policy_of(source)(np.asarray(obs)[None])[0]
    return int(action) if np.issubdtype(np.asarray(action).dtype, np.integer) else action


def q_values(source: Algorithm | RLModule, obs: np.ndarray) -> np.ndarray:
    """Return a DQN's q-values for observations of shape (N, ...), as an array (N, num_actions)."""
    module = source.get_module() if isinstance(source, Algorithm) else source
    if not hasattr(module, "compute_q_values"):
        raise ValueError(f"{type(module).__name__} has no q-values; it is not a DQN's network")
    with torch.no_grad():
        return module.compute_q_values({Columns.OBS: _as_tensor(obs)})["qf_preds"].cpu().numpy()


def evaluate(
    source: Algorithm | RLModule | Policy,
    env: MakeEnv,
    *,
    num_episodes: int = 20,
    seed: int,
) -> np.ndarray:
    """Play greedy episodes and return their returns, shape (num_episodes,).

    Args:
        source: an algorithm, its module, or any policy over batches of observations.
        env: a registered name, or a callable that makes an environment.
        num_episodes: episodes, all from different start states.
        seed: fixes the start states.
    """
    policy = policy_of(source) if isinstance(source, Algorithm | RLModule) else source
    with torch_threads(1):
        return play(policy, env, num_episodes=num_episodes, seed=seed)


def save(algo: Algorithm, folder: str | Path) -> Path:
    """Write a checkpoint into ``folder``, which is made if needed; return its absolute path."""
    path = Path(folder).expanduser().resolve()
    path.mkdir(parents=True, exist_ok=True)
    with quiet():
        algo.save_to_path(str(path))
    return path


def load(folder: str | Path) -> Algorithm:
    """Bring back the algorithm that :func:`save` wrote.

    Raises:
        FileNotFoundError: if there is no checkpoint in ``folder``.
    """
    path = Path(folder).expanduser().resolve()
    if not (path / "rllib_checkpoint.json").exists():
        raise FileNotFoundError(
            f"no RLlib checkpoint in {path}; give the folder that save() was given"
        )
    with quiet():
        return Algorithm.from_checkpoint(str(path))


def stop(algo: Algorithm) -> None:
    """Release the algorithm's processes and memory, and the empty folder that Ray made for it."""
    with quiet():
        algo.stop()
    with contextlib.suppress(OSError):
        Path(algo.logdir).rmdir()


def _as_tensor(obs: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(np.asarray(obs, dtype=np.float32))
