"""Every name of RLlib's that ColumnarDQN needs and RLlib does not promise to keep: one place.

``LEANS_ON`` lists them, and what follows gives each a name without an underscore. All other files
use RLlib's public classes and methods only. After an upgrade of Ray, a test prints the list: look
each name up in the new version, adapt this file, and set ``READ_AGAINST``.
"""

from typing import Any, NamedTuple

from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.dqn.dqn import DQN
from ray.rllib.algorithms.dqn.torch.dqn_torch_learner import DQNTorchLearner
from ray.rllib.execution.rollout_ops import synchronous_parallel_sample

READ_AGAINST = "2.60.0"
UNPACKER = "_learner_connector"  # where a learner keeps what turns episodes into a batch


class Inside(NamedTuple):
    """A name inside RLlib: the file that has it, below Ray's package, and its text there.

    ``why`` says what it is needed for, ``instead`` names the public way that will replace it.
    """

    name: str
    file: str
    text: str
    why: str
    instead: str


_CONFIG, _SAMPLING = "rllib/algorithms/algorithm_config.py", "rllib/execution/rollout_ops.py"
_LEARNER = "rllib/core/learner/learner.py"
_TORCH_LEARNER = "rllib/core/learner/torch/torch_learner.py"
_PROPERTY = "a public property of AlgorithmConfig"
LEANS_ON = (
    Inside("_create_local_replay_buffer_if_necessary", "rllib/algorithms/algorithm.py",
           "def _create_local_replay_buffer_if_necessary(", "overridden: another memory",
           "a class of one's own in replay_buffer_config, on the new API stack"),
    Inside("_uses_new_env_runners", _SAMPLING, "_uses_new_env_runners: bool",
           "episodes, not sample batches", "its default, once the old API stack is gone"),
    Inside("_return_metrics", _SAMPLING, "_return_metrics: bool",
           "the env runners' figures come with their episodes",
           "EnvRunnerGroup.foreach_env_runner with sample() and get_metrics()"),
    Inside("_weights_seq_no", _LEARNER, "self._weights_seq_no += 1",
           "counted up, so that env runners take newer weights",
           "Learner.update with many minibatches a call, once it is fast enough"),
    Inside("_update", _LEARNER, "def _update(",
           "RLlib's own step, where settings are not the plain ones",
           "Learner.compute_losses to apply_gradients, once they can be compiled"),
    Inside(UNPACKER, _LEARNER, "batch = self._learner_connector(",
           "a stopwatch at the unpacking of episodes", "RLlib's own timers of connectors"),
    Inside("_grad_scalers", _TORCH_LEARNER, "self._grad_scalers = None",
           "mixed precision takes RLlib's own step", "a public query"),
    Inside("_lr_scheduler_classes", _TORCH_LEARNER, "self._lr_scheduler_classes = None",
           "PyTorch's schedulers take RLlib's own step", "a public query"),
    Inside("_learner_connector", _CONFIG, "self._learner_connector = None",
           "refused: columns never pass there", _PROPERTY),
    Inside("_env_to_module_connector", _CONFIG, "self._env_to_module_connector = None",
           "refused: columns never pass there", _PROPERTY),
)  # fmt: skip


def connectors_of(config: AlgorithmConfig) -> dict[str, bool]:
    """Which connectors of one's own a configuration has."""
    return {
        "a learner connector": config._learner_connector is not None,
        "an env-to-module connector": config._env_to_module_connector is not None,
    }


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
