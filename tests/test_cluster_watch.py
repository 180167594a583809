"""The watch over a cluster, and the questions before connecting: with stand-ins for Ray."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from course_lib.cluster import Cluster, ClusterError, Target, endpoint, watch

ROOT = Path(__file__).resolve().parent.parent
HEAD = Target("10.0.0.1:6379", "the argument `address`")

# The package `ray` here is a stand-in with two ways to wait, long and in short steps.
WAITING = """
import sys, time
sys.path.insert(0, FOLDER)
import ray
from course_lib.cluster import watch
watch.PERIOD_S, watch.LIMIT_S = 0.05, 0.3
let_go = []
watch.Watch(lambda: False, dict, lambda: "gone, kept: results", lambda: let_go.append(1))
started = time.monotonic()
try:
    ray.HOW()
except (watch.ClusterLostError, KeyboardInterrupt) as error:
    print(type(error).__name__, error, time.monotonic() - started < 5)
time.sleep(1.0)
print("ALIVE", let_go)
"""


@pytest.fixture
def fake_ray(tmp_path: Path) -> Path:
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "__init__.py").write_text(
        "import time\n"
        "def tidy(): pass\n"
        "def at_once():\n"
        "    try: time.sleep(30)\n"
        "    finally: tidy()\n"
        "def in_steps():\n"
        "    for _ in range(3000): time.sleep(0.01)\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("waits", "cell"),
    [
        ("ray.in_steps()", ["ClusterLostError gone, kept: results True"]),
        ("ray.at_once()", ["ClusterLostError gone, kept: results True"]),
        ("time.sleep(1)", []),
    ],
    ids=["in Python", "in one call", "not for Ray"],
)
def test_a_cell_that_waits_for_ray_fails_and_the_process_lives(
    fake_ray: Path, waits: str, cell: list[str]
) -> None:
    code = WAITING.replace("FOLDER", repr(str(fake_ray))).replace("ray.HOW()", waits)
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert run.stdout.splitlines() == [*cell, "ALIVE [1]"], run.stderr
    assert run.stderr.strip() == "gone, kept: results"


def test_one_answer_that_fails_is_no_lost_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine so busy that the question itself came late."""
    for name, value in (("PERIOD_S", 0.02), ("LIMIT_S", 0.0)):
        monkeypatch.setattr(watch, name, value)
    asked: list[int] = []
    lost = threading.Event()

    def answers() -> bool:
        asked.append(1)
        return len(asked) % 2 == 0

    one = watch.Watch(answers, dict, lambda: lost.set() or "gone", lambda: None)
    time.sleep(0.5)
    one.stop()
    assert len(asked) > 3
    assert not lost.is_set()


def test_says_when_ray_cannot_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PERIOD_S", 0.02), ("LIMIT_S", 0.1), ("LET_GO_S", 0.2)):
        monkeypatch.setattr(watch, name, value)
    network, begun = threading.Event(), threading.Event()

    def let_go() -> None:
        begun.set()
        network.wait(30)

    one = watch.Watch(lambda: False, dict, lambda: "gone", let_go)
    assert begun.wait(5)
    cluster = Cluster.__new__(Cluster)
    cluster.target, cluster._open, cluster._watch, cluster._link = HEAD, True, one, None
    cluster._children = []
    with pytest.raises(ClusterError, match=r"cannot let go of the cluster at 10\.0\.0\.1:6379"):
        cluster.disconnect()
    network.set()
    cluster.disconnect()
    assert not cluster._open


def test_says_which_machine_is_gone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(watch, "PERIOD_S", 0.02)
    machines = {"a": "10.0.0.1", "b": "10.0.0.2"}
    looked = threading.Event()

    def nodes() -> dict[str, str]:
        looked.set()
        return dict(machines)

    one = watch.Watch(lambda: True, nodes, lambda: "", lambda: None)
    assert looked.wait(5)
    time.sleep(0.1)
    del machines["b"]
    time.sleep(0.3)
    one.stop()
    said = capsys.readouterr().err
    assert said.count("A machine of the cluster is gone (10.0.0.2); 1 are left") == 1


def serve_gcs(token: str) -> tuple:
    """A server that answers as a cluster's own port does; returns it and its port."""
    import grpc
    from ray.core.generated import gcs_service_pb2, gcs_service_pb2_grpc

    class Book(gcs_service_pb2_grpc.InternalKVGcsServiceServicer):
        def InternalKVGet(self, request, context):
            shown = dict(context.invocation_metadata()).get("authorization")
            if token and shown != f"Bearer {token}":
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "no")
            note = json.dumps({"ray_version": "2.60.0", "python_version": "3.12.1"})
            return gcs_service_pb2.InternalKVGetReply(value=note.encode())

    server = grpc.server(futures.ThreadPoolExecutor(2))
    gcs_service_pb2_grpc.add_InternalKVGcsServiceServicer_to_server(Book(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


class TestIdentify:
    @pytest.fixture(autouse=True)
    def alone(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in (endpoint.MODE, endpoint.TOKEN, endpoint.TOKEN_PATH, "RAY_USE_TLS"):
            monkeypatch.delenv(name, raising=False)

    @pytest.mark.parametrize(
        ("asks", "shows", "takes", "is_open"),
        [("", "", True, True), ("", "mine", True, True), ("mine", "mine", True, False),
         ("mine", "", False, False), ("mine", "other", False, False)],
    )  # fmt: skip
    def test_own_port(
        self, monkeypatch: pytest.MonkeyPatch, asks: str, shows: str, takes: bool, is_open: bool
    ) -> None:
        if shows:
            monkeypatch.setenv(endpoint.TOKEN, shows)
        server, port = serve_gcs(asks)
        try:
            found = endpoint.identify("127.0.0.1", port)
            assert endpoint.alive(f"127.0.0.1:{port}", 2.0) is takes
        finally:
            server.stop(0).wait()
        assert (found.kind, found.takes_token, found.is_open) == ("gcs", takes, is_open)
        assert found.versions == (("2.60.0", "3.12.1") if takes else ("", ""))

    def test_asks_past_a_proxy_for_web_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "grpc_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        server, port = serve_gcs("")
        try:
            assert endpoint.alive(f"127.0.0.1:{port}", 2.0)
        finally:
            server.stop(0).wait()

    def test_a_web_page_is_no_ray(self, web_page: int) -> None:
        assert endpoint.identify("127.0.0.1", web_page).kind == "other"

    def test_nobody_there_is_not_alive(self) -> None:
        assert endpoint.alive("127.0.0.1:9", 0.5) is False


@pytest.fixture
def web_page() -> Iterator[int]:
    """A port that speaks HTTP, as the dashboard does."""
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()
