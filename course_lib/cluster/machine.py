"""What this machine can give: cores, memory, shared memory, GPUs. Containers' limits count."""

import contextlib
import math
import os
import shutil
import subprocess
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")
SHARED_MEMORY = Path("/dev/shm")


def usable_cores(cgroup: Path = CGROUP) -> int:
    """Return the cores that this process may use, at least 1.

    Affinity and a container's CPU quota both count: on a shared hub they are often far below the
    number that the host has.

    Args:
        cgroup: folder of the control group's files; another one for tests.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, cores if quota is None else min(cores, math.ceil(quota)))


def _quota(cgroup: Path) -> float | None:
    """Return the cores that the control group allows, or None if it sets no limit."""
    try:
        if (cgroup / "cpu.max").exists():
            limit, period = (cgroup / "cpu.max").read_text().split()[:2]
        else:
            limit = (cgroup / "cpu/cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text()
        return int(limit) / int(period) if int(limit) > 0 else None
    except (OSError, ValueError):
        return None


def memory_bytes(cgroup: Path = CGROUP) -> tuple[int, int]:
    """Return the memory (total, available) in bytes, within a container's limit if there is one.

    Args:
        cgroup: folder of the control group's files; another one for tests.
    """
    memory = psutil.virtual_memory()
    for limit_name, used_name in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            limit = int((cgroup / limit_name).read_text())
            used = int((cgroup / used_name).read_text())
        except (OSError, ValueError):
            continue
        if limit < memory.total:
            return limit, max(0, min(memory.available, limit - used))
    return memory.total, memory.available


def shared_memory_bytes() -> int | None:
    """Return the free bytes of ``/dev/shm``, or None where there is no such folder."""
    return shutil.disk_usage(SHARED_MEMORY).free if SHARED_MEMORY.is_dir() else None


def gpu_names(timeout_s: float = 5.0) -> list[str]:
    """Return the names of the NVIDIA GPUs that this process may use; empty if there is none.

    Asks ``nvidia-smi``, which comes with the driver, so PyTorch need not be imported.

    Args:
        timeout_s: a driver that hangs counts as no GPU after this many seconds.
    """
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
    except (OSError, subprocess.TimeoutExpired):
        return []
    names = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode != 0:
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return names
    chosen = [part for part in visible.split(",") if part.strip() not in ("", "-1", "NoDevFiles")]
    return names[: len(chosen)]


def running(process: psutil.Process) -> bool:
    """Whether a process still runs; one that ended and was not collected does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def end(processes: list[psutil.Process]) -> None:
    """Kill those of ``processes`` that still run, and wait until they are gone."""
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(processes, timeout=5)


def load() -> str:
    """Return how busy this machine is, as text."""
    wanted, cores = psutil.getloadavg()[0], psutil.cpu_count() or 1
    text = f"{wanted:.1f} processes want its {cores} core{'s' * (cores > 1)}"
    return f"this machine is busy: {text}" if wanted > cores else f"load: {text}"


def gibibytes(size: float) -> str:
    """Return a number of bytes as text, such as ``'23.4 GiB'``."""
    return f"{size / 2**30:.1f} GiB"
