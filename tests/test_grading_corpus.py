"""The corpus, graded once by the command; each submission gets what it should.

The quick tests grade a sample, with one submission of each kind.
"""

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("nbval")
from grading_corpus import files

from course_lib.grading import course, sandbox, stripped

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_S = 6
pytestmark = pytest.mark.timeout(1_800)  # a busy machine


@dataclass
class Graded:
    """What the one run left behind."""

    entries: list[files.Entry]
    rows: dict[str, dict[str, Any]]
    folder: Path
    out: Path
    connections: list[Any] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)


def digests(*folders: Path) -> dict[str, str]:
    """The digest of every ordinary file below folders; compiled files aside."""
    found = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.suffix != ".pyc":
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    """A folder for temporary files of this run alone, as open to all users as the system's."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        os.chmod(name, 0o1777)
        yield Path(name)


@contextlib.contextmanager
def listener(connections: list[Any], path: Path) -> Iterator[int]:
    """Servers at a port and at a path that note who connects."""
    local = socket.socket(socket.AF_UNIX)
    local.bind(str(path))
    local.listen()
    with socket.create_server(("127.0.0.1", 0)) as server, local:

        def accept(on: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while True:
                    connections.append(on.accept()[1])

        for on in (server, local):
            threading.Thread(target=accept, args=(on,), daemon=True).start()
        yield server.getsockname()[1]


def strays() -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        with contextlib.suppress(psutil.Error):
            line = " ".join(process.info["cmdline"] or [])
            ours = (process.info["environ"] or {}).get("CORPUS_MARK") == str(os.getpid())
            if "98765" in line or ours:
                found.append(line)
    return found


@pytest.fixture(scope="module")
def needs_a_sandbox(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Without one, hostile submissions would end this test run and more."""
    folder = tmp_path_factory.mktemp("library")
    folder.chmod(0o755)
    exercise = course.lessons()["01"].exercises[0]
    good, reason = sandbox.try_out(stripped.copy_without_answer(exercise, folder))
    if not good:
        pytest.skip(f"no sandbox here: {reason}")


@pytest.fixture(scope="module", params=["sample", pytest.param("whole", marks=pytest.mark.slow)])
def graded(
    request: pytest.FixtureRequest, needs_a_sandbox: None, tmp_path_factory: pytest.TempPathFactory
) -> Graded:
    only = files.SAMPLE if request.param == "sample" else None
    base = tmp_path_factory.mktemp("corpus")
    folder, out = base / "submissions", base / "report"
    folder.mkdir()
    connections: list[Any] = []
    import nbval

    packages = (ROOT / "course_lib/checks", ROOT / "course_lib/agents", Path(nbval.__file__).parent)
    with listener(connections, base / "host") as port, temporary() as own:
        entries = files.write(folder, ROOT, port, only=only)
        before = digests(folder, *packages)
        command = [sys.executable, "-m", "course_lib.grading", str(folder), "--out", str(out)]
        secret = {"CORPUS_SECRET": "x", "CORPUS_MARK": str(os.getpid()), "TMPDIR": str(own)}
        run = subprocess.run(
            [*command, "--notebook", "01", "--timeout", str(TIMEOUT_S), "--jobs", "2",
             "--sandbox", "full"],
            capture_output=True, text=True, env={**os.environ, **secret}, cwd=base, timeout=1_700,
        )  # fmt: skip
        leftovers = sorted(os.listdir(own))
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    after = digests(folder, *packages)
    rows = json.loads((out / "scores.json").read_text())["submissions"]
    return Graded(
        entries=entries,
        rows={row["learner"]: row for row in rows},
        folder=folder,
        out=out,
        connections=connections,
        changed=sorted(key for key in before | after if before.get(key) != after.get(key)),
        strays=strays(),
        leftovers=leftovers,
    )


def test_everyone_is_graded(graded: Graded) -> None:
    assert len(graded.entries) == len(files.SAMPLE) or len(graded.entries) >= 100
    assert set(graded.rows) == {entry.name for entry in graded.entries}


def test_points_and_states(graded: Graded) -> None:
    """One test for all, so that a failure shows every submission that is off."""
    off = {}
    for entry in graded.entries:
        exercises = {one["exercise"]: one for one in graded.rows[entry.name]["exercises"]}
        points = {number: one["points"] for number, one in exercises.items() if one["points"]}
        wanted = {number: value for number, value in entry.points.items() if value}
        states = {number: exercises[number]["state"] for number in entry.states}
        if points != wanted or states != entry.states:
            off[entry.name] = (points, states, wanted, entry.states, exercises["1.2"]["message"])
    assert not off


def test_problems_are_said(graded: Graded) -> None:
    for entry in graded.entries:
        problem = graded.rows[entry.name]["problem"]
        assert (entry.problem in problem) if entry.problem else problem == "", entry.name


def test_nothing_is_left_behind(graded: Graded) -> None:
    assert graded.changed == []
    assert graded.strays == []
    assert graded.leftovers == []
    assert not list(graded.folder.rglob("was-run"))


def test_nobody_reaches_the_network(graded: Graded) -> None:
    assert graded.connections == []


def test_the_grader_had_no_trouble(graded: Graded) -> None:
    trouble = {
        name: one["trouble"]
        for name, row in graded.rows.items()
        for one in row["exercises"]
        if one["trouble"]
    }
    assert trouble == {}


def test_feedback_gives_nothing_hidden_away(graded: Graded) -> None:
    pages = list((graded.out / "feedback").glob("*.html"))
    assert len(pages) == len(graded.entries)
    seed = json.loads((graded.out / "run.json").read_text())["seed"]
    for page in [*pages, graded.out / "class.html"]:
        text = page.read_text(encoding="utf-8")
        assert str(seed) not in text
        assert "<b>&" not in text
    no_mask = (graded.out / "feedback" / "no-mask.html").read_text(encoding="utf-8")
    assert "7 of 10 points" in no_mask
    assert "multiply the future by (not terminated)" in no_mask
    assert no_mask.count("expected:") == 1  # the worked number alone, not the drawn one
