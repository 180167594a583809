"""The connection to Ray: :func:`connect` and what it returns."""

import time
from typing import Literal, Self

import psutil

from course_lib.cluster import machine, start
from course_lib.cluster.address import LOCAL, Target, resolve

Gpus = Literal["auto"] | int


class ClusterError(ConnectionError):
    """No cluster: the message says in one sentence what is wrong, and then what to do."""


class Cluster:
    """A connection to Ray. Made by :func:`connect`; usable in a ``with`` statement.

    Attributes:
        target: what it is connected to.
        seconds: how long connecting took.
        num_nodes: machines in the cluster when the connection was made.
        num_cpus: cores of all nodes.
        num_gpus: GPUs of all nodes.
        memory_bytes: memory that Ray may give to tasks and actors.
        dashboard_url: address of the dashboard, empty if there is none.
    """

    def __init__(
        self,
        target: Target,
        seconds: float,
        dashboard_url: str = "",
        children: list[psutil.Process] | None = None,
    ):
        import ray

        nodes = [node for node in ray.nodes() if node["Alive"]]
        resources = ray.cluster_resources()
        self.target, self.seconds = target, seconds
        self.num_nodes = len(nodes)
        self.num_cpus = int(resources.get("CPU", 0))
        self.num_gpus = int(resources.get("GPU", 0))
        self.memory_bytes = int(resources.get("memory", 0))
        self.dashboard_url = f"http://{dashboard_url}" if dashboard_url else ""
        self._children = children or []
        self._open = True

    @property
    def is_local(self) -> bool:
        """Whether Ray was started on this machine for this notebook."""
        return self.target.address == LOCAL

    @property
    def alive(self) -> bool:
        """Whether the connection still works; asks Ray, and gives it 5 seconds."""
        ray = start.loaded_ray()
        if not self._open or ray is None or not ray.is_initialized():
            return False
        return all(map(start.running, self._children)) and start.answers(ray.nodes, 5.0)

    def fit(self, wanted: int, *, cpus_each: float = 1, gpus_each: float = 0) -> int:
        """Return how many of ``wanted`` tasks or actors run at once, and say so if not all.

        Ray lets work that does not fit wait without a word, so ask before starting it.

        Args:
            wanted: number of tasks or actors, at least 1.
            cpus_each: cores that each of them takes, 0 or more.
            gpus_each: GPUs that each of them takes, 0 or more; fractions share one.

        Raises:
            ValueError: if an argument is out of range, or not even one fits.
        """
        if wanted < 1 or cpus_each < 0 or gpus_each < 0:
            raise ValueError(
                "wanted must be at least 1, cpus_each and gpus_each at least 0, got "
                f"{wanted}, {cpus_each} and {gpus_each}"
            )
        has = f"{self.num_cpus} cores and {self.num_gpus} GPUs"
        each = f"{cpus_each:g} cores and {gpus_each:g} GPUs each"
        fits = wanted
        for have, need in ((self.num_cpus, cpus_each), (self.num_gpus, gpus_each)):
            fits = min(fits, int(have / need + 1e-9)) if need else fits
        if fits < 1:
            raise ValueError(f"not one fits: {each}, but this Ray has {has}; ask for less")
        if fits < wanted:
            print(f"{fits} of {wanted} run at the same time ({each}; this Ray has {has}).")
        return fits

    def disconnect(self) -> None:
        """Leave the cluster; a local Ray is stopped. Harmless when already left."""
        if self._open:
            self._open = False
            start.leave(self._children)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    def __str__(self) -> str:
        where = "a local Ray on this machine" if self.is_local else f"Ray at {self.target.address}"
        nodes = "" if self.is_local else f"{_count(self.num_nodes, 'node')}, "
        return (
            f"{where}: {nodes}{_count(self.num_cpus, 'core')}, {_count(self.num_gpus, 'GPU')}, "
            f"{machine.gibibytes(self.memory_bytes)} memory"
        )

    def __repr__(self) -> str:
        return f"<Cluster, {self if self._open else 'disconnected'}>"

    def _repr_html_(self) -> str:
        if not self._open:
            return "<p>Disconnected; run <code>cluster = connect()</code> again.</p>"
        url = self.dashboard_url
        rows = {
            "Ray": "local, on this machine" if self.is_local else self.target.address,
            "Nodes": self.num_nodes,
            "Cores": self.num_cpus,
            "GPUs": self.num_gpus,
            "Memory": machine.gibibytes(self.memory_bytes),
            "Dashboard": _dashboard_html(url) if url else "none",
        }
        cells = "".join(f'<tr><th scope="row">{k}</th><td>{v}</td></tr>' for k, v in rows.items())
        return f"<table>{cells}</table>"


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
        verb = "Leaving" if _current.target != target else "No answer any more from"
        print(f"{verb} {_current}. Its actors and stored objects are gone.")
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
    children: list[psutil.Process] = []
    if target.address == LOCAL:
        print("Starting a local Ray, usually 5 to 15 seconds ...", flush=True)
        url, children = _start_here(num_cpus, gpus, dashboard)
    else:
        print(f"Connecting to Ray at {target.address} ...", flush=True)
        _probe(target, timeout_s)
        try:
            url = start.attach(target.address)
        except Exception as error:
            start.leave([])
            raise ClusterError(
                f"Ray at {target.address} (from {target.source}) did not take the connection: "
                f"{error}. Check that its Python and Ray versions are those of this machine, or "
                f"call connect('local') to work here."
            ) from error
    return Cluster(target, time.perf_counter() - started, url, children)


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


def _probe(target: Target, timeout_s: float) -> None:
    """Knock at the port first: Ray itself would try a dead address for minutes."""
    if target.endpoint is None:
        return
    host, port = target.endpoint
    reason = start.reachable(host, port, timeout_s)
    if reason:
        raise ClusterError(
            f"Nothing listens at {host} port {port} (from {target.source}): {reason}. Check that "
            "the cluster runs and that the address is right, or call connect('local') to work on "
            "this machine."
        )


def _compare(cluster: Cluster, num_cpus: int | None, gpus: Gpus) -> None:
    """Say so when the cluster has less than was asked for, or was started with other sizes."""
    for wanted, has, what in (
        (num_cpus, cluster.num_cpus, "core"),
        (None if gpus == "auto" else gpus, cluster.num_gpus, "GPU"),
    ):
        if wanted is not None and wanted > has:
            print(f"You asked for {_count(wanted, what)}; it has {has}, so work is sized to {has}.")
    if cluster.is_local and num_cpus is not None and num_cpus < cluster.num_cpus:
        print(
            f"You asked for {_count(num_cpus, 'core')}, and this Ray already runs with "
            f"{cluster.num_cpus}. To change that: cluster.disconnect(), then connect() again."
        )


def _dashboard_html(url: str) -> str:
    return (
        f'<a href="{url}" target="_blank" rel="noopener">{url}</a> (asks for a token: paste the '
        "line in the file <code>.ray/auth_token</code> of your home folder)"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
