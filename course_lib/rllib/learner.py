"""RLlib's DQN learner, fed with many minibatches at a time.

The loss, double and dueling networks, clipping and optimizer steps are RLlib's. What differs is
the loop around them: it slices columns, and it counts the minibatches, so that the target network
moves at its interval and not once per call.
"""

import math
from typing import Any

import torch
from ray.rllib.algorithms.dqn.dqn_learner import DQNLearner
from ray.rllib.algorithms.dqn.torch.dqn_torch_learner import DQNTorchLearner
from ray.rllib.core.learner.training_data import TrainingData
from ray.rllib.core.learner.utils import update_target_network
from ray.rllib.utils.metrics import (
    ALL_MODULES,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    NUM_MODULE_STEPS_TRAINED,
    NUM_MODULE_STEPS_TRAINED_LIFETIME,
    NUM_TARGET_UPDATES,
)

STEPS_BEFORE = "num_env_steps_before_this_sample"
_COUNTS = {NUM_MODULE_STEPS_TRAINED: "sum", NUM_MODULE_STEPS_TRAINED_LIFETIME: "lifetime_sum"}


class ColumnarDQNTorchLearner(DQNTorchLearner):
    """Runs over one large sample in minibatches, in one call."""

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        """Use Adam, by default in the version that updates all weights in one go."""
        parameters = self.get_parameters(self._module[module_id])
        self.register_optimizer(
            module_id=module_id,
            optimizer=torch.optim.Adam(
                parameters, eps=config.adam_epsilon, fused=config.fused_adam
            ),
            params=parameters,
            lr_or_lr_schedule=config.lr,
        )

    def update(
        self,
        training_data: TrainingData | None = None,
        *,
        batch: Any = None,
        timesteps: dict[str, Any] | None = None,
        minibatch_size: int | None = None,
        _no_metrics_reduce: bool = False,
        **_: Any,
    ) -> Any:
        """Take one gradient step per ``minibatch_size`` rows of the batch.

        Args:
            training_data: holds the batch, as ``LearnerGroup.update`` passes it.
            batch: the same, as a ``MultiAgentBatch``, when called directly.
            timesteps: lifetime environment steps now, and before the newest sample.
            minibatch_size: rows per gradient step; all rows in one step if not given.

        Returns:
            RLlib's results; the loss and q-value figures average the steps of this call.
        """
        self._check_is_built()
        timesteps = timesteps or {}
        self.before_gradient_based_update(timesteps=timesteps)
        training_data = training_data or TrainingData(batch=batch)
        training_data.validate()
        training_data.solve_refs()
        self._weights_seq_no += 1
        threads = torch.get_num_threads()
        torch.set_num_threads(self.config.torch_threads or threads)
        try:
            for module_id, columns in self._tensors(training_data).items():
                self._run(module_id, columns, timesteps, minibatch_size)
        finally:
            torch.set_num_threads(threads)
        self.after_gradient_based_update(timesteps=timesteps)
        return None if _no_metrics_reduce else self.metrics.reduce()

    def after_gradient_based_update(self, *, timesteps: dict[str, Any]) -> None:
        """Update learning-rate schedules; the target network has its own count in ``_run``."""
        super(DQNLearner, self).after_gradient_based_update(timesteps=timesteps)

    def get_state(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """RLlib's state, and when the target network was last moved."""
        state = super().get_state(*args, **kwargs)
        state["last_target_update"] = dict(self.last_update_ts_by_mid)
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`get_state` returned."""
        super().set_state(state)
        self.last_update_ts_by_mid.update(state.get("last_target_update", {}))

    def _tensors(self, training_data: TrainingData) -> dict[str, dict[str, torch.Tensor]]:
        """Move the whole batch to the learner's device, once."""
        batch = self._make_batch_if_necessary(training_data=training_data)
        return {
            module_id: {name: rows[name] for name in rows}
            for module_id, rows in batch.policy_batches.items()
            if self.should_module_be_updated(module_id, batch)
        }

    def _run(
        self,
        module_id: str,
        columns: dict[str, torch.Tensor],
        timesteps: dict[str, Any],
        minibatch_size: int | None,
    ) -> None:
        """Step through the minibatches, moving the target network whenever it is due.

        The minibatches of a call are spread evenly over the environment steps that came in since
        the call before, so an interval in environment steps is one in gradient steps too.
        """
        num_rows = len(columns["actions"])
        size = min(minibatch_size or num_rows, num_rows)
        num_updates = num_rows // size
        now = timesteps.get(NUM_ENV_STEPS_SAMPLED_LIFETIME, 0)
        before = timesteps.get(STEPS_BEFORE, now)
        for k in range(num_updates):
            rows = slice(k * size, (k + 1) * size)
            part = {name: column[rows] for name, column in columns.items()}
            _, losses, _ = self._update({module_id: part})
            self._move_target(module_id, before + (now - before) * (k + 1) / num_updates)
        loss = float(losses[module_id].detach())
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss became {loss} after {now:.0f} environment steps; lower the learning "
                "rate, clip the gradients (grad_clip) or look for nan in the observations"
            )
        self.metrics.log_value((module_id, self.TOTAL_LOSS_KEY), loss, window=1)
        for where in (module_id, ALL_MODULES):
            for key, how in _COUNTS.items():
                self.metrics.log_value((where, key), num_updates * size, reduce=how)

    def _move_target(self, module_id: str, steps: float) -> None:
        config = self.config.get_config_for_module(module_id)
        interval = config.target_network_update_freq
        due = int((steps - self.last_update_ts_by_mid[module_id]) / interval)
        if due < 1:
            return
        self.last_update_ts_by_mid[module_id] += due * interval
        for main, target in self.module[module_id].unwrapped().get_target_network_pairs():
            update_target_network(main_net=main, target_net=target, tau=config.tau)
        self.metrics.log_value((module_id, NUM_TARGET_UPDATES), 1, reduce="lifetime_sum")
