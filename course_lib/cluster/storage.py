"""Results and checkpoints come home: workers write them to the notebook's own disk.

A cluster without shared storage keeps a trial's files on the machine that ran it, where nobody
finds them. Tune takes another filesystem than the disk as ``storage_filesystem``: here one that is
the plain disk on the notebook's machine, and anywhere else sends each file through an actor that
lives there. Paths are the same everywhere, so a notebook reads results as always.
"""

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import fsspec
from fsspec.spec import AbstractBufferedFile
from pyarrow import fs

from course_lib.cluster.travel import ON_WORKER

ACTOR = "notebook-disk"
CHUNK = 8 * 2**20
_used: dict[str, None] = {}
_open_disks: list[Any] = []


class Disk:
    """The notebook's disk, as an actor offers it to the cluster.

    Args:
        folders: everything outside of these is refused.
    """

    OFFERED = ("info", "ls", "find", "makedirs", "cat_file", "rm", "mv")

    def __init__(self, folders: Iterable[str]) -> None:
        self._folders = [Path(folder).resolve() for folder in folders]
        self._disk = fsspec.filesystem("file")

    def call(self, method: str, *paths: str, **options: Any) -> Any:
        """Call one of the offered methods of fsspec's own filesystem for the local disk.

        Raises:
            PermissionError: if it is not offered, or a path is outside of the folders.
        """
        if method not in self.OFFERED:
            raise PermissionError(f"the disk offers {', '.join(self.OFFERED)}, got {method!r}")
        return getattr(self._disk, method)(*map(self._inside, paths), **options)

    def write(self, path: str, data: bytes, start: int) -> None:
        """Write ``data`` at ``start``; at 0 the file begins anew."""
        with open(self._inside(path), "wb" if start == 0 else "r+b") as file:
            file.seek(start)
            file.write(data)

    def _inside(self, path: str) -> str:
        place = Path(path).resolve()
        if not any(place.is_relative_to(folder) for folder in self._folders):
            allowed = ", ".join(map(str, self._folders))
            raise PermissionError(f"results must lie in {allowed}, got {path}; change storage_path")
        return str(place)


def _ask(method: str, *arguments: Any, **options: Any) -> Any:
    """Call a method of the notebook's disk from a worker, and wait for its answer."""
    import ray

    disk = ray.get_actor(ACTOR)
    return ray.get(getattr(disk, method).remote(*arguments, **options), timeout=120)


def _asks(method: str) -> Callable[..., Any]:
    """Return a method of a filesystem that the notebook's disk answers."""
    return lambda _, *paths, **options: _ask("call", method, *paths, **options)


class Away(fsspec.AbstractFileSystem):
    """The notebook's disk as fsspec sees it from a worker."""

    protocol = ACTOR
    cachable = False
    root_marker = "/"
    info, ls, find, makedirs, rm, mv = map(_asks, ("info", "ls", "find", "makedirs", "rm", "mv"))

    def mkdir(self, path: str, create_parents: bool = True, **_: Any) -> None:
        """Make a folder, with those above it."""
        self.makedirs(path, exist_ok=True)

    def cp_file(self, path1: str, path2: str, **_: Any) -> None:
        """Copy a file."""
        with self.open(path1, "rb") as source, self.open(path2, "wb") as target:
            target.write(source.read())

    def _open(self, path: str, mode: str = "rb", **_: Any) -> "_File":
        return _File(self, path, mode, block_size=CHUNK)


class _File(AbstractBufferedFile):
    """A file of the notebook's disk, read and written in parts of 8 MiB."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        return _ask("call", "cat_file", self.path, start=start, end=end)

    def _initiate_upload(self) -> None:
        if self.mode == "ab" and self.fs.exists(self.path):
            self.offset = self.fs.info(self.path)["size"]

    def _upload_chunk(self, final: bool = False) -> bool:
        _ask("write", self.path, self.buffer.getvalue(), self.offset)
        return True


class HomeDisk(fs.LocalFileSystem):
    """The plain disk. Sent to a worker, it becomes the way back to this disk."""

    def create_dir(self, path: str, *, recursive: bool = True) -> None:
        """Make a folder, and remember it as one of those that experiments wrote to."""
        _used[str(path)] = None
        super().create_dir(path, recursive=recursive)

    def __reduce__(self) -> tuple[Any, ...]:
        return arrive, ()


class AwayDisk(fs.PyFileSystem):
    """The notebook's disk as a worker sees it. Sent back home, it is the plain disk again."""

    def __init__(self) -> None:
        super().__init__(fs.FSSpecHandler(Away()))

    def __reduce__(self) -> tuple[Any, ...]:
        return arrive, ()


def arrive() -> fs.FileSystem:
    """Return the notebook's disk as it is seen from this process."""
    return AwayDisk() if ON_WORKER in os.environ else HomeDisk()


def open_disk(folders: Iterable[str] | None = None) -> None:
    """Offer this machine's disk to the cluster.

    Args:
        folders: that results may lie in; the current folder, the one for temporary files and
            ``~/ray_results`` if not given.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    usual = (Path.cwd(), tempfile.gettempdir(), Path.home() / "ray_results")
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(num_cpus=0)(Disk).options(
        name=ACTOR, scheduling_strategy=here, max_concurrency=4
    )
    disk = actor.remote([str(folder) for folder in (usual if folders is None else folders)])
    _open_disks.append(disk)  # an actor lives as long as somebody holds it


def used() -> list[str]:
    """The folders of this machine that experiments were told to write to, those that are there."""
    outer = [path for path in _used if not {str(one) for one in Path(path).parents} & _used.keys()]
    return [path for path in outer if Path(path).is_dir()]


def close_disk() -> None:
    """Offer the disk no more; what lies on it stays."""
    _open_disks.clear()
