"""The notebooks as they are, on a cluster: nothing in them is changed, only RAY_ADDRESS is set."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_rig import NEEDS_RIG, ROOT, Rig
from lesson import lessons

pytestmark = [*NEEDS_RIG, pytest.mark.full, pytest.mark.slow]
PROFILE = os.environ.get("CLUSTER_TEST_PROFILE", "smoke")
NOTEBOOKS = [
    lesson.source.stem
    for lesson in lessons()
    if "= connect()" in lesson.source.read_text(encoding="utf-8")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Rig]:
    """A head that does no work, and two workers without a clone of the course."""
    hidden = (ROOT / "course_lib", ROOT / "data", ROOT / "notebooks", folder)
    with Rig(tmp_path_factory.mktemp("rig"), hidden=hidden) as rig:
        yield rig.start_class()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_unchanged(rig: Rig, folder: Path, name: str) -> None:
    shutil.copy(ROOT / "notebooks" / "solutions" / f"{name}.ipynb", folder)
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r}); import notebook_runner, json; "
        "from pathlib import Path; "
        f"found = notebook_runner.execute(Path({str(folder / name)!r} + '.ipynb'), timeout_s=900); "
        f"Path({str(folder / 'found.json')!r}).write_text(json.dumps(found))"
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    settings = {"RAY_ADDRESS": rig.gcs, "COURSE_PROFILE": PROFILE, "PATH": path}
    done = rig.driver(code, timeout=1400, **settings, COURSE_STRICT_CHECKS="1")
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((folder / "found.json").read_text())
    assert found["failure"] == "", found["failure"][-3000:]
    said = json.dumps(found["notebook"])
    assert f"Connected to Ray at {rig.gcs}: 2 nodes, 4 cores" in said
    print(f"{name}, profile {PROFILE}: {found['seconds']:.0f} s")
