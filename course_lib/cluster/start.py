"""How a Ray is started on this machine, reached elsewhere, and left without leftovers.

Notebooks call :func:`course_lib.cluster.connect`, which uses this.
"""

import contextlib
import importlib
import logging
import os
import secrets
import socket
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from course_lib.cluster import machine

LOOPBACK = "127.0.0.1"
OBJECT_STORE_MOST = 2 * 10**9
OBJECT_STORE_LEAST = 100 * 10**6
ESSENTIAL = ("raylet", "gcs_server")


def object_store(total: int, shared: int | None) -> dict[str, Any]:
    """Return Ray's options for an object store that fits this machine.

    A seventh of the memory, at most 2 GB: the workshop's arrays are small. Containers often have
    64 MB of shared memory; the store then lies in a file, which is slower and works.

    Args:
        total: memory in bytes.
        shared: free shared memory in bytes, or None where there is none (macOS, Windows).
    """
    size = max(OBJECT_STORE_LEAST, min(OBJECT_STORE_MOST, total // 7))
    if shared is None or shared * 0.9 >= size:
        return {"object_store_memory": size}
    if shared * 0.9 >= OBJECT_STORE_LEAST:
        return {"object_store_memory": int(shared * 0.9)}
    return {
        "object_store_memory": 2 * OBJECT_STORE_LEAST,
        "_plasma_directory": tempfile.gettempdir(),
    }


def start_local(
    num_cpus: int, num_gpus: int, *, dashboard: bool = False
) -> tuple[str, list[psutil.Process]]:
    """Start a Ray on this machine; return the dashboard's address and Ray's two main processes.

    Args:
        num_cpus: cores that Ray gives out, at least 1.
        num_gpus: GPUs that Ray gives out, 0 or more.
        dashboard: whether to start the dashboard.
    """
    load_ray()
    import ray

    _give_token()
    before = psutil.Process().children()
    options = object_store(machine.memory_bytes()[0], machine.shared_memory_bytes())
    try:
        with _loopback_only(), quiet():
            context = ray.init(
                "local",
                num_cpus=num_cpus,
                num_gpus=num_gpus,
                include_dashboard=dashboard,
                dashboard_host=LOOPBACK,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _node_ip_address=LOOPBACK,
                **options,
            )
    except BaseException:
        leave(_new_children(before))
        raise
    main = [child for child in _new_children(before) if _named(child, ESSENTIAL)]
    return context.dashboard_url or "", main


def load_ray() -> None:
    """Import Ray so that a click on the stop button does no harm.

    An import that is interrupted leaves half of Ray behind, and no second one succeeds. In a thread
    it goes on to its end while the wait for it is interrupted. If it fails, the caller's own
    ``import ray`` fails in the same way.
    """

    def load() -> None:
        with contextlib.suppress(Exception):
            importlib.import_module("ray")

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.1)


def loaded_ray() -> Any:
    """Return the module ``ray`` if it is imported to its end, else None."""
    ray = sys.modules.get("ray")
    return (
        ray if all(hasattr(ray, name) for name in ("init", "is_initialized", "shutdown")) else None
    )


def _give_token() -> None:
    """Where Ray cannot keep its token in the home folder, keep one in this process instead."""
    if {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ):
        return
    folder = Path(os.path.expanduser("~")) / ".ray"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK) or (folder / "auth_token").exists()
    except OSError:
        writable = False
    if not writable:
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def attach(address: str, **options: Any) -> str:
    """Connect to the Ray at ``address``; return the dashboard's address, empty if unknown.

    Args:
        address: as ``ray.init`` takes it.
        **options: more of ``ray.init``'s; those that are None are left out.
    """
    load_ray()
    import ray

    given = {name: value for name, value in options.items() if value is not None}
    with quiet():
        context = ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **given)
    return getattr(context, "dashboard_url", "") or ""


def leave(children: list[psutil.Process]) -> None:
    """Close this process's connection to Ray and end those of ``children`` that are left."""
    ray = loaded_ray()
    if ray is not None:
        with quiet(), contextlib.suppress(Exception):
            ray.shutdown(wait_for_processes=True)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(children, timeout=5)


def reachable(host: str, port: int, timeout_s: float) -> str:
    """Return why nothing answers at ``host:port``, or an empty text if something does."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return ""
    except socket.gaierror:
        return f"the name {host!r} is not known"
    except TimeoutError:
        return f"no answer within {timeout_s:g} s"
    except OSError as error:
        return (error.strerror or str(error)).lower()


def answers(question: Callable[[], Any], timeout_s: float) -> bool:
    """Whether ``question()`` returns within ``timeout_s``; Ray's own calls may wait for minutes."""
    done = threading.Event()

    def ask() -> None:
        with contextlib.suppress(Exception):
            question()
            done.set()

    threading.Thread(target=ask, daemon=True).start()
    return done.wait(timeout_s)


def running(child: psutil.Process) -> bool:
    """Whether a process still runs; one that ended and was not collected does not."""
    try:
        return child.is_running() and child.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _new_children(before: list[psutil.Process]) -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child not in before]


def _named(child: psutil.Process, names: tuple[str, ...]) -> bool:
    with contextlib.suppress(psutil.Error):
        return child.name().removesuffix(".exe") in names
    return False


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Ray's notices to developers out of the learner's sight."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@contextlib.contextmanager
def _loopback_only() -> Iterator[None]:
    """Make a local Ray listen on the loopback interface, as Ray does on macOS and Windows.

    Elsewhere Ray turns 127.0.0.1 into the machine's address on the network, and every one of its
    ports is open to the room. The switch is read when Ray is imported, hence both places.
    """
    from ray._private import ray_constants

    settings = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    kept = {name: os.environ.get(name) for name in settings}
    clustered = ray_constants.ENABLE_RAY_CLUSTER
    os.environ.update(settings)
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = clustered
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
