"""Connecting to Ray: which one, how large, and nothing left behind."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course_lib import cluster
from course_lib.cluster import Target, connect, machine, resolve, start, waiting

ROOT = Path(__file__).resolve().parent.parent
MB, GB = 10**6, 10**9


@pytest.fixture
def closed_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class TestResolve:
    HEAD = {"RAY_HEAD_SERVICE_HOST": "head", "RAY_HEAD_SERVICE_PORT": "10001"}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("argument", "variables", "address"),
        [
            (None, {}, "local"),
            (None, {"RAY_ADDRESS": " ", "RAY_HEAD_SERVICE_HOST": ""}, "local"),
            (None, {"RAY_HEAD_SERVICE_HOST": "head"}, "ray://head:10001"),
            ("local", {**HEAD, "RAY_ADDRESS": "x:1"}, "local"),
        ],
        ids=["nothing set", "blank is not set", "no port is the client's", "argument before all"],
    )
    def test_takes(self, argument: str | None, variables: dict, address: str) -> None:
        assert resolve(argument, variables).address == address

    def test_head_service(self) -> None:
        target = resolve(None, self.HEAD)
        assert target.endpoint == ("head", 10001)
        assert "RAY_HEAD_SERVICE_HOST" in target.source

    def test_ray_address_before_head_service(self) -> None:
        target = resolve(None, {**self.HEAD, "RAY_ADDRESS": "ray://other:9"})
        assert target == Target("ray://other:9", "the environment variable RAY_ADDRESS")

    def test_version_6_addresses(self) -> None:
        assert resolve("ray://[::1]:10001", {}).endpoint == ("::1", 10001)
        assert resolve(None, {"RAY_HEAD_SERVICE_HOST": "fd00::5"}).endpoint == ("fd00::5", 10001)

    @pytest.mark.parametrize(
        "address",
        ["", "head", "head:", "head:0", "head:65536", "ray://head", "ray://u@head:1", "a:b:1",
         "redis://head:6379", "head:6379/x", "head: 6379"],
    )  # fmt: skip
    def test_refuses(self, address: str) -> None:
        with pytest.raises(ValueError, match="must be 'local', 'auto', 'HOST:PORT'"):
            resolve(address, {})

    def test_names_the_variable_at_fault(self) -> None:
        with pytest.raises(ValueError, match=r"variable RAY_ADDRESS must be .* got 'nonsense'"):
            resolve(None, {"RAY_ADDRESS": "nonsense"})

    def test_knows_the_dashboards_address(self) -> None:
        with pytest.raises(ValueError, match=r"dashboard's address; give 'ray://HOST:10001'"):
            resolve("http://127.0.0.1:8265", {})


class TestWishes:
    @pytest.mark.parametrize(
        ("wishes", "words"),
        [
            ({"num_cpus": 0}, "num_cpus must be a whole number of at least 1, got 0"),
            ({"num_cpus": -2}, "got -2"),
            ({"num_cpus": 1.5}, "got 1.5"),
            ({"num_cpus": True}, "got True"),
            ({"num_cpus": "2"}, "got '2'"),
            ({"gpus": -1}, "gpus must be 'auto' or a whole number of at least 0, got -1"),
            ({"gpus": "all"}, "got 'all'"),
            ({"gpus": 0.5}, "got 0.5"),
            ({"timeout_s": 0}, "timeout_s must be above 0 seconds, got 0"),
            ({"timeout_s": float("nan")}, "got nan"),
            ({"start_s": 0}, "start_s must be above 0 seconds, got 0"),
            ({"start_s": "soon"}, "got 'soon'"),
            ({"start_s": float("inf")}, "start_s must be above 0 seconds, got inf"),
            ({"timeout_s": None}, "timeout_s must be above 0 seconds, got None"),
        ],
    )
    def test_refused_before_anything_starts(self, wishes: dict, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            connect(**wishes)

    def test_names_the_variable_at_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COURSE_RAY_START_S", "soon")
        with pytest.raises(ValueError, match=r"variable COURSE_RAY_START_S must be .* got 'soon'"):
            connect("local")


class TestDeadAddress:
    def test_says_so_at_once(self, closed_port: int, capsys: pytest.CaptureFixture) -> None:
        started = time.perf_counter()
        with pytest.raises(cluster.ClusterError) as caught:
            connect(f"ray://127.0.0.1:{closed_port}")
        assert time.perf_counter() - started < 3
        text = str(caught.value)
        assert f"Nothing listens at 127.0.0.1 port {closed_port}" in text
        assert "connection refused" in text
        assert "connect('local')" in text
        assert "Connecting to Ray at" in capsys.readouterr().out

    def test_names_the_variable(self, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{closed_port}")
        with pytest.raises(cluster.ClusterError, match="environment variable RAY_ADDRESS"):
            connect()

    def test_unknown_name(self) -> None:
        assert "is not known" in start.reachable("no-such-host.invalid", 1, 5.0)

    def test_a_host_that_swallows_the_call(self) -> None:
        """A full queue of connections: the next one gets no answer at all."""
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen(0)
            waiting = []
            for _ in range(4):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(server.getsockname())
                waiting.append(client)
            started = time.perf_counter()
            reason = start.reachable(*server.getsockname(), 0.5)
            assert time.perf_counter() - started < 2
            for client in waiting:
                client.close()
        if not reason:
            pytest.skip("this system accepts more connections than were asked for")
        assert reason == "no answer within 0.5 s"

    def test_a_listener_is_reachable(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            assert start.reachable(*server.getsockname(), 1.0) == ""


class TestSizes:
    """What :func:`connect` asks of a Ray that it starts here."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list:
        calls: list = []

        def start_local(*sizes: int, **options: object) -> None:
            calls.append((*sizes, options["limit_s"]))
            raise RuntimeError("no space left")

        monkeypatch.setattr(start, "start_local", start_local)
        monkeypatch.setattr(start, "loaded_ray", lambda: None)  # the Ray that tests share
        monkeypatch.setattr(machine, "usable_cores", lambda: 4)
        monkeypatch.setattr(machine, "gpu_names", lambda: ["Fine GPU"])
        monkeypatch.setattr(waiting, "to_close", lambda: "WHAT RUNS.")
        return calls

    @pytest.mark.parametrize(
        ("wishes", "variable", "sizes"),
        [
            ({}, "", (4, 1, 180)),
            ({"num_cpus": 8, "gpus": 0}, "", (4, 0, 180)),
            ({"num_cpus": 2, "gpus": 5}, "90", (2, 1, 90)),
            ({"start_s": 7}, "90", (4, 1, 7)),
            ({}, " ", (4, 1, 180)),
        ],
    )
    def test_at_most_what_is_here(
        self,
        asked: list,
        monkeypatch: pytest.MonkeyPatch,
        wishes: dict,
        variable: str,
        sizes: tuple,
    ) -> None:  # fmt: skip
        if variable:
            monkeypatch.setenv("COURSE_RAY_START_S", variable)
        words = r"did not start on this machine: no space left\. WHAT RUNS\. Close other notebooks"
        with pytest.raises(cluster.ClusterError, match=words):
            connect("local", **wishes)
        assert asked == [sizes]


def test_the_stop_button_while_ray_is_being_imported_does_no_harm() -> None:
    code = """
import os, signal, threading, psutil
from course_lib.cluster import connect, start
threading.Timer(0.6, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    while True:
        start.load_ray()
except KeyboardInterrupt:
    print("interrupted")
start.load_ray()
import ray
print(ray.is_initialized(), len(psutil.Process().children()))
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.split() == ["interrupted", "False", "0"], run.stderr


@pytest.mark.skipif(os.name != "posix", reason="other systems keep a home folder to its owner")
def test_nobody_else_reads_the_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ray").mkdir(mode=0o755)
    start._give_token()
    assert (tmp_path / ".ray").stat().st_mode & 0o077 == 0


def test_a_local_ray_listens_to_this_machine_alone() -> None:
    """On a machine with its network: where there is none, Ray would choose loopback by itself."""
    code = """
import contextlib, psutil
from course_lib.cluster import connect
with connect("local", num_cpus=1):
    me = psutil.Process()
    for process in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            for one in process.net_connections("inet"):
                if one.status == psutil.CONN_LISTEN:
                    print("LISTENS", one.laddr.ip.removeprefix("::ffff:"))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=400
    )
    found = {line.split()[1] for line in run.stdout.splitlines() if line.startswith("LISTENS")}
    assert found, run.stderr
    assert found <= {"127.0.0.1", "::1"}


class TestMachine:
    @pytest.mark.parametrize(
        "files",
        [{"cpu.max": "50000 100000\n"},
         {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}],
    )  # fmt: skip
    def test_quota_of_a_container(self, tmp_path: Path, files: dict[str, str]) -> None:
        (tmp_path / "cpu").mkdir()
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        assert machine.usable_cores(tmp_path) == 1

    @pytest.mark.parametrize("content", ["max 100000", "", "nonsense"])
    def test_no_quota(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "cpu.max").write_text(content)
        everything = machine.usable_cores(tmp_path / "missing")
        assert machine.usable_cores(tmp_path) == everything >= 1

    def test_memory_of_a_container(self, tmp_path: Path) -> None:
        (tmp_path / "memory.max").write_text("500000000")
        (tmp_path / "memory.current").write_text("200000000")
        assert machine.memory_bytes(tmp_path) == (500 * MB, 300 * MB)

    def test_memory_without_limit(self, tmp_path: Path) -> None:
        (tmp_path / "memory.max").write_text("max")
        total, available = machine.memory_bytes(tmp_path)
        assert 0 < available <= total

    def test_gpu_names(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tool = tmp_path / "nvidia-smi"
        tool.write_text("#!/bin/sh\necho 'Fine GPU'\necho 'Fine GPU'\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        assert machine.gpu_names() == ["Fine GPU", "Fine GPU"]
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
        assert machine.gpu_names() == ["Fine GPU"]
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        assert machine.gpu_names() == []
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
        tool.write_text("#!/bin/sh\necho 'cannot talk to the driver'\nexit 9\n")
        assert machine.gpu_names() == []
        tool.write_text("#!/bin/sh\nexec sleep 30\n")
        assert machine.gpu_names(timeout_s=0.2) == []

    @pytest.mark.parametrize(
        ("total", "shared", "size"),
        [
            (64 * GB, 60 * GB, 2 * GB),
            (7 * GB, None, 1 * GB),
            (7 * GB, 500 * MB, 450 * MB),
            (500 * MB, 400 * MB, 100 * MB),
        ],
        ids=["large", "no shared memory", "small shared memory", "tiny machine"],
    )
    def test_object_store(self, total: int, shared: int | None, size: int) -> None:
        assert start.object_store(total, shared) == {"object_store_memory": size}

    def test_object_store_of_a_default_container_is_a_file(self) -> None:
        options = start.object_store(8 * GB, 64 * MB)
        assert Path(options["_plasma_directory"]).is_dir()
        assert options["object_store_memory"] == 200 * MB


BEGIN = """
import contextlib, io, json, logging, os, sys, time, warnings
sys.path.insert(0, "tests")
offline = False
with contextlib.suppress(OSError):
    import notebook_runner
    notebook_runner.cut_network()
    offline = True
import psutil
from course_lib.cluster import connect

me, facts, out = psutil.Process(), {"offline": offline}, io.StringIO()

def names():
    found = []
    for child in me.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended since
            found.append(child.name())
    return sorted(found)

def task():
    import ray
    return ray.get(ray.remote(lambda: 42).remote(), timeout=60)

"""
CONNECT = """
with contextlib.redirect_stdout(out):
    cluster = connect(num_cpus=100, gpus=7)
    facts["task"] = task()
    facts["html"], facts["repr"] = cluster._repr_html_(), repr(cluster)
    facts["cores"], facts["is_local"] = cluster.num_cpus, cluster.is_local
    listening = set()
    for process in [me, *me.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            found = process.net_connections("inet")
            listening |= {one.laddr.ip for one in found if one.status == "LISTEN"}
    facts["listening"] = sorted(listening)
    started = time.perf_counter()
    facts["ray_says"] = logging.getLevelName(logging.getLogger("ray").level)
    facts["same"] = connect() is cluster
    facts["reuse_s"] = time.perf_counter() - started
    facts["fit"] = [cluster.fit(2 * cluster.num_cpus + 1), cluster.fit(1, cpus_each=0)]
    facts["refused"] = []
    for arguments in ({"wanted": 1, "gpus_each": 1}, {"wanted": 1, "cpus_each": 1000},
                      {"wanted": 0}, {"wanted": 1, "cpus_each": -1}):
        try:
            cluster.fit(**arguments)
        except ValueError as error:
            facts["refused"].append(str(error))
    cluster.disconnect()
    cluster.disconnect()
    facts["after_disconnect"], facts["closed"] = names(), repr(cluster)

facts["environment"] = {name: os.environ.get(name) for name in (
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "RAY_USAGE_STATS_ENABLED", "RAY_ADDRESS")}
"""
AGAIN = """
with contextlib.redirect_stdout(out):
    second = connect(num_cpus=1)
    facts["one_core"] = second.num_cpus
    facts["alive"] = second.alive
    [child for child in me.children() if child.name() == "gcs_server"][0].kill()
    time.sleep(0.5)
    facts["alive_after_kill"] = second.alive
    with connect() as third:
        facts["new_after_kill"] = third is not second
        facts["task_after_kill"] = task()
    facts["after_kill"] = names()

    import ray
    fourth = connect()
    [child for child in me.children() if child.name() == "raylet"][0].kill()
    lost = []
    for number in 1, 2:
        started = time.monotonic()
        try:
            ray.get(ray.remote(lambda: time.sleep(1000)).remote())
        except Exception as error:
            lost.append([type(error).__name__, str(error), time.monotonic() - started])
        fourth._watch.stop()
    facts["lost"], facts["alive_when_lost"] = lost, fourth.alive
    facts["after_lost"] = names()
    with connect():
        facts["task_after_lost"] = task()
    from course_lib.cluster import ray_inside
    with ray_inside.patient(300):
        ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False,
                 _node_ip_address="127.0.0.1")
    with connect() as adopted:
        facts["adopted"] = [adopted.num_cpus, task()]
    facts["after_adopted"] = names()
"""
END = """
facts["output"] = out.getvalue()
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a process saw that connected and disconnected."""
    return run(CONNECT, tmp_path_factory)


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a process saw that lost its Ray and connected again."""
    return run(AGAIN, tmp_path_factory)


def run(code: str, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Run ``code`` in a process of its own; return the facts that it found."""
    hidden = ("RAY_", "CUDA_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    env["HOME"] = str(tmp_path_factory.mktemp("home"))
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code + END],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=560,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return {**json.loads(done.stdout.splitlines()[-1]), "stderr": done.stderr}


class TestLocalRay:
    def test_runs_a_task_without_a_network_and_with_an_empty_home(self, facts: dict) -> None:
        assert facts["task"] == 42
        assert facts["is_local"]

    def test_listens_on_loopback_only(self, facts: dict) -> None:
        assert facts["listening"]
        assert {ip.removeprefix("::ffff:") for ip in facts["listening"]} <= {"127.0.0.1", "::1"}

    def test_leaves_no_process_and_the_environment_as_it_was(self, facts: dict) -> None:
        assert facts["after_disconnect"] == []
        assert set(facts["environment"].values()) == {None}

    def test_says_what_is_missing(self, facts: dict) -> None:
        has = facts["cores"]
        assert has == machine.usable_cores()
        assert f"You asked for 100 cores; it has {has}" in facts["output"]
        assert "You asked for 7 GPUs; it has" in facts["output"]

    def test_says_what_it_does_at_once(self, facts: dict) -> None:
        lines = facts["output"].splitlines()
        assert lines[0].startswith("Starting a local Ray, usually")
        said = [line for line in lines[1:] if not line.startswith(("Ray starts", "Another start"))]
        assert said[0].startswith("Connected to a local Ray on this machine: ")

    def test_calling_again_is_instant(self, facts: dict) -> None:
        assert facts["same"]
        assert facts["reuse_s"] < 5
        assert "Still connected to a local Ray" in facts["output"]

    def test_table(self, facts: dict) -> None:
        for word in ("Nodes", "Cores", "GPUs", "Memory", "Dashboard"):
            assert f'<th scope="row">{word}</th>' in facts["html"]
        assert f"{facts['cores']} core" in facts["repr"]
        assert facts["closed"] == "<Cluster, disconnected>"

    def test_fit(self, facts: dict) -> None:
        assert facts["fit"] == [facts["cores"], 1]
        assert "run at the same time" in facts["output"]
        gpu, cores, *rest = facts["refused"]
        assert "not one fits: 1 cores and 1 GPUs each" in gpu
        assert "not one fits: 1000 cores" in cores
        assert all(text.startswith("wanted must be at least 1") for text in rest)
        assert len(rest) == 2

    def test_keeps_developers_warnings_away(self, facts: dict) -> None:
        assert "Warning" not in facts["stderr"]
        assert facts["ray_says"] == "ERROR"


@pytest.mark.slow
class TestLocalRayAgain:
    def test_replaces_a_dead_ray(self, again: dict) -> None:
        assert again["alive"] is True
        assert again["alive_after_kill"] is False
        assert again["new_after_kill"]
        assert again["task_after_kill"] == 42
        assert "No answer any more from a local Ray" in again["output"]

    def test_a_cell_that_waits_for_a_dead_ray_says_what_to_do(self, again: dict) -> None:
        (kind, said, seconds), (_, unasked, _) = again["lost"]
        assert kind == "ClusterLostError"
        assert "The Ray of this notebook is gone" in said
        assert said.endswith("Run connect() again.")
        assert said in again["stderr"]
        assert seconds < 30
        assert "Ray has not been started yet" in unasked  # and no call starts an open one
        assert (again["alive_when_lost"], again["after_lost"]) == (False, [])
        assert again["task_after_lost"] == 42

    def test_takes_over_what_the_learner_started_and_fewer_cores(self, again: dict) -> None:
        assert again["adopted"] == [1, 42]
        assert again["one_core"] == 1

    def test_leaves_no_process(self, again: dict) -> None:
        assert again["after_kill"] == []
        assert again["after_adopted"] == []
