"""Reaching a Ray elsewhere: which way in, what can go wrong, and a sentence for each of it.

Ways, best first:

* ``"driver"``: the notebook is the driver. It needs a Ray node beside it: the one that is there
  when the notebook runs on a machine of the cluster, else this machine becomes a guest of the
  cluster (:mod:`course_lib.cluster.guest`). Everything works as with a local Ray.
* ``"client"``: the Ray client (``ray://``), through one port of the head. For tasks and actors;
  Tune and RLlib run on the head then, and show no live progress here.
"""

import os
import sys
import time
from dataclasses import dataclass
from typing import Any, Literal

from course_lib.cluster import endpoint, ray_inside, start, travel, waiting
from course_lib.cluster.address import CLIENT_PORT, GCS_PORT, Target
from course_lib.cluster.errors import ClusterError
from course_lib.cluster.guest import Guest, join

Way = Literal["driver", "client"]
JOIN_S = 180.0  # a quiet machine takes 6 s
ANSWER_S = 180.0  # quiet machines take 5 s, the first time


@dataclass
class Link:
    """A connection that was made.

    Attributes:
        way: how.
        dashboard_url: empty if there is none.
        guest: this machine's own node, if it became a guest.
    """

    way: Way
    dashboard_url: str = ""
    guest: Guest | None = None


def reach(target: Target, timeout_s: float) -> Link:
    """Connect to the Ray at ``target``, which is not a local one; say what is to know about it.

    Args:
        target: ``host:port`` or ``ray://host:port``, or ``auto``.
        timeout_s: for the address to answer; Ray's own start comes on top.

    Raises:
        ClusterError: with the reason and the remedy.
    """
    ray_inside.outlive_head()
    if target.endpoint is None:
        return _drive(target, target.address, None)
    found = _inspect(target, timeout_s)
    if found.is_open:
        print(
            "This cluster asks for no token: whoever reaches it can run code on it and read what "
            "you send. Tell whoever runs it (docs/cluster.md, Security)."
        )
    host, port = target.endpoint
    if found.kind == "gcs":
        return _drive(target, f"{host}:{port}", host)
    better = _own_port(host)
    if better:
        try:
            return _drive(target, better, host)
        except ClusterError as error:
            print(f"Going through the Ray client, because this failed: {error}")
    return _through_client(target)


def _inspect(target: Target, timeout_s: float) -> endpoint.Endpoint:
    assert target.endpoint is not None
    host, port = target.endpoint
    started = time.monotonic()
    reason = start.reachable(host, port, timeout_s)
    if reason:
        raise ClusterError(
            f"Nothing listens at {host} port {port} (from {target.source}): {reason}. Check that "
            "the cluster runs and that the address is right, or call connect('local') to work on "
            "this machine."
        )
    left = max(1.0, timeout_s - (time.monotonic() - started))
    found = endpoint.identify(host, port, left)
    complaint = complain(target, found, endpoint.token(), endpoint.here())
    if complaint:
        raise ClusterError(complaint)
    return found


def complain(target: Target, found: endpoint.Endpoint, mine: str, here: tuple[str, str]) -> str:
    """Return what is wrong with what was found, and the remedy; an empty text if nothing is.

    Args:
        target: what was asked for.
        found: what is there.
        mine: this machine's token, empty if it has none.
        here: the versions of Ray and Python on this machine.
    """
    assert target.endpoint is not None
    host, port = target.endpoint
    client = target.address.startswith("ray://")
    if found.kind == "other":
        return (
            f"Something listens at {host} port {port} (from {target.source}), and it is no Ray "
            f"that this notebook can use: the dashboard's port is 8265. Give '{host}:{GCS_PORT}' "
            f"or 'ray://{host}:{CLIENT_PORT}'."
        )
    if client and found.kind == "gcs":
        return (
            f"{host} port {port} is the cluster's own port, not the Ray client's. Write "
            f"'{host}:{port}' without 'ray://', or 'ray://{host}:{CLIENT_PORT}'."
        )
    if not client and found.kind == "client":
        return (
            f"{host} port {port} is the Ray client's port. Write 'ray://{host}:{port}', or "
            f"'{host}:{GCS_PORT}' for the cluster's own port."
        )
    return _complain_token(host, found, mine) or _complain_versions(host, found, here)


def _complain_token(host: str, found: endpoint.Endpoint, mine: str) -> str:
    if found.takes_token:
        return ""
    if os.environ.get(endpoint.MODE, "").lower() == "disabled":
        return (
            f"The cluster at {host} asks for a token, and {endpoint.MODE}=disabled forbids this "
            f"notebook to show one. Set {endpoint.MODE}=token, restart the kernel, run again."
        )
    where = "the file ~/.ray/auth_token, or into the variable RAY_AUTH_TOKEN"
    if mine:
        return (
            f"The cluster at {host} does not take this machine's token: it belongs to another "
            f"cluster. Ask whoever runs it for the token, put it into {where}, restart the kernel."
        )
    return (
        f"The cluster at {host} asks for a token, and this machine has none. Ask whoever runs it, "
        f"put it into {where}, restart the kernel, run again."
    )


def _complain_versions(host: str, found: endpoint.Endpoint, here: tuple[str, str]) -> str:
    for name, there, mine in zip(("Ray", "Python"), found.versions, here, strict=True):
        same = there == mine or (name == "Python" and _minor(there) == _minor(mine))
        if there and not same:
            return (
                f"The cluster at {host} runs {name} {there}, this notebook {name} {mine}, and the "
                f"two must be equal. Use a cluster with {name} {mine} (its image, or "
                f"requirements.lock), or a kernel with {name} {there}."
            )
    return ""


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]


def _own_port(host: str) -> str:
    """Return the cluster's own address if this notebook can use it, for a client's host."""
    if start.reachable(host, GCS_PORT, 1.0):
        return ""
    found = endpoint.identify(host, GCS_PORT, 3.0)
    fits = found.kind == "gcs" and found.takes_token
    fits = fits and not _complain_versions(host, found, endpoint.here())
    return f"{host}:{GCS_PORT}" if fits else ""


def _drive(target: Target, gcs: str, host: str | None) -> Link:
    """Connect as the driver, with a node of the cluster beside it."""
    inside = host is None or ray_inside.has_node(host, gcs)
    link = Link("driver")
    try:
        use_token()
        if not inside:
            with waiting.turn(), waiting.told("This machine joins the cluster", JOIN_S):
                link.guest = join(gcs, JOIN_S)
        link.dashboard_url = _connect(gcs, link)
    except BaseException as error:
        leave(link)
        if isinstance(error, ClusterError) or not isinstance(error, Exception):
            raise
        raise ClusterError(
            f"Ray at {target.address} (from {target.source}) answers, but this machine could not "
            f"join it: {error}. The cluster's machines must reach this one too; where they cannot, "
            f"use 'ray://HOST:{CLIENT_PORT}', or a notebook on the cluster (docs/cluster.md)."
        ) from error
    return link


def _connect(gcs: str, link: Link) -> str:
    options: dict[str, Any] = {"runtime_env": travel.runtime_env()}
    if link.guest:
        options[ray_inside.NODE_FOLDER] = str(link.guest.folder)
    url = start.attach(gcs, **options)
    if _provide():  # processes that run already do not see what is new
        start.leave([])
        url = start.attach(gcs, **options)
    from course_lib.cluster import storage  # loads pyarrow

    storage.open_disk()
    return url


def _provide() -> bool:
    """Install what the machines that work lack; asking also says whether they reach this one."""
    needed = travel.closure()
    working = travel.working_nodes()
    try:
        with waiting.told("The cluster's machines prepare", ANSWER_S):
            asked = dict.fromkeys(working, (needed,))
            found = travel.on_each(travel.lacking, asked, ANSWER_S)
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"course_lib did not reach the workers ({error}). Look at the log "
            "runtime_env_agent.log on the node; free space in its /tmp is the usual reason."
        ) from error
    lacking = {node: (missing, travel.added(needed)) for node, missing in found.items() if missing}
    if not lacking:
        return False
    names = ", ".join(sorted({name for missing, _ in lacking.values() for name in missing}))
    print(f"Installing on {len(lacking)} of {len(working)} workers, once: {names} ...", flush=True)
    for complaint in travel.on_each(travel.install, lacking, 900).values():
        if complaint:
            raise ClusterError(
                f"A worker lacks {names}, and its pip says: {complaint} Use an image that has "
                "these packages, or run `make setup` there (docs/cluster.md)."
            )
    return True


def _through_client(target: Target) -> Link:
    try:
        use_token()
        url = start.attach(target.address, runtime_env=travel.runtime_env())
    except Exception as error:
        start.leave([])
        raise ClusterError(_client_failure(target, error)) from error
    print(
        "Connected through the Ray client: tasks and actors work as always; Tune and RLlib belong "
        "into a notebook on the cluster, or into a job (docs/cluster.md)."
    )
    return Link("client", dashboard_url=url)


def _client_failure(target: Target, error: Exception) -> str:
    text = str(error)
    if "ersion" in text and "mismatch" in text.lower():
        return (
            f"The cluster at {target.address} and this notebook run different versions: {text} "
            "Use a cluster with this course's versions (its image, or requirements.lock)."
        )
    return (
        f"Ray at {target.address} (from {target.source}) did not take the connection: {text}. "
        "Check that its Python and Ray versions are those of this machine, or call "
        "connect('local') to work here."
    )


def use_token() -> None:
    """Show this machine's token, unless the learner has said how."""
    if endpoint.token() and not os.environ.get(endpoint.MODE, "").strip():
        ray_inside.show_token()


def leave(link: Link) -> None:
    """Close the connection and stop this machine's own node."""
    storage = sys.modules.get("course_lib.cluster.storage")
    if storage is not None:
        storage.close_disk()
    start.leave([])
    if link.guest is not None:
        link.guest.leave()
