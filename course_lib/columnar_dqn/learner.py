"""RLlib's DQN learner, fed with many minibatches at a time.

Networks, optimizer and schedules are RLlib's, and so are the numbers of every step. What differs is
the loop around them: it slices columns, it counts the minibatches, so that the target network
moves at its interval and not once per call, and it reports one set of figures per call.
"""

import math
from collections import defaultdict
from typing import Any

import torch
from ray.rllib.algorithms.dqn.dqn_learner import DQNLearner
from ray.rllib.core.learner.utils import update_target_network
from ray.rllib.utils.metrics import (
    ALL_MODULES,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    NUM_MODULE_STEPS_TRAINED,
    NUM_MODULE_STEPS_TRAINED_LIFETIME,
    NUM_TARGET_UPDATES,
    TD_ERROR_KEY,
)
from ray.rllib.utils.torch_utils import convert_to_torch_tensor

from .device_rows import DeviceRows
from .figures import Figures
from .loss import dqn_loss
from .rllib_inside import InsideLearner

STEPS_BEFORE = "num_env_steps_before_this_sample"
ROWS = "rows"
GRADIENT_NORM = "gradients_default_optimizer_global_norm"
_COUNTS = {NUM_MODULE_STEPS_TRAINED: "sum", NUM_MODULE_STEPS_TRAINED_LIFETIME: "lifetime_sum"}
# Multiplications and additions of one forward pass that are worth a thread of their own: measured
# on two cores, where a second thread starts to help between 4 and 9 million.
_WORK_PER_THREAD = 4_500_000

Tensors = dict[str, torch.Tensor]


class ColumnarDQNTorchLearner(InsideLearner):
    """Runs over one large sample in minibatches, in one call."""

    def build(self) -> None:
        """Build RLlib's learner, and look how many threads this process may use."""
        super().build()
        self._rows: DeviceRows | None = None
        self._num_updates: dict[str, int] = defaultdict(int)
        self._threads_allowed = torch.get_num_threads()

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        """Use Adam, by default in the version that updates all weights in one go."""
        parameters = self.get_parameters(self.module[module_id])
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
        *,
        training_data: Any = None,
        batch: Any = None,
        timesteps: dict[str, Any] | None = None,
        minibatch_size: int | None = None,
        **_: Any,
    ) -> Any:
        """Take one gradient step per ``minibatch_size`` rows of the batch.

        Args:
            training_data: holds the batch, as ``LearnerGroup.update`` passes it.
            batch: the same, as a ``MultiAgentBatch``, when called directly. It holds the columns
                of the rows or, with column ``rows``, the numbers of rows that are here already.
            timesteps: lifetime environment steps now, and before the newest sample.
            minibatch_size: rows per gradient step; all rows in one step if not given.

        Returns:
            RLlib's results; the loss and q-value figures average the steps of this call, and the
            td errors, shape (num_rows,), are in the order of the batch.
        """
        timesteps = timesteps or {}
        self.before_gradient_based_update(timesteps=timesteps)
        self.count_update()
        before = torch.get_num_threads()
        try:
            for module_id, columns in self._tensors(batch or training_data.batch).items():
                torch.set_num_threads(
                    self._threads(module_id, minibatch_size or len(columns["weights"]))
                )
                self._run(module_id, columns, timesteps, minibatch_size)
        finally:
            torch.set_num_threads(before)
        self.after_gradient_based_update(timesteps=timesteps)
        return self.metrics.reduce()

    def after_gradient_based_update(self, *, timesteps: dict[str, Any]) -> None:
        """Update learning-rate schedules; the target network has its own count in ``_run``."""
        super(DQNLearner, self).after_gradient_based_update(timesteps=timesteps)

    def hold_rows(self, capacity: int, first: int, columns: dict[str, Any]) -> None:
        """Keep rows of the replay memory here, on the learner's device."""
        if self._rows is None or self._rows.capacity != capacity:
            self._rows = DeviceRows(capacity, self.device)
        self._rows.put(first, columns)

    @property
    def num_rows_held(self) -> int:
        """How many rows were handed to :meth:`hold_rows`, ever."""
        return self._rows.num_added if self._rows else 0

    def get_state(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """RLlib's state, and when the target network was last moved."""
        state = super().get_state(*args, **kwargs)
        state["last_target_update"] = dict(self.last_update_ts_by_mid)
        state["num_updates"] = dict(self._num_updates)
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`get_state` returned."""
        super().set_state(state)
        self.last_update_ts_by_mid.update(state.get("last_target_update", {}))
        self._num_updates.update(state.get("num_updates", {}))

    def _threads(self, module_id: str, batch_size: int) -> int:
        """As many threads as the setting says, or as this network and batch are worth."""
        wanted = self.config.torch_threads
        if wanted == "auto":
            parameters = self.get_parameters(self.module[module_id])
            weights = sum(p.numel() for p in parameters if p.requires_grad)
            return min(self._threads_allowed, max(1, weights * batch_size // _WORK_PER_THREAD))
        return wanted or torch.get_num_threads()

    def _tensors(self, batch: Any) -> dict[str, Tensors]:
        """Move the whole batch to the learner's device, once."""
        return {
            module_id: convert_to_torch_tensor(dict(rows), device=self.device)
            for module_id, rows in batch.policy_batches.items()
            if self.should_module_be_updated(module_id, batch)
        }

    def _run(
        self,
        module_id: str,
        columns: Tensors,
        timesteps: dict[str, Any],
        minibatch_size: int | None,
    ) -> None:
        """Step through the minibatches, moving the target network whenever it is due.

        The minibatches of a call are spread evenly over the environment steps that came in since
        the call before, so an interval in environment steps is one in gradient steps too.
        """
        num_rows = len(columns["weights"])
        size = min(minibatch_size or num_rows, num_rows)
        num_updates = num_rows // size
        now = timesteps.get(NUM_ENV_STEPS_SAMPLED_LIFETIME, 0)
        before = timesteps.get(STEPS_BEFORE, now)
        num_moves, figures = 0, Figures()
        for k in range(num_updates):
            self._step(module_id, self._part(columns, k * size, (k + 1) * size), figures)
            self._num_updates[module_id] += 1
            num_moves += self._move_target(
                module_id, before + (now - before) * (k + 1) / num_updates
            )
        self._report(module_id, figures, num_updates * size, now)
        self.metrics.log_value((module_id, NUM_TARGET_UPDATES), num_moves, reduce="lifetime_sum")

    def _step(self, module_id: str, part: Tensors, figures: Figures) -> None:
        """Take one gradient step; by RLlib's own code where the settings are not the plain ones."""
        config = self.config.get_config_for_module(module_id)
        if not self._is_plain(config):
            metrics: Any = self.metrics
            self.metrics: Any = figures
            try:
                losses = self.rllib_step({module_id: part})
            finally:
                self.metrics = metrics
            figures.add(losses[module_id])
            return
        optimizer = self.get_optimizer(module_id)
        out = self.module[module_id].unwrapped().forward_train(part)
        loss, q_values, td_errors = dqn_loss(part, out, config)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if config.grad_clip:
            norm = _clip(optimizer.param_groups[0]["params"], config.grad_clip)
            figures.log_value((module_id, GRADIENT_NORM), norm)
        optimizer.step()
        figures.add(loss, q_values, td_errors)

    def _is_plain(self, config: Any) -> bool:
        """Whether a step is nothing but loss, gradients, clipping by global norm and Adam."""
        clips = not config.grad_clip or config.grad_clip_by == "global_norm"
        special = (
            config.torch_compile_learner,
            config.log_gradients,
            self.has_special_steps,
        )
        return clips and config.num_atoms == 1 and not any(special)

    def _part(self, columns: Tensors, first: int, last: int) -> Tensors:
        """One minibatch: rows of the batch, or the held rows that it names."""
        part = {name: column[first:last] for name, column in columns.items()}
        if ROWS in part and self._rows is not None:
            part.update(self._rows.take(part.pop(ROWS)))
        return part

    def _report(self, module_id: str, figures: Figures, num_rows: int, now: float) -> None:
        """Hand the figures of one call over to RLlib's logger."""
        reduced = figures.reduced()
        if not math.isfinite(reduced[self.TOTAL_LOSS_KEY]):
            raise FloatingPointError(
                f"the loss became {reduced[self.TOTAL_LOSS_KEY]} after {now:.0f} environment "
                "steps; lower the learning rate, clip the gradients (grad_clip) or look for nan "
                "in the observations"
            )
        for name, value in reduced.items():
            self.metrics.log_value((module_id, name), value, window=1)
        self.metrics.log_value((module_id, TD_ERROR_KEY), figures.td_errors, reduce="item_series")
        for where in (module_id, ALL_MODULES):
            for name, how in _COUNTS.items():
                self.metrics.log_value((where, name), num_rows, reduce=how)

    def _move_target(self, module_id: str, steps: float) -> bool:
        """Copy the weights to the target network, or move it towards them, if it is due."""
        config = self.config.get_config_for_module(module_id)
        if config.target_update_gradient_steps:
            due = self._num_updates[module_id] % config.target_update_gradient_steps == 0
        else:
            interval = config.target_network_update_freq
            passed = int((steps - self.last_update_ts_by_mid[module_id]) / interval)
            self.last_update_ts_by_mid[module_id] += passed * interval
            due = passed > 0
        if due:
            for main, target in self.module[module_id].unwrapped().get_target_network_pairs():
                update_target_network(main_net=main, target_net=target, tau=config.tau)
        return due


def _clip(parameters: list[torch.nn.Parameter], max_norm: float) -> torch.Tensor:
    """Scale gradients to a norm of at most ``max_norm``, as PyTorch's ``clip_grad_norm_`` does.

    On a CPU gradients that are short enough are not multiplied by 1. On a GPU looking at the norm
    would mean to wait for it, which costs more.
    """
    norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
    if norm.is_cuda or norm + 1e-6 > max_norm:
        torch.nn.utils.clip_grads_with_norm_(parameters, max_norm, norm)
    return norm
