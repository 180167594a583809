"""A worker that lacks a package of the course gets it when a notebook connects."""

import json
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
import wheels
from cluster_rig import NEEDS_RIG, ROOT, Rig

pytestmark = [*NEEDS_RIG, pytest.mark.slow]
PACKAGES = sysconfig.get_paths()["purelib"]
# The machine's own packages stay as they are: what is removed is removed on this node alone.
REMOVE = f"""
mkdir -p HOME/top
mount -t tmpfs tmpfs HOME/top
mkdir HOME/top/new HOME/top/work
mount -t overlay overlay -o lowerdir={PACKAGES},upperdir=HOME/top/new,workdir=HOME/top/work \\
    {PACKAGES}
rm -r {PACKAGES}/tensortrade {PACKAGES}/tensortrade-*
"""
CODE = """
import json, ray, time
started = time.time()
from course_lib.cluster import ClusterError, connect
from course_lib.cluster.travel import on_each
def look():
    import importlib.util
    return importlib.util.find_spec("tensortrade").origin
try:
    connect(GCS)
except ClusterError as error:
    print(json.dumps(str(error)))
else:
    print(f"connected after {time.time() - started:.1f} s")
    working = [n["NodeID"] for n in ray.nodes() if n["Resources"].get("CPU")]
    print(json.dumps(sorted(on_each(look, dict.fromkeys(working, ()), 60).values())))
"""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A head and two workers; the second lacks TensorTrade, and its pip knows one folder."""
    index = tmp_path / "index"
    index.mkdir()
    with Rig(tmp_path / "rig", hidden=(ROOT / "course_lib", ROOT / "data")) as rig:
        rig.start_head(num_cpus=0)
        rig.start_worker("w1", wait=False)
        lacking = REMOVE.replace("HOME", str(tmp_path / "rig" / "w2"))
        pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
        rig.start_worker("w2", wait=False, prepare=lacking, **pip)
        rig.wait_for(3)
        yield rig


def test_what_is_missing_is_installed_once(rig: Rig, tmp_path: Path) -> None:
    def connect() -> tuple[str, list[str] | str]:
        done = rig.driver(CODE.replace("GCS", repr(rig.gcs)))
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout, json.loads(done.stdout.splitlines()[-1])

    _, complaint = connect()
    assert "A worker lacks tensortrade==1.0.4, and its pip says: ERROR: No matching" in complaint
    wheels.of_installed(tmp_path / "index", "tensortrade")
    said, places = connect()
    assert "Installing on 1 of 2 workers, once: tensortrade==1.0.4" in said
    own = f"{PACKAGES}/tensortrade/__init__.py"
    assert own in places
    installed = next(place for place in places if place != own)
    assert installed.startswith(f"{rig.nodes['w2'].home}/.cache/rl-course/")
    said, again = connect()
    assert "Installing" not in said
    assert again == places
