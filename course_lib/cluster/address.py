"""Which Ray is meant: the argument, the environment variables, or one on this machine."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

LOCAL = "local"
GCS_PORT = 6379  # the cluster's own port
CLIENT_PORT = 10001


@dataclass(frozen=True)
class Target:
    """Where to connect to, and who said so.

    Attributes:
        address: ``"local"``, ``"auto"``, ``"host:port"`` or ``"ray://host:port"``.
        source: what it was taken from, for messages.
    """

    address: str
    source: str

    @property
    def endpoint(self) -> tuple[str, int] | None:
        """The host and port to reach, or None for a Ray on this machine."""
        match = re.fullmatch(r"(?:ray://)?(\[[^\]]+\]|[^\[\]:/@?#\s]+):(\d{1,5})", self.address)
        return (match[1].strip("[]"), int(match[2])) if match else None


def resolve(address: str | None = None, environment: Mapping[str, str] | None = None) -> Target:
    """Return the cluster to connect to: argument, ``RAY_ADDRESS``, head service, else local.

    Args:
        address: what :func:`connect` was given.
        environment: environment variables; those of this process if not given.

    Raises:
        ValueError: if the address found first is not one that Ray knows.
    """
    env = os.environ if environment is None else environment
    host = env.get("RAY_HEAD_SERVICE_HOST", "").strip()
    port = env.get("RAY_HEAD_SERVICE_PORT", "").strip() or str(CLIENT_PORT)
    if address is not None:
        found = Target(str(address).strip(), "the argument `address`")
    elif env.get("RAY_ADDRESS", "").strip():
        found = Target(env["RAY_ADDRESS"].strip(), "the environment variable RAY_ADDRESS")
    elif host:
        host = f"[{host}]" if ":" in host else host
        found = Target(f"ray://{host}:{port}", "RAY_HEAD_SERVICE_HOST and RAY_HEAD_SERVICE_PORT")
    else:
        found = Target(LOCAL, "no address is set")
    _check_address(found)
    return found


def _check_address(target: Target) -> None:
    if target.address in (LOCAL, "auto"):
        return
    if target.address.startswith(("http://", "https://")):
        raise ValueError(
            f"{target.source} is {target.address!r}, which is the dashboard's address; give "
            f"'ray://HOST:{CLIENT_PORT}' (Ray client) or 'HOST:6379' (on a machine of the cluster)"
        )
    if target.endpoint is None or not 0 < target.endpoint[1] < 65536:
        raise ValueError(
            f"{target.source} must be 'local', 'auto', 'HOST:PORT' or 'ray://HOST:PORT' with a "
            f"port from 1 to 65535, got {target.address!r}"
        )
