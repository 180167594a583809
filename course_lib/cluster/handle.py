"""What :func:`course_lib.cluster.connect` returns: the connection, and what it has."""

from typing import Any, Self

import psutil

from course_lib.cluster import endpoint, gpu, machine, remote, start, tasks, travel, watch
from course_lib.cluster.address import LOCAL, Target
from course_lib.cluster.errors import ClusterError

WAYS = {
    LOCAL: "a Ray of this notebook's own",
    "driver": "this notebook drives the cluster",
    "client": "Ray client: for tasks and actors",
}


class Cluster:
    """A connection to Ray. Made by :func:`connect`; usable in a ``with`` statement.

    Attributes:
        target: what it is connected to.
        seconds: how long connecting took.
        way: ``"local"``, ``"driver"`` or ``"client"``, see :mod:`course_lib.cluster.remote`.
        num_nodes: machines that do work, when the connection was made.
        num_cpus: cores of all nodes.
        num_gpus: GPUs of all nodes.
        memory_bytes: memory that Ray may give to tasks and actors.
        dashboard_url: address of the dashboard, empty if there is none.
        lost: whether the cluster went away while it was used.
    """

    def __init__(
        self,
        target: Target,
        seconds: float,
        dashboard_url: str = "",
        children: list[psutil.Process] | None = None,
        link: remote.Link | None = None,
    ):
        import ray

        resources = ray.cluster_resources()
        self.target, self.seconds = target, seconds
        self.way = link.way if link else LOCAL
        self.num_nodes = len(travel.working_nodes())
        self.num_cpus = int(resources.get("CPU", 0))
        self.num_gpus = int(resources.get("GPU", 0))
        self.memory_bytes = int(resources.get("memory", 0))
        bare = dashboard_url.removeprefix("http://")
        self.dashboard_url = f"http://{bare}" if bare else ""
        self._children, self._link = children or [], link
        self._gcs = "" if self.way == "client" else ray.get_runtime_context().gcs_address
        self.lost = False
        self._watch = self._look_after()
        self._open = True

    @property
    def is_local(self) -> bool:
        """Whether Ray was started on this machine for this notebook."""
        return self.target.address == LOCAL

    @property
    def alive(self) -> bool:
        """Whether the connection still works; asks Ray, and gives it 5 seconds."""
        ray = start.loaded_ray()
        if not self._open or self.lost or ray is None or not ray.is_initialized():
            return False
        guest = self._link.guest if self._link else None
        if (guest and not guest.running) or not all(map(machine.running, self._children)):
            return False
        if self._gcs:
            return endpoint.alive(self._gcs, 5.0)
        return self.target.endpoint is None or not start.reachable(*self.target.endpoint, 5.0)

    @property
    def storage_filesystem(self) -> Any:
        """What Tune takes as ``storage_filesystem``: how the results of workers come home.

        None, which is Tune's own way, where the workers share this notebook's disk.
        """
        if self.way != "driver" or not self._open or self.lost:
            return None
        from course_lib.cluster import storage  # loads pyarrow

        return storage.HomeDisk()

    def _look_after(self) -> watch.Watch | None:
        children = self._children
        if self.way == "driver":
            return watch.Watch(
                answers=lambda: endpoint.alive(self._gcs, watch.PERIOD_S),
                nodes=travel.working_nodes,
                lost=self._say_lost,
                let_go=self._close,
            )
        if children:
            return watch.Watch(
                answers=lambda: all(map(machine.running, children)),
                nodes=dict,
                lost=self._say_lost,
                let_go=self._close,
                limit_s=0.0,
            )
        return None

    def _close(self) -> None:
        if self._link is not None:
            remote.leave(self._link)
        else:
            start.leave(self._children)

    def _say_lost(self) -> str:
        from course_lib.cluster import storage

        self.lost = True
        if self.is_local:
            return (
                "The Ray of this notebook is gone: one of its processes ended, often because the "
                "memory was full. What was written to the disk is kept. Run connect() again."
            )
        kept = ", ".join(storage.used()) or "nothing was written yet"
        return (
            f"The cluster at {self.target.address} is gone: its head has not answered for "
            f"{watch.LIMIT_S:g} s. Kept on this machine: {kept}. Run connect() again; then "
            "`tune.Tuner.restore(folder, ..., storage_filesystem=cluster.storage_filesystem)` goes "
            "on with an experiment, `runs.load` with a checkpoint."
        )

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

    gather = staticmethod(tasks.gather)

    def place_learner(self, gpus: gpu.Wish = "auto") -> gpu.LearnerPlace:
        """Return where an RLlib learner computes: ``config.learners(**place.settings)``.

        Args:
            gpus: ``"auto"`` takes a GPU if there is one; 0 and 1 insist.

        Raises:
            ValueError: if a GPU is asked for and there is none.
        """
        here = len(machine.gpu_names())
        return gpu.place_learner(gpus, in_cluster=self.num_gpus, here=here, local=self.is_local)

    def gpu_share(self, at_once: int) -> float:
        """Return the part of a GPU for each of ``at_once`` trials, 0 if there is none."""
        return gpu.share(self.num_gpus, at_once)

    def disconnect(self) -> None:
        """Leave the cluster, and say so; a local Ray is stopped. Harmless when already left.

        Raises:
            ClusterError: if Ray cannot let go, because the network to the cluster is down.
        """
        if self._open:
            self._let_go()
            print(f"Left {self._where}.")

    def _let_go(self) -> None:
        if self._open:
            if self._watch is not None and not self._watch.stop():
                raise ClusterError(
                    f"Ray cannot let go of the cluster at {self.target.address} while the network "
                    "to it is down. Run this cell again when it is back; or restart the kernel, "
                    "and connect('local') works without the cluster."
                )
            self._open = False
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()

    @property
    def _where(self) -> str:
        return "a local Ray on this machine" if self.is_local else f"Ray at {self.target.address}"

    def __str__(self) -> str:
        nodes = "" if self.is_local else f"{count(self.num_nodes, 'node')}, "
        return (
            f"{self._where}: {nodes}{count(self.num_cpus, 'core')}, {count(self.num_gpus, 'GPU')}, "
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
            "Way": WAYS[self.way],
            "Nodes": self.num_nodes,
            "Cores": self.num_cpus,
            "GPUs": self.num_gpus,
            "Memory": machine.gibibytes(self.memory_bytes),
            "Dashboard": _dashboard_html(url) if url else "none",
        }
        cells = "".join(f'<tr><th scope="row">{k}</th><td>{v}</td></tr>' for k, v in rows.items())
        return f"<table>{cells}</table>"


def _dashboard_html(url: str) -> str:
    return (
        f'<a href="{url}" target="_blank" rel="noopener">{url}</a> (asks for a token: paste the '
        "line in the file <code>.ray/auth_token</code> of your home folder)"
    )


def count(number: int, noun: str) -> str:
    """Return such as ``"1 core"`` and ``"2 cores"``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
