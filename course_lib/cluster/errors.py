"""What goes wrong with a cluster."""

from course_lib.errors import CourseError

CONNECT_FIRST = "run connect() above first."


class ClusterError(CourseError, ConnectionError):
    """No cluster: the message says in one sentence what is wrong, and then what to do."""

    remedy = CONNECT_FIRST


class ClusterLostError(CourseError, ConnectionError):
    """The cluster went away while it was used; the message says what is kept."""

    reason = "The cluster is gone."
    remedy = "run connect() above first, then the cell that makes it."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.reason)
