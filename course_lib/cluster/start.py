"""How a Ray is started on this machine, reached elsewhere, and left without leftovers.

Notebooks call :func:`course_lib.cluster.connect`, which uses this.
"""

import contextlib
import importlib
import os
import secrets
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from course_lib import quiet
from course_lib.cluster import machine, ray_inside, waiting

LIMIT_S = 180.0  # for Ray to start; COURSE_RAY_START_S says otherwise
OBJECT_STORE_MOST = 2 * 10**9
OBJECT_STORE_LEAST = 100 * 10**6


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
    in_file = {ray_inside.STORE_FOLDER: tempfile.gettempdir()}
    return {"object_store_memory": 2 * OBJECT_STORE_LEAST, **in_file}


def start_local(
    num_cpus: int, num_gpus: int, *, dashboard: bool = False, limit_s: float = LIMIT_S
) -> tuple[str, list[psutil.Process]]:
    """Start a Ray on this machine; return the dashboard's address and Ray's two main processes.

    Starts on one machine wait for each other, with a word every few seconds.

    Args:
        num_cpus: cores that Ray gives out, at least 1.
        num_gpus: GPUs that Ray gives out, 0 or more.
        dashboard: whether to start the dashboard.
        limit_s: seconds that Ray may take once it is its turn.
    """
    _give_token()
    before = psutil.Process().children()
    sizes = object_store(machine.memory_bytes()[0], machine.shared_memory_bytes())
    try:
        with waiting.turn(), waiting.told("Ray starts", limit_s):
            end = time.monotonic() + limit_s
            load_ray()
            patient = ray_inside.patient(max(1.0, end - time.monotonic()))
            with ray_inside.loopback_only() as loopback, patient:
                url = attach(
                    "local",
                    num_cpus=num_cpus,
                    num_gpus=num_gpus,
                    include_dashboard=dashboard,
                    dashboard_host=ray_inside.LOOPBACK,
                    **loopback,
                    **sizes,
                )
            _wait_for_workers(num_cpus, end)
    except BaseException:
        leave([child for child in psutil.Process().children() if child not in before])
        raise
    return url, ray_inside.main_processes()


def _wait_for_workers(number: int, end: float) -> None:
    """Let each core run something, so that what follows is as quick as it will be."""
    import ray

    asked = [ray.remote(lambda: None).remote() for _ in range(number)]
    left_s = max(1.0, end - time.monotonic())
    if ray.wait(asked, num_returns=number, timeout=left_s)[1]:
        raise TimeoutError("its workers were not ready in time")


def load_ray() -> None:
    """Import Ray so that a click on the stop button does no harm.

    An import that is interrupted leaves half of Ray behind, and no second one succeeds. In a thread
    it goes on to its end while the wait for it is interrupted. If it fails, the caller's own
    ``import ray`` fails in the same way.
    """

    def load() -> None:
        with contextlib.suppress(Exception):
            importlib.import_module("ray")
            ray_inside.start_none_unasked()

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
    """Keep others from reading Ray's token; where home cannot hold one, keep it in this process."""
    if {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ):
        return
    folder = Path(os.path.expanduser("~")) / ".ray"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            folder.chmod(0o700)  # the token in it is written for everybody to read
        writable = os.access(folder, os.W_OK) or (folder / "auth_token").exists()
    except OSError:
        writable = False
    if not writable:
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def attach(address: str, *, include_dashboard: bool | None = None, **options: Any) -> str:
    """Connect to the Ray at ``address``; return the dashboard's address, empty if unknown.

    Args:
        address: as ``ray.init`` takes it.
        include_dashboard: whether a Ray that is started gets one; None where none is started.
        **options: more of ``ray.init``'s.
    """
    load_ray()
    import ray

    options = quiet.RAY | options | {"include_dashboard": include_dashboard}
    with quiet.quiet():
        context = ray.init(address, **options)
    quiet.hush("ray")  # the block gave it its voice back
    return getattr(context, "dashboard_url", "") or ""


def leave(children: list[psutil.Process]) -> None:
    """Close this process's connection to Ray and end those of ``children`` that are left."""
    ray = loaded_ray()
    if ray is not None:
        with contextlib.suppress(Exception):
            ray.shutdown(wait_for_processes=True)
    machine.end(children)


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
