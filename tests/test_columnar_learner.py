"""The learner of ColumnarDQN, against RLlib's own."""

import contextlib

import numpy as np
import pytest
import torch
from ray.rllib.algorithms.dqn.dqn import DQNConfig
from ray.rllib.algorithms.dqn.torch.dqn_torch_learner import DQNTorchLearner
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from ray.rllib.utils.metrics import NUM_ENV_STEPS_SAMPLED_LIFETIME
from rllib_kit import columns, learner_of, small

from course_lib.columnar_dqn.learner import STEPS_BEFORE, ColumnarDQNTorchLearner

ID = "default_policy"


def stock(**training):
    """RLlib's own learner, network and all."""
    given = {"replay_buffer_config": {"type": "EpisodeReplayBuffer", "capacity": 500}, **training}
    return learner_of(DQNTorchLearner, small(DQNConfig(), **given))


def ours(**training):
    return learner_of(ColumnarDQNTorchLearner, small(), **training)


def one_step(learner, batch, steps=1):
    data = MultiAgentBatch({ID: SampleBatch(dict(batch))}, env_steps=len(batch["weights"]))
    return learner.update(batch=data, timesteps={NUM_ENV_STEPS_SAMPLED_LIFETIME: steps})[ID]


def numbers(learner, what):
    return {
        name: what(value).detach().numpy().copy()
        for name, value in learner.module[ID].named_parameters()
        if what(value) is not None
    }


SETTINGS = [
    {},
    {"double_q": False},
    {"dueling": False},
    {"dueling": False, "double_q": False},
    {"td_error_loss_fn": "mse", "grad_clip": None},
    {"grad_clip": 0.01},
    {"grad_clip": 0.05, "grad_clip_by": "norm"},
    {"grad_clip": 0.01, "grad_clip_by": "value"},
    {"num_atoms": 11, "v_min": -5.0, "v_max": 5.0},
]


@pytest.mark.parametrize("training", SETTINGS, ids=str)
def test_loss_td_errors_gradients_and_weights_equal_those_of_rllibs_learner(training):
    one, other = ours(fused_adam=False, **training), stock(**training)
    other.set_state({"rl_module": one.get_state(components="rl_module")["rl_module"]})
    for number in range(3):  # the third one after the target network moved
        batch = columns(32, seed=number)
        found, wanted = (one_step(each, batch, steps=500 * number) for each in (one, other))
        for name in ("qf_loss", "total_loss", "qf_mean", "qf_max", "td_error_mean"):
            assert found[name].peek() == pytest.approx(wanted[name].peek(), rel=1e-5), name
        td_errors = [
            np.concatenate([np.asarray(v) for v in r["td_error"].peek()], axis=None)
            for r in (found, wanted)
        ]
        np.testing.assert_allclose(*td_errors, rtol=1e-5, atol=1e-6)
        for what in (lambda p: p.grad, lambda p: p):
            a, b = numbers(one, what), numbers(other, what)
            assert a and a.keys() == b.keys()
            for name in a:
                np.testing.assert_allclose(a[name], b[name], atol=2e-6, err_msg=name)


def test_the_comparison_with_rllib_would_notice_another_discount():
    one, other = ours(fused_adam=False), stock(gamma=0.9)
    other.set_state({"rl_module": one.get_state(components="rl_module")["rl_module"]})
    found, wanted = (one_step(each, columns(32))["qf_loss"].peek() for each in (one, other))
    assert found != pytest.approx(wanted, rel=1e-3)


def test_the_gradient_norm_is_logged_under_rllibs_name():
    names = [set(one_step(make(grad_clip=1.0), columns(16))) for make in (ours, stock)]
    norms = [{name for name in given if "norm" in name} for given in names]
    assert norms[0] == norms[1] and norms[0]


def test_fused_adam_takes_the_same_steps():
    one, other = ours(fused_adam=True), ours(fused_adam=False)
    other.set_state(one.get_state())
    for learner in (one, other):
        for number in range(5):
            one_step(learner, columns(32, seed=number))
    for name, value in numbers(one, lambda p: p).items():
        np.testing.assert_allclose(value, numbers(other, lambda p: p)[name], atol=1e-6)


def many_steps(learner, batch, *, size=16, before=0, now=64):
    data = MultiAgentBatch({ID: SampleBatch(dict(batch))}, env_steps=len(batch["weights"]))
    steps = {NUM_ENV_STEPS_SAMPLED_LIFETIME: now, STEPS_BEFORE: before}
    return learner.update(batch=data, timesteps=steps, minibatch_size=size)[ID]


def test_many_minibatches_in_one_call_equal_one_call_each():
    one, other = ours(target_update_gradient_steps=3), ours(target_update_gradient_steps=3)
    other.set_state(one.get_state())
    batch = columns(16 * 8)
    found = many_steps(one, batch)
    losses, td_errors = [], []
    for k in range(8):
        part = {name: column[16 * k : 16 * k + 16] for name, column in batch.items()}
        result = one_step(other, part)
        losses.append(result["qf_loss"].peek())
        td_errors.append(np.concatenate([np.asarray(v) for v in result["td_error"].peek()]))
    assert found["qf_loss"].peek() == pytest.approx(np.mean(losses), rel=1e-5)
    np.testing.assert_allclose(
        np.concatenate([np.asarray(v) for v in found["td_error"].peek()]),
        np.concatenate(td_errors), rtol=1e-5, atol=1e-6,
    )  # fmt: skip
    for name, value in numbers(one, lambda p: p).items():
        np.testing.assert_array_equal(value, numbers(other, lambda p: p)[name], err_msg=name)


def test_rows_that_the_learner_keeps_give_the_same_as_rows_in_the_batch():
    one, other = ours(), ours()
    other.set_state(one.get_state())
    stored = columns(50)
    rows = np.random.default_rng(1).integers(50, size=16 * 6)
    weights = stored.pop("weights")[rows]
    half = {name: column[:30] for name, column in stored.items()}
    other.hold_rows(64, 0, half)
    other.hold_rows(64, 30, {name: column[30:] for name, column in stored.items()})
    assert other.num_rows_held == 50
    picked = {name: column[rows] for name, column in stored.items()}
    many_steps(one, {**picked, "weights": weights})
    many_steps(other, {"rows": rows, "weights": weights})
    for name, value in numbers(one, lambda p: p).items():
        np.testing.assert_array_equal(value, numbers(other, lambda p: p)[name], err_msg=name)


def test_kept_rows_wrap_around_and_a_gap_is_refused():
    learner = ours()
    stored = {"obs": np.arange(10.0)[:, None]}
    learner.hold_rows(4, 0, {"obs": stored["obs"][:3]})
    learner.hold_rows(4, 3, {"obs": stored["obs"][3:6]})
    assert learner._rows.take(torch.arange(4))["obs"][:, 0].tolist() == [4, 5, 2, 3]
    with pytest.raises(ValueError, match="missing here; send all"):
        learner.hold_rows(4, 8, {"obs": stored["obs"][8:]})
    learner.hold_rows(4, 6, {"obs": stored["obs"][6:]})
    assert learner._rows.take(torch.arange(4))["obs"][:, 0].tolist() == [8, 9, 6, 7]


@pytest.mark.parametrize(("interval", "moves"), [(8, 8), (16, 4), (64, 1), (128, 0), (24, 2)])
def test_the_target_moves_at_its_interval_in_environment_steps(interval, moves):
    learner = ours(target_network_update_freq=interval)
    result = many_steps(learner, columns(16 * 32))  # 32 gradient steps for 64 environment steps
    assert result["num_target_updates"].peek() == moves


@pytest.mark.parametrize(("interval", "moves"), [(1, 32), (5, 6), (32, 1), (33, 0)])
def test_the_target_moves_at_its_interval_in_gradient_steps(interval, moves):
    learner = ours(target_update_gradient_steps=interval)
    assert many_steps(learner, columns(16 * 32))["num_target_updates"].peek() == moves


def test_a_soft_target_moves_by_its_share_of_the_way():
    learner = ours(tau=0.25, target_update_gradient_steps=1)
    ((main, target), *_) = learner.module[ID].unwrapped().get_target_network_pairs()
    before = next(target.parameters()).clone()
    one_step(learner, columns(16))
    expected = 0.75 * before + 0.25 * next(main.parameters())
    torch.testing.assert_close(next(target.parameters()), expected)


@pytest.mark.parametrize(
    ("hidden", "batch_size", "allowed", "threads"),
    [([16], 64, 8, 1), ([256, 256], 64, 8, 1), ([512, 512], 256, 2, 2), ([512, 512], 128, 16, 7)],
)
def test_large_networks_get_more_threads(hidden, batch_size, allowed, threads):
    config = small().rl_module(model_config={"fcnet_hiddens": hidden, "head_fcnet_hiddens": []})
    learner = learner_of(ColumnarDQNTorchLearner, config, dueling=False)
    learner._threads_allowed = allowed
    assert learner._threads(ID, batch_size) == threads


@pytest.mark.parametrize("fails", [False, True])
def test_a_call_uses_the_threads_it_is_told_to_and_gives_them_back(monkeypatch, fails):
    learner, before, seen = ours(torch_threads=3), torch.get_num_threads(), []

    def step(*_):
        seen.append(torch.get_num_threads())
        if fails:
            raise KeyboardInterrupt

    monkeypatch.setattr(learner, "_run", step)
    with pytest.raises(KeyboardInterrupt) if fails else contextlib.nullcontext():
        data = MultiAgentBatch({ID: SampleBatch(columns(32))}, env_steps=32)
        learner.update(batch=data)
    assert seen == [3]
    assert torch.get_num_threads() == before


def test_a_loss_that_is_not_finite_stops_with_advice():
    batch = columns(32)
    batch["rewards"][3] = np.nan
    with pytest.raises(FloatingPointError, match="learning rate"):
        many_steps(ours(), batch)
