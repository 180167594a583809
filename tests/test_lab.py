"""`make lab` serves the course: with a token, on loopback, without a question."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str, psutil.Process]]:
    """A running `make lab`: its port, what it printed, and its process."""
    if shutil.which("make") is None:
        pytest.skip("there is no make on this machine")
    log = tmp_path_factory.mktemp("lab") / "log"
    port = free_port()
    # --no-setup: the environment that runs this test is the one to serve from.
    command = ["make", "lab", f"VENV={sys.prefix}", f"PORT={port}"]
    environment = {key: value for key, value in os.environ.items() if "DISPLAY" not in key}
    with log.open("w") as stream:
        make = subprocess.Popen(
            [*command, "LAB_FLAGS=--no-setup --no-browser"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 60
        while "token=" not in log.read_text() and time.monotonic() < deadline:
            assert make.poll() is None, log.read_text()
            time.sleep(0.3)
        yield port, log.read_text(), psutil.Process(make.pid)
    finally:
        os.killpg(make.pid, signal.SIGTERM)
        make.wait(timeout=20)


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    return connection.getresponse().status


def test_prints_the_address_of_the_first_notebook_with_a_token(served) -> None:
    port, said, _ = served
    page = r"(/lab/tree/notebooks/00_welcome\.ipynb)"
    found = re.search(rf"http://127\.0\.0\.1:{port}{page}\?token=(\w{{20,}})", said)
    assert found, said
    assert status(port, f"{found[1]}?token={found[2]}") == 200
    assert status(port, f"/api/contents/notebooks/00_welcome.ipynb?token={found[2]}") == 200


def test_keeps_strangers_out(served) -> None:
    assert status(served[0], "/api/contents") == 403


def test_listens_on_loopback_only(served) -> None:
    _, _, process = served
    listening = set()
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            sockets = one.net_connections(kind="inet")
            listening |= {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
