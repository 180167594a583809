"""The connection to Ray: :func:`connect` and what it returns."""

import contextlib
import math
import os
import time
from dataclasses import dataclass
from typing import Any, Literal

import psutil

from course_lib.cells import StoppedError
from course_lib.cluster import machine, ray_inside, remote, start, waiting
from course_lib.cluster.address import LOCAL, Target, resolve
from course_lib.cluster.errors import CONNECT_FIRST, ClusterError
from course_lib.cluster.handle import Cluster, count

Gpus = Literal["auto"] | int


_current: Cluster | None = None  # Ray allows one connection per process; this is its description.


def connect(
    address: str | None = None,
    *,
    num_cpus: int | None = None,
    gpus: Gpus = "auto",
    timeout_s: float = 10.0,
    start_s: float | None = None,
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
        start_s: seconds that a Ray that is started here may take, once no other start runs on
            this machine; if not given, the variable ``COURSE_RAY_START_S``, else 180.

    Raises:
        ValueError: if an argument or an environment variable is not usable.
        ClusterError: if nothing can be reached or started; the message says what to do.
    """
    try:
        seconds = _seconds("timeout_s", timeout_s), _patience(start_s)
        return _connect(address, _Wishes(num_cpus, gpus, *seconds, dashboard))
    except KeyboardInterrupt as error:
        stopped = StoppedError("connect() was stopped before it was done. Run this cell again.")
        _mark(stopped)
        raise stopped from error
    except Exception as error:
        _mark(error)
        raise


def _mark(error: Any) -> None:
    """Let a notebook know: what a cell made with an older cluster is of no use any more."""
    error.remedy, error.takes_back = CONNECT_FIRST, True


def storage_filesystem() -> Any:
    """Return what Tune takes as ``storage_filesystem``; see :class:`course_lib.cluster.Cluster`."""
    return None if _current is None else _current.storage_filesystem


@dataclass(frozen=True)
class _Wishes:
    """What :func:`connect` was asked for, checked."""

    num_cpus: int | None
    gpus: Gpus
    timeout_s: float
    start_s: float
    dashboard: bool

    def __post_init__(self) -> None:
        if self.num_cpus is not None and not (_whole(self.num_cpus) and self.num_cpus >= 1):
            raise ValueError(
                f"num_cpus must be a whole number of at least 1, got {self.num_cpus!r}; "
                "leave it out to get all cores"
            )
        if self.gpus != "auto" and not (_whole(self.gpus) and self.gpus >= 0):
            raise ValueError(
                f"gpus must be 'auto' or a whole number of at least 0, got {self.gpus!r}"
            )


def _whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def _patience(start_s: float | None) -> float:
    variable = os.environ.get("COURSE_RAY_START_S", "").strip()
    if start_s is None and variable:
        return _seconds("the environment variable COURSE_RAY_START_S", variable)
    return _seconds("start_s", start.LIMIT_S if start_s is None else start_s)


def _seconds(name: str, given: Any) -> float:
    """Return a time as a number; one without end is none."""
    with contextlib.suppress(TypeError, ValueError):
        if 0 < float(given) < math.inf:
            return float(given)
    raise ValueError(f"{name} must be above 0 seconds, got {given!r}")


def _connect(address: str | None, wishes: _Wishes) -> Cluster:
    global _current
    target = resolve(address)
    if _current is not None and _current.target == target and _current.alive:
        print(f"Still connected to {_current}.")
    else:
        _current = _adopt(target) or _open(target, wishes)
        link = f" Dashboard: {_current.dashboard_url}" if _current.dashboard_url else ""
        print(f"Connected to {_current}, in {_current.seconds:.1f} s.{link}")
    _compare(_current, wishes.num_cpus, wishes.gpus)
    return _current


def _adopt(target: Target) -> Cluster | None:
    """Take over a Ray that this process started by itself; close any other connection."""
    ray = start.loaded_ray()
    if _current is not None and _current._open:
        verb = "No answer any more from" if _current.target == target else "Leaving"
        print(f"{verb} {_current}. Its actors and stored objects are gone.", flush=True)
        if _current.lost:
            print("Letting go of it, up to a minute ...", flush=True)
        _current._let_go()
    elif ray is not None and ray.is_initialized():
        if target.address in (LOCAL, "auto"):
            return Cluster(target, 0.0, children=ray_inside.main_processes())
        start.leave([])
    return None


def _open(target: Target, wishes: _Wishes) -> Cluster:
    started = time.perf_counter()
    if target.address == LOCAL:
        print("Starting a local Ray, usually 5 to 15 seconds ...", flush=True)
        url, children = _start_here(wishes)
        return Cluster(target, time.perf_counter() - started, url, children)
    print(f"Connecting to Ray at {target.address}, usually 5 to 15 seconds ...", flush=True)
    link = remote.reach(target, wishes.timeout_s)
    return Cluster(target, time.perf_counter() - started, link.dashboard_url, link=link)


def _start_here(wishes: _Wishes) -> tuple[str, list[psutil.Process]]:
    """Start a Ray of the size that this machine has."""
    cores, found = machine.usable_cores(), len(machine.gpu_names())
    num_cpus = min(wishes.num_cpus or cores, cores)
    num_gpus = found if wishes.gpus == "auto" else min(wishes.gpus, found)
    try:
        return start.start_local(
            num_cpus, num_gpus, dashboard=wishes.dashboard, limit_s=wishes.start_s
        )
    except Exception as error:
        raise ClusterError(
            f"Ray did not start on this machine: {str(error).rstrip('.')}. {waiting.to_close()} "
            "Close other notebooks (Kernel, Shut Down All Kernels) and large programs, then run "
            "this cell again; `python -m course_lib.preflight` says what is missing."
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
