"""Wheels for tests, so that pip has something to install without a network."""

import importlib.metadata
import zipfile
from collections.abc import Mapping
from pathlib import Path


def make(
    folder: Path,
    name: str,
    version: str,
    requires: str = "",
    scripts: Mapping[str, str | bytes] = {},
) -> Path:
    """Write the wheel of a package of one module, ``VALUE = 1``, and perhaps of programs."""
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "VALUE = 1\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        **{f"{name}-{version}.data/scripts/{one}": text for one, text in scripts.items()},
    }
    return _pack(folder / f"{name}-{version}-py3-none-any.whl", files, f"{about}/RECORD")


def of_installed(folder: Path, name: str) -> Path:
    """Write the wheel of a package that is installed here and has no compiled code."""
    package = importlib.metadata.distribution(name)
    inside = [one for one in package.files or () if one.parts[0] != ".." and one.suffix != ".pyc"]
    record = next(str(one) for one in inside if one.name == "RECORD")
    files = {str(one): one.read_binary() for one in inside if one.locate().is_file()}
    files.pop(record)
    return _pack(folder / f"{name}-{package.version}-py3-none-any.whl", files, record)


def _pack(path: Path, files: Mapping[str, str | bytes], record: str) -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
        wheel.writestr(record, "".join(f"{name},,\n" for name in [*files, record]))
    return path
