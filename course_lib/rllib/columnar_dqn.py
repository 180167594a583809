"""``ColumnarDQN``: RLlib's DQN with a replay memory of numpy columns.

RLlib's own memory keeps episodes as Python objects and builds one more object for every transition
it samples, and that is where nearly all the time of a small DQN goes. This subclass keeps
transitions as rows of arrays, draws all minibatches of an iteration at once, and hands them to the
learner in one call. Loss, networks, exploration, env runners and checkpoints stay RLlib's.
"""

from typing import Any, Self

import gymnasium as gym
import numpy as np
from ray.rllib.algorithms.algorithm_config import NotProvided
from ray.rllib.algorithms.dqn.dqn import DQN, DQNConfig
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.execution.rollout_ops import synchronous_parallel_sample
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from ray.rllib.utils.metrics import (
    ALL_MODULES,
    ENV_RUNNER_RESULTS,
    ENV_RUNNER_SAMPLING_TIMER,
    LEARNER_RESULTS,
    LEARNER_UPDATE_TIMER,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    REPLAY_BUFFER_ADD_DATA_TIMER,
    REPLAY_BUFFER_SAMPLE_TIMER,
    SYNCH_WORKER_WEIGHTS_TIMER,
    TD_ERROR_KEY,
    TIMERS,
)

from course_lib.rllib.learner import STEPS_BEFORE, ColumnarDQNTorchLearner
from course_lib.rllib.replay import Chunk, ColumnarReplay

BUFFER_TYPE = "ColumnarReplay"
_MAX_UPDATES_PER_CALL = 1024


class ColumnarDQNConfig(DQNConfig):
    """Configures :class:`ColumnarDQN`. Every setting of RLlib's ``DQNConfig`` keeps its meaning.

    Differences from ``DQNConfig``:

    * ``replay_buffer_config={"type": "ColumnarReplay", "capacity": ...}``, sampled uniformly;
    * ``training_intensity`` (replayed transitions per sampled one) is met exactly, whatever the
      number of env runners; without it there is one gradient step per sampling round;
    * ``target_network_update_freq`` counts environment steps, as in RLlib, and is kept to within a
      call: the minibatches are spread over the steps that came in;
    * ``fused_adam`` (True) and ``torch_threads`` (1; None leaves PyTorch's setting alone).
    """

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or ColumnarDQN)
        self.replay_buffer_config = {"type": BUFFER_TYPE, "capacity": 50_000}
        self.fused_adam = True
        self.torch_threads: int | None = 1
        # The learner looks at the loss once per call and stops with an error when it is not
        # finite; RLlib's look at every gradient of every step would cost a fifth of the time.
        self.torch_skip_nan_gradients = True

    def training(
        self,
        *,
        fused_adam: bool = NotProvided,
        torch_threads: int | None = NotProvided,
        **kwargs: Any,
    ) -> Self:
        """Set what is learned and how.

        Args:
            fused_adam: use PyTorch's Adam in its fused version.
            torch_threads: threads of one gradient step; small networks are fastest with 1.
            **kwargs: everything that ``DQNConfig.training`` takes.
        """
        super().training(**kwargs)
        if fused_adam is not NotProvided:
            self.fused_adam = fused_adam
        if torch_threads is not NotProvided:
            self.torch_threads = torch_threads
        return self

    def validate(self) -> None:
        """Refuse, when the algorithm is built, what would go wrong later.

        Raises:
            ValueError: naming the setting, what was given and what to do.
        """
        self._validate_n_step()
        super().validate()
        if not self.enable_env_runner_and_connector_v2 or self.framework_str != "torch":
            raise ValueError(
                "ColumnarDQN needs PyTorch and RLlib's new API stack; "
                "leave framework() and api_stack() at their defaults"
            )
        self._validate_replay()
        self._validate_training()
        self._validate_rest()

    def _validate_replay(self) -> None:
        given = dict(self.replay_buffer_config)
        kind, capacity = given.pop("type", None), given.pop("capacity", None)
        if kind != BUFFER_TYPE or given:
            extra = f" with {', '.join(map(repr, sorted(given)))}" if given else ""
            raise ValueError(
                f"replay_buffer_config must be {{'type': {BUFFER_TYPE!r}, 'capacity': N}}, got "
                f"type {kind!r}{extra}; ColumnarDQN samples uniformly, prioritised replay is not "
                "there yet: use RLlib's DQNConfig for it"
            )
        if not isinstance(capacity, int) or capacity < self.total_train_batch_size:
            raise ValueError(
                "replay_buffer_config['capacity'] must be an int of at least the batch size "
                f"({self.total_train_batch_size}), got {capacity!r}"
            )

    def _validate_n_step(self) -> None:
        if not isinstance(self.n_step, int) or self.n_step < 1:
            raise ValueError(
                f"n_step must be an int of at least 1, got {self.n_step!r}; "
                "a range of n is not supported here"
            )

    def _validate_training(self) -> None:
        if not 0 <= self.gamma <= 1:
            raise ValueError(f"gamma must be in [0, 1], got {self.gamma}")
        if self.training_intensity is not None and self.training_intensity <= 0:
            raise ValueError(
                f"training_intensity must be positive, got {self.training_intensity}; "
                "None gives one gradient step per sampling round"
            )
        if self.target_network_update_freq < 1:
            raise ValueError(
                "target_network_update_freq must be at least 1 environment step, "
                f"got {self.target_network_update_freq}"
            )
        if not 0 < self.tau <= 1:
            raise ValueError(f"tau must be in (0, 1], got {self.tau}")

    def _validate_rest(self) -> None:
        refused = {
            "num_learners above 1": self.num_learners > 1,
            "multi_agent() policies": self.is_multi_agent,
            "a learner connector": self._learner_connector is not None,
            "an env-to-module connector": self._env_to_module_connector is not None,
            "a recurrent model (use_lstm)": bool(self.model_config.get("use_lstm")),
            "burn_in_len": self.burn_in_len > 0,
            "before_learn_on_batch": self.before_learn_on_batch is not None,
        }
        for name, given in refused.items():
            if given:
                raise ValueError(
                    f"ColumnarDQN does not support {name}: it trains on stored columns, which "
                    "never pass there; leave it at its default, or use RLlib's DQNConfig"
                )

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


def _refuse(wanted: str, got: Any, advice: str) -> None:
    raise ValueError(f"ColumnarDQN needs a {wanted} space, the environment has {got}; {advice}")


class ColumnarDQN(DQN):
    """RLlib's DQN on a :class:`~course_lib.rllib.replay.ColumnarReplay`."""

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
        with self.metrics.log_time((TIMERS, ENV_RUNNER_SAMPLING_TIMER)):
            episodes, results = synchronous_parallel_sample(
                worker_set=self.env_runner_group,
                concat=True,
                sample_timeout_s=self.config.sample_timeout_s,
                _uses_new_env_runners=True,
                _return_metrics=True,
            )
        self.metrics.aggregate(results, key=ENV_RUNNER_RESULTS)
        with self.metrics.log_time((TIMERS, REPLAY_BUFFER_ADD_DATA_TIMER)):
            for episode in episodes:
                self.local_replay_buffer.add(as_chunk(episode))
        now = self._num_steps()
        if now >= self.config.num_steps_sampled_before_learning_starts:
            self._learn(before, now)

    def _learn(self, before: int, now: int) -> None:
        """Take the gradient steps owed for the steps from ``before`` to ``now``."""
        size = self.config.total_train_batch_size
        intensity = self.config.training_intensity
        self._updates_owed += 1.0 if intensity is None else intensity * (now - before) / size
        num_updates = int(self._updates_owed + 1e-9)
        self._updates_owed -= num_updates
        if not num_updates or not len(self.local_replay_buffer):
            return
        for first in range(0, num_updates, _MAX_UPDATES_PER_CALL):
            last = min(first + _MAX_UPDATES_PER_CALL, num_updates)
            share = [before + (now - before) * k / num_updates for k in (first, last)]
            self._update_learner(last - first, *share)
        with self.metrics.log_time((TIMERS, SYNCH_WORKER_WEIGHTS_TIMER)):
            self.env_runner_group.sync_weights(
                from_worker_or_learner_group=self.learner_group,
                policies={DEFAULT_MODULE_ID},
                global_vars=None,
                inference_only=True,
            )

    def _update_learner(self, num_updates: int, before: float, now: float) -> None:
        size = self.config.total_train_batch_size
        with self.metrics.log_time((TIMERS, REPLAY_BUFFER_SAMPLE_TIMER)):
            columns = self.local_replay_buffer.sample(num_updates * size)
            columns["weights"] = np.ones(num_updates * size, np.float32)
        with self.metrics.log_time((TIMERS, LEARNER_UPDATE_TIMER)):
            results = self.learner_group.update(
                batch=MultiAgentBatch(
                    {DEFAULT_MODULE_ID: SampleBatch(columns)}, env_steps=num_updates * size
                ),
                timesteps={NUM_ENV_STEPS_SAMPLED_LIFETIME: now, STEPS_BEFORE: before},
                minibatch_size=size,
            )
            for result in results:
                for module_id, values in result.items():
                    if module_id != ALL_MODULES:
                        values.pop(TD_ERROR_KEY, None)  # one number per row: not for a log
            self.metrics.aggregate(results, key=LEARNER_RESULTS)

    def _num_steps(self) -> int:
        key = (ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME)
        return int(self.metrics.peek(key, default=0))

    def _create_local_replay_buffer_if_necessary(self, config: Any) -> ColumnarReplay:
        return ColumnarReplay(
            config.replay_buffer_config["capacity"],
            n_step=config.n_step,
            gamma=config.gamma,
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
