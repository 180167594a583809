"""Policies, evolution and learned rewards against independent oracles, and lesson 08's claims."""

import itertools
from functools import partial
from typing import Any, ClassVar

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from course_lib import profiles
from course_lib.agents import evolution, ppo, preferences
from course_lib.agents import policy_gradient as pg
from course_lib.agents.actor_critic import ActorCritics
from course_lib.agents.many_networks import ManyNetworks
from course_lib.envs.rods import Rods
from course_lib.envs.rollouts import play_vector
from course_lib.plots import policies as pictures
from course_lib.plots.families import FAMILIES, draw_families
from course_lib.widgets.clips import Comparisons


def poles(num_envs: int) -> gym.vector.VectorEnv:
    return gym.make_vec("CartPole-v1", num_envs=num_envs, vectorization_mode="vector_entry_point")


class TestRods:
    """Many at once, as Gymnasium moves one."""

    @given(st.floats(-9, 9), st.floats(-8, 8), st.lists(st.floats(-3, 3), min_size=1, max_size=30))
    def test_they_move_as_gymnasiums_pendulum_does(
        self, angle: float, speed: float, forces: list[float]
    ) -> None:
        one, many = gym.make("Pendulum-v1"), Rods(2)
        one.reset(seed=0)
        many.reset(seed=0)
        one.unwrapped.state = np.array([angle, speed])  # type: ignore[attr-defined]
        many.angle[:], many.speed[:] = angle, speed
        for force in forces:
            wanted, reward, *_ = one.step(np.array([force], np.float32))
            obs, rewards, *_ = many.step(np.full((2, 1), force, np.float32))
            np.testing.assert_allclose(obs, [wanted] * 2, atol=1e-4)
            np.testing.assert_allclose(rewards, reward, rtol=1e-4, atol=1e-4)

    def test_an_episode_ends_and_the_next_begins(self) -> None:
        envs = Rods(3, max_steps=4)
        envs.reset(seed=1)
        steps = [envs.step(np.zeros((3, 1))) for _ in range(10)]
        assert [bool(over.all()) for _, _, _, over, _ in steps] == [
            False, False, False, True, False, False, False, False, True, False,
        ]  # fmt: skip
        assert not any(terminated.any() for _, _, terminated, _, _ in steps)
        assert (steps[4][1] == 0).all(), "the step that begins an episode pays nothing"
        assert (np.abs(steps[4][0][:, 2]) <= 1).all()

    @pytest.mark.parametrize("wrong", [{"num_envs": 0}, {"num_envs": 1, "max_steps": 0}])
    def test_what_cannot_be(self, wrong: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="must be at least 1, got 0"):
            Rods(**wrong)


class TestManyNetworks:
    """They share nothing."""

    def test_each_gives_what_it_would_alone(self) -> None:
        many = ManyNetworks(3, 4, 2, (5,), seed=0, last=1.0)
        inputs = torch.randn(3, 7, 4)
        for own, outputs in enumerate(many(inputs)):
            hidden = torch.tanh(inputs[own] @ many.weights[0][own] + many.biases[0][own])
            wanted = hidden @ many.weights[1][own] + many.biases[1][own]
            torch.testing.assert_close(outputs, wanted)

    def test_a_gradient_stays_with_its_network(self) -> None:
        many = ManyNetworks(3, 4, 2, seed=0)
        many(torch.randn(3, 7, 4))[1].sum().backward()
        for weights in many.parameters():
            assert not weights.grad[[0, 2]].any()
            assert weights.grad[1].any()

    def test_a_size_that_cannot_be(self) -> None:
        with pytest.raises(ValueError, match="all sizes must be at least 1, got 2 of"):
            ManyNetworks(2, 4, 0, seed=0)


class TestReinforce:
    """The mean over all that can happen is the slope of the expected return."""

    REWARD = np.array([[1.0, -2.0], [0.5, 3.0]])  # [state, action]; the action is the next state

    def expected(self, logits: np.ndarray, steps: int) -> float:
        """By a sum over states, without any episode."""
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        total, where = 0.0, np.array([1.0, 0.0])
        for _ in range(steps):
            total += where @ (chances * self.REWARD).sum(axis=1)
            where = where @ chances
        return total

    @pytest.mark.parametrize("weighs", ["whole return", "return to go", "to go less a constant"])
    def test_against_finite_differences(self, weighs: str) -> None:
        logits, steps = np.array([[0.3, -0.4], [1.1, 0.2]]), 3
        wanted = np.zeros_like(logits)
        for place in np.ndindex(*logits.shape):
            near = logits.copy(), logits.copy()
            near[0][place] += 1e-5
            near[1][place] -= 1e-5
            wanted[place] = (self.expected(near[0], steps) - self.expected(near[1], steps)) / 2e-5
        given = torch.tensor(logits, requires_grad=True)
        total = torch.zeros((), dtype=torch.float64)
        for actions in itertools.product((0, 1), repeat=steps):
            states = [0, *actions[:-1]]
            rewards = np.array([self.REWARD[s, a] for s, a in zip(states, actions, strict=True)])
            to_go = pg.rewards_to_go(rewards, 1.0)
            weights = {"whole return": np.full(steps, to_go[0]), "return to go": to_go,
                       "to go less a constant": to_go - 5}[weighs]  # fmt: skip
            table = given[states]
            log_probs = table.log_softmax(1)[torch.arange(steps), torch.tensor(actions)]
            chance = log_probs.sum().exp().detach()
            loss = pg.log_prob_loss(table, torch.tensor(actions), torch.tensor(weights))
            total = total + chance * loss * steps  # the loss is a mean over steps
        total.backward()
        np.testing.assert_allclose(-given.grad.numpy(), wanted, atol=1e-6)

    @given(st.integers(0, 1_000), st.floats(0, 1))
    def test_rewards_to_go(self, seed: int, gamma: float) -> None:
        rewards = np.random.default_rng(seed).normal(size=(2, 6))
        found = pg.rewards_to_go(rewards, gamma)
        for row, step in np.ndindex(2, 6):
            wanted = sum(gamma**k * rewards[row, step + k] for k in range(6 - step))
            assert found[row, step] == pytest.approx(wanted)

    @given(st.integers(0, 1_000))
    def test_advantages_of_who_is_there_add_up_to_0(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        to_go = rng.normal(size=(5, 7))
        to_go[np.arange(7) > rng.integers(7, size=(5, 1))] = np.nan
        found = pg.advantages(to_go)
        assert (np.isnan(found) == np.isnan(to_go)).all()
        assert np.abs(np.nansum(found, axis=0)).max() < 1e-9

    def test_episodes_are_whole_and_hold_nothing_after_their_end(self) -> None:
        networks = ManyNetworks(2, 4, 2, seed=0)
        episodes = pg.play_episodes(poles(6), networks, 2, torch.Generator().manual_seed(0))
        assert episodes.obs.shape[:2] == (2, 3)
        lengths = episodes.alive.sum(axis=2)
        assert (episodes.returns == lengths).all()
        for own, number in np.ndindex(2, 3):
            length = lengths[own, number]
            assert episodes.alive[own, number, :length].all()
            assert not episodes.obs[own, number, length:].any()
            assert not episodes.rewards[own, number, length:].any()

    def test_a_single_episodes_gradients_average_to_that_of_all(self) -> None:
        networks = ManyNetworks(1, 4, 2, seed=0)
        episodes = pg.play_episodes(poles(5), networks, 1, torch.Generator().manual_seed(0))
        weights = pg.returns_to_go(episodes, 0.9)
        each = pg.gradients(networks, episodes, weights)
        networks.zero_grad()
        steps = episodes.alive.sum()
        (pg.agents_loss(networks, episodes, weights) * steps).backward()
        whole = np.concatenate([one.grad[0].flatten().numpy() for one in networks.parameters()])
        np.testing.assert_allclose(each.sum(axis=0), whole, rtol=1e-3, atol=1e-3)

    def test_a_stop_keeps_what_was_learned(self, capsys: pytest.CaptureFixture[str]) -> None:
        def stop(rows: list) -> None:
            if len(rows) == 2:
                raise KeyboardInterrupt

        _, rows = pg.reinforce(
            poles(4), num_agents=2, num_rounds=9, learning_rate=0.01, gamma=0.9, seed=0,
            on_row=stop,
        )  # fmt: skip
        assert len(rows) == 2
        assert capsys.readouterr().out == "Stopped after 2 rounds; what was learned is kept.\n"

    def test_what_does_not_fit(self) -> None:
        usual: dict[str, Any] = {
            "num_rounds": 1, "learning_rate": 0.1, "gamma": 1.0, "seed": 0,
        }  # fmt: skip
        with pytest.raises(ValueError, match="4 environments cannot be shared by 3 agents"):
            pg.reinforce(poles(4), num_agents=3, **usual)
        with pytest.raises(ValueError, match="need Discrete actions, got Box"):
            pg.reinforce(Rods(2), num_agents=1, **usual)


class TestPPO:
    """The loss against RLlib's, the advantages against their sums."""

    @given(st.integers(0, 1_000), st.floats(0, 1), st.floats(0, 1))
    def test_advantages_are_sums_of_surprises(
        self, seed: int, gamma: float, lambda_: float
    ) -> None:
        rng = np.random.default_rng(seed)
        rewards, values, next_values = torch.as_tensor(rng.normal(size=(3, 8)))
        over = torch.as_tensor(rng.random(8) < 0.3).double()
        terminated = over * torch.as_tensor(rng.random(8) < 0.5).double()
        found = ppo.gae(
            rewards, values, next_values, terminated, over, gamma=gamma, lambda_=lambda_
        )
        for step in range(8):
            wanted, share = 0.0, 1.0
            for later in range(step, 8):
                following = gamma * next_values[later] * (1 - terminated[later])
                wanted += share * float(rewards[later] + following - values[later])
                share *= gamma * lambda_
                if over[later]:
                    break
            assert float(found[step]) == pytest.approx(wanted, abs=1e-9)

    @pytest.mark.slow
    def test_the_loss_is_rllibs(self) -> None:
        """One batch, the same outputs of the networks, no entropy and no leash of another kind."""
        from ray.rllib.algorithms.ppo import PPOConfig
        from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
        from ray.rllib.core.columns import Columns
        from ray.rllib.evaluation.postprocessing import Postprocessing

        envs, size = poles(1), 32
        agents = ActorCritics(envs, 1, (8,), seed=0)
        dice = torch.Generator().manual_seed(0)
        obs = torch.randn(1, size, 4, generator=dice)
        actions = torch.randint(2, (1, size), generator=dice)
        old = torch.randn(1, size, 2, generator=dice)
        log_probs = torch.distributions.Categorical(logits=old).log_prob(actions)
        advantages, targets = torch.randn(2, 1, size, generator=dice)
        batch = ppo.Experience(obs, actions, log_probs, advantages, targets, torch.ones(1, size))
        settings = ppo.PPOSettings(clip=0.2, entropy_weight=0.01)
        ours = ppo.ppo_loss(agents, batch, settings)

        class Module:
            def unwrapped(self) -> "Module":
                return self

            def get_train_action_dist_cls(self) -> Any:
                from ray.rllib.core.distribution.torch.torch_distribution import TorchCategorical

                return TorchCategorical

            get_exploration_action_dist_cls = get_train_action_dist_cls

            def compute_values(self, given: dict, embeddings: Any = None) -> torch.Tensor:
                return agents.values(given[Columns.OBS][None])[0]

        class Learner:
            module: ClassVar = {"p": Module()}
            entropy_coeff_schedulers_per_module: ClassVar = {
                "p": type("At", (), {"get_current_value": staticmethod(lambda: 0.01)})
            }
            metrics = type(
                "Metrics",
                (),
                {
                    "log_dict": staticmethod(lambda *a, **k: None),
                    "log_value": staticmethod(lambda *a, **k: None),
                },
            )

        config = PPOConfig().training(
            clip_param=0.2, vf_loss_coeff=0.5, vf_clip_param=1e9, use_kl_loss=False,
        )  # fmt: skip
        theirs = PPOTorchLearner.compute_loss_for_module(
            Learner(), module_id="p", config=config,
            batch={
                Columns.OBS: obs[0], Columns.ACTIONS: actions[0],
                Columns.ACTION_LOGP: log_probs[0], Columns.ACTION_DIST_INPUTS: old[0],
                Postprocessing.ADVANTAGES: advantages[0],
                Postprocessing.VALUE_TARGETS: targets[0],
            },
            fwd_out={Columns.ACTION_DIST_INPUTS: agents.actor(obs)[0]},
        )  # fmt: skip
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)

    def test_a_step_that_only_begins_an_episode_does_not_count(self) -> None:
        world = ppo.Worlds(poles(3), 1, 0)
        agents = ActorCritics(poles(3), 1, (4,), seed=0)
        experience = world.collect(agents, ppo.PPOSettings(num_steps=200))
        begun = int((experience.counts == 0).sum())
        assert begun > 0
        total = sum(world.returns[0])
        ended = len(world.returns[0])
        assert begun in range(ended - 3, ended + 1)
        assert total <= float(experience.counts.sum())

    def test_dials_turn_within_their_range(self) -> None:
        agents = ActorCritics(Rods(2), 1, (4,), seed=0)
        taken = agents.for_env(torch.tensor([[[-7.0], [0.5]]]))
        assert taken.tolist() == [[-2.0], [1.0]]
        assert agents.best(0)(np.zeros((3, 3))).shape == (3, 1)

    def test_each_agents_gradient_is_shortened_alone(self) -> None:
        agents = ActorCritics(poles(2), 2, (4,), seed=0)
        obs = torch.randn(2, 5, 4)
        (agents.actor(obs)[0].sum() * 100 + agents.actor(obs)[1].sum() * 1e-3).backward()
        small = [one.grad[1].clone() for one in agents.actor.parameters()]
        ppo._shorten(agents, 0.5)
        parts = [one.grad for one in agents.actor.parameters()]
        norm = float(sum((one[0] ** 2).sum() for one in parts) ** 0.5)
        assert norm == pytest.approx(0.5, rel=1e-3)
        for one, before in zip(parts, small, strict=True):
            torch.testing.assert_close(one[1], before)

    def test_curves_look_back(self) -> None:
        rows = [{"env_steps": 8 * (k + 1), "returns": [[float(k)] * k, [5.0]]} for k in range(3)]
        at, means = ppo.curves(rows, window=2)
        assert at.tolist() == [16, 24], "from the round on in which each has an end"
        np.testing.assert_array_equal(means, [[1, 2], [5, 5]])
        assert ppo.curves(rows[:1])[1].shape == (2, 0)

    def test_a_stop_keeps_what_was_learned(self, capsys: pytest.CaptureFixture[str]) -> None:
        def stop(rows: list) -> None:
            raise KeyboardInterrupt

        settings = ppo.PPOSettings(num_steps=8, batch_size=8)
        _, rows = ppo.ppo(
            poles(2), num_agents=1, num_steps=64, seed=0, settings=settings, on_row=stop
        )
        assert len(rows) == 1
        assert capsys.readouterr().out == "Stopped after 16 steps; what was learned is kept.\n"

    def test_what_does_not_fit(self) -> None:
        with pytest.raises(ValueError, match="5 environments cannot be shared by 2 agents"):
            ppo.ppo(poles(5), num_agents=2, num_steps=1, seed=0)


class TestEvolution:
    """A hill whose top is known."""

    @given(st.integers(0, 1_000))
    def test_it_finds_the_top(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        top = rng.normal(size=5)
        found = evolution.evolve(
            lambda candidates: [-float(((one - top) ** 2).sum()) for one in candidates],
            np.zeros(5), num_rounds=150, num_pairs=8, sigma=0.1, learning_rate=0.1, rng=rng,
        )  # fmt: skip
        around = np.mean(found[-50:], axis=0)  # its steps stay as long as ever: it goes round it
        assert np.linalg.norm(around - top) < 0.06  # 0.041 at most, over all 1,001 seeds

    @given(st.lists(st.integers(-3, 3), min_size=2, max_size=8))
    def test_ranks_are_even_and_equals_are_equal(self, values: list[int]) -> None:
        found = evolution.ranks(values)
        assert found.sum() == pytest.approx(0, abs=1e-9)
        for (one, a), (other, b) in itertools.combinations(zip(values, found, strict=True), 2):
            assert (one < other) == (a < b)
            assert (one == other) == (a == b)

    def test_one_lucky_episode_does_not_rule(self) -> None:
        assert evolution.ranks([1, 2, 3, 4e9]).tolist() == evolution.ranks([1, 2, 3, 4]).tolist()


class TestPreferences:
    """A reward that is known, found again from comparisons."""

    @pytest.fixture(scope="class")
    def clips(self) -> preferences.Clips:
        return preferences.record_clips(
            Rods(100), num_steps=20, hold=10, rng=np.random.default_rng(0)
        )

    def correlation(self, clips: preferences.Clips, wrong: float, seed: int) -> float:
        rng = np.random.default_rng(seed)
        score = clips.obs[:, :, 0].mean(axis=1)
        pairs = preferences.draw_pairs(50, 40, rng)
        left = preferences.judged(score, pairs, wrong=wrong, rng=rng)
        models = preferences.RewardModels(clips, 1, seed=seed)
        models.learn([preferences.Answers(pairs, left)])
        return float(spearmanr(models.scores(clips)[0, 50:], score[50:]).statistic)

    def test_clips_that_nobody_compared_come_in_the_right_order(
        self, clips: preferences.Clips
    ) -> None:
        found = [self.correlation(clips, 0.0, seed) for seed in range(5)]
        assert np.median(found) > 0.8, found

    def test_wrong_answers_blur_it(self, clips: preferences.Clips) -> None:
        right, wrong = (
            np.median([self.correlation(clips, share, seed) for seed in range(5)])
            for share in (0.0, 0.5)
        )
        assert wrong < right - 0.2

    def test_a_judge_errs_as_often_as_said(self) -> None:
        rng = np.random.default_rng(0)
        score, pairs = np.arange(50.0), preferences.draw_pairs(50, 5_000, rng)
        right = preferences.judged(score, pairs, wrong=0.0, rng=rng)
        assert (right == (pairs[:, 0] > pairs[:, 1])).all()
        wrong = preferences.judged(score, pairs, wrong=0.2, rng=rng)
        assert np.mean(right != wrong) == pytest.approx(0.2, abs=0.03)
        assert (pairs[:, 0] != pairs[:, 1]).all()

    def test_learned_rewards_have_mean_0_and_size_1(self, clips: preferences.Clips) -> None:
        models = preferences.RewardModels(clips, 2, seed=0)
        pairs = np.array([[0, 1]])
        models.learn([preferences.Answers(pairs, np.ones(1))] * 2, num_rounds=3)
        paid = models.rewards(*(np.stack([one.reshape(2_000, -1)] * 2) for one in clips))
        np.testing.assert_allclose(paid.mean(axis=1), 0, atol=1e-4)
        np.testing.assert_allclose(paid.std(axis=1), 1, atol=1e-3)

    def test_environments_pay_what_their_own_model_says(self, clips: preferences.Clips) -> None:
        models = preferences.RewardModels(clips, 2, seed=0)
        world = preferences.LearnedReward(Rods(4), models)
        obs, _ = world.reset(seed=0)
        actions = np.linspace(-2, 2, 4, dtype=np.float32)[:, None]
        _, rewards, *_ = world.step(actions)
        wanted = models.rewards(obs.reshape(2, 2, 3), actions.reshape(2, 2, 1)).reshape(-1)
        np.testing.assert_allclose(rewards, wanted, atol=1e-6)

    def test_what_does_not_fit(self, clips: preferences.Clips) -> None:
        rng = np.random.default_rng(0)
        with pytest.raises(ValueError, match="2 models need as many sets, got 1"):
            preferences.RewardModels(clips, 2, seed=0).learn(
                [preferences.Answers(np.array([[0, 1]]), np.ones(1))]
            )
        with pytest.raises(ValueError, match=r"wrong must be in \[0, 1\], got 2"):
            preferences.judged(np.ones(2), np.array([[0, 1]]), wrong=2, rng=rng)
        with pytest.raises(ValueError, match="a comparison needs two clips, got 1"):
            preferences.draw_pairs(1, 3, rng)
        with pytest.raises(ValueError, match="recorded with Box actions, got Discrete"):
            preferences.record_clips(poles(1), num_steps=1, hold=1, rng=rng)


class TestComparisons:
    """Questions to a person."""

    def ask(self) -> Comparisons:
        self.drawn: list[tuple[int, int]] = []
        return Comparisons(
            lambda figure, left, right: self.drawn.append((left, right)), np.array([[3, 1], [0, 2]])
        )

    def test_answers_stay_in_their_order(self) -> None:
        asked = self.ask()
        asked.buttons[0].click()
        asked.buttons[2].click()
        assert asked.left == [1.0, 0.5]
        assert self.drawn[:2] == [(3, 1), (0, 2)]
        assert asked.said.value == "All 2 are answered. Thank you: run the next cell."
        asked.buttons[1].click()
        assert asked.left == [1.0, 0.5], "nothing is asked any more"

    def test_the_last_one_can_be_taken_back(self) -> None:
        asked = self.ask()
        asked.back.click()
        asked.answer("right")
        asked.back.click()
        asked.answer("left")
        assert asked.left == [1.0]
        assert asked.said.value.startswith("Question 2 of 2.")

    def test_another_word(self) -> None:
        with pytest.raises(ValueError, match="one of left, right, neither, got 'both'"):
            self.ask().answer("both")


class TestPictures:
    """They draw what they are given."""

    def test_each_is_drawn(self) -> None:
        rng = np.random.default_rng(0)
        clips = preferences.record_clips(Rods(5), num_steps=3, hold=1, rng=rng)
        models = preferences.RewardModels(clips, 3, seed=0)
        obs = np.stack([np.cos(np.arange(9)), np.sin(np.arange(9)), np.zeros(9)], axis=1)
        draws = (
            lambda figure: pictures.draw_gradients(
                figure, {"a": rng.normal(size=(9, 5)), "b": rng.normal(size=(9, 5))}
            ),
            lambda figure: pictures.plot_spread({"a": 900.0, "b": 9.0}, ax=figure.subplots()),
            lambda figure: pictures.draw_clip(figure, 0.2, 1.5, -1.0),
            lambda figure: pictures.draw_clips(figure, {"left": obs, "right": obs}),
            lambda figure: pictures.draw_learned_rewards(figure, models, {"a": [0, 2], "b": [1]}),
            lambda figure: pictures.plot_shares_upright({"a": [0.1, 0.9]}, ax=figure.subplots()),
            lambda figure: draw_families(ax=figure.subplots()),
        )
        for draw in draws:
            figure = plt.figure(layout="constrained")
            draw(figure)
            figure.canvas.draw()
            plt.close(figure)

    def test_the_map_does_not_overlap(self) -> None:
        for one, other in itertools.combinations(FAMILIES, 2):
            apart = np.abs(np.subtract(one.place, other.place))
            assert apart[0] >= 0.22 or apart[1] >= 0.42, (one.name, other.name)


@pytest.mark.full
class TestClaims:
    """What the lesson says of ten agents, each with a seed of its own, with its own sizes."""

    sizes = profiles.PolicySizes()

    @pytest.fixture(scope="class")
    def rounds(self) -> dict[str, np.ndarray]:
        """Mean returns of ten agents in the last five rounds, by weights."""
        found = {}
        for weigh in (pg.whole_returns, pg.returns_to_go, pg.with_baseline):
            _, rows = pg.reinforce(
                poles(160), num_agents=10, num_rounds=self.sizes.num_rounds, learning_rate=0.02,
                gamma=0.99, seed=11, weigh=weigh,
            )  # fmt: skip
            found[weigh.__name__] = np.mean([row["returns"].mean(axis=1) for row in rows[-5:]], 0)
        return found

    def test_a_baseline_learns_where_whole_returns_do_not(self, rounds: dict) -> None:
        assert (rounds["with_baseline"] >= 400).sum() >= 8, rounds
        assert np.median(rounds["whole_returns"]) < 200, rounds
        assert rounds["returns_to_go"].mean() < rounds["with_baseline"].mean(), rounds

    @pytest.mark.parametrize("seed", [11, 12])
    def test_ten_of_ten_balance_the_pole_by_ppo(self, seed: int) -> None:
        agents, _ = ppo.ppo(poles(80), num_agents=10, num_steps=self.sizes.ppo_steps, seed=seed)
        greedy = play_vector(agents.greedy, poles(200), seed=seed).reshape(10, 20).mean(axis=1)
        assert (greedy >= 475).sum() >= 9, np.sort(greedy)

    def test_evolution_climbs_with_nine_seeds_of_ten(self) -> None:
        solved = []
        for seed in range(10):
            rng, weights = np.random.default_rng(seed), np.zeros(4)
            for step in range(self.sizes.evolution_rounds):
                weights = evolution.evolution_step(
                    partial(self.tried, 100 * seed + step), weights, rng.normal(size=(8, 4)),
                    sigma=0.5, learning_rate=0.5,
                )  # fmt: skip
            solved.append(self.tried(seed, [weights] * 10)[0])
        assert (np.array(solved) >= 475).sum() >= 8, np.sort(solved)

    @staticmethod
    def tried(seed: int, candidates: Any) -> list[float]:
        table = np.repeat(np.array(candidates), 2, axis=0)
        policy = lambda obs: ((obs * table).sum(axis=1) > 0).astype(int)  # noqa: E731
        returns = play_vector(policy, poles(len(table)), seed=seed)
        return returns.reshape(-1, 2).mean(axis=1).tolist()

    @pytest.mark.parametrize(("wrong", "low", "high"), [(0.0, 0.85, 1.0), (0.2, 0.0, 0.8)])
    def test_policies_from_comparisons(self, wrong: float, low: float, high: float) -> None:
        """Ten judges, 40 answers each; how long the rod stands in the median."""
        rng = np.random.default_rng(5)
        clips = preferences.record_clips(Rods(200), num_steps=20, hold=10, rng=rng)
        higher = clips.obs[:, :, 0].mean(axis=1)
        answers = []
        for _ in range(10):
            pairs = preferences.draw_pairs(200, self.sizes.num_questions, rng)
            said = preferences.judged(higher, pairs, wrong=wrong, rng=rng)
            answers.append(preferences.Answers(pairs, said))
        models = preferences.RewardModels(clips, 10, seed=5)
        models.learn(answers)
        agents, _ = ppo.ppo(
            preferences.LearnedReward(Rods(80), models), num_agents=10,
            num_steps=self.sizes.swing_steps, seed=5,
            settings=ppo.PPOSettings(gamma=0.9, learning_rate=3e-3),
        )  # fmt: skip
        envs = Rods(200)
        obs, up = envs.reset(seed=6)[0], []
        for _ in range(200):
            obs = envs.step(agents.greedy(obs))[0]
            up.append(obs[:, 0] > np.cos(np.radians(30)))
        stands = np.mean(up[100:], axis=0).reshape(10, -1).mean(axis=1)
        assert low <= np.median(stands) <= high, np.sort(stands)
