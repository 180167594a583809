"""One call that gives a notebook its Ray: a cluster elsewhere, or one on this machine.

    from course_lib.cluster import connect
    cluster = connect()

The address comes from the argument, then from ``RAY_ADDRESS``, then from
``RAY_HEAD_SERVICE_HOST`` with ``RAY_HEAD_SERVICE_PORT``. If none is set, one is started here: sized
to the machine, listening on the loopback interface only, where no other machine can reach it.
"""

from course_lib.cluster.address import Target, resolve
from course_lib.cluster.connection import connect, storage_filesystem
from course_lib.cluster.errors import ClusterError, ClusterLostError
from course_lib.cluster.handle import Cluster

__all__ = [
    "Cluster", "ClusterError", "ClusterLostError", "Target", "connect", "resolve",
    "storage_filesystem",
]  # fmt: skip
