"""The command on whole notebooks: solutions get everything, untouched notebooks nothing."""

import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("nbval")
from cluster_rig import missing
from grading_corpus import answers, files

from course_lib.cluster.machine import running
from course_lib.grading import course, sandbox, stripped

ROOT = Path(__file__).resolve().parents[1]
LESSONS = course.lessons()
COMMAND = [sys.executable, "-m", "course_lib.grading"]
STUB_STATE = "not started yet"

NO_MEAN = """
def dqn_loss(q_net, target_net, batch, *, gamma):
    taken = q_net(batch.obs).gather(1, batch.actions[:, None]).squeeze(1)
    targets = td_targets(batch.rewards, batch.terminated, target_net(batch.next_obs), gamma=gamma)
    return nn.functional.smooth_l1_loss(taken, targets)
"""
MIXED_MODES = """
def td_targets(rewards, terminated, next_q_values, *, gamma):
    return rewards + gamma * next_q_values.max(dim=1).values
"""
ONE_AFTER_ANOTHER = """
def play_in_parallel(function, seeds):
    task = ray.remote(function)
    return [ray.get(task.remote(seed)) for seed in seeds]
"""
SHARED = """
class Scoreboard:
    returns = []
    def report(self, episode_return):
        self.returns.append(episode_return)
    def best(self):
        return max(self.returns)
    def num_reports(self):
        return len(self.returns)
"""


@functools.cache
def mode() -> str:
    """The sandbox that this machine allows; what is graded in this file does no harm without."""
    with tempfile.TemporaryDirectory() as folder:
        return "full" if sandbox.try_out(library(Path(folder)))[0] else "reduced"


def run(folder: Path, out: Path, *flags: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, str(folder), "--out", str(out), "--sandbox", mode(), *flags],
        capture_output=True, text=True, check=False, timeout=590,
    )  # fmt: skip


def exercises(out: Path, learner: str, notebook: str = "") -> dict[str, dict[str, Any]]:
    rows = json.loads((out / "scores.json").read_text())["submissions"]
    mine = [row for row in rows if row["learner"] == learner and notebook in ("", row["notebook"])]
    return {one["exercise"]: one for row in mine for one in row["exercises"]}


def submit(folder: Path, learner: str, **sources: str) -> None:
    """Save a notebook with answers; ``e1_2`` names exercise 1.2."""
    cells = [
        files.code(f"# EXERCISE {name[1:].replace('_', '.')}\n{source}")
        for name, source in sources.items()
    ]
    (folder / f"{learner}.ipynb").write_text(json.dumps(files.notebook(*cells)))


def hand_in(folder: Path, numbers: list[str]) -> None:
    for number in numbers:
        name = LESSONS[number].stem + ".ipynb"
        for learner, source in (("solution", "solutions/" + name), ("stub", name)):
            (folder / learner).mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / "notebooks" / source, folder / learner / name)


def assert_whole(out: Path, numbers: list[str]) -> None:
    for number in numbers:
        for one in exercises(out, "solution", number).values():
            assert (one["points"], one["state"]) == (one["of"], "solved"), one
        for one in exercises(out, "stub", number).values():
            assert (one["points"], one["state"]) == (0, STUB_STATE), one


@pytest.mark.slow
def test_solutions_and_untouched_notebooks(tmp_path: Path) -> None:
    numbers = [number for number in LESSONS if number != "00"]
    hand_in(tmp_path / "in", numbers)
    submit(tmp_path / "in", "gradient", e3_2=MIXED_MODES, e3_3=NO_MEAN)
    done = run(tmp_path / "in", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert_whole(tmp_path / "out", numbers)
    found = exercises(tmp_path / "out", "gradient")
    assert (found["3.2"]["points"], found["3.3"]["points"]) == (7, 11)
    assert {part["part"] for part in found["3.3"]["parts"] if part["mistakes"]} == {"gradients"}
    assert (tmp_path / "out" / "class.html").exists()


@pytest.mark.full
def test_the_notebook_that_needs_ray(tmp_path: Path) -> None:
    hand_in(tmp_path / "in", ["00"])
    submit(tmp_path / "in", "wrong", e0_2=ONE_AFTER_ANOTHER, e0_3=SHARED)
    done = run(tmp_path / "in", tmp_path / "out", "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert_whole(tmp_path / "out", ["00"])
    found = exercises(tmp_path / "out", "wrong")
    assert found["0.2"]["points"] == 6
    assert {part["part"] for part in found["0.3"]["parts"] if part["mistakes"]} == {
        "keeps boards apart"
    }


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_verdicts_do_not_change(tmp_path: Path) -> None:
    """Twenty runs with twenty seeds, all the same."""
    hand_in(tmp_path / "in", ["01"])
    submit(tmp_path / "in", "partly", e1_2=answers.WRONG_ANSWERS["no-mask"][0])
    seen = set()
    for number in range(20):
        out = tmp_path / f"out{number}"
        assert run(tmp_path / "in", out).returncode == 0
        rows = json.loads((out / "scores.json").read_text())["submissions"]
        seen.add(json.dumps([(r["learner"], [e["points"] for e in r["exercises"]]) for r in rows]))
    assert len(seen) == 1


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    submit(folder, "a-quick", e1_2=answers.GOOD)
    submit(folder, "b-slow", e1_2=answers.STOPPED_ANSWERS["loop"][0])
    submit(folder, "c-quick", e1_2=answers.GOOD)
    process = subprocess.Popen(
        [*COMMAND, str(folder), "--out", str(out), "--jobs", "1", "--timeout", "500",
         "--sandbox", mode()],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("[1/3] a-quick"):
            break
    time.sleep(3.0)  # by now the loop is running
    below = sandbox.tree(process.pid)[1:]
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait(timeout=60) == 130, rest
    assert "1 of 3 graded" in rest
    assert not [child for child in below if running(child)]
    submit(folder, "b-slow", e1_2=answers.GOOD)
    again = run(folder, out, "--jobs", "1", "--timeout", "500")
    assert "1 of 3 are graded already" in again.stdout
    points = {name: exercises(out, name)["1.2"]["points"] for name in ("a-quick", "b-slow")}
    assert points == {"a-quick": 10, "b-slow": 10}


@pytest.mark.parametrize(
    ("how", "sandboxed"),
    [("grader killed", ""), ("grader killed", "reduced"), ("pytest killed", ""),
     ("two interrupts", "")],
)  # fmt: skip
def test_whatever_way_it_ends_nothing_lives_on(how: str, sandboxed: str, tmp_path: Path) -> None:
    folder, temporary = tmp_path / "in", Path(tempfile.mkdtemp(prefix="t"))
    folder.mkdir()
    temporary.chmod(0o755)
    submit(folder, "deaf", e1_2=answers.STOPPED_ANSWERS["loop-deaf"][0])
    process = subprocess.Popen(
        [*COMMAND, str(folder), "--out", str(tmp_path / "out"), "--timeout", "500",
         "--sandbox", sandboxed or mode()],
        stdout=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    try:
        below = _when_the_kernel_runs(process.pid)
        if how == "pytest killed":
            below[0].kill()
        else:
            process.send_signal(signal.SIGKILL if how == "grader killed" else signal.SIGINT)
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
        deadline = time.monotonic() + 5
        while any(running(one) for one in below) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert [one for one in below if running(one)] == []
        assert how == "pytest killed" or list(temporary.iterdir()) == []
    finally:
        sandbox.kill(process.pid)
        process.wait(timeout=30)
        shutil.rmtree(temporary, ignore_errors=True)


def _when_the_kernel_runs(pid: int) -> list[psutil.Process]:
    """Wait until an answer's loop takes time; return the processes below the grader."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        below = sandbox.tree(pid)[1:]
        with contextlib.suppress(psutil.Error):
            if below and "ipykernel_launcher" in below[-1].cmdline():
                time.sleep(6.0)  # by now the loop is running
                return [one for one in sandbox.tree(pid)[1:] if "pytest" in one.cmdline()] + [
                    one for one in sandbox.tree(pid)[1:] if "pytest" not in one.cmdline()
                ]
        time.sleep(0.2)
    raise AssertionError("no kernel within two minutes")


def own_notebooks(folder: Path) -> tuple[str, ...]:
    """One learner's folder, with nothing begun; the solutions lie below it."""
    hand_in(folder / "solutions", ["01"])
    for lesson in LESSONS.values():
        shutil.copy(ROOT / "notebooks" / f"{lesson.stem}.ipynb", folder)
    return "--mine", "--seed", "public"


def test_nothing_is_graded_where_nothing_is_begun(tmp_path: Path) -> None:
    flags = own_notebooks(tmp_path / "notebooks")
    before = run(tmp_path / "notebooks", tmp_path / "out", *flags)
    assert before.returncode == 0
    assert "No exercise is begun yet" in before.stdout


@pytest.mark.slow
def test_one_learners_own_notebooks(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks"
    flags = own_notebooks(folder)
    shutil.copy(ROOT / "notebooks" / "solutions" / "01_mouse_and_cheese.ipynb", folder)
    after = run(folder, tmp_path / "out", *flags)
    assert "✓ 1.1 epsilon-greedy: 10 of 10 points" in after.stdout
    assert "Preparing notebook 03" not in after.stdout
    assert (tmp_path / "out" / "feedback" / "me.html").exists()


REDUCED = {  # name: (answer, points, state)
    "right": (answers.GOOD, 10, "solved"),
    "loop": (answers.STOPPED_ANSWERS["loop"][0], 0, "stopped: time"),
    "child": (answers.STRAYS["double-fork"].replace("98765", "98764"), 10, "solved"),
    "no-mask": (answers.WRONG_ANSWERS["no-mask"][0], 7, "partly"),
    "reference": (answers.REFUSED_ANSWERS["calls-the-reference"], 0, "wrong"),
    "kill": (answers.STOPPED_ANSWERS["kill"][0], 0, "stopped: died"),
    "flood": (answers.STOPPED_ANSWERS["flood"][0], 0, "stopped: output"),
    "memory": (answers.REFUSED_ANSWERS["memory"], 0, None),
}


@pytest.mark.parametrize(
    "names", [["right", "child"], pytest.param(list(REDUCED), marks=pytest.mark.slow)]
)
def test_the_reduced_mode_says_what_it_lacks_and_keeps_its_limits(
    names: list[str], tmp_path: Path
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in names:
        submit(folder, name, e1_2=REDUCED[name][0])
    done = run(folder, out, "--sandbox", "reduced", "--timeout", "6")
    assert "Reduced mode" in done.stderr
    assert "reach the network" in (out / "class.html").read_text(encoding="utf-8")
    for name in names:
        one, (_, points, state) = exercises(out, name)["1.2"], REDUCED[name]
        assert one["points"] == points, name
        assert state in (one["state"], None), name
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert "sleep 98764" not in listing


def library(folder: Path) -> Path:
    folder.chmod(0o755)
    return stripped.copy_without_answer(LESSONS["01"].exercises[0], folder)


@pytest.mark.skipif(bool(missing()), reason=missing() or "there")
def test_where_there_are_namespaces_there_is_a_sandbox(tmp_path: Path) -> None:
    assert sandbox.try_out(library(tmp_path)) == (True, "")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
@pytest.mark.slow
def test_an_ordinary_user_gets_a_sandbox_too(tmp_path: Path) -> None:
    if not sandbox.try_out(library(tmp_path))[0]:
        pytest.skip("no sandbox here")
    folder = Path("/tmp") / f"cgu{os.getpid()}"
    (folder / "in").mkdir(parents=True)
    try:
        hand_in(folder / "in", ["01"])
        submit(folder / "in", "fork-bomb", e1_2=answers.REFUSED_ANSWERS["fork-bomb"])
        submit(folder / "in", "network", e1_2=answers.REFUSED_ANSWERS["network-outside"])
        submit(folder / "in", "loop", e1_2=answers.STOPPED_ANSWERS["loop"][0])
        child = answers.STRAYS["double-fork"].replace("98765", "98763")
        submit(folder / "in", "child", e1_2=child)
        wanted = {"fork-bomb": 0, "network": 0, "loop": 0, "child": 10}
        done = as_ordinary_user(folder, "--sandbox", "full", "--timeout", "6")
        if "Permission denied" in done.stderr:
            pytest.skip("an ordinary user may not run this Python")
        assert done.returncode == 0, done.stdout + done.stderr
        assert_whole(folder / "out", ["01"])
        assert {n: exercises(folder / "out", n)["1.2"]["points"] for n in wanted} == wanted
    finally:
        shutil.rmtree(folder)


def as_ordinary_user(folder: Path, *flags: str) -> subprocess.CompletedProcess:
    """Run the command as user 12345, who may see this Python even where root's home is closed."""
    prefix = Path(sys.base_prefix)
    script = f"""
    set -e
    mkdir {folder}/python {folder}/home {folder}/out
    chown 12345:12345 {folder}/home {folder}/out
    case {prefix} in /root/*)
        mount --rbind {prefix} {folder}/python
        mount -t tmpfs -o mode=755 tmpfs /root
        mkdir -p {prefix}
        mount --rbind {folder}/python {prefix};;
    esac
    cd {ROOT}
    exec setpriv --reuid=12345 --regid=12345 --clear-groups env HOME={folder}/home "$@"
    """
    command = [*COMMAND, str(folder / "in"), "--out", str(folder / "out"), *flags]
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *command],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
