"""The connection to Ray: :func:`connect` and what it returns."""

import time
from typing import Literal

import psutil

from course_lib.cluster import machine, remote, start
from course_lib.cluster.address import LOCAL, Target, resolve
from course_lib.cluster.handle import Cluster, count
from course_lib.cluster.remote import ClusterError

Gpus = Literal["auto"] | int


_current: Cluster | None = None  # Ray allows one connection per process; this is its description.


def connect(
    address: str | None = None,
    *,
    num_cpus: int | None = None,
    gpus: Gpus = "auto",
    timeout_s: float = 10.0,
    dashboard: bool = False,
) -> Cluster:
    """Connect to Ray, or start one here, and say in one line what this process now has.

    Safe to call again: a connection that works is used again, a dead one is replaced.

    Args:
        address: ``"local"``, ``"auto"``, ``"host:port"`` or ``"ray://host:port"``; if not given,
            see :func:`course_lib.cluster.resolve`.
        num_cpus: cores that you want, at least 1; all of them if not given.
        gpus: GPUs that you want, 0 or more; ``"auto"`` takes what there is.
        timeout_s: seconds that the address has to answer.
        dashboard: whether a Ray that is started here gets Ray's web page about itself. It costs
            some seconds and about 200 MB. A Ray elsewhere has its own or has none.

    Raises:
        ValueError: if an argument or an environment variable is not usable.
        ClusterError: if nothing can be reached or started; the message says what to do.
    """
    global _current
    _check_wishes(num_cpus, gpus, timeout_s)
    target = resolve(address)
    if _current is not None and _current.target == target and _current.alive:
        print(f"Still connected to {_current}.")
    else:
        _current = _adopt(target) or _open(target, num_cpus, gpus, timeout_s, dashboard)
        link = f" Dashboard: {_current.dashboard_url}" if _current.dashboard_url else ""
        print(f"Connected to {_current}, in {_current.seconds:.1f} s.{link}")
    _compare(_current, num_cpus, gpus)
    return _current


def _check_wishes(num_cpus: int | None, gpus: Gpus, timeout_s: float) -> None:
    whole = isinstance(num_cpus, int) and not isinstance(num_cpus, bool)
    if num_cpus is not None and not (whole and num_cpus >= 1):
        raise ValueError(
            f"num_cpus must be a whole number of at least 1, got {num_cpus!r}; "
            "leave it out to get all cores"
        )
    whole = isinstance(gpus, int) and not isinstance(gpus, bool)
    if gpus != "auto" and not (whole and gpus >= 0):
        raise ValueError(f"gpus must be 'auto' or a whole number of at least 0, got {gpus!r}")
    if not timeout_s > 0:
        raise ValueError(f"timeout_s must be above 0 seconds, got {timeout_s!r}")


def _adopt(target: Target) -> Cluster | None:
    """Take over a Ray that this process started by itself; close any other connection."""
    ray = start.loaded_ray()
    if _current is not None and _current._open:
        verb = "No answer any more from" if _current.target == target else "Leaving"
        print(f"{verb} {_current}. Its actors and stored objects are gone.", flush=True)
        if _current.lost:
            print("Letting go of it, up to a minute ...", flush=True)
        _current.disconnect()
    elif ray is not None and ray.is_initialized():
        if target.address in (LOCAL, "auto"):
            return Cluster(target, 0.0)
        start.leave([])
    return None


def _open(
    target: Target, num_cpus: int | None, gpus: Gpus, timeout_s: float, dashboard: bool
) -> Cluster:
    started = time.perf_counter()
    if target.address == LOCAL:
        print("Starting a local Ray, usually 5 to 15 seconds ...", flush=True)
        url, children = _start_here(num_cpus, gpus, dashboard)
        return Cluster(target, time.perf_counter() - started, url, children)
    print(f"Connecting to Ray at {target.address}, usually 5 to 15 seconds ...", flush=True)
    link = remote.reach(target, timeout_s)
    for note in link.notes:
        print(note)
    return Cluster(target, time.perf_counter() - started, link.dashboard_url, link=link)


def _start_here(
    num_cpus: int | None, gpus: Gpus, dashboard: bool = False
) -> tuple[str, list[psutil.Process]]:
    """Start a Ray of the size that this machine has; on a very busy machine, try twice."""
    cores, found = machine.usable_cores(), len(machine.gpu_names())
    size = min(num_cpus or cores, cores), found if gpus == "auto" else min(gpus, found)
    try:
        try:
            return start.start_local(*size, dashboard=dashboard)
        except Exception as error:
            if "timed out" not in str(error):
                raise
            print("This machine is busy and Ray took too long. Trying once more ...", flush=True)
            return start.start_local(*size, dashboard=dashboard)
    except Exception as error:
        raise ClusterError(
            f"Ray did not start on this machine: {error} Close other notebooks (Kernel, Shut Down "
            "All Kernels) and try again; `python -m course_lib.preflight` says what is missing."
        ) from error


def _compare(cluster: Cluster, num_cpus: int | None, gpus: Gpus) -> None:
    """Say so when the cluster has less than was asked for, or was started with other sizes."""
    for wanted, has, what in (
        (num_cpus, cluster.num_cpus, "core"),
        (None if gpus == "auto" else gpus, cluster.num_gpus, "GPU"),
    ):
        if wanted is not None and wanted > has:
            print(f"You asked for {count(wanted, what)}; it has {has}, so work is sized to {has}.")
    if cluster.is_local and num_cpus is not None and num_cpus < cluster.num_cpus:
        print(
            f"You asked for {count(num_cpus, 'core')}, and this Ray already runs with "
            f"{cluster.num_cpus}. To change that: cluster.disconnect(), then connect() again."
        )
