"""A notebook and a cluster of three machines, each with an address and a disk of its own.

The cluster's machines have no clone of the course. The driver is no part of the cluster.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_rig import NEEDS_RIG, ROOT, Rig

pytestmark = NEEDS_RIG
WRONG = "0" * 64

BEGIN = """
import json, os, sys, time
os.chdir(NOTEBOOK)
from course_lib.cluster import ClusterError, connect
facts = {}

def refusal(address, **options):
    started = time.perf_counter()
    try:
        connect(address, **options)
        return ["connected", time.perf_counter() - started]
    except ClusterError as error:
        return [str(error), time.perf_counter() - started]
"""
END = "\nprint(json.dumps(facts))\n"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that only the driver's machine has."""
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, notebook: Path) -> Iterator[Rig]:
    """A head and two workers, one of which has a logical GPU."""
    hidden = (ROOT / "course_lib", ROOT / "data", notebook)
    with Rig(tmp_path_factory.mktemp("rig"), hidden=hidden) as rig:
        yield rig.start_class(num_cpus=1, num_gpus=1)


def run(rig: Rig, notebook: Path, code: str, **options) -> dict:
    """Run ``code`` on the driver's machine; return the facts that it found."""
    whole = BEGIN.replace("NOTEBOOK", repr(str(notebook))) + code + END
    done = rig.driver(whole, **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    facts = json.loads(done.stdout.splitlines()[-1])
    return {**facts, "output": done.stdout, "stderr": done.stderr}


ADDRESSES = """
host = HOST
facts["dead"] = refusal("10.77.0.250:6379", timeout_s=4)
facts["closed"] = refusal(f"{host}:7000")
facts["client_with_own_port"] = refusal(f"ray://{host}:6379")
facts["own_with_client_port"] = refusal(f"{host}:10001")
import ray
from course_lib.cluster import endpoint
here = endpoint.here()
endpoint.here = lambda: ("2.59.0", here[1])
facts["other_ray"] = refusal(f"{host}:6379")
endpoint.here = lambda: (here[0], "3.11.9")
facts["other_python"] = refusal(f"{host}:6379")
facts["left"] = ray.is_initialized()
"""


@pytest.fixture(scope="module")
def addresses(rig: Rig, notebook: Path) -> dict:
    """What happens at wrong addresses."""
    return run(rig, notebook, ADDRESSES.replace("HOST", repr(rig.head.ip)))


@pytest.mark.slow
class TestAddresses:
    @pytest.mark.parametrize(
        ("case", "words"),
        [
            ("dead", r"Nothing listens at 10.77.0.250 port 6379 .* connect\('local'\)"),
            ("closed", r"Nothing listens at .* port 7000 .*: connection refused"),
            ("client_with_own_port", r"is the cluster's own port, .* 'ray://[0-9.]+:10001'"),
            ("own_with_client_port", r"is the Ray client's port. Write 'ray://[0-9.]+:10001'"),
            ("other_ray", r"runs Ray 2.60.0, this notebook Ray 2.59.0, .* requirements.lock"),
            ("other_python", r"runs Python 3\.1\d\.\d+, this notebook Python 3.11.9"),
        ],
    )
    def test_says_what_is_wrong_and_what_to_do(
        self, addresses: dict, case: str, words: str
    ) -> None:
        text, seconds = addresses[case]
        assert re.search(words, text), text
        assert seconds < 25  # Ray alone takes 30 s and more

    def test_leaves_no_connection(self, addresses: dict) -> None:
        assert addresses["left"] is False


@pytest.mark.slow
class TestToken:
    @pytest.mark.parametrize("address", ["gcs", "client"])
    @pytest.mark.parametrize(
        ("variables", "words"),
        [
            ({}, "asks for a token, and this machine has none"),
            ({"RAY_AUTH_MODE": "disabled"}, "RAY_AUTH_MODE=disabled forbids"),
            ({"RAY_AUTH_TOKEN": WRONG}, "does not take this machine's token"),
        ],
        ids=["none", "switched off", "another"],
    )
    def test_refused(
        self, rig: Rig, notebook: Path, address: str, variables: dict, words: str
    ) -> None:
        code = f"facts['said'] = refusal({getattr(rig, address)!r})"
        text, seconds = run(rig, notebook, code, auth=False, **variables)["said"]
        assert words in text
        assert "restart the kernel" in text
        assert seconds < 25  # Ray alone takes 30 s and more


WORK = """
started = time.perf_counter()
cluster = connect(GCS)
facts["seconds"] = time.perf_counter() - started
facts["repr"], facts["html"], facts["way"] = repr(cluster), cluster._repr_html_(), cluster.way
facts["sizes"] = [cluster.num_nodes, cluster.num_cpus, cluster.num_gpus]
import ray

@ray.remote
def look():
    import course_lib
    from course_lib.trading import prices
    return [ray.util.get_node_ip_address(), course_lib.__file__, len(prices.load_prices())]

facts["looks"] = ray.get([look.remote() for _ in range(10)])
started = time.perf_counter()
facts["same"] = connect(GCS) is cluster
facts["again_s"] = time.perf_counter() - started

from ray import tune
from course_lib import tuning
from course_lib.tuning.corridor import QLearningTrial
watch = tuning.TrialProgress(4, lambda rows: facts.update(rows=len(rows)))
with tuning.quiet():
    results = tune.Tuner(
        QLearningTrial,
        param_space=dict(learning_rate=tune.grid_search([0.1, 0.3, 0.5, 0.9]), epsilon=0.1,
                         num_seeds=1, num_rounds=3, seed=7),
        tune_config=tune.TuneConfig(metric="seconds", mode="min", reuse_actors=True),
        run_config=tuning.run_config("away", watch, keep_progress=True),
    ).fit()
    table = tuning.frame(results)
    facts["tune"] = [sorted(table["episodes"]), sorted(table["node_ip"].unique())]
    facts["curves"] = [len(one) for one in tuning.curves(results, "seconds")]
    best = results.get_best_result()
    with best.checkpoint.as_directory() as folder:
        facts["checkpoint"] = sorted(os.listdir(folder))
    restored = tune.Tuner.restore(
        results.experiment_path, QLearningTrial,
        storage_filesystem=cluster.storage_filesystem)
    facts["restored"] = len(restored.fit())
"""
RLLIB = """
cluster = connect(GCS)
from ray.rllib.algorithms.ppo import PPOConfig
from course_lib.rllib import runs
config = PPOConfig().environment("CartPole-v1").env_runners(num_env_runners=2)
algo = runs.build(config.training(train_batch_size_per_learner=400, num_epochs=1))
facts["runners"] = algo.env_runner_group.foreach_env_runner(
    lambda runner: __import__("ray").util.get_node_ip_address(), local_env_runner=False)
rows = list(runs.iterate(algo, num_steps=800))
facts["env_steps"] = rows[-1]["env_steps"]
runs.save(algo, "saved")
runs.stop(algo)
algo = runs.load("saved")
facts["loaded"] = list(runs.iterate(algo, num_steps=1600))[-1]["env_steps"]
runs.stop(algo)
"""
LEAVE = """
cluster.disconnect()
import contextlib, psutil
facts["left"] = []
for one in psutil.Process().children(recursive=True):
    with contextlib.suppress(psutil.NoSuchProcess):
        facts["left"].append(one.name())
facts["tmp"] = os.listdir("/tmp/ray")
"""


@pytest.fixture(scope="module")
def work(rig: Rig, notebook: Path) -> dict:
    """What a notebook saw that worked on the cluster."""
    return run(rig, notebook, (WORK + LEAVE).replace("GCS", repr(rig.gcs)), timeout=900)


class TestWork:
    def test_is_the_driver(self, work: dict) -> None:
        assert work["way"] == "driver"
        assert work["sizes"] == [3, 5, 1]
        assert "3 nodes, 5 cores, 1 GPU" in work["repr"]
        print(work["seconds"], work["output"])

    def test_code_and_data_travel(self, work: dict) -> None:
        assert all(file.startswith("/tmp/ray/") for _, file, _ in work["looks"])
        assert {rows for *_, rows in work["looks"]} == {20_111}
        assert len({ip for ip, *_ in work["looks"]}) >= 2

    def test_connecting_again_is_instant(self, work: dict) -> None:
        assert work["same"]
        assert work["again_s"] < 5

    def test_tune_runs_away_and_its_results_come_home(self, work: dict, rig: Rig) -> None:
        episodes, machines = work["tune"]
        assert episodes == [450] * 4
        assert rig.nodes["driver"].ip not in machines
        assert work["rows"] == 4
        assert work["curves"] == [3] * 4
        assert "tables.npy" in work["checkpoint"]
        assert work["restored"] == 4

    def test_leaves_nothing(self, work: dict) -> None:
        assert work["left"] == []
        assert work["tmp"] == []


@pytest.mark.slow
def test_rllib_samples_on_the_cluster(rig: Rig, notebook: Path) -> None:
    work = run(rig, notebook, (RLLIB + LEAVE).replace("GCS", repr(rig.gcs)), timeout=900)
    assert rig.nodes["driver"].ip not in work["runners"]
    assert work["env_steps"] >= 800
    assert work["loaded"] >= 1600
    assert work["left"] == work["tmp"] == []


def test_no_machine_has_a_process_of_the_driver_left(rig: Rig, work: dict) -> None:
    names = {one["name"] for one in rig.nodes["driver"].processes()}
    assert names <= {"bash", "sleep"}


def test_nothing_of_the_rig_is_named_on_this_machine() -> None:
    names = subprocess.run(["ip", "netns"], capture_output=True, text=True).stdout
    assert names == ""
