"""A small cluster on one machine: nodes with addresses, disks and process tables of their own.

Ray is started on them by the scripts that instructors use (``scripts/cluster``).

Each node is a process in its own namespaces (network, mounts, process ids), made with ``unshare``.
Nothing of it is named on the machine: when that process ends, all that ran inside ends, and its
network cards and mounts go with it. They end with the test run too, however that ends. Only root
may do this, so elsewhere the tests that need it are skipped.

    with Rig(folder) as rig:
        rig.start_head()
        rig.start_worker("w1", num_gpus=1)
        done = rig.driver("from course_lib.cluster import connect; ...")
"""

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts" / "cluster"
GCS_PORT, CLIENT_PORT = 6379, 10001
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
TOOLS = ("unshare", "nsenter", "ip", "mount", "setpriv", "bash")


def missing() -> str:
    """Why this machine cannot have a rig, or an empty text if it can."""
    if sys.platform != "linux":
        return "namespaces need Linux"
    if os.geteuid() != 0:
        return "namespaces need root"
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        return f"not installed: {', '.join(lacking)}"
    tried = subprocess.run(
        ["unshare", "-n", "-m", "-p", "-f", "--mount-proc", "true"], capture_output=True, text=True
    )
    return "" if tried.returncode == 0 else f"no namespaces here: {tried.stderr.strip()}"


NOT_HERE = missing()
NEEDS_RIG = [  # a busy machine takes many times as long
    pytest.mark.skipif(bool(NOT_HERE), reason=NOT_HERE or "there"),
    pytest.mark.timeout(1500),
]


class Node:
    """One machine of the rig.

    Args:
        name: of its host.
        ip: its address.
        folder: for its home and logs.
        hidden: folders that are empty on this node, as on a machine without a clone.
    """

    def __init__(self, name: str, ip: str, folder: Path, hidden: list[Path]) -> None:
        self.name, self.ip = name, ip
        self.home = folder / name
        self.home.mkdir(parents=True, exist_ok=True)
        Path("/tmp/ray").mkdir(exist_ok=True)
        mounts = ["/dev/shm", "/tmp/ray", *map(str, hidden)]
        script = "".join(f"mount -t tmpfs -o size=2g tmpfs {path}\n" for path in mounts)
        script += "ip link set lo up\necho ready\nwhile :; do sleep 1000 & wait; done\n"
        self._holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "-n", "-m", "-p", "-f", "--kill-child",
             "--mount-proc", "bash", "-ec", script],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self._holder.stdout is not None
        if self._holder.stdout.readline().strip() != "ready":
            raise RuntimeError(f"node {name} did not start")
        self.pid = psutil.Process(self._holder.pid).children()[0].pid
        self._namespace = _pid_namespace(self.pid)
        self.ray: subprocess.Popen | None = None

    def environment(self, **more: str) -> dict[str, str]:
        """The variables of a process on this node: little of this machine's own."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        quiet = {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        return {**kept, **quiet, "HOME": str(self.home), **more}

    def inside(self, command: list[str]) -> list[str]:
        """The command line that runs ``command`` on this node."""
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-p", "--", *command]

    def popen(self, command: list[str], env: dict[str, str], **options: Any) -> subprocess.Popen:
        """Start a process on this node."""
        return subprocess.Popen(self.inside(command), env=self.environment(**env), **options)

    def processes(self) -> list[dict[str, Any]]:
        """``pid``, ``name`` and ``cmdline`` of all that runs on this node, read in one go.

        Names are not asked later: a process that ended since has none.
        """
        found = psutil.process_iter(["pid", "name", "cmdline"])
        return [one.info for one in found if _pid_namespace(one.pid) == self._namespace]

    def kill(self) -> None:
        """Pull the plug: no process of the node gets a chance to say goodbye."""
        self._holder.kill()
        self._holder.wait()
        if self.ray is not None:
            self.ray.wait()


class Rig:
    """Nodes on one network, a Ray on some of them.

    Args:
        folder: for homes and logs; short, because Ray makes sockets below ``/tmp/ray``.
        token: that the cluster asks for; None makes one.
        hidden: folders that are empty on the nodes, not on the driver's.
    """

    def __init__(
        self, folder: Path, *, token: str | None = None, hidden: tuple[Path, ...] = ()
    ) -> None:
        self.folder, self.hidden = folder, list(hidden)
        self.token = token or secrets.token_hex(32)
        self.variables: dict[str, str] = {}  # of every Ray and every question of the rig's own
        self.nodes: dict[str, Node] = {}
        self._count = 0
        self._switch = Node("switch", "", folder, [])
        _run(self._switch, "ip link add sw type bridge && ip link set sw up")

    def add(self, name: str, hidden: list[Path] | None = None, ip: str = "") -> Node:
        """Add a machine without Ray; ``ip`` is that of one that was killed, if it comes back."""
        self._count += 1
        number = self._count
        node = Node(name, ip or f"10.77.0.{number}", self.folder, hidden or [])
        self.nodes[name] = node
        _run(self._switch, f"ip link add p{number} type veth peer name eth0 netns {node.pid} "
                           f"&& ip link set p{number} master sw up")  # fmt: skip
        _run(node, f"ip link set eth0 up && ip addr add {node.ip}/24 dev eth0")
        for other in self.nodes.values():  # as a machine does that takes over an address
            _run(other, "ip neigh flush all")
        return node

    def kill(self, name: str) -> None:
        """Pull the plug of a machine; its name is free again."""
        self.nodes.pop(name).kill()

    def unplug(self, name: str) -> None:
        """Pull the network cable of a machine; its programs go on."""
        _run(self.nodes[name], "ip link set eth0 down")

    def plug(self, name: str) -> None:
        """Put the cable back."""
        _run(self.nodes[name], "ip link set eth0 up")

    def auth(self) -> dict[str, str]:
        """The variables that carry the cluster's token."""
        return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self.token}

    def start_head(self, *, num_cpus: int = 2, ip: str = "", **env: str) -> Node:
        """Start a head and wait until it takes connections."""
        node = self.add("head", self.hidden, ip)
        more = [f"--num-cpus={num_cpus}", "--include-dashboard=false"]
        self._start(node, ["sh", f"{SCRIPTS}/start_head.sh", node.ip, *more], env)
        self.wait_for(1)
        return node

    def start_worker(
        self, name: str, *, num_cpus: int = 2, num_gpus: int = 0, wait: bool = True,
        prepare: str = "", **env: str,
    ) -> Node:  # fmt: skip
        """Add a worker; ``num_gpus`` are logical: Ray counts them, nothing computes on them.

        ``prepare`` is a shell script that runs there before Ray starts.
        """
        node = self.add(name, self.hidden)
        subprocess.run(node.inside(["sh", "-ec", prepare]), check=True)
        alive = sum(one.ray is not None for one in self.nodes.values())
        more = [f"--num-cpus={num_cpus}", f"--num-gpus={num_gpus}", f"--node-ip-address={node.ip}"]
        self._start(node, ["sh", f"{SCRIPTS}/start_worker.sh", self.gcs, *more], env)
        if wait:
            self.wait_for(alive + 1)
        return node

    def start_class(self, *, num_cpus: int = 0, num_gpus: int = 0, **env: str) -> Self:
        """Start a head with ``num_cpus`` and two workers, the first with ``num_gpus``."""
        self.start_head(num_cpus=num_cpus, **env)
        self.start_worker("w1", num_gpus=num_gpus, wait=False)
        self.start_worker("w2", wait=False)
        self.wait_for(3)
        return self

    def _start(self, node: Node, command: list[str], env: dict[str, str]) -> None:
        """Run one of the instructor's scripts on a node."""
        ray = shutil.copy(ROOT / "course_lib" / "cluster" / "ray_inside.py", self.folder)
        own = {"PY": sys.executable, "RAY_COMMAND": str(ray), "RAY_AUTH_TOKEN": self.token}
        with open(node.home / "ray.log", "w") as log:
            node.ray = node.popen(
                [*command, "--object-store-memory=200000000"],
                {**own, **self.variables, **env}, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, cwd="/",
            )  # fmt: skip

    @property
    def head(self) -> Node:
        """The node that the others hang on."""
        return self.nodes["head"]

    @property
    def gcs(self) -> str:
        """The address of the cluster's own port, as ``host:port``."""
        return f"{self.head.ip}:{GCS_PORT}"

    @property
    def client(self) -> str:
        """The address of the Ray client's port."""
        return f"ray://{self.head.ip}:{CLIENT_PORT}"

    def wait_for(self, count: int, timeout_s: float = 400.0) -> None:
        """Wait until so many nodes are alive, as the head sees it."""
        code = (
            "import sys, time\nlast = None\nfrom ray._raylet import GcsClient\n"
            f"end = time.time() + {timeout_s}\n"
            "while time.time() < end:\n"
            "    try:\n"
            f"        nodes = GcsClient(address='{self.gcs}').get_all_node_info(timeout=5)\n"
            "        alive = sum(one.state == 0 for one in nodes.values())\n"
            f"        if alive >= {count}: sys.exit(0)\n"
            "    except Exception as error: last = error\n"
            "    time.sleep(0.2)\n"
            "print(last)\n"
            "sys.exit(1)"
        )
        done = self._python(
            self.head, code, {**self.auth(), **self.variables}, timeout=timeout_s + 60
        )
        if done.returncode != 0:
            logs = "\n".join((n.home / "ray.log").read_text()[-1500:]
                             for n in self.nodes.values() if n.ray)  # fmt: skip
            raise RuntimeError(f"{count} nodes did not come up: {done.stdout[-500:]}\n{logs}")

    def _python(
        self, node: Node, code: str, env: dict[str, str], timeout: float
    ) -> subprocess.CompletedProcess:
        command = node.inside([sys.executable, "-u", "-c", code])
        return subprocess.run(
            command, env=node.environment(**env), cwd=ROOT, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip

    def driver(
        self, code: str, *, name: str = "driver", timeout: float = 400.0, auth: bool = True,
        **env: str,
    ) -> subprocess.CompletedProcess:  # fmt: skip
        """Run Python on a machine that is no part of the cluster, as a notebook's kernel is."""
        node = self.nodes.get(name) or self.add(name)
        return self._python(node, code, {**(self.auth() if auth else {}), **env}, timeout)

    def start_driver(self, code: str, name: str = "driver", **env: str) -> subprocess.Popen:
        """The same, not waited for: its output comes through a pipe, line by line."""
        node = self.nodes.get(name) or self.add(name)
        return node.popen(
            [sys.executable, "-u", "-c", code], {**self.auth(), **env}, cwd=ROOT, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for node in [*self.nodes.values(), self._switch]:
            node.kill()
        gone = time.time() + 10
        while time.time() < gone and any(node.processes() for node in self.nodes.values()):
            time.sleep(0.1)


def _run(node: Node, line: str) -> None:
    """Run a line of shell in the node's network, with this machine's process table."""
    command = ["nsenter", "-t", str(node.pid), "-n", "--", "sh", "-c", line]
    subprocess.run(command, check=True, capture_output=True, text=True)


def _pid_namespace(pid: int) -> int:
    with contextlib.suppress(OSError):
        return os.stat(f"/proc/{pid}/ns/pid").st_ino
    return 0
