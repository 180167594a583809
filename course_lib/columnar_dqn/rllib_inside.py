"""Every name of RLlib's that ColumnarDQN needs and RLlib does not promise to keep: one place.

``INSIDE`` lists them as data, and the classes below give each a name without an underscore. All
other files use RLlib's public classes and methods only. After an upgrade of Ray, a test prints the
list: look each name up in the new version, adapt this file, and set ``READ_AGAINST``.
"""

import importlib
import inspect
import re
from dataclasses import dataclass
from typing import Any

from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.dqn.dqn import DQN
from ray.rllib.algorithms.dqn.torch.default_dqn_torch_rl_module import DefaultDQNTorchRLModule
from ray.rllib.algorithms.dqn.torch.dqn_torch_learner import DQNTorchLearner
from ray.rllib.execution.rollout_ops import synchronous_parallel_sample

READ_AGAINST = "2.60.0"


@dataclass(frozen=True)
class Inside:
    """A name inside RLlib.

    Attributes:
        where: the module, and after a colon the class or function that has it.
        name: a method, an attribute that instances have, or an argument.
        why: what it is needed for.
        instead: the public way that will replace it.
    """

    where: str
    name: str
    why: str
    instead: str

    def exists(self) -> bool:
        """Whether the installed RLlib still has the name at its place."""
        module, _, owner = self.where.partition(":")
        try:
            found = getattr(importlib.import_module(module), owner)
        except (ImportError, AttributeError):
            return False
        source = inspect.getsource(found)
        return bool(hasattr(found, self.name) or re.search(rf"\b{self.name}\b\s*[:=]", source))


_ALGORITHM = "ray.rllib.algorithms.algorithm:Algorithm"
_CONFIG = "ray.rllib.algorithms.algorithm_config:AlgorithmConfig"
_LEARNER = "ray.rllib.core.learner.learner:Learner"
_TORCH_LEARNER = "ray.rllib.core.learner.torch.torch_learner:TorchLearner"
_MODULE = "ray.rllib.core.rl_module.torch.torch_rl_module:TorchRLModule"
_SAMPLING = "ray.rllib.execution.rollout_ops:synchronous_parallel_sample"
_PROPERTY = "a public property of AlgorithmConfig"

INSIDE = (
    Inside(_ALGORITHM, "_create_local_replay_buffer_if_necessary", "overridden: another memory",
           "a class of one's own in replay_buffer_config, on the new API stack"),
    Inside(_SAMPLING, "_uses_new_env_runners", "episodes, not sample batches",
           "its default, once the old API stack is gone"),
    Inside(_SAMPLING, "_return_metrics", "the env runners' figures come with their episodes",
           "EnvRunnerGroup.foreach_env_runner with sample() and get_metrics()"),
    Inside(_LEARNER, "_weights_seq_no", "counted up, so that env runners take newer weights",
           "Learner.update with many minibatches a call, once it is fast enough"),
    Inside(_LEARNER, "_update", "RLlib's own step, where settings are not the plain ones",
           "Learner.compute_losses to apply_gradients, once they can be compiled"),
    Inside(_LEARNER, "_learner_connector", "a stopwatch at the unpacking of episodes",
           "RLlib's own timers of connectors"),
    Inside(_TORCH_LEARNER, "_grad_scalers", "mixed precision takes RLlib's own step",
           "a public query"),
    Inside(_TORCH_LEARNER, "_lr_scheduler_classes", "PyTorch's schedulers take RLlib's own step",
           "a public query"),
    Inside(_MODULE, "_forward_train", "overridden: next observations go without gradients",
           "none needed: RLlib documents it as the method to override"),
    Inside(_CONFIG, "_learner_connector", "refused: columns never pass there", _PROPERTY),
    Inside(_CONFIG, "_env_to_module_connector", "refused: columns never pass there", _PROPERTY),
)  # fmt: skip


def listed() -> str:
    """All of ``INSIDE`` in words, one name a paragraph, marked where it is gone."""
    lines = [f"Names inside RLlib, read against Ray {READ_AGAINST}:"]
    for one in INSIDE:
        gone = "" if one.exists() else "  GONE"
        lines += [f"* {one.where} {one.name}{gone}", f"  for: {one.why}", f"  then: {one.instead}"]
    return "\n".join(lines)


def connectors_of(config: AlgorithmConfig) -> dict[str, bool]:
    """Which connectors of one's own a configuration has."""
    return {
        "a learner connector": config._learner_connector is not None,
        "an env-to-module connector": config._env_to_module_connector is not None,
    }


def unpacker(learner: Any) -> tuple[Any, str]:
    """The object and the name under which a learner keeps what turns episodes into a batch."""
    return learner, "_learner_connector"


class InsideDQN(DQN):
    """RLlib's DQN, with a place for another memory."""

    def make_replay_memory(self) -> Any:
        """Return what becomes ``local_replay_buffer``."""
        raise NotImplementedError

    def sample_episodes(self) -> tuple[list[Any], list[Any]]:
        """Let all env runners sample in parallel; return episodes, or parts of them, and figures.

        An env runner that fails or takes longer than ``sample_timeout_s`` is left out.
        """
        return synchronous_parallel_sample(
            worker_set=self.env_runner_group,
            concat=True,
            sample_timeout_s=self.config.sample_timeout_s,
            _uses_new_env_runners=True,
            _return_metrics=True,
        )

    def _create_local_replay_buffer_if_necessary(self, config: Any) -> Any:
        return self.make_replay_memory()


class InsideLearner(DQNTorchLearner):
    """RLlib's DQN learner, with its steps one by one."""

    def count_update(self) -> None:
        """Say that the weights are about to change."""
        self._weights_seq_no += 1

    def rllib_step(self, minibatch: dict[str, Any]) -> dict[str, Any]:
        """Take one gradient step as RLlib does; return the loss of each module."""
        return self._update(minibatch)[1]

    @property
    def has_special_steps(self) -> bool:
        """Whether gradients are scaled, or learning rates scheduled by PyTorch."""
        return self._grad_scalers is not None or self._lr_scheduler_classes is not None


class InsideModule(DefaultDQNTorchRLModule):
    """RLlib's DQN network, with a place for another forward pass in training."""

    def training_q_values(self, batch: dict[str, Any]) -> dict[str, Any] | None:
        """Return the q-values that the loss needs, or None to take RLlib's pass."""
        raise NotImplementedError

    def _forward_train(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        found = self.training_q_values(batch)
        return super()._forward_train(batch, **kwargs) if found is None else found
