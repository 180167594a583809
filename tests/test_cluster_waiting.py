"""Starting Ray on a busy machine: words, turns, and what a notebook shows when it fails."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from course_lib.cluster import machine, waiting

ROOT = Path(__file__).resolve().parent.parent
# Two nobodies: Ray's own processes that other tests may have left do not count.
HOLD = """
import sys, time
from pathlib import Path
from course_lib.cluster import waiting
waiting.LOCK = Path(sys.argv[1])
with waiting.turn() as mine:
    print("HELD" if mine else "WITHOUT", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(waiting, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(waiting, "PERIOD_S", 0.3)
    return tmp_path / "lock"


def hold(lock: Path, seconds: float, **options) -> subprocess.Popen:
    """Another process that has its turn."""
    command = [sys.executable, "-c", HOLD, str(lock), str(seconds)]
    other = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, **options)
    assert other.stdout is not None
    assert other.stdout.readline() == "HELD\n"
    return other


@pytest.fixture
def holder(lock: Path) -> Iterator[subprocess.Popen]:
    other = hold(lock, 60)
    yield other
    other.kill()
    other.wait()


class TestTurn:
    def test_alone_it_is_had_at_once(self, lock: Path, capsys: pytest.CaptureFixture) -> None:
        for _ in range(2):
            with waiting.turn() as mine:
                assert mine
        assert capsys.readouterr().out == ""

    def test_waits_with_words_until_the_other_is_done(
        self, lock: Path, capsys: pytest.CaptureFixture
    ) -> None:
        other, begun = hold(lock, 2.5), time.monotonic()
        with waiting.turn() as mine:
            assert mine
            assert time.monotonic() - begun > 1.5
        said = capsys.readouterr().out
        assert "Another start of Ray here goes first: 1 of at most 600 s; " in said
        assert "processes want its" in said
        other.wait(10)

    def test_one_that_crashes_frees_it(self, lock: Path, holder: subprocess.Popen) -> None:
        threading.Timer(0.5, holder.kill).start()
        with waiting.turn(limit_s=30) as mine:
            assert mine

    def test_one_that_hangs_is_not_waited_for_for_ever(
        self, lock: Path, holder: subprocess.Popen
    ) -> None:
        os.kill(holder.pid, signal.SIGSTOP)
        begun = time.monotonic()
        with waiting.turn(limit_s=1.2) as mine:
            assert not mine
            assert 1 < time.monotonic() - begun < 20

    def test_an_error_inside_frees_it(self, lock: Path) -> None:
        with pytest.raises(KeyError), waiting.turn():
            raise KeyError
        with waiting.turn(limit_s=5) as mine:
            assert mine

    @pytest.mark.parametrize("kind", ["folder", "link", "no such folder"])
    def test_where_nobody_can_lock_it_goes_on(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch, kind: str, tmp_path: Path
    ) -> None:
        (tmp_path / "precious").write_text("kept")
        if kind == "folder":
            lock.mkdir()
        elif kind == "link":
            lock.symlink_to(tmp_path / "precious")
        else:
            monkeypatch.setattr(waiting, "LOCK", tmp_path / "none" / "lock" / "x")
            (tmp_path / "none").write_text("a file")
        with waiting.turn(limit_s=5) as mine:
            assert not mine
        assert (tmp_path / "precious").read_text() == "kept"

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
    @pytest.mark.parametrize("first", [0, 65534])
    def test_users_of_one_machine_wait_for_each_other(
        self, monkeypatch: pytest.MonkeyPatch, first: int
    ) -> None:
        """In a folder like /tmp: all may write, and only its owner removes a file."""
        lock = Path("/tmp") / f"rl-course-test-{os.getpid()}-{first}.lock"
        for user in (first, 65534 - first):
            code = (
                "import os, sys; from course_lib.cluster import waiting; import filelock\n"
                f"from pathlib import Path; waiting.LOCK = Path({str(lock)!r}); os.setuid({user})\n"
                "with waiting.turn(limit_s=5) as mine: print(mine)"
            )
            run = subprocess.run(
                [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
            )
            assert run.stdout == "True\n", run.stderr
        lock.unlink()


def test_says_what_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(waiting, "PERIOD_S", 0.2)
    monkeypatch.setattr(psutil, "getloadavg", lambda: (7.5, 1, 1))
    monkeypatch.setattr(psutil, "cpu_count", lambda: 2)
    with waiting.told("Ray starts", 180):
        time.sleep(0.7)
    lines = capsys.readouterr().out.splitlines()
    assert 1 <= len(lines) <= 3
    busy = "this machine is busy: 7.5 processes want its 2 cores"
    assert lines[0] == f"Ray starts: 0 of at most 180 s; {busy}"
    time.sleep(0.4)
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(psutil, "getloadavg", lambda: (0.5, 1, 1))
    assert machine.load() == "load: 0.5 processes want its 2 cores"


def test_says_what_to_close() -> None:
    """Something that looks like a kernel with a child, both with much memory."""
    code = (
        "import subprocess, sys, time; block = bytearray(300_000_000)\n"
        "if sys.argv[1:] == ['-m', 'ipykernel_launcher']:\n"
        "    child = subprocess.Popen([sys.executable, '-c', sys.stdin.read(), 'child'])\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    # Not a child of this process, whose own family is left out: its parent ends at once.
    start = (
        "import subprocess, sys\n"
        f"code = {code!r}\n"
        "one = subprocess.Popen([sys.executable, '-c', code, '-m', 'ipykernel_launcher'],\n"
        "    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)\n"
        "one.stdin.write(code); one.stdin.close()\n"
        "one.stdout.readline(); one.stdout.readline(); print(one.pid)"
    )
    env = {**os.environ, "JPY_SESSION_NAME": "/lessons/02.ipynb"}
    done = subprocess.run(
        [sys.executable, "-c", start], env=env, capture_output=True, text=True, timeout=300
    )
    kernel = psutil.Process(int(done.stdout))
    try:
        said = waiting.to_close(most=50)
        assert f"the notebook /lessons/02.ipynb, process {kernel.pid} (0.6 GiB" in said
        assert f"process {os.getpid()} " not in said
        assert waiting._title({"name": None, "cmdline": None, "pid": 7}) == "?, process 7"
        assert f"process {kernel.children()[0].pid} " not in said
    finally:
        for one in [*kernel.children(), kernel]:
            one.kill()


SLOW_AGENTS = """
import sys, time
words = open("/proc/self/cmdline").read()
if "dashboard/agent.py" in words or "runtime_env/agent/main.py" in words:
    time.sleep(40)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_ray_whose_agents_start_slowly_starts(tmp_path: Path) -> None:
    """As on a laptop whose virus scanner reads every file; Ray alone gives up after 30 s."""
    (tmp_path / "sitecustomize.py").write_text(SLOW_AGENTS)
    code = (
        "from course_lib.cluster import connect\n"
        "with connect('local', num_cpus=1):\n"
        "    import ray; print(ray.get(ray.remote(lambda: 7).remote()))"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, timeout=500
    )
    assert run.stdout.splitlines()[-1] == "7", run.stdout + run.stderr
