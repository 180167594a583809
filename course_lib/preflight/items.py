"""The items of a preflight. Each function looks at one thing and returns a result."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from course_lib.preflight.child import ROOT, Child
from course_lib.preflight.report import FAIL, NOTE, OK, Result

GIB = 2**30
PYTHONS = ((3, 12), (3, 13))
RENDERING_LIMIT_S = 30.0
TORCH_LIMIT_S = 45.0
RAY_LIMIT_S = 90.0
RAY_SLOW_S = 25.0
ADDRESS_LIMIT_S = 3.0
EXTENSION = "@jupyter-widgets/jupyterlab-manager"


def python(version: tuple[int, int, int] | None = None) -> Result:
    """Python 3.12 or 3.13, 64 bits."""
    found = version or tuple(sys.version_info[:3])
    text = ".".join(map(str, found))
    if tuple(found[:2]) not in PYTHONS:
        fix = "in the folder of the course: make setup   (or: conda env create -f environment.yml)"
        return Result("Python", FAIL, f"{text}; the course needs 3.12 or 3.13", fix)
    if sys.maxsize <= 2**32:
        fix = "install a 64-bit Python 3.12, then: make setup"
        return Result("Python", FAIL, f"{text}, 32 bits; Ray and PyTorch need 64", fix)
    return Result("Python", OK, text)


def memory(total: int, available: int) -> Result:
    """Room for the largest notebook, which takes up to 6 GiB."""
    text = f"{available / GIB:.1f} GiB free of {total / GIB:.1f}"
    if available < 2 * GIB:
        fix = "close browsers and other programs, and other notebooks: Kernel, Shut Down All"
        return Result("Memory", FAIL, f"{text}; Ray and a training need 2", fix)
    if available < 6 * GIB:
        fix = "close other programs before notebooks 03 and 04"
        return Result("Memory", NOTE, f"{text}; the largest notebook takes up to 6", fix)
    return Result("Memory", OK, text)


def disk(free: dict[str, int] | None = None) -> Result:
    """Room for results, and for Ray's temporary files."""
    if free is None:
        folders = [str(ROOT), tempfile.gettempdir()]
        free = {folder: shutil.disk_usage(folder).free for folder in folders}
    folder, least = min(free.items(), key=lambda pair: pair[1])
    text = f"{least / GIB:.1f} GiB free at {folder}"
    fix = f'free some; what earlier runs left: du -sh ~/ray_results "{tempfile.gettempdir()}/ray"'
    if least < GIB:
        return Result("Disk", FAIL, f"{text}; the course needs 1", fix)
    if least < 5 * GIB:
        return Result("Disk", NOTE, f"{text}; 5 are comfortable", fix)
    return Result("Disk", OK, text)


def folder(place: Path | None = None) -> Result:
    """A course folder that takes your answers."""
    place = place or ROOT / "notebooks"
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        fix = f'copy the course into a folder of yours: cp -r "{ROOT}" ~/rl-course, and open that'
        detail = f"{place} cannot be written ({error.strerror}): answers are not saved there"
        return Result("Folder", NOTE, detail, fix)
    return Result("Folder", OK, f"{place} takes your answers")


def cores(number: int) -> Result:
    """Two cores, as the stated times assume."""
    if number < 2:
        fix = "nothing to do; on a hosted machine, choose the size with 2 cores"
        return Result("Cores", NOTE, "1: everything works, in up to twice the time stated", fix)
    return Result("Cores", OK, f"{number}")


def gpu(names: list[str], child: Child | None) -> Result:
    """A GPU that PyTorch can use; having none is fine."""
    if not names or child is None:
        return Result("GPU", OK, "none, and none is needed: the networks here are small")
    text = ", ".join(sorted(set(names))) if len(names) == 1 else f"{len(names)} x {names[0]}"
    try:
        found = child.answer(TORCH_LIMIT_S)
    except (RuntimeError, TimeoutError, ValueError) as error:
        fix = f'"{sys.executable}" -c "import torch; print(torch.cuda.is_available())"'
        return Result("GPU", NOTE, f"{text}, but PyTorch did not say if it sees it: {error}", fix)
    if not found["cuda"]:
        fix = "nothing to do; to use it, update the NVIDIA driver"
        return Result("GPU", NOTE, f"{text}, not used: PyTorch {found['version']} sees none", fix)
    return Result("GPU", OK, f"{text}, seen by PyTorch")


def rendering(child: Child) -> Result:
    """One frame of CartPole without a screen."""
    fix = f'"{sys.executable}" -m pip install --no-deps --force-reinstall pygame'
    try:
        found = child.answer(RENDERING_LIMIT_S)
    except (RuntimeError, TimeoutError, ValueError) as error:
        return Result("Rendering", FAIL, f"no frame of CartPole: {error}", fix)
    if found["colours"] < 2:
        return Result("Rendering", FAIL, "the frame of CartPole is empty", fix)
    return Result("Rendering", OK, f"CartPole, {found['width']} x {found['height']} pixels")


def widgets(folders: list[str] | None = None) -> Result:
    """Sliders and buttons: the Python package, and JupyterLab's half."""
    import importlib.util

    if folders is None:
        from jupyter_core.paths import jupyter_path

        folders = jupyter_path("labextensions")
    absent = [] if importlib.util.find_spec("ipywidgets") else ["ipywidgets"]
    if not any((Path(folder) / EXTENSION / "package.json").exists() for folder in folders):
        absent.append("JupyterLab's part of ipywidgets")
    if absent:
        command = f'"{sys.executable}" -m pip install --no-deps --force-reinstall'
        fix = f"{command} ipywidgets jupyterlab-widgets   (then reload the page)"
        return Result("Widgets", FAIL, f"missing: {', '.join(absent)}", fix)
    return Result("Widgets", OK, "sliders and buttons: ipywidgets, JupyterLab's part")


def ray(child: Child) -> Result:
    """A local Ray that starts and runs a task."""
    fix = "close other notebooks (Kernel, Shut Down All Kernels), then run this again"
    try:
        found = child.answer(RAY_LIMIT_S)
    except (RuntimeError, TimeoutError, ValueError) as error:
        return Result("Ray", FAIL, f"a local Ray did not start: {error}", fix)
    if found["answer"] != 42:
        return Result("Ray", FAIL, f"a task returned {found['answer']} instead of 42", fix)
    text = f"started in {found['start_s']:.0f} s, ran a task on {found['cores']} cores"
    if found["start_s"] > RAY_SLOW_S:
        return Result("Ray", NOTE, f"{text}: slow, but it works", fix)
    return Result("Ray", OK, text)


def data(path: Path | None = None) -> Result:
    """The price file, byte for byte."""
    from course_lib.trading import prices

    try:
        digest = prices.verify_data(path or prices.DATA_FILE)
    except ValueError as error:
        what, _, fix = str(error).rpartition("; ")
        return Result("Data", FAIL, what or str(error), fix or "git checkout -- data")
    return Result("Data", OK, f"bitcoin prices, sha256 {digest[:12]}...")


def cluster(environment: dict[str, str] | None = None) -> Result:
    """The configured cluster answers; none configured is fine."""
    from course_lib.cluster import resolve, start

    env: Any = os.environ if environment is None else environment
    unset = "unset RAY_ADDRESS RAY_HEAD_SERVICE_HOST RAY_HEAD_SERVICE_PORT"
    try:
        target = resolve(environment=env)
    except ValueError as error:
        return Result("Cluster", FAIL, str(error), f"set it right, or to work here: {unset}")
    if target.address == "local":
        return Result("Cluster", OK, "none is set up, so Ray runs on this machine")
    if target.endpoint is None:
        return Result("Cluster", OK, f"{target.source} is {target.address!r}: Ray looks for it")
    host, port = target.endpoint
    reason = start.reachable(host, port, ADDRESS_LIMIT_S)
    if reason:
        fix = f"ask whoever runs the cluster; to work on this machine: {unset}"
        detail = f"nothing listens at {host} port {port} ({target.source}): {reason}"
        return Result("Cluster", FAIL, detail, fix)
    return Result("Cluster", OK, f"{host} port {port} answers ({target.source})")
