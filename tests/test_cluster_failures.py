"""Machines that vanish while a notebook works: the work finishes, or an error says what is kept."""

import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_rig import NEEDS_RIG, ROOT, Rig

pytestmark = [*NEEDS_RIG, pytest.mark.slow]
# As scripts/cluster/common.sh sets them: a machine that vanishes is noticed in about ten seconds.
NOTICED = dict(
    re.findall(r"export (RAY_health\w+)=(\d+)", (ROOT / "scripts/cluster/common.sh").read_text())
)

BEGIN = """
import json, os, sys, time
os.chdir(NOTEBOOK)
from course_lib.cluster import ClusterLostError, connect
cluster = connect(GCS)
import ray
from ray import tune
from course_lib import tuning
from course_lib.tuning.corridor import QLearningTrial
"""

TUNE = """
class Slow(QLearningTrial):
    def step(self):
        time.sleep(SLEEP)
        return {**super().step(), "ip": ray.util.get_node_ip_address()}

class Say(tune.Callback):
    def on_trial_result(self, iteration, trials, trial, result, **info):
        print("RESULT", trial.trial_id, result["training_iteration"], result["ip"])

def tuner():
    config = tuning.run_config("slow", Say(), keep_progress=True)
    config.failure_config = tune.FailureConfig(max_failures=3)
    return tune.Tuner(Slow, param_space=dict(
        learning_rate=tune.grid_search([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9]), epsilon=0.1,
        num_seeds=1, num_rounds=ROUNDS, seed=7), run_config=config)

def report(results):
    table = tuning.frame(results)
    return {"episodes": sorted(table["episodes"]), "ips": sorted(table["ip"].unique())}
"""


class Driver:
    """A driver that runs, with what it said so far."""

    def __init__(self, rig: Rig, notebook: Path, code: str) -> None:
        begin = BEGIN.replace("NOTEBOOK", repr(str(notebook))).replace("GCS", repr(rig.gcs))
        self.process = rig.start_driver(begin + code)
        self.lines: list[tuple[float, str]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append((time.monotonic(), line.rstrip()))

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)

    def wait_for(self, pattern: str, timeout_s: float) -> float:
        """Return when a line that matches was said; on a busy machine wait six times as long."""
        timeout_s = 6 * timeout_s
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            for when, line in list(self.lines):
                if re.search(pattern, line):
                    return when
            if self.process.poll() is not None and time.monotonic() > end - timeout_s + 2:
                break
            time.sleep(0.1)
        raise AssertionError(f"no {pattern!r} within {timeout_s:g} s in:\n{self.text[-4000:]}")

    def facts(self, timeout_s: float) -> dict:
        """Return what the driver found, after its end."""
        assert self.process.wait(4 * timeout_s) == 0, self.text[-4000:]
        time.sleep(0.2)
        line = next(line for _, line in self.lines if line.startswith("FACTS "))
        return json.loads(line.removeprefix("FACTS "))


def kernel(rig: Rig) -> int:
    """The process of the driver's own Python."""
    found = rig.nodes["driver"].processes()
    return next(one["pid"] for one in found if (one["cmdline"] or [])[1:3] == ["-u", "-c"])


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, notebook: Path) -> Iterator[Rig]:
    """A head that does no work, and two workers."""
    hidden = (ROOT / "course_lib", ROOT / "data", notebook)
    with Rig(tmp_path_factory.mktemp("rig"), hidden=hidden) as rig:
        yield rig.start_class(**NOTICED)


def test_a_worker_vanishes_and_all_trials_finish(rig: Rig, notebook: Path) -> None:
    code = (
        TUNE.replace("SLEEP", "0.6").replace("ROUNDS", "6")
        + """
with tuning.quiet():
    facts = report(tuner().fit())
cluster.disconnect()
print("FACTS", json.dumps(facts))
"""
    )
    driver = Driver(rig, notebook, code)
    driver.wait_for(rf"RESULT \w+ 2 {rig.nodes['w2'].ip}", 90)
    address = rig.nodes["w2"].ip
    killed = time.monotonic()
    rig.kill("w2")
    facts = driver.facts(150)
    print(f"after the kill: {time.monotonic() - killed:.1f} s to the end")
    assert facts["episodes"] == [900] * 8
    said = driver.wait_for(rf"A machine of the cluster is gone \({address}\); 1 are left", 1)
    print(f"noticed after {said - killed:.1f} s")


LOSE_AND_RESTORE = """
try:
    with tuning.quiet():
        tuner().fit()
    print("FINISHED")
except ClusterLostError as error:
    print("LOST", error)
kept = sorted(os.listdir("results"))[-1]
print("KEPT", kept, cluster.alive)
cluster.disconnect()
print("LEFT")
while not os.path.exists("go"):
    time.sleep(0.2)
cluster = connect(GCS, timeout_s=60)  # everything has just started, on a machine that is busy
with tuning.quiet():
    restored = tune.Tuner.restore(
        os.path.abspath(f"results/{kept}"), Slow, resume_errored=True,
        storage_filesystem=cluster.storage_filesystem)
    facts = report(restored.fit())
cluster.disconnect()
print("FACTS", json.dumps(facts))
"""


def test_the_head_vanishes_and_the_experiment_goes_on_elsewhere(rig: Rig, notebook: Path) -> None:
    code = TUNE.replace("SLEEP", "0.5").replace("ROUNDS", "4") + LOSE_AND_RESTORE
    driver = Driver(rig, notebook, code.replace("GCS", repr(rig.gcs)))
    driver.wait_for(r"RESULT \w+ 4 ", 90)
    killed = time.monotonic()
    address = rig.head.ip
    rig.kill("head")
    lost = driver.wait_for("^LOST", 60)
    print(f"error after {lost - killed:.1f} s")
    assert lost - killed < 30  # Ray alone takes 60 s
    assert f"The cluster at {address}:6379 is gone" in driver.text
    assert str(notebook / "results") in driver.text
    driver.wait_for("^KEPT .* False", 10)
    left = driver.wait_for("^LEFT", 70)
    print(f"left after {left - killed:.1f} s")
    for name in ("w1", "w2"):
        if name in rig.nodes:
            rig.kill(name)
    rig.start_head(num_cpus=0, ip=address, **NOTICED)
    rig.start_worker("w3")
    (notebook / "go").touch()
    facts = driver.facts(150)
    assert facts["episodes"] == [600] * 8


@pytest.mark.full
def test_the_notebooks_network_drops_and_comes_back(rig: Rig, notebook: Path) -> None:
    (notebook / "go").unlink(missing_ok=True)
    code = TUNE.replace("SLEEP", "0.5").replace("ROUNDS", "4") + LOSE_AND_RESTORE
    driver = Driver(rig, notebook, code.replace("GCS", repr(rig.gcs)))
    driver.wait_for(r"RESULT \w+ 4 ", 90)
    dropped = time.monotonic()
    rig.unplug("driver")
    lost = driver.wait_for("^LOST", 60)
    print(f"error after {lost - dropped:.1f} s")
    assert lost - dropped < 30
    time.sleep(10)
    rig.plug("driver")
    left = driver.wait_for("^LEFT", 70)
    print(f"left after {left - dropped:.1f} s")
    (notebook / "go").touch()
    facts = driver.facts(150)
    assert facts["episodes"] == [600] * 8


STOP = """
@ray.remote
def forever():
    print("on the cluster")
    time.sleep(1000)

print("WAITING")
try:
    ray.get([forever.remote() for _ in range(2)])
except KeyboardInterrupt:
    print("STOPPED")
cluster.disconnect()
again = connect(GCS)
free = 0
end = time.time() + 90
while free < again.num_cpus and time.time() < end:
    free = ray.available_resources().get("CPU", 0)
    time.sleep(0.2)
print("FACTS", json.dumps({"free": free, "all": again.num_cpus}))
again.disconnect()
"""


def test_the_stop_button_leaves_no_job_behind(rig: Rig, notebook: Path) -> None:
    driver = Driver(rig, notebook, STOP.replace("GCS", repr(rig.gcs)))
    driver.wait_for("WAITING", 60)
    time.sleep(2)
    os.kill(kernel(rig), signal.SIGINT)
    facts = driver.facts(90)
    assert "STOPPED" in driver.text
    assert facts["free"] == facts["all"]


def test_a_kernel_that_is_killed_takes_its_node_with_it(rig: Rig, notebook: Path) -> None:
    driver = Driver(rig, notebook, "print('READY')\ntime.sleep(1000)")
    driver.wait_for("READY", 60)
    node = rig.nodes["driver"]
    assert "raylet" in [one["name"] for one in node.processes()]
    os.kill(kernel(rig), signal.SIGKILL)
    end = time.monotonic() + 90
    names = ["?"]
    while names and time.monotonic() < end:
        names = [one["name"] for one in node.processes()]
        names = [name for name in names if name not in ("bash", "sleep")]
        time.sleep(0.2)
    assert names == []


TRAIN = """
from ray.rllib.algorithms.ppo import PPOConfig
from course_lib.rllib import runs
config = PPOConfig().environment("CartPole-v1").env_runners(num_env_runners=2)
config = config.training(train_batch_size_per_learner=1000, num_epochs=2)
config = config.fault_tolerance(**FAULTS)
algo = runs.build(config)
where = lambda runner: __import__("ray").util.get_node_ip_address()
before = algo.env_runner_group.foreach_env_runner(where, local_env_runner=False)
print("RUNNERS", *before)
started, gaps, last, steps = time.time(), [], time.time(), 0
while time.time() - started < SECONDS:
    algo.train()
    print("ITERATION", round(time.time() - last, 1))
    gaps.append(time.time() - last)
    last = time.time()
after = algo.env_runner_group.foreach_env_runner(where, local_env_runner=False)
runs.stop(algo)
cluster.disconnect()
print("FACTS", json.dumps({"iterations": len(gaps), "longest": max(gaps), "after": after}))
"""


@pytest.mark.full
def test_a_worker_vanishes_and_training_goes_on(rig: Rig, notebook: Path) -> None:
    rig.start_worker("w9", num_cpus=2)
    faults = {"restart_failed_env_runners": True, "env_runner_health_probe_timeout_s": 5.0}
    code = TRAIN.replace("FAULTS", repr(faults)).replace("SECONDS", "60")
    driver = Driver(rig, notebook, code)
    driver.wait_for("ITERATION", 90)
    address = next(line for _, line in driver.lines if line.startswith("RUNNERS")).split()[1]
    rig.kill(next(name for name, node in rig.nodes.items() if node.ip == address))
    facts = driver.facts(200)
    print(facts)
    assert len(facts["after"]) == 2
    assert address not in facts["after"]
    assert facts["iterations"] > 3
    assert facts["longest"] < 45
