"""What listens at an address, asked in seconds and before Ray itself is.

Ray tries a wrong address for minutes and then speaks of time-outs. The two ports that matter speak
gRPC, so one question each tells them apart: the cluster's own port (GCS, usually 6379) and the Ray
client's (usually 10001). The answer also says whether a token is needed, and which versions run.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from course_lib.cluster import ray_inside
from course_lib.cluster.errors import ClusterError
from course_lib.cluster.start import load_ray

Kind = Literal["gcs", "client", "other"]
MODE, TOKEN, TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"


@dataclass(frozen=True)
class Endpoint:
    """What was found.

    Attributes:
        kind: ``"gcs"``, ``"client"``, or ``"other"`` for what is no Ray.
        takes_token: whether this machine's token, or none, was accepted.
        is_open: whether it answers without a token: everybody who reaches it may run code.
        versions: Ray's and Python's, such as ``("2.60.0", "3.12.1")``; empty texts if unknown.
    """

    kind: Kind
    takes_token: bool = True
    is_open: bool = False
    versions: tuple[str, str] = ("", "")


def token(environment: Mapping[str, str] | None = None) -> str:
    """Return the token that Ray would show, or an empty text if there is none.

    Ray looks into ``RAY_AUTH_TOKEN``, then the file named by ``RAY_AUTH_TOKEN_PATH``, then
    ``~/.ray/auth_token``. With ``RAY_AUTH_MODE=disabled`` it shows none.

    Args:
        environment: environment variables; those of this process if not given.
    """
    env = os.environ if environment is None else environment
    if env.get(MODE, "").lower() == "disabled":
        return ""
    if env.get(TOKEN, "").strip():
        return env[TOKEN].strip()
    path = env.get(TOKEN_PATH, "").strip() or "~/.ray/auth_token"
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def identify(host: str, port: int, timeout_s: float = 5.0) -> Endpoint:
    """Ask what listens at ``host:port``.

    Args:
        host: a name or an address.
        port: where something accepts connections.
        timeout_s: for each of up to three questions; only a busy machine or no Ray needs it.
    """
    load_ray()
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    code, answer = _ask_gcs(where, token(), timeout_s)
    if code == "UNAUTHENTICATED":
        return Endpoint("gcs", takes_token=False)
    if code == "OK":
        is_open = not token() or _ask_gcs(where, "", timeout_s)[0] == "OK"
        return Endpoint("gcs", is_open=is_open, versions=_versions(answer))
    if code != "UNIMPLEMENTED":
        return Endpoint("other")
    greeting = ray_inside.client_question
    code, _ = _ask(where, greeting, token(), timeout_s)
    if code in ("UNIMPLEMENTED", "UNAVAILABLE", "DEADLINE_EXCEEDED"):
        return Endpoint("other")
    if code == "UNAUTHENTICATED":
        return Endpoint("client", takes_token=False)
    is_open = not token() or _ask(where, greeting, "", timeout_s)[0] != "UNAUTHENTICATED"
    return Endpoint("client", is_open=is_open)


def alive(gcs: str, timeout_s: float) -> bool:
    """Whether the cluster at ``gcs`` (``host:port``) answers within ``timeout_s``."""
    return _ask_gcs(gcs, token(), timeout_s)[0] == "OK"


def here() -> tuple[str, str]:
    """The versions of Ray and Python in this process."""
    import ray

    return ray.__version__, ".".join(map(str, sys.version_info[:3]))


def _versions(answer: bytes) -> tuple[str, str]:
    try:
        found = json.loads(answer)
        return str(found["ray_version"]), str(found["python_version"])
    except (ValueError, KeyError, TypeError):
        return "", ""


def _ask_gcs(where: str, shown: str, timeout_s: float) -> tuple[str, bytes]:
    """Ask for the note about itself that every cluster keeps; return gRPC's word and the note."""
    code, reply = _ask(where, ray_inside.metadata_question, shown, timeout_s)
    return code, reply.value if reply is not None else b""


def _ask(
    where: str, question: Callable[[Any], Any], shown: str, timeout_s: float
) -> tuple[str, Any]:
    import grpc

    with _channel(where) as channel:
        method, request = question(channel)
        metadata = [("client_id", "probe")]
        metadata += [("authorization", f"Bearer {shown}")] if shown else []
        try:
            return "OK", method(request, timeout=timeout_s, metadata=metadata)
        except grpc.RpcError as error:
            return error.code().name, None


def _channel(where: str) -> Any:
    """Return a gRPC channel, encrypted if the variables of Ray's TLS say so."""
    import grpc

    options = [("grpc.enable_http_proxy", 0)]  # as Ray: a proxy for web pages is none for this
    if os.environ.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):
        return grpc.insecure_channel(where, options)
    names = ("RAY_TLS_CA_CERT", "RAY_TLS_SERVER_KEY", "RAY_TLS_SERVER_CERT")
    if lacking := [name for name in names if name not in os.environ]:
        raise ClusterError(f"RAY_USE_TLS is set, and {', '.join(lacking)} not: set it too.")
    authority, key, chain = (Path(os.environ[name]).read_bytes() for name in names)
    identity = grpc.ssl_channel_credentials(authority, key, chain)
    return grpc.secure_channel(where, identity, options)
