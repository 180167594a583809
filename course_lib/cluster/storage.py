"""Results and checkpoints come home: workers write them to the notebook's own disk.

A cluster without shared storage keeps a trial's files on the machine that ran it, where nobody
finds them. Tune can be given another filesystem than the disk: here one that is the plain disk on
the notebook's machine, and anywhere else sends each file through an actor that lives on the
notebook's machine. Paths are the same everywhere, so a notebook reads results as always.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import fs

ACTOR = "notebook-disk"
CHUNK = 8 * 2**20
_used: dict[str, None] = {}
_open_disks: list[Any] = []
Info = tuple[str, str, int, float]  # path, "file" | "folder" | "none", bytes, modified (s)


class Disk:
    """The notebook's disk, as an actor offers it to the cluster.

    Args:
        folders: everything outside of these is refused.
    """

    def __init__(self, folders: Iterable[str]) -> None:
        self._folders = [Path(folder).resolve() for folder in folders]

    def info(self, path: str) -> Info:
        """What is at ``path``."""
        return describe(str(self._inside(path)))

    def listing(self, path: str, recursive: bool) -> list[Info]:
        """What is below a folder."""
        pattern = "**/*" if recursive else "*"
        return [describe(str(one)) for one in sorted(self._inside(path).glob(pattern))]

    def make_folder(self, path: str) -> None:
        """Make a folder, with those above it."""
        self._inside(path).mkdir(parents=True, exist_ok=True)

    def read(self, path: str, start: int, count: int) -> bytes:
        """Return ``count`` bytes from ``start`` on, fewer at the end."""
        with open(self._inside(path), "rb") as file:
            file.seek(start)
            return file.read(count)

    def write(self, path: str, data: bytes, start: int) -> None:
        """Write ``data`` at ``start``; at 0 the file begins anew."""
        place = self._inside(path)
        with open(place, "wb" if start == 0 else "r+b") as file:
            file.seek(start)
            file.write(data)

    def remove(self, path: str, keep_folder: bool = False) -> None:
        """Remove a file, a folder, or only what is in it."""
        place = self._inside(path)
        for one in list(place.iterdir()) if keep_folder else [place]:
            shutil.rmtree(one) if one.is_dir() else one.unlink()

    def move(self, source: str, target: str) -> None:
        """Rename."""
        os.replace(self._inside(source), self._inside(target))

    def _inside(self, path: str) -> Path:
        place = Path(path).resolve()
        if not any(place.is_relative_to(folder) for folder in self._folders):
            allowed = ", ".join(map(str, self._folders))
            raise PermissionError(f"results must lie in {allowed}, got {path}; change storage_path")
        return place


def describe(path: str) -> Info:
    """Return path, kind, size in bytes and time of the last change."""
    place = Path(path)
    try:
        found = place.stat()
    except OSError:
        return path, "none", 0, 0.0
    return path, "folder" if place.is_dir() else "file", found.st_size, found.st_mtime


class _Away(fs.FileSystemHandler):
    """pyarrow's view of the notebook's disk, from a worker. It has no state, so it travels."""

    def _ask(self, method: str, *arguments: Any) -> Any:
        import ray

        return ray.get(getattr(ray.get_actor(ACTOR), method).remote(*arguments), timeout=120)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Away)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def get_type_name(self) -> str:
        return ACTOR

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        return [_as_arrow(self._ask("info", path)) for path in paths]

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        kind = self._ask("info", selector.base_dir)[1]
        if kind != "folder":
            if selector.allow_not_found:
                return []
            raise FileNotFoundError(selector.base_dir)
        return [_as_arrow(one) for one in self._ask("listing", selector.base_dir,
                                                     selector.recursive)]  # fmt: skip

    def create_dir(self, path: str, recursive: bool) -> None:
        self._ask("make_folder", path)

    def delete_dir(self, path: str) -> None:
        self._ask("remove", path)

    def delete_dir_contents(self, path: str, missing_dir_ok: bool = False) -> None:
        if self._ask("info", path)[1] == "folder":
            self._ask("remove", path, True)
        elif not missing_dir_ok:
            raise FileNotFoundError(path)

    def delete_root_dir_contents(self) -> None:
        raise PermissionError("the notebook's whole disk is not to be emptied")

    def delete_file(self, path: str) -> None:
        self._ask("remove", path)

    def move(self, src: str, dest: str) -> None:
        self._ask("move", src, dest)

    def copy_file(self, src: str, dest: str) -> None:
        with self.open_input_file(src) as source, self.open_output_stream(dest, None) as target:
            target.write(source.read())

    def open_input_stream(self, path: str) -> pa.NativeFile:
        return self.open_input_file(path)

    def open_input_file(self, path: str) -> pa.NativeFile:
        _, kind, size, _ = self._ask("info", path)
        if kind != "file":
            raise FileNotFoundError(path)
        parts = [self._ask("read", path, at, CHUNK) for at in range(0, size, CHUNK)]
        return pa.BufferReader(b"".join(parts))

    def open_output_stream(self, path: str, metadata: Any) -> pa.NativeFile:
        return pa.PythonFile(_Sending(self._ask, path), mode="w")

    def open_append_stream(self, path: str, metadata: Any) -> pa.NativeFile:
        _, kind, size, _ = self._ask("info", path)
        return pa.PythonFile(_Sending(self._ask, path, size if kind == "file" else 0), mode="w")


class _Sending:
    """A file being written, sent in parts of 8 MiB."""

    closed = False

    def __init__(self, ask: Any, path: str, start: int = 0) -> None:
        self._ask, self._path, self._at = ask, path, start
        self._parts = bytearray()
        if start == 0:
            ask("write", path, b"", 0)

    def write(self, data: Any) -> int:
        self._parts += data
        if len(self._parts) >= CHUNK:
            self.flush()
        return len(data)

    def flush(self) -> None:
        if self._parts:
            self._ask("write", self._path, bytes(self._parts), self._at)
            self._at += len(self._parts)
            self._parts = bytearray()

    def close(self) -> None:
        if not self.closed:
            self.flush()
            self.closed = True


class HomeDisk(fs.LocalFileSystem):
    """The plain disk. Sent to a worker, it becomes the way back to this disk."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrive, ()


class AwayDisk(fs.PyFileSystem):
    """The notebook's disk as a worker sees it. Sent back home, it is the plain disk again."""

    def __init__(self) -> None:
        super().__init__(_Away())

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrive, ()


def _arrive() -> fs.FileSystem:
    import ray

    worker = ray._private.worker
    return AwayDisk() if worker.global_worker.mode == worker.WORKER_MODE else HomeDisk()


def open_disk(folders: Iterable[str] | None = None) -> None:
    """Offer this machine's disk to the cluster, and let Tune use it for every local path.

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
    _teach_tune()
    _open_disks.append(disk)  # an actor lives as long as somebody holds it


def _teach_tune() -> None:
    """Let Tune take :class:`HomeDisk` for a local path, where it would take the plain disk.

    ``storage_filesystem`` of every ``RunConfig`` and every ``Tuner.restore`` would do the same;
    this way a notebook reads alike on a laptop and on a cluster.
    """
    from ray.train._internal import storage

    before = storage.get_fs_and_path
    if hasattr(before, "of_course"):
        return

    def get_fs_and_path(
        storage_path: Any, storage_filesystem: Any = None
    ) -> tuple[fs.FileSystem, str]:
        found, inside = before(storage_path, storage_filesystem)
        if type(found) is fs.LocalFileSystem and _offered():
            found = HomeDisk()
            _used[inside] = None
        return found, inside

    get_fs_and_path.of_course = True  # type: ignore[attr-defined]
    storage.get_fs_and_path = get_fs_and_path


def used() -> list[str]:
    """The folders of this machine that experiments were told to write to, those that are there."""
    return [path for path in _used if Path(path).is_dir()]


def close_disk() -> None:
    """Offer the disk no more; what lies on it stays."""
    _open_disks.clear()


def _offered() -> bool:
    return bool(_open_disks)


def _as_arrow(info: Info) -> fs.FileInfo:
    path, kind, size, modified = info
    types = {"file": fs.FileType.File, "folder": fs.FileType.Directory}
    return fs.FileInfo(
        path, types.get(kind, fs.FileType.NotFound), size=size if kind == "file" else None,
        mtime=modified or None,
    )  # fmt: skip
