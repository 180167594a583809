"""Everything of Ray's inside that the course leans on, in one place.

Ray promises nothing about these names, so each stands in :data:`LEANS_ON` with its reason and the
public way that would replace it. A test reads the list against the Ray that is installed, and
another one fails, with the list, when Ray has another version: see docs/architecture.md.
"""

import contextlib
import importlib
import inspect
import os
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

READ_AGAINST = "2.60.0"
LOOPBACK = "127.0.0.1"
MAIN_PROCESSES = ("raylet", "gcs_server")
START = [sys.executable, __file__, "start"]
STARTED = "Ray runtime started"
STORE_FOLDER = "_plasma_directory"  # the option of ray.init for an object store in a folder
NODE_FOLDER = "_temp_dir"  # the one for the node of this machine whose own files lie in a folder
LOCAL_ONLY = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"


@dataclass(frozen=True)
class Inside:
    """A thing inside Ray that the course leans on.

    Attributes:
        name: what it is.
        file: where it is, below Ray's package.
        text: what the file must hold for it to be there still.
        why: what the course does with it.
        instead: the public way that would replace it.
    """

    name: str
    file: str
    text: str
    why: str
    instead: str


_WORKER, _SERVICES = "_private/worker.py", "_private/services.py"
LEANS_ON = (
    Inside("ray.init(_node_ip_address=)", _WORKER, '"_node_ip_address"',
           "a local Ray listens on the loopback interface only", "a public node_ip_address"),
    Inside("ray.init(_plasma_directory=)", _WORKER, '"_plasma_directory"',
           "an object store in a file, where a container has little shared memory",
           "`ray start --plasma-directory`, if ray.init offered the same"),
    Inside("ray.init(_temp_dir=)", _WORKER, '"_temp_dir"',
           "finds this notebook's own guest node, when several run on a machine",
           "a public way to name the node to attach to"),
    Inside("ray._private.ray_constants.ENABLE_RAY_CLUSTER", "_private/ray_constants.py",
           f'"{LOCAL_ONLY}"', "keeps Ray from exchanging the loopback address for the network's",
           "a public node_ip_address that Ray takes as it is"),
    Inside("ray._private.services.get_node", _SERVICES, "def get_node(gcs_address, node_id)",
           "waits longer than the 30 s after which Ray gives up its own start",
           "a setting for raylet_start_wait_time_s in ray/_private/node.py"),
    Inside("RAY_gcs_server_port_wait_time_s", "_private/node.py",
           '"RAY_gcs_server_port_wait_time_s"', "the same, for the cluster's own port",
           "a documented setting"),
    Inside("RAY_agent_register_timeout_ms", "_raylet.so", "agent_register_timeout_ms",
           "the same, for the agent that the raylet starts", "a documented setting"),
    Inside("RAY_worker_register_timeout_seconds", "_raylet.so",
           "worker_register_timeout_seconds", "the same, for workers: 60 s",
           "a documented setting"),
    Inside("RAY_prestart_worker_first_driver", "_raylet.so", "prestart_worker_first_driver",
           "ray.init does not wait for workers, in machine code that lets no other thread speak",
           "a ray.init that waits in Python"),
    Inside("ray._private.services.start_raylet, the file dashboard_agent_listen_port_*",
           _SERVICES, "def start_raylet(",
           "gives the raylet ports that it else waits for, 15 s at most (Ray's issue 65983)",
           "a setting for these 15 s"),
    Inside("RAY_gcs_rpc_server_reconnect_timeout_s", "_raylet.so",
           "gcs_rpc_server_reconnect_timeout_s",
           "the notebook's process outlives a lost head", "an event that says the head is lost"),
    Inside("RAY_gcs_server_request_timeout_seconds", "_raylet.so",
           "gcs_server_request_timeout_seconds",
           "no question to a lost head waits for a minute", "a time limit for ray.nodes()"),
    Inside("ray._private.auto_init_hook.enable_auto_connect", "_private/auto_init_hook.py",
           "if enable_auto_connect and not", "after a lost Ray none is started but by connect()",
           "RAY_ENABLE_AUTO_CONNECT=0 before Ray is imported, if a page of Ray promised it"),
    Inside("authentication_token_setup.maybe_enable_token_auth_if_token_available",
           "_private/authentication/authentication_token_setup.py",
           "def maybe_enable_token_auth_if_token_available(",
           "shows the token of ~/.ray/auth_token to a cluster elsewhere, also after Ray's import",
           "RAY_AUTH_MODE=token, set before Ray is imported"),
    Inside("ray.core.generated.gcs_service_pb2: InternalKVGet(CLUSTER_METADATA)",
           "core/generated/gcs_service_pb2.py", "InternalKVGet",
           "asks what listens at a port, whether it takes the token, and which versions run",
           "a public ping with a time limit"),
    Inside("ray.core.generated.ray_client_pb2: ClusterInfo(PING)",
           "core/generated/ray_client_pb2.py", "ClusterInfo",
           "the same, at the Ray client's port", "a public ping with a time limit"),
    Inside("the processes raylet and gcs_server", _SERVICES, '"raylet" + EXE_SUFFIX',
           "their death is a local Ray's death", "a public `ray.is_alive`"),
    Inside("raylet --gcs-address= and --static_resource_list=", _SERVICES,
           "--static_resource_list=", "whether a working node of a cluster runs on this machine",
           "ray.init(address) that fails at once where there is none"),
    Inside("ray.scripts.scripts", "scripts/scripts.py", "def start(",
           "`ray start` by this very Python, also where no script folder is on the PATH",
           "`python -m ray start`"),
    Inside(f"the words {STARTED!r}", "scripts/scripts.py", STARTED,
           "the guest node is ready", "`ray start --block` with a file or a code for ready"),
)  # fmt: skip


@contextlib.contextmanager
def variables(**settings: str) -> Iterator[None]:
    """Set environment variables for a while."""
    kept = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def loopback_only() -> Iterator[dict[str, str]]:
    """Make a Ray that starts meanwhile listen on the loopback interface; yields its options.

    On Linux Ray turns 127.0.0.1 into the machine's address on the network, and every one of its
    ports is open to the room. The switch is read when Ray is imported, hence both places.
    """
    constants: Any = importlib.import_module("ray._private.ray_constants")
    clustered, constants.ENABLE_RAY_CLUSTER = constants.ENABLE_RAY_CLUSTER, False
    try:
        with variables(**{LOCAL_ONLY: "0", "RAY_USAGE_STATS_ENABLED": "0"}):
            yield {"_node_ip_address": LOOPBACK}
    finally:
        constants.ENABLE_RAY_CLUSTER = clustered


@contextlib.contextmanager
def patient(limit_s: float, num_processes: int = 2) -> Iterator[None]:
    """Let a Ray that starts meanwhile take up to ``limit_s``, where it would give up after 30 s.

    Args:
        limit_s: for a process to start.
        num_processes: main processes of the node: 2 for a head, 1 else.

    Raises:
        ChildProcessError: from within Ray's start, if one of its main processes ended.
        TimeoutError: if time is up.
    """
    services: Any = importlib.import_module("ray._private.services")
    start_raylet, ask_node = services.start_raylet, services.get_node
    end = time.monotonic() + limit_s

    def with_ports(*arguments: Any, **options: Any) -> Any:
        given = inspect.signature(start_raylet).bind(*arguments, **options | agent_ports())
        file = f"dashboard_agent_listen_port_{given.arguments['node_id']}"  # it waits for this one
        port = given.arguments["dashboard_agent_listen_port"]  # even where the port is given
        Path(given.arguments["session_dir"], file).write_text(str(port))
        return start_raylet(*given.args, **given.kwargs)

    def get_node(*arguments: Any) -> Any:
        while True:
            try:
                return ask_node(*arguments)
            except RuntimeError as error:
                if len(main_processes()) < num_processes:
                    raise ChildProcessError("one of Ray's processes ended, see its logs") from error
                if time.monotonic() > end:
                    raise TimeoutError("it was not ready in time") from error
            time.sleep(0.1)

    services.start_raylet, services.get_node = with_ports, get_node
    waits = {
        "RAY_gcs_server_port_wait_time_s": f"{limit_s:.0f}",
        "RAY_agent_register_timeout_ms": f"{1000 * limit_s:.0f}",
        "RAY_worker_register_timeout_seconds": f"{limit_s:.0f}",
        "RAY_prestart_worker_first_driver": "0",
    }
    try:
        with variables(**waits):
            yield
    finally:
        services.start_raylet, services.get_node = start_raylet, ask_node


def agent_ports() -> dict[str, int]:
    """Return a free port for each that a raylet else waits for, 15 s and no longer.

    Its Python agents would choose them, and a busy machine needs longer to start Python twice.
    They lie below those that systems give to connections, so that none of these takes one before.
    """
    free: set[int] = set()
    while len(free) < 4:
        port = 20_000 + secrets.randbelow(12_000)  # leaves the learner's own random numbers alone
        with contextlib.suppress(OSError), socket.socket() as one:
            one.bind(("", port))  # a port that listens would make firewalls ask
            free.add(port)
    names = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port",
             "runtime_env_agent_port")  # fmt: skip
    return dict(zip(names, free, strict=True))


def main_processes() -> list[psutil.Process]:
    """The children of this process that run, and without which its Ray is dead."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            named = child.name().removesuffix(".exe") in MAIN_PROCESSES
            if named and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
    return found


def outlive_head() -> None:
    """Let this process outlive the head, so that :mod:`course_lib.cluster.watch` can say so.

    Ray ends a driver whose head is gone for a minute, and reads the limit when it is imported. A
    question to the head waits for a minute too, in machine code that nothing can interrupt; six
    seconds are enough for a head that lives. Tune asks for the cluster's sizes every ten seconds,
    in a call without a limit. What the learner has set stays.
    """
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "3600")
    os.environ.setdefault("RAY_gcs_server_request_timeout_seconds", "6")
    os.environ.setdefault("TUNE_STATE_REFRESH_PERIOD", "86400")


def start_none_unasked() -> None:
    """From now on no call of Ray or Tune starts one by itself: it would listen on the network."""
    os.environ["TUNE_DISABLE_AUTO_INIT"] = "1"
    hook: Any = importlib.import_module("ray._private.auto_init_hook")
    hook.enable_auto_connect = False


def show_token() -> None:
    """Show this machine's token: Ray does so by itself for a local cluster only."""
    setup = importlib.import_module("ray._private.authentication.authentication_token_setup")
    setup.maybe_enable_token_auth_if_token_available(warn_if_disabled=False)


def metadata_question(channel: Any) -> tuple[Any, Any]:
    """The method and the request for the note about itself that every cluster keeps."""
    from ray.core.generated import gcs_service_pb2, gcs_service_pb2_grpc

    stub = gcs_service_pb2_grpc.InternalKVGcsServiceStub(channel)
    request = gcs_service_pb2.InternalKVGetRequest(namespace=b"cluster", key=b"CLUSTER_METADATA")
    return stub.InternalKVGet, request


def client_question(channel: Any) -> tuple[Any, Any]:
    """The method and the request that greet a Ray client's port."""
    from ray.core.generated import ray_client_pb2, ray_client_pb2_grpc

    stub = ray_client_pb2_grpc.RayletDriverStub(channel)
    return stub.ClusterInfo, ray_client_pb2.ClusterInfoRequest(
        type=ray_client_pb2.ClusterInfoType.PING
    )


def has_node(host: str, gcs: str) -> bool:
    """Whether a node of the cluster at ``gcs``, one that does work, runs on this machine."""
    names = {gcs}
    try:
        names.add(f"{socket.gethostbyname(host)}:{gcs.rpartition(':')[2]}")
    except OSError:
        return False
    for process in psutil.process_iter(["name", "cmdline"]):
        words = process.info["cmdline"] or []
        belongs = any(f"--gcs-address={name}" in words for name in names)
        works = any("static_resource_list" in word and ",CPU," in word for word in words)
        if process.info["name"] == "raylet" and belongs and works:
            return True
    return False


if __name__ == "__main__":  # the command `ray`, with patience: this file runs by itself
    sys.path.pop(0)
    with patient(180, num_processes=1):
        importlib.import_module("ray.scripts.scripts").main()
