"""What ``ColumnarDQNConfig`` accepts. Everything is looked at when the algorithm is built."""

from typing import Any

import numpy as np

from .rllib_inside import connectors_of

BUFFER_TYPE = "ColumnarReplay"
_REPLAY_KEYS = ("type", "capacity", "alpha", "beta")


def at_step(schedule: Any, env_steps: float) -> float:
    """Return the value of a number or of a schedule ``[[env_step, value], ...]`` at a step."""
    if isinstance(schedule, int | float):
        return float(schedule)
    steps, values = zip(*schedule, strict=True)
    return float(np.interp(env_steps, steps, values))


def check_settings(config: Any) -> None:
    """Refuse what would go wrong later.

    Args:
        config: a ``ColumnarDQNConfig``.

    Raises:
        ValueError: naming the setting, what was given and what to do.
    """
    if not config.enable_env_runner_and_connector_v2 or config.framework_str != "torch":
        raise ValueError(
            "ColumnarDQN needs PyTorch and RLlib's new API stack; "
            "leave framework() and api_stack() at their defaults"
        )
    _check_replay(config)
    _check_training(config)
    _check_unsupported(config)
    _check_gpu(config)


def _require(is_right: bool, setting: str, wanted: str, given: Any) -> None:
    if not is_right:
        raise ValueError(f"{setting} must be {wanted}, got {given!r}")


def _is_int(value: Any, at_least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= at_least


def _is_number(value: Any, low: float = -np.inf, high: float = np.inf) -> bool:
    return isinstance(value, int | float) and bool(low <= value <= high)


def _check_replay(config: Any) -> None:
    given = dict(config.replay_buffer_config)
    unknown = sorted(set(given) - set(_REPLAY_KEYS))
    if given.get("type") != BUFFER_TYPE or unknown:
        extra = f" with {', '.join(map(repr, unknown))}" if unknown else ""
        raise ValueError(
            f"replay_buffer_config must be {{'type': {BUFFER_TYPE!r}, 'capacity': N}}, with "
            f"'alpha' and 'beta' for prioritised replay, got type {given.get('type')!r}{extra}; "
            "for RLlib's own buffers use its DQNConfig"
        )
    size, capacity = config.total_train_batch_size, given.get("capacity")
    name = "replay_buffer_config['capacity']"
    _require(_is_int(capacity, size), name, f"an int of at least the batch size ({size})", capacity)
    alpha, beta = given.get("alpha", 0.0), given.get("beta", 0.4)
    wanted = "a number of at least 0 (0 samples uniformly)"
    _require(_is_number(alpha, 0), "replay_buffer_config['alpha']", wanted, alpha)
    wanted = "a number in [0, 1] or a schedule [[env_step, beta], ...] that starts at step 0"
    _require(_is_beta(beta), "replay_buffer_config['beta']", wanted, beta)


def _is_beta(beta: Any) -> bool:
    if _is_number(beta):
        return 0 <= beta <= 1
    try:
        steps, values = np.array(beta, dtype=float).T
    except (TypeError, ValueError):
        return False
    in_range = (values >= 0).all() and (values <= 1).all()
    return bool(steps[0] == 0 and (np.diff(steps) > 0).all() and in_range)


def _check_training(config: Any) -> None:
    intensity, tau, threads = config.training_intensity, config.tau, config.torch_threads
    starts = config.num_steps_sampled_before_learning_starts
    rules = {
        "n_step": (_is_int(config.n_step, 1), "an int of at least 1 (no range of n)"),
        "gamma": (_is_number(config.gamma, 0, 1), "in [0, 1]"),
        "tau": (_is_number(tau, 0, 1) and tau > 0, "in (0, 1]"),
        "training_intensity": (
            intensity is None or (_is_number(intensity, 0) and intensity > 0),
            "positive, or None for one gradient step per sampling round",
        ),
        "target_network_update_freq": (
            _is_number(config.target_network_update_freq, 1),
            "at least 1 environment step",
        ),
        "num_steps_sampled_before_learning_starts": (
            _is_number(starts, 0),
            "at least 0 environment steps",
        ),
        "torch_threads": (
            threads in (None, "auto") or _is_int(threads, 1),
            "'auto', an int of at least 1, or None",
        ),
        "rows_on_learner": (config.rows_on_learner in (True, False, "auto"), "a bool or 'auto'"),
    }
    for name in ("target_update_gradient_steps", "max_updates_per_call"):
        value = getattr(config, name)
        rules[name] = (value is None or _is_int(value, 1), "an int of at least 1, or None")
    for name, (is_right, wanted) in rules.items():
        _require(is_right, name, wanted, getattr(config, name))


def _check_unsupported(config: Any) -> None:
    refused = {
        "num_learners above 1": config.num_learners > 1,
        "num_aggregator_actors_per_learner": config.num_aggregator_actors_per_learner > 0,
        "multi_agent() policies": config.is_multi_agent,
        **connectors_of(config),
        "a recurrent model (use_lstm)": bool(config.model_config.get("use_lstm")),
        "burn_in_len": config.burn_in_len > 0,
        "before_learn_on_batch": config.before_learn_on_batch is not None,
    }
    for name, given in refused.items():
        if given:
            raise ValueError(
                f"ColumnarDQN does not support {name}: it trains on stored columns, which "
                "never pass there; leave it at its default, or use RLlib's DQNConfig"
            )


def _check_gpu(config: Any) -> None:
    """Refuse a GPU that is not there; a learner process would wait for it for ever."""
    wanted = config.num_gpus_per_learner
    if not wanted:
        return
    import ray
    import torch

    if config.num_learners == 0:
        place, found = "this process", float(torch.cuda.device_count())
    elif ray.is_initialized():
        place, found = "the Ray cluster", float(ray.cluster_resources().get("GPU", 0))
    else:
        return  # Ray starts later, and says itself what it lacks
    if found < wanted:
        raise ValueError(
            f"num_gpus_per_learner must be at most the GPUs of {place} ({found:g}), got {wanted}; "
            "use learners(num_gpus_per_learner=0) to learn on the CPU"
        )
