"""Execute one notebook in a folder of its own, for the tests; also a small program.

    python tests/notebook_runner.py NOTEBOOK RESULT.json [--allow-errors] [--offline]

``--offline`` first cuts this process off every network but its own loopback (Linux, root), so that
a notebook that reaches out fails as it would on a participant's train.
"""

import argparse
import ctypes
import fcntl
import json
import os
import socket
import struct
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


def cut_network() -> None:
    """Move this process into a network namespace where only loopback is up.

    Raises:
        OSError: if the machine does not allow it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(sock, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))


class PeakMemory(threading.Thread):
    """Watch the resident memory of this process and all that it started."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.done = threading.Event()

    def run(self) -> None:
        """Sample every half second until told to stop."""
        me = psutil.Process()
        while not self.done.wait(0.5):
            total = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except (psutil.Error, OSError):
                    continue
            self.peak_bytes = max(self.peak_bytes, total)


def execute(notebook: Path, *, allow_errors: bool = False, timeout_s: int = 600) -> dict:
    """Run all cells in the notebook's folder and say what happened.

    Returns:
        ``seconds``, ``peak_gib`` (proportional memory of all processes), ``errors`` (one dict per
        cell that raised: id, name, value), ``failure`` (text, empty if none) and ``notebook``.
    """
    content = nbformat.read(notebook, as_version=4)
    watch = PeakMemory()
    watch.start()
    started = time.perf_counter()
    client = NotebookClient(
        content,
        timeout=timeout_s,
        allow_errors=allow_errors,
        extra_arguments=["--Application.log_level=40"],  # no warnings about its own sockets
        resources={"metadata": {"path": str(notebook.parent)}},
    )
    failure = ""
    try:
        client.execute()
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
    watch.done.set()
    watch.join()
    errors = [
        {"id": cell.id, "name": output.ename, "value": output.evalue}
        for cell in content.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    return {
        "seconds": time.perf_counter() - started,
        "peak_gib": watch.peak_bytes / 2**30,
        "errors": errors,
        "failure": failure,
        "notebook": content,
    }


def main() -> int:
    """Run one notebook; write the result as JSON; return 0 if every cell ran."""
    parser = argparse.ArgumentParser(description="Execute one notebook.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--allow-errors", action="store_true")
    parser.add_argument("--offline", action="store_true")
    options = parser.parse_args()
    if options.offline:
        cut_network()
    result = execute(options.notebook.resolve(), allow_errors=options.allow_errors)
    options.result.write_text(json.dumps(result))
    return 1 if result["failure"] else 0


if __name__ == "__main__":
    sys.exit(main())
