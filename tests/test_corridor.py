"""The corridor: times, risks, the environment, its optimum, and that an agent learns to walk it."""

import itertools
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as sb3_check_env

import course_lib.envs  # noqa: F401
from course_lib.agents import tabular
from course_lib.answers import answer
from course_lib.envs import corridor
from course_lib.envs.corridor import GAITS, CorridorEnv, expected_time, walk_times
from course_lib.plots import draw_guess, draw_search, draw_settings, plot_gaits


class TestWalkingTime:
    def test_a_walk_worked_by_hand(self) -> None:
        # effort 0.5/2 + 1.5/6 = 0.5, risk 1/64; 60 steps of 2/3 s and 4/64 s
        assert corridor.stumbling_risk(0.5, 1.5) == pytest.approx(1 / 64)
        assert corridor.expected_time(0.5, 1.5) == pytest.approx(60 * (2 / 3 + 4 / 64))

    def test_wet_floor_costs_half_as_much_effort_again(self) -> None:
        assert corridor.stumbling_risk(0.5, 1.5, wet=True) == pytest.approx(0.75**6)

    def test_risk_grows_with_both_and_stays_a_probability(self) -> None:
        strides, paces = np.linspace(0.3, 1.5, 30), np.linspace(0.5, 4, 30)
        risk = corridor.stumbling_risk(strides[None, :], paces[:, None])
        assert (np.diff(risk, axis=0) >= 0).all()
        assert (np.diff(risk, axis=1) >= 0).all()
        assert risk.min() > 0
        assert risk.max() == 1

    @pytest.mark.parametrize(
        ("stride", "pace", "length", "wet"),
        [
            (0.5, 1.5, 30, False),
            (0.74, 1.58, 30, False),
            (1.3, 3.9, 17, False),
            (0.7, 1.3, 5, True),
        ],
    )
    def test_closed_form_agrees_with_walks(
        self, stride: float, pace: float, length: float, wet: bool
    ) -> None:
        rng = np.random.default_rng(0)
        walks = corridor.walk_times(stride, pace, 100_000, length=length, rng=rng, wet=wet)
        error = walks.std() / np.sqrt(walks.size)
        exact = corridor.expected_time(stride, pace, length=length, wet=wet)
        assert abs(walks.mean() - exact) < 4 * error + 1e-9

    @pytest.mark.parametrize("wet", [False, True])
    def test_best_gait_is_the_lowest_point_of_the_surface(self, wet: bool) -> None:
        strides, paces = np.linspace(0.2, 1.5, 1301), np.linspace(0.4, 4, 1801)
        times = corridor.expected_time(strides[None, :], paces[:, None], wet=wet)
        row, column = np.unravel_index(times.argmin(), times.shape)
        assert corridor.best_gait(wet=wet) == pytest.approx(
            (strides[column], paces[row]), abs=0.0021
        )

    def test_same_dice_for_the_same_config_only(self) -> None:
        config = {"seed": 3, "stride": 0.7, "pace": 1.5}
        first = corridor.rng_for(config).random()
        assert corridor.rng_for(dict(config)).random() == first
        for change in ({"seed": 4}, {"stride": 0.71}, {"pace": 1.51}):
            assert corridor.rng_for(config | change).random() != first

    @pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf")])
    def test_refuses_what_no_one_can_walk(self, bad: float) -> None:
        rng = np.random.default_rng(0)
        for stride, pace, length in ((bad, 1, 1), (1, bad, 1), (1, 1, bad)):
            with pytest.raises(ValueError, match="above 0"):
                corridor.expected_time(stride, pace, length=length)
            with pytest.raises(ValueError, match="above 0"):
                corridor.walk_time(stride, pace, length=length, rng=rng)

    def test_refuses_no_walks(self) -> None:
        with pytest.raises(ValueError, match="num_walks"):
            corridor.walk_times(1, 1, 0, rng=np.random.default_rng(0))


class TestEnvironment:
    @pytest.mark.parametrize("render_mode", ["rgb_array", "ansi"])
    def test_both_checkers_have_nothing_to_say(self, render_mode: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(gym.make("course/Corridor-v0", render_mode=render_mode).unwrapped)
            sb3_check_env(CorridorEnv(render_mode=render_mode))

    def test_same_seed_same_walk(self) -> None:
        walks = []
        for _ in range(2):
            env = gym.make("course/Corridor-v0")
            steps = [env.reset(seed=5)]
            env.action_space.seed(5)
            for number in range(60):
                steps.append(env.step(env.action_space.sample()))
                if steps[-1][2]:
                    steps.append(env.reset(seed=number))
            walks.append(steps)
        assert walks[0] == walks[1]

    def test_return_is_minus_the_time(self) -> None:
        env = CorridorEnv()
        env.reset(seed=1)
        total, ends = 0.0, []
        for _ in range(env.num_tiles):
            obs, reward, terminated, truncated, info = env.step(2)
            total += reward
            ends.append((terminated, truncated))
        assert total == pytest.approx(-info["seconds"])
        assert info["stumbles"] > 0
        assert obs == env.num_tiles * len(GAITS) + len(GAITS) - 1
        assert ends == [(False, False)] * (env.num_tiles - 1) + [(True, False)]

    def test_gait_moves_by_one_notch_within_its_ends(self) -> None:
        env = CorridorEnv()
        env.reset(seed=0)
        seen = [env.step(action)[4]["gait"] for action in (0, 2, 2, 2, 2, 2, 1, 0)]
        assert seen == ["creep", "stroll", "walk", "march", "run", "run", "run", "march"]

    def test_after_the_end_and_before_the_start(self) -> None:
        env = CorridorEnv(num_tiles=1)
        with pytest.raises(gym.error.ResetNeeded):
            env.step(1)
        env.reset(seed=0)
        env.step(1)
        with pytest.raises(gym.error.ResetNeeded):
            env.step(1)

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            ({"num_tiles": 0}, "num_tiles"),
            ({"num_tiles": 2.5}, "num_tiles"),
            ({"wet": (3, 2)}, "wet"),
            ({"wet": (0, 16)}, "wet"),
            ({"render_mode": "human"}, "render_mode"),
        ],
    )
    def test_refuses(self, arguments: dict, word: str) -> None:
        with pytest.raises(ValueError, match=word):
            CorridorEnv(**arguments)

    def test_refuses_another_action(self) -> None:
        env = CorridorEnv()
        env.reset(seed=0)
        with pytest.raises(ValueError, match="action"):
            env.step(3)

    def test_pictures(self) -> None:
        env = CorridorEnv(num_tiles=5, wet=(2, 3), render_mode="rgb_array")
        env.reset(seed=0)
        before = env.render()
        env.step(2)
        after = env.render()
        assert before.shape == after.shape == (96, 7 * 48, 3)
        assert before.dtype == np.uint8
        assert (before != after).any()
        env = CorridorEnv(num_tiles=5, wet=(2, 3), render_mode="ansi")
        env.reset(seed=0)
        env.step(2)
        assert env.render().startswith("|.W.~..| 2 m, stroll")


class TestOptimum:
    def test_against_every_plan_of_a_short_corridor(self) -> None:
        env = CorridorEnv(num_tiles=6, wet=(3, 5))
        times = []
        for plan in itertools.product(range(3), repeat=6):
            policy = np.repeat([*plan, 1], len(GAITS))
            times.append(env.mean_time(policy))
        assert env.best_time() == pytest.approx(min(times))
        assert env.mean_time(env.best_policy()) == pytest.approx(env.best_time())

    def test_mean_time_agrees_with_walks(self) -> None:
        env = CorridorEnv()
        policy, times = env.best_policy(), []
        env.reset(seed=3)
        for _ in range(3_000):
            obs, done = env.reset()[0], False
            while not done:
                obs, _, done, _, info = env.step(int(policy[obs]))
            times.append(info["seconds"])
        error = np.std(times) / np.sqrt(len(times))
        assert abs(np.mean(times) - env.best_time()) < 4 * error

    def test_a_constant_gait_is_not_enough(self) -> None:
        env = CorridorEnv()
        assert env.best_time() < 0.9 * env.best_constant_time()
        assert env.best_constant_time() < 0.75 * env.random_time()

    def test_constant_policy_keeps_its_gait(self) -> None:
        env = CorridorEnv()
        assert env.gaits_of(env.constant_policy(2)).tolist() == [1] + [2] * 14
        with pytest.raises(ValueError, match="gait"):
            env.constant_policy(5)

    def test_the_best_walker_brakes_before_the_water(self) -> None:
        env = CorridorEnv()
        gaits = env.gaits_of(env.best_policy())
        assert gaits[env.wet[0] - 1] > gaits[env.wet[0]]
        assert gaits[env.is_wet].max() < gaits[~env.is_wet].max()

    def test_refuses_a_policy_of_another_shape(self) -> None:
        with pytest.raises(ValueError, match="policy"):
            CorridorEnv().mean_time(np.zeros(3))


@pytest.mark.parametrize("num_agents", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_nine_agents_in_ten_learn_to_beat_the_best_constant_gait(num_agents: int) -> None:
    env = CorridorEnv()
    times = []
    for seed in range(num_agents):
        run = tabular.q_learning(
            env, num_episodes=1_200, learning_rate=0.2, gamma=1.0, epsilon=0.3,
            rng=np.random.default_rng(seed),
        )  # fmt: skip
        times.append(env.mean_time(run.q_table.argmax(axis=1)))
    beaten = np.array(times) < env.best_constant_time()
    assert beaten.sum() >= 0.9 * num_agents, times
    assert np.median(times) < 1.08 * env.best_time(), times


@pytest.mark.parametrize("num_agents", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_what_exercise_2_5_predicts(num_agents: int) -> None:
    env = CorridorEnv()
    early, late = {}, {}
    for rate in answer("2.5")():
        curves = []
        for seed in range(num_agents):
            rng, q_table = np.random.default_rng([7, seed]), np.zeros((env.observation_space.n, 3))
            curves.append([])
            for _ in range(8):
                tabular.q_learning(
                    env, num_episodes=150, learning_rate=rate, gamma=1.0, epsilon=0.1, rng=rng,
                    q_table=q_table,
                )  # fmt: skip
                curves[-1].append(env.greedy_time(q_table))
        early[rate], late[rate] = np.median(curves, axis=0)[[1, -1]]
    said = {
        "gets there": lambda rate: late[rate] < env.best_time() + 5,
        "too slow": lambda rate: late[rate] > env.best_time() + 8,
        "too hasty": lambda rate: (
            early[rate] < min(early[0.03], early[0.3])
            and abs(late[rate] - env.best_constant_time()) < 5
        ),
    }
    assert all(said[word](rate) for rate, word in answer("2.5")().items()), (early, late)


def test_the_winner_of_many_looks_better_than_it_is() -> None:
    """What lesson 02 draws: the more trials, the more luck is chosen."""
    rng, luck = np.random.default_rng(7), []
    for _ in range(200):
        gaits = rng.uniform([0.3, 0.5], [1.5, 4.0], size=(50, 2))
        true = expected_time(*gaits.T)
        seen = np.array([walk_times(*gait, 9, rng=rng).mean() for gait in gaits])
        winners = [int(seen[:number].argmin()) for number in (1, 50)]
        luck.append(true[winners] - seen[winners])
    one, fifty = np.median(luck, axis=0)
    assert abs(one) < 0.5 < fifty
    assert np.mean(np.array(luck)[:, 1] > 0) > 0.7


class TestPictures:
    def test_draw_without_and_with_trials(self) -> None:
        from matplotlib.figure import Figure

        row = {"stride": 0.5, "pace": 1.0, "seconds": 60.0, "training_iteration": 3, "done": True}
        setting = {"learning_rate": 0.1, "epsilon": 0.2, "seconds": 50.0, "worst": 55.0,
                   "training_iteration": 8}  # fmt: skip
        for rows, settings in (([], []), ([row], [setting])):
            draw_search(Figure(), rows, 9)
            draw_settings(Figure(), settings, 8, best=47.0, constant=55.0)
        figure = Figure()
        draw_search(figure, [row], surface=False)
        words = [text.get_text() for ax in figure.axes for text in ax.get_legend().get_texts()]
        assert not [one for one in words if "least mean time" in one], "nobody knows it yet"
        figure = Figure()
        draw_guess(figure, [(0.5, 1.0, 60.0), (0.8, 1.8, 35.0)], np.array([30.0, 40.0]))
        assert [ax.get_xlabel() for ax in figure.axes] == [
            "stride (m per step)",
            "time of a walk (s)",
        ]

    def test_gaits_are_named(self) -> None:
        env = CorridorEnv()
        ax = plot_gaits({"best": env.gaits_of(env.best_policy())}, env.is_wet)
        assert [text.get_text() for text in ax.get_yticklabels()] == [gait.name for gait in GAITS]
