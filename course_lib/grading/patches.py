"""Everything that the grader changes in nbval, in one place.

nbval starts a kernel for each notebook and compares outputs in its own process: that is kept.
Changed are where the kernel runs (in the sandbox), how long and how much it may talk, and that
a dead kernel is seen at once. The patches fit one version of nbval, and say so if it is another.
"""

import collections
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any, ClassVar, NoReturn

import nbval
import nbval.plugin
import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from nbval.kernel import RunningKernel

from course_lib.grading import sandbox
from course_lib.grading.budgets import PATIENCE, Budget

NBVAL = "0.11.0"
START_S, SETUP_S, SLICE_S, SEND_MS = 60.0, 60.0, 0.2, 5_000
MAX_MESSAGE = 64 * 2**20
KERNEL = ["-m", "ipykernel_launcher", "--HistoryManager.enabled=False",
          "--InteractiveShell.cache_size=0", "-f"]  # fmt: skip


CONTENTS: dict[str, dict[str, type]] = {  # what nbval looks up in a message
    "status": {"execution_state": str},
    "stream": {"name": str, "text": str},
    "display_data": {"data": dict, "metadata": dict},
    "execute_result": {"data": dict, "metadata": dict, "execution_count": int},
    "error": {"ename": str, "evalue": str, "traceback": list},
}


class Stopped(Exception):
    """The kernel came to an end before the cell did; the message is one word: the reason."""


def version_problem() -> str:
    """Return why the patches do not fit the installed nbval; empty if they do."""
    if nbval.__version__ != NBVAL:
        return (
            f"the grader's changes to nbval fit version {NBVAL}, and {nbval.__version__} is "
            "installed; run `make setup`, or adapt course_lib/grading/patches.py and its tests"
        )
    parts = [
        (nbval.plugin, "RunningKernel"),
        (nbval.plugin.IPyNbFile, "setup"),
        (nbval.plugin.IPyNbCell, "compare_outputs"),
        (RunningKernel, "get_message"),
        (RunningKernel, "await_reply"),
        (RunningKernel, "_ensure_iopub_up"),
        (RunningKernel, "stop"),
    ]
    missing = [name for owner, name in parts if not hasattr(owner, name)]
    return f"nbval lacks {', '.join(missing)}" if missing else ""


def apply(settings: dict[str, Any], compare: Callable[[Any, list, list], bool]) -> None:
    """Put the sandboxed kernel and another comparison into nbval.

    Args:
        settings: by kernel name: ``course`` (folder), ``budget`` and ``mode``.
        compare: takes a cell, its outputs and the stored ones.

    Raises:
        RuntimeError: if the installed nbval is another version.
    """
    problem = version_problem()
    if problem:
        raise RuntimeError(problem)

    class Kernel(SandboxedKernel):
        all_settings = settings

    nbval.plugin.RunningKernel = Kernel
    nbval.plugin.IPyNbCell.compare_outputs = compare


class SandboxedManager(KernelManager):
    """A kernel manager whose kernel is our own command, whatever is installed."""

    command: ClassVar[list[str]] = []

    @property
    def kernel_spec(self) -> KernelSpec:
        """What to start."""
        return KernelSpec(argv=self.command, display_name="course", language="python")


class SandboxedKernel(RunningKernel):
    """nbval's kernel, in the sandbox, within limits."""

    all_settings: ClassVar[dict[str, Any]] = {}

    def __init__(self, kernel_name: str, cwd: str | None = None, startup_timeout: float = 60):
        settings = self.all_settings[kernel_name]
        self.budget = Budget(**settings["budget"])
        self.place = sandbox.make(Path(settings["course"]), self.budget, settings["mode"])
        self.stopped = ""
        self.buffer: collections.deque = collections.deque()
        self.output_bytes = self.size = 0
        self.deadline = time.monotonic() + START_S
        self.computed_before, self.may_compute = 0.0, START_S
        self.ready = False
        try:
            self._start()
            self._guard()
            self.kc.wait_for_ready(timeout=START_S)
            self._ensure_iopub_up()
        except BaseException:
            self.stop()
            raise
        self.ready = True
        self.allow(SETUP_S)

    def _start(self) -> None:
        connection = str(self.place.sockets / "c.json")
        python = [sys.executable, "-P", *KERNEL, connection]
        self.context = zmq.Context()
        self.context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
        self.context.setsockopt(zmq.RECONNECT_IVL, -1)  # a socket's place can be taken: never again
        self.context.setsockopt(zmq.SNDTIMEO, SEND_MS)  # nobody listens any more: a dead kernel
        kind = "tcp" if sys.platform == "win32" else "ipc"
        where = {"ip": str(self.place.sockets / "k")} if kind == "ipc" else {}
        self.km = SandboxedManager(
            transport=kind, connection_file=connection, context=self.context, **where
        )
        self.km.command = [*self.place.command, *python]  # type: ignore[misc]
        self.km.cache_ports = False
        self.km.start_kernel(env=self.place.environment, cwd=str(self.place.home))
        self.pid = self.km.provisioner.process.pid  # type: ignore[union-attr]
        self._wait_for_sockets()
        self.kc: BlockingKernelClient = self.km.client(context=self.context)
        self.kc.start_channels(stdin=False, hb=False)
        self.hung_up = self.kc.iopub_channel.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)

    def _wait_for_sockets(self) -> None:
        """Wait until the kernel listens: the client connects once, before the learner's code runs.

        Raises:
            Stopped: if the kernel does not open them in time.
        """
        until = time.monotonic() + START_S
        while self.km.transport == "ipc" and not self._all_open():
            if not self.is_alive() or time.monotonic() > until:
                raise Stopped("start")
            time.sleep(0.01)

    def _all_open(self) -> bool:
        """Whether the kernel listens on all its sockets."""
        names = [f"k-{number}" for number in range(1, 6)]
        found = {path.name for path in self.place.sockets.iterdir() if path.is_socket()}
        return found >= set(names)

    def allow(self, seconds: float) -> None:
        """Let the kernel compute for so many seconds from now, and wait some times as long."""
        self.computed_before = sandbox.cpu_s(sandbox.tree(self.pid))
        self.may_compute, self.deadline = seconds, time.monotonic() + PATIENCE * seconds

    def _guard(self) -> None:
        """Look after memory and disk from a thread of this process."""
        self.done = threading.Event()

        def guard() -> None:
            while not self.done.wait(0.2):
                processes = sandbox.tree(self.pid)
                if sandbox.memory_mb(processes) > self.budget.memory_mb:
                    self._end("memory")
                elif sandbox.cpu_s(processes) - self.computed_before > self.may_compute:
                    self._end("time")
                elif self.place.size_mb() > self.budget.disk_mb:
                    self._end("disk")

        threading.Thread(target=guard, daemon=True).start()

    def give_up(self, reason: str) -> NoReturn:
        """End the kernel, for a reason that is told if there was none before.

        Raises:
            Stopped: always.
        """
        self._end(reason)
        raise Stopped(self.stopped)

    def _end(self, reason: str) -> None:
        self.stopped = self.stopped or reason
        sandbox.kill(self.pid)

    def get_message(self, stream: str, timeout: float | None = None) -> dict:
        """Return the next message of a stream, and see to the limits while waiting.

        Raises:
            Empty: only while the kernel starts, after ``timeout`` seconds.
            Stopped: if the kernel came to an end, or was brought to it.
        """
        until = time.monotonic() + (timeout or START_S)
        while True:
            self._read_outputs()
            if stream == "iopub" and self.buffer:
                return self.buffer.popleft()
            if stream == "shell" and self.kc.shell_channel.msg_ready():
                return self._received(self.kc.get_shell_msg)
            self._look_after(until)
            poller = zmq.Poller()
            for channel in (self.kc.shell_channel, self.kc.iopub_channel):
                poller.register(channel.socket, zmq.POLLIN)
            if stream == "iopub":
                poller.unregister(self.kc.shell_channel.socket)
            poller.poll(int(SLICE_S * 1000))

    def ask(self, code: str) -> list[dict[str, Any]]:
        """Run code beside the notebook's cells; return the data of what it displayed.

        Raises:
            Stopped: if the kernel came to an end, now or before.
        """
        if self.stopped or not self.is_alive():
            self.give_up("died")
        asked = self.kc.execute(code, silent=True, allow_stdin=False)
        shown: list[dict[str, Any]] = []
        while True:
            message = self.get_message("iopub")
            if message["parent_header"].get("msg_id") != asked:
                continue
            if message["msg_type"] == "display_data":
                shown.append(message["content"]["data"])
            if message["content"].get("execution_state") == "idle":
                return shown

    def _look_after(self, until: float) -> None:
        if self.ready and time.monotonic() > self.deadline:
            self._end("time")
        if self.ready and not self.stopped and self.hung_up.poll(0) and self._lives_on():
            self._end("output")  # a message larger than MAX_MESSAGE is not received
        if not self.is_alive() or self.stopped:
            if self.stopped == "" and self.kc.iopub_channel.msg_ready():
                return
            self.stopped = self.stopped or "died"
            raise Stopped(self.stopped)
        if not self.ready and time.monotonic() > until:
            raise Empty

    def _read_outputs(self) -> None:
        """Take in what the kernel has sent, so that it is counted and never piles up."""
        for _ in range(100):
            if not self.kc.iopub_channel.msg_ready():
                return
            message = self._received(self.kc.get_iopub_msg)
            self.output_bytes += self.size
            self.buffer.append(message)
            if self.ready and self.output_bytes > self.budget.output_mb * 2**20:
                self.give_up("output")

    def _received(self, get: Callable[..., dict]) -> dict:
        """Return the next message of a channel; one that no kernel writes is the learner's.

        Raises:
            Stopped: if it is such a one.
        """
        try:
            message = get(timeout=0)
            kind, content = str(message["msg_type"]), message["content"]
            message["parent_header"].get("msg_id")
            if not all(
                isinstance(content[name], of) for name, of in CONTENTS.get(kind, {}).items()
            ):
                raise ValueError(f"a message of kind {kind}")
            self.size = len(json.dumps(content, default=str))
        except Exception:
            self.give_up("tampered")
        return message

    def is_alive(self) -> bool:
        """Whether the kernel's process runs."""
        process = getattr(getattr(self.km, "provisioner", None), "process", None)
        return process is not None and process.poll() is None

    def _lives_on(self) -> bool:
        """Whether the kernel's process is there still, a second after it hung up."""
        until = time.monotonic() + 1.0
        while self.is_alive() and time.monotonic() < until:
            time.sleep(0.02)
        return self.is_alive()

    def interrupt(self) -> None:
        """End the kernel: nothing that a learner wrote is asked to stop."""
        self._end("time")

    def stop(self) -> None:
        """End the kernel and everything that it started, and remove its folders."""
        if getattr(self, "done", None) is not None:
            self.done.set()
        process = getattr(getattr(getattr(self, "km", None), "provisioner", None), "process", None)
        if process is not None:
            sandbox.kill(process.pid)
            process.wait(timeout=10)
        if hasattr(self, "context"):  # kc.stop_channels() would open the channels never used
            self.context.destroy(linger=0)
        self.place.remove()


def scrub() -> None:
    """Forget settings of the caller that change how notebooks run."""
    for name in [name for name in os.environ if name.startswith(("NBVAL", "JUPYTER", "IPY"))]:
        del os.environ[name]
