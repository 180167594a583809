"""``ColumnarDQN``: RLlib's DQN with a replay memory of numpy columns.

RLlib's own memory keeps episodes as Python objects and builds one more object for every transition
it samples, and that is where nearly all the time of a small DQN goes. This subclass keeps
transitions as rows of arrays, draws all minibatches of an iteration at once, and hands them to the
learner in one call. Loss, networks, exploration, env runners and checkpoints stay RLlib's.
"""

from collections.abc import Callable
from typing import Any, Self

import gymnasium as gym
import numpy as np
from ray.rllib.algorithms.algorithm_config import NotProvided
from ray.rllib.algorithms.dqn.dqn import DQNConfig
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from ray.rllib.utils.metrics import (
    ENV_RUNNER_RESULTS,
    ENV_RUNNER_SAMPLING_TIMER,
    LEARNER_RESULTS,
    LEARNER_UPDATE_TIMER,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    REPLAY_BUFFER_ADD_DATA_TIMER,
    REPLAY_BUFFER_SAMPLE_TIMER,
    REPLAY_BUFFER_UPDATE_PRIOS_TIMER,
    SYNCH_WORKER_WEIGHTS_TIMER,
    TD_ERROR_KEY,
    TIMERS,
)
from ray.rllib.utils.numpy import convert_to_numpy

from .learner import ROWS, STEPS_BEFORE, ColumnarDQNTorchLearner
from .module import ColumnarDQNTorchRLModule
from .replay import Chunk, ColumnarReplay
from .rllib_inside import InsideDQN
from .settings import BUFFER_TYPE, at_step, check_settings


class ColumnarDQNConfig(DQNConfig):
    """Configures :class:`ColumnarDQN`. Every setting of RLlib's ``DQNConfig`` keeps its meaning.

    Differences from ``DQNConfig``:

    * ``replay_buffer_config={"type": "ColumnarReplay", "capacity": N}`` samples uniformly; with
      ``"alpha"`` above 0 in proportion to ``td_error ** alpha``, with importance weights of
      exponent ``"beta"``, a number or a schedule ``[[env_step, beta], ...]``;
    * ``training_intensity`` (replayed transitions per sampled one) is met exactly, whatever the
      number of env runners; without it there is one gradient step per sampling round;
    * ``target_network_update_freq`` counts environment steps, as in RLlib, and is kept to within a
      call: the minibatches are spread over the steps that came in;
    * the settings that :meth:`training` adds.
    """

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or ColumnarDQN)
        self.replay_buffer_config = {"type": BUFFER_TYPE, "capacity": 50_000}
        self.fused_adam = True
        self.torch_threads: int | str | None = "auto"
        self.target_update_gradient_steps: int | None = None
        self.max_updates_per_call: int | None = None
        self.rows_on_learner: bool | str = "auto"
        # The learner looks at the loss once per call and stops with an error when it is not
        # finite; RLlib's look at every gradient of every step would cost a fifth of the time.
        self.torch_skip_nan_gradients = True

    def training(
        self,
        *,
        fused_adam: bool = NotProvided,
        torch_threads: int | str | None = NotProvided,
        target_update_gradient_steps: int | None = NotProvided,
        max_updates_per_call: int | None = NotProvided,
        rows_on_learner: bool | str = NotProvided,
        **kwargs: Any,
    ) -> Self:
        """Set what is learned and how.

        Args:
            fused_adam: use PyTorch's Adam in its fused version.
            torch_threads: threads of one gradient step. "auto" takes one for small networks and
                more for large ones; None leaves PyTorch's setting alone.
            target_update_gradient_steps: move the target network every so many gradient steps,
                instead of every ``target_network_update_freq`` environment steps.
            max_updates_per_call: gradient steps between two draws from the memory. With
                priorities these are as old as the draw. None takes 1024, with priorities 32.
            rows_on_learner: send each transition to the learner once and sample by row number
                there. "auto" does so where the learner has a GPU or a process of its own.
            **kwargs: everything that ``DQNConfig.training`` takes.
        """
        super().training(**kwargs)
        given = {
            "fused_adam": fused_adam,
            "torch_threads": torch_threads,
            "target_update_gradient_steps": target_update_gradient_steps,
            "max_updates_per_call": max_updates_per_call,
            "rows_on_learner": rows_on_learner,
        }
        for name, value in given.items():
            if value is not NotProvided:
                setattr(self, name, value)
        return self

    @property
    def learner_keeps_rows(self) -> bool:
        """Whether the learner keeps a copy of the replay memory; see ``rows_on_learner``."""
        if self.rows_on_learner == "auto":
            return self.num_learners > 0 or self.num_gpus_per_learner > 0
        return bool(self.rows_on_learner)

    @property
    def updates_per_call(self) -> int:
        """Gradient steps between two draws from the memory, at most."""
        prioritised = bool(self.replay_buffer_config.get("alpha"))
        return self.max_updates_per_call or (32 if prioritised else 1024)

    def validate(self) -> None:
        """Refuse, when the algorithm is built, what would go wrong later.

        Raises:
            ValueError: naming the setting, what was given and what to do.
        """
        check_settings(self)
        super().validate()

    def get_rl_module_spec(self, env: Any = None, spaces: Any = None, **kwargs: Any) -> Any:
        """Describe the network, once the environment is known to fit.

        Raises:
            ValueError: if observations are no Box or actions no Discrete space from 0.
        """
        if spaces and DEFAULT_MODULE_ID in spaces:
            obs_space, action_space = spaces[DEFAULT_MODULE_ID]
            numbered = isinstance(action_space, gym.spaces.Discrete) and action_space.start == 0
            if not isinstance(obs_space, gym.spaces.Box):
                _refuse("Box observation", obs_space, "wrap it so that it returns an array")
            if not numbered:
                _refuse("Discrete action", action_space, "DQN needs actions numbered from 0")
        return super().get_rl_module_spec(env, spaces, **kwargs)

    def get_default_learner_class(self) -> type:
        """The learner that runs over many minibatches per call."""
        return ColumnarDQNTorchLearner

    def get_default_rl_module_spec(self) -> RLModuleSpec:
        """RLlib's network, with a cheaper forward pass for training."""
        return RLModuleSpec(module_class=ColumnarDQNTorchRLModule, model_config=self.model_config)


def _refuse(wanted: str, got: Any, advice: str) -> None:
    raise ValueError(f"ColumnarDQN needs a {wanted} space, the environment has {got}; {advice}")


class ColumnarDQN(InsideDQN):
    """RLlib's DQN on a :class:`~.replay.ColumnarReplay`."""

    local_replay_buffer: ColumnarReplay

    @classmethod
    def get_default_config(cls) -> ColumnarDQNConfig:
        """An unchanged :class:`ColumnarDQNConfig`."""
        return ColumnarDQNConfig()

    def setup(self, config: Any) -> None:
        """Build everything, with an account of the gradient steps that are still owed."""
        self._updates_owed = 0.0
        super().setup(config)

    def training_step(self) -> None:
        """Sample, store, then take the gradient steps that are due and share the weights."""
        before = self._num_steps()
        episodes = self._collect()
        with self.metrics.log_time((TIMERS, REPLAY_BUFFER_ADD_DATA_TIMER)):
            for episode in episodes:
                self.local_replay_buffer.add(as_chunk(episode))
        now = self._num_steps()
        if now >= self.config.num_steps_sampled_before_learning_starts:
            self._learn(before, now)

    def _collect(self) -> list[Any]:
        """Let all env runners sample in parallel; return their episodes and stretches of them."""
        with self.metrics.log_time((TIMERS, ENV_RUNNER_SAMPLING_TIMER)):
            episodes, results = self.sample_episodes()
        self.metrics.aggregate(results, key=ENV_RUNNER_RESULTS)
        return episodes

    def _learn(self, before: int, now: int) -> None:
        """Take the gradient steps owed for the steps from ``before`` to ``now``."""
        size = self.config.total_train_batch_size
        intensity = self.config.training_intensity
        self._updates_owed += 1.0 if intensity is None else intensity * (now - before) / size
        num_updates = int(self._updates_owed + 1e-9)
        self._updates_owed -= num_updates
        if not num_updates or not len(self.local_replay_buffer):
            return
        if self.config.learner_keeps_rows:
            self._send_new_rows()
        for first in range(0, num_updates, self.config.updates_per_call):
            last = min(first + self.config.updates_per_call, num_updates)
            share = [before + (now - before) * k / num_updates for k in (first, last)]
            self._update_learner(last - first, *share)
        with self.metrics.log_time((TIMERS, SYNCH_WORKER_WEIGHTS_TIMER)):
            self.env_runner_group.sync_weights(
                from_worker_or_learner_group=self.learner_group,
                policies={DEFAULT_MODULE_ID},
                global_vars=None,
                inference_only=True,
            )

    def _send_new_rows(self) -> None:
        """Bring the learner's copy of the memory up to date, also after a restart of either."""
        replay = self.local_replay_buffer
        there = self._ask_learner(lambda learner: learner.num_rows_held)
        first, columns = replay.rows_since(min(there, replay.num_added))
        self._ask_learner(
            lambda learner, **rows: learner.hold_rows(**rows),
            capacity=replay.capacity,
            first=first,
            columns=columns,
        )

    def _ask_learner(self, question: Callable[..., Any], **arguments: Any) -> Any:
        answers = list(self.learner_group.foreach_learner(question, **arguments))
        if not answers:
            raise RuntimeError(
                "the learner's process is gone; build the algorithm again and restore its newest "
                "checkpoint (a process that is killed is often one that ran out of memory)"
            )
        return answers[0].get()

    def _update_learner(self, num_updates: int, before: float, now: float) -> None:
        replay, size = self.local_replay_buffer, self.config.total_train_batch_size
        with self.metrics.log_time((TIMERS, REPLAY_BUFFER_SAMPLE_TIMER)):
            index, weights = replay.draw(num_updates * size, beta=self._beta(now))
            columns = {ROWS: index} if self.config.learner_keeps_rows else replay.take(index)
            columns["weights"] = weights
        with self.metrics.log_time((TIMERS, LEARNER_UPDATE_TIMER)):
            (result,) = self.learner_group.update(
                batch=MultiAgentBatch(
                    {DEFAULT_MODULE_ID: SampleBatch(columns)}, env_steps=num_updates * size
                ),
                timesteps={NUM_ENV_STEPS_SAMPLED_LIFETIME: now, STEPS_BEFORE: before},
                minibatch_size=size,
            )
            td_errors = result[DEFAULT_MODULE_ID].pop(TD_ERROR_KEY).peek()
            self.metrics.aggregate([result], key=LEARNER_RESULTS)
        if replay.priorities:
            with self.metrics.log_time((TIMERS, REPLAY_BUFFER_UPDATE_PRIOS_TIMER)):
                td_errors = np.concatenate(convert_to_numpy(td_errors), axis=None)
                replay.priorities.update(index, td_errors)

    def _beta(self, env_steps: float) -> float:
        return at_step(self.config.replay_buffer_config.get("beta", 0.4), env_steps)

    def _num_steps(self) -> int:
        key = (ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME)
        return int(self.metrics.peek(key, default=0))

    def make_replay_memory(self) -> ColumnarReplay:
        """Make the memory that the settings describe; RLlib asks for it once."""
        config = self.config
        return ColumnarReplay(
            config.replay_buffer_config["capacity"],
            n_step=config.n_step,
            gamma=config.gamma,
            alpha=config.replay_buffer_config.get("alpha", 0.0),
            rng=np.random.default_rng(config.seed),
        )

    def get_state(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """RLlib's state; with ``store_buffer_in_checkpoints`` the replay memory too."""
        state = super().get_state(*args, **kwargs)
        state["updates_owed"] = self._updates_owed
        if self.config.store_buffer_in_checkpoints:
            state["replay"] = self.local_replay_buffer.get_state()
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`get_state` returned."""
        super().set_state(state)
        self._updates_owed = state.get("updates_owed", self._updates_owed)
        if "replay" in state:
            self.local_replay_buffer.set_state(state["replay"])


def as_chunk(episode: Any) -> Chunk:
    """Read the columns of one of RLlib's episodes, or stretches of an episode."""
    return Chunk(
        episode_id=episode.id_,
        start=episode.t_started,
        obs=np.asarray(episode.get_observations(slice(0, None))),
        actions=np.asarray(episode.get_actions(slice(0, None))),
        rewards=np.asarray(episode.get_rewards(slice(0, None)), dtype=np.float64),
        terminated=bool(episode.is_terminated),
        truncated=bool(episode.is_truncated),
    )
