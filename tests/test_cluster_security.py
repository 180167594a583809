"""TLS as docs/cluster.md describes it, and connecting again and again."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cluster_rig import NEEDS_RIG, ROOT, Rig

pytestmark = [*NEEDS_RIG, pytest.mark.full, pytest.mark.slow]


def certificates(folder: Path) -> dict[str, str]:
    """Make an authority and a certificate for the rig's addresses; return Ray's variables."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=course",
            "-keyout", "ca.key", "-out", "ca.crt")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=node",
            "-keyout", "node.key", "-out", "node.csr")  # fmt: skip
    names = ",".join(["DNS:localhost", "IP:127.0.0.1", *(f"IP:10.77.0.{n}" for n in range(1, 6))])
    (folder / "names").write_text(f"subjectAltName={names}\n")
    openssl("x509", "-req", "-in", "node.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "2",
            "-CAcreateserial", "-out", "node.crt", "-extfile", "names")  # fmt: skip
    return {
        "RAY_USE_TLS": "1",
        "RAY_TLS_SERVER_CERT": str(folder / "node.crt"),
        "RAY_TLS_SERVER_KEY": str(folder / "node.key"),
        "RAY_TLS_CA_CERT": str(folder / "ca.crt"),
    }


WORK = """
import json
from course_lib.cluster import ClusterError, connect
try:
    cluster = connect(GCS)
    import ray
    print("FACTS", json.dumps([cluster.way, ray.get(ray.remote(lambda: 42).remote())]))
    cluster.disconnect()
except ClusterError as error:
    print("FACTS", json.dumps(str(error)))
"""


def facts(done: subprocess.CompletedProcess) -> object:
    lines = [line for line in done.stdout.splitlines() if line.startswith("FACTS ")]
    assert lines, done.stdout[-1000:] + done.stderr[-3000:]
    return json.loads(lines[0].removeprefix("FACTS "))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_tls(tmp_path: Path) -> None:
    variables = certificates(tmp_path)
    with Rig(tmp_path / "rig", hidden=(ROOT / "course_lib",)) as rig:
        rig.variables = variables
        rig.start_head(num_cpus=1)
        rig.wait_for(1)
        code = WORK.replace("GCS", repr(rig.gcs))
        assert facts(rig.driver(code, **variables)) == ["driver", 42]
        assert "no Ray that this notebook can use" in str(facts(rig.driver(code)))


AGAIN = """
import contextlib, json, os, time, psutil
from course_lib.cluster import connect
times, me = [], psutil.Process()
for _ in range(20):
    started = time.perf_counter()
    cluster = connect(GCS)
    times.append(round(time.perf_counter() - started, 1))
    cluster.disconnect()
left = []
for one in me.children(recursive=True):
    with contextlib.suppress(psutil.NoSuchProcess):
        left.append(one.name())
print("FACTS", json.dumps([times, left, os.listdir("/tmp/ray"), me.num_threads()]))
"""


def test_connects_twenty_times_and_leaves_nothing(tmp_path: Path) -> None:
    with Rig(tmp_path / "rig", hidden=(ROOT / "course_lib",)) as rig:
        rig.start_head(num_cpus=1)
        done = rig.driver(AGAIN.replace("GCS", repr(rig.gcs)), timeout=1400)
        times, left, files, threads = facts(done)
        print(times, threads)
        assert left == []
        assert files == []
        names = {one["name"] for one in rig.nodes["driver"].processes()}
        assert names <= {"bash", "sleep"}
