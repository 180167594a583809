"""The benchmarks' own arithmetic and bookkeeping. Nothing here looks at a clock."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

# The benchmarks are run from the repository, never installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import __main__ as program
from benchmarks import catalogue, distribution, machine, report
from benchmarks.core import Bar, Benchmark, Contender, NotMeasured, Options, Run, median, ratio
from benchmarks.core import order as turns

ROOT = Path(__file__).resolve().parent.parent
ROWS = {"a": [{"s": 1.0}, {"s": 4.0}, {"s": 2.0}], "b": [{"s": 4.0}, {"s": 8.0}], "c": []}


def speed(value):
    return lambda seed: {"s": float(value + seed)}


def small(*contenders, bars=(), close=lambda: None):
    return Benchmark("small", "How small?", list(contenders), {"s": "1/s"}, list(bars), close=close)


def a_record(benchmark, seeds=2):
    return {**Run(benchmark, seeds, say=lambda line: None).measure(), "machine": machine.describe()}


def test_contenders_take_turns_and_each_seed_starts_with_another():
    a, b, c = (Contender(name, speed(0)) for name in "abc")
    got = [(seed, one.name) for seed, one in turns([a, b, c], 4)]
    assert got == [
        (0, "a"), (0, "b"), (0, "c"), (1, "b"), (1, "c"), (1, "a"),
        (2, "c"), (2, "a"), (2, "b"), (3, "a"), (3, "b"), (3, "c"),
    ]  # fmt: skip


def test_a_slow_contender_takes_fewer_seeds():
    fast, slow = Contender("fast", speed(0)), Contender("slow", speed(0), max_seeds=1)
    assert [(s, c.name) for s, c in turns([fast, slow], 3)] == [
        (0, "fast"), (0, "slow"), (1, "fast"), (2, "fast"),
    ]  # fmt: skip


def test_medians_and_ratios():
    assert median(ROWS, "a", "s") == 2.0
    assert median(ROWS, "b", "s") == 6.0
    assert ratio("b", "a", "s")(ROWS) == 3.0
    with pytest.raises(NotMeasured):
        median(ROWS, "c", "s")
    with pytest.raises(NotMeasured):
        ratio("a", "nobody", "s")(ROWS)


@pytest.mark.parametrize(
    ("bound", "at_most", "met", "said"),
    [
        (2.0, False, True, "**3** (bar: at least 2), met by 50%"),
        (3.0, False, True, "**3** (bar: at least 3), met"),
        (4.0, False, False, "**3** (bar: at least 4), **not met** by 25%"),
        (12.0, False, False, "**3** (bar: at least 12), **not met** by a factor of 4"),
        (2.0, True, False, "**3** (bar: at most 2), **not met** by 50%"),
        (3.0, True, True, "**3** (bar: at most 3), met"),
        (6.0, True, True, "**3** (bar: at most 6), met by a factor of 2"),
    ],
)
def test_bars(bound, at_most, met, said):
    row = Bar("b over a", ratio("b", "a", "s"), bound, at_most).judge(ROWS)
    assert row["value"] == 3.0
    assert row["met"] is met
    assert report.verdict(row) == said


@pytest.mark.parametrize("value", [ratio("a", "c", "s"), lambda results: float("nan")])
def test_a_bar_without_figures_is_neither_met_nor_missed(value):
    row = Bar("a over c", value, 2.0).judge(ROWS)
    assert row["value"] is None
    assert row["met"] is None
    assert report.verdict(row) == "not measured (bar: at least 2)"


def test_a_comparison_without_a_bound_has_no_verdict():
    row = Bar("b over a", ratio("b", "a", "s")).judge(ROWS)
    assert row["met"] is None
    assert report.verdict(row) == "3 (no bar)"
    assert report.verdict(Bar("a over c", ratio("a", "c", "s")).judge(ROWS)).startswith("not meas")


def test_spread_shows_median_and_range():
    assert report.spread([3.0, 1.0, 20_000.0]) == "3 (1 to 20,000)"
    assert report.spread([0.123456]) == "0.123"
    assert report.spread([1.0, 0.0, 1.0], "runs") == "2 of 3"
    assert report.spread([]) == ""


def test_a_missing_peer_is_reported_and_the_others_run():
    peer = Contender("peer", speed(9), needs="no_such_package")
    record = a_record(small(Contender("ours", speed(5)), peer))
    assert record["results"] == {"ours": [{"s": 5.0}, {"s": 6.0}]}
    table = report.section("small", record)
    assert "| ours | 2 | 5.5 (5 to 6) |" in table
    assert "| peer | 0 |  |" in table
    assert "* peer: not installed: `pip install no-such-package`" in table


def test_a_contender_that_fails_is_left_out_and_the_others_go_on():
    calls = []

    def broken(seed):
        calls.append(seed)
        raise RuntimeError("out of paper")

    record = a_record(small(Contender("broken", broken), Contender("ours", speed(5))), seeds=3)
    assert calls == [0]
    assert len(record["results"]["ours"]) == 3
    assert "* broken: failed: RuntimeError: out of paper" in report.section("small", record)


def interrupted(at_seed):
    def run(seed):
        if seed == at_seed:
            raise KeyboardInterrupt
        return {"s": 1.0}

    return Contender("ours", run)


def test_an_interrupt_keeps_what_was_measured_and_ends_the_program(monkeypatch, tmp_path, capsys):
    closed, made = [], []

    def make(name, options):
        made.append(name)
        return small(interrupted(at_seed=2), close=lambda: closed.append(name))

    monkeypatch.setattr(catalogue, "make", make)
    into = tmp_path / "figures.json"
    assert program.main(["loop", "update", "--json", str(into)]) == 130
    assert made == closed == ["loop"]
    record = report.load(into)["loop"]
    assert record["results"] == {"ours": [{"s": 1.0}, {"s": 1.0}]}
    assert not record["finished"]
    assert "This run was interrupted" in capsys.readouterr().out


def test_the_page_follows_each_measurement(monkeypatch, tmp_path):
    page, latest = tmp_path / "page.md", tmp_path / "latest.json"
    page.write_text(f"By hand\n{report.BEGIN}\n{report.END}\n", encoding="utf-8")
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "LATEST", latest)
    monkeypatch.setattr(catalogue, "make", lambda *_: small(interrupted(at_seed=1)))
    assert program.main(["loop"]) == 130
    shown = page.read_text(encoding="utf-8")
    assert "| ours | 1 | 1 |" in shown
    assert shown == report.with_results(shown, report.text(report.load(latest), ["loop"]))


def test_a_failure_shows_in_the_exit_status(monkeypatch, tmp_path):
    def broken(seed):
        raise RuntimeError("out of paper")

    monkeypatch.setattr(catalogue, "make", lambda *_: small(Contender("broken", broken)))
    assert program.main(["loop", "--json", str(tmp_path / "figures.json")]) == 1


def test_a_new_record_replaces_its_last_one_only(tmp_path):
    path = tmp_path / "figures.json"
    report.merge({"n": 1}, "one", path)
    report.merge({"n": 2}, "two", path)
    report.merge({"n": 3}, "one", path)
    assert report.load(path) == {"one": {"n": 3}, "two": {"n": 2}}
    assert list(tmp_path.iterdir()) == [path]


def test_the_page_keeps_what_is_written_by_hand():
    page = f"Before\n{report.BEGIN}\nold\n{report.END}\nAfter\n"
    new = report.with_results(page, "new")
    assert new == f"Before\n{report.BEGIN}\nnew\n{report.END}\nAfter\n"
    with pytest.raises(ValueError, match="has no lines"):
        report.with_results("Before", "new")


def test_the_page_shows_the_latest_results():
    page = report.PAGE.read_text(encoding="utf-8")
    wanted = report.with_results(
        page, report.text(report.load(report.LATEST), list(catalogue.NAMES))
    )
    assert page == wanted, "run: .venv/bin/python -m benchmarks --docs"


def test_results_of_two_machines_are_told_apart():
    records = {"loop": a_record(small(Contender("ours", speed(5))))}
    records["update"] = json.loads(json.dumps(records["loop"]))
    assert report.machines(records, ["loop", "update"]).startswith("Measured on")
    records["update"]["machine"]["cores"] = 12_345
    assert "* update: measured on 12345 cores" in report.machines(records, ["loop", "update"])


def test_list_names_every_benchmark(capsys):
    assert program.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(catalogue.NAMES)
    assert all(line.endswith(".") for line in lines)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["nothing"], "no benchmark named nothing; there are cartpole, mountain_car,"),
        (["loop", "--seeds", "0"], "--seeds must be at least 1, got 0"),
        (["loop", "--stock-seeds", "0"], "--stock-seeds must be at least 1, got 0"),
    ],
)
def test_a_wrong_command_is_explained(given, said, capsys):
    with pytest.raises(SystemExit) as end:
        program.main(given)
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_an_unknown_name_is_explained_in_python_too():
    with pytest.raises(ValueError, match="no benchmark named 'nothing'; there are cartpole"):
        catalogue.make("nothing", Options())


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_every_benchmark_can_be_made_and_starts_nothing(name):
    import ray

    before = ray.is_initialized()
    benchmark = catalogue.make(name, Options(quick=True))
    names = [contender.name for contender in benchmark.contenders]
    assert benchmark.name == name
    assert len(set(names)) == len(names) > 0
    assert all(bar.judge({})["met"] is None for bar in benchmark.bars)
    assert ray.is_initialized() == before


def test_one_benchmark_from_end_to_end(monkeypatch, tmp_path, capsys):
    into = tmp_path / "figures.json"
    monkeypatch.setattr(report, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(report, "LATEST", tmp_path / "latest.json")
    assert program.main(["memory", "tabular", "--quick", "--json", str(into)]) == 0
    records = report.load(into)
    assert list(records) == ["tabular", "memory"]
    assert records["memory"]["finished"]
    assert all(rows for rows in records["memory"]["results"].values())
    assert records["memory"]["bars"][0]["met"]
    out = capsys.readouterr().out
    assert "memory 1/4: capacity 10,000, seed 0 ..." in out
    assert "| `memory` |" in out
    assert list(tmp_path.iterdir()) == [into], "only the latest results go into the page"


def test_cartpole_is_measured_with_the_settings_of_notebook_03():
    from benchmarks import rllib_dqn

    lesson = (ROOT / "notebooks" / "source" / "03_cartpole_dqn.py").read_text(encoding="utf-8")
    (cell,) = [cell for cell in lesson.split("\n# %%") if "def configure(" in cell]
    from course_lib import profiles
    from course_lib.columnar_dqn.algorithm import ColumnarDQNConfig

    num_runners = profiles.get("laptop").cartpole.num_env_runners
    names = {
        "ENV": rllib_dqn.ENV,
        "SEED": 7,
        "runners": {"num_env_runners": num_runners, "num_envs_per_env_runner": 8},
        "network": rllib_dqn.NETWORK,
        "columns": rllib_dqn.COLUMNS,
    }
    exec(cell, names)
    assert "configure(ColumnarDQNConfig(), n_step=3, double_q=True)" in lesson, (
        "what it trains with"
    )
    config = names["configure"](ColumnarDQNConfig(), n_step=3, double_q=True)
    taught, measured = config.to_dict(), rllib_dqn.columnar_config(7).to_dict()
    differing = {key for key in taught if repr(taught[key]) != repr(measured.get(key))}
    assert differing <= {"min_sample_timesteps_per_iteration", "min_time_s_per_iteration"}


def test_the_plain_dqn_takes_gradient_steps():
    from benchmarks import update

    with update.plain(0) as (take, learn):
        take(2)
        assert learn is None


@pytest.mark.parametrize("name", ["stock_config", "stock_config_as_it_comes"])
def test_stock_rllib_learns_as_often_as_the_course(name):
    from ray.rllib.algorithms.dqn.dqn import calculate_rr_weights

    from benchmarks import rllib_dqn

    config = getattr(rllib_dqn, name)(0)
    samples, updates = calculate_rr_weights(config)
    steps = samples * config.get_rollout_fragment_length() * config.num_envs_per_env_runner
    assert updates / steps == rllib_dqn.columnar_config(0).training_intensity / 64 == 0.5


def test_a_window_starts_after_the_warm_up():
    from benchmarks import rllib_dqn

    class Fake:
        calls = 0

        def train(self):
            self.calls += 1
            learned = max(0, self.calls - 2) * 128 * 64  # rows; learning starts in the third call
            return {
                "num_env_steps_sampled_lifetime": 256 * self.calls,
                "learners": {"default_policy": {"num_module_steps_trained_lifetime": learned}},
            }

    algo = Fake()
    assert rllib_dqn.window(algo, 512, num_steps=1_024)["updates_per_step"] == 0.5
    assert algo.calls == 6


def test_greedy_episodes_are_played_when_they_are_due():
    from benchmarks import judge as judges

    played = []

    def play(policy, env, *, num_episodes, seed):
        played.append(seed)
        return np.full(num_episodes, 100.0 if len(played) < 3 else 480.0)

    judge = judges.Judge(lambda obs: obs, "CartPole-v1", seed=0, stop=475, play=play)
    looks = {}
    for env_steps in range(256, 3_500, 256):
        before = len(played)
        reached = judge.look(env_steps)
        if len(played) > before:
            looks[env_steps] = reached
    assert looks == {1_024: False, 2_048: False, 3_072: True}
    assert len(set(played)) == 3
    assert judge.figures(2.0, 3_072)["reached"] == 1.0
    assert len(set(played)) == 4, "the last figure comes from fresh start states"
    strict = judges.Judge(
        lambda obs: obs, "CartPole-v1", seed=0, stop=1, goal=490, num_fresh=3, play=play
    )
    assert strict.look(1_000)
    assert strict.figures(2.0, 1_000)["reached"] == 0.0, "what ended the run is not the goal"


def test_updates_of_many_mice_are_counted_from_their_returns():
    from benchmarks.tabular import Counting, count_steps

    env, rng, returns = Counting(), np.random.default_rng(0), []
    env.reset(seed=0)
    for _ in range(30):
        total, over = 0.0, False
        while not over:
            _, reward, terminated, truncated, _ = env.step(int(rng.integers(4)))
            total, over = total + reward, terminated or truncated
        returns.append(total)
        env.reset()
    assert len(set(returns)) > 1
    assert count_steps(env, np.array(returns)) == env.num_steps


def test_a_notebook_states_its_time():
    from benchmarks.notebooks import stated_minutes

    found = sorted((ROOT / "notebooks" / "solutions").glob("[0-9][0-9]_*.ipynb"))
    assert len(found) >= 5
    assert all(0 < stated_minutes(path) <= 10 for path in found)


@pytest.mark.full
def test_the_three_places_of_the_distribution_benchmark(tmp_path):
    import cluster_rig

    if cluster_rig.missing():
        pytest.skip(cluster_rig.missing())
    done = Run(distribution.benchmark(Options(quick=True)), 1, say=print).measure()
    figures = {name: runs[0] for name, runs in done["results"].items()}
    assert list(figures) == [distribution.ALONE, distribution.LOCAL, distribution.CLUSTER]
    for name, one in figures.items():
        assert one["tasks_100ms_s"] >= 3.2 / (1 if name == distribution.ALONE else 2)
        assert one["steps_per_s"] <= (1 if name == distribution.ALONE else 2) / distribution.STEP_S
