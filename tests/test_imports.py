"""Imports run one way: between floors, between rooms, and between the modules of a room."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = (
    {
        "alt_text",
        "cells",
        "clock",
        "columnar_dqn",
        "envs",
        "errors",
        "journal",
        "profiles",
        "quiet",
        "reports",
        "torch_threads",
    },
    {"cluster", "training"},
    {"agents", "rllib"},
    {"trading", "tuning"},
    {"tryouts"},
    {"answers", "checks", "plots", "widgets"},
    {"grading", "preflight"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
Graph = dict[str, set[str]]


def modules_below(folder: Path) -> dict[str, Path]:
    """All modules of a package by their full names."""
    found = {}
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name: str, path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """Modules of the same package that a module imports anywhere, also inside functions."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            start = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(start if node.level else []), *filter(None, [node.module])])
            for alias in node.names:
                target = f"{base}.{alias.name}"
                yield from [one for one in (target, base) if one in modules][:1]


def graph_of(folder: Path) -> Graph:
    """Who imports whom; that a package imports its own modules is not asked here."""
    modules = modules_below(folder)
    graph = {name: set(imported(name, path, modules)) for name, path in modules.items()}
    return {name: others - {name, name.rpartition(".")[0]} for name, others in graph.items()}


def rooms_of(graph: Graph) -> Graph:
    """The same between rooms: the packages and modules right below the library."""
    rooms: Graph = {}
    for name, others in graph.items():
        room = ".".join(name.split(".")[1:2])
        rooms.setdefault(room, set()).update(".".join(one.split(".")[1:2]) for one in others)
    return {room: others - {room, ""} for room, others in rooms.items() if room}


def circle_in(graph: Graph) -> str:
    """A circle of imports in words; empty where there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return " <- ".join(error.args[1])
    return ""


def test_rooms_import_from_below_or_beside_and_in_no_circle() -> None:
    rooms = rooms_of(graph_of(ROOT / "course_lib"))
    for room, others in rooms.items():
        assert room in FLOOR, f"give the room {room!r} a floor in {Path(__file__).name}"
        wrong = {other for other in others if FLOOR[other] > FLOOR[room]}
        assert not wrong, f"{room} imports from above: {wrong}"
    assert circle_in(rooms) == ""


@pytest.mark.parametrize("package", ["course_lib", "benchmarks"])
def test_no_circle_of_modules(package: str) -> None:
    assert circle_in(graph_of(ROOT / package)) == ""


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"a": "from . import b", "b": ""}, False),
        ({"a": "from . import b", "b": "from .a import x"}, True),
        ({"a": "from pack import b", "b": "def f():\n    import pack.a"}, True),
        ({"a": "from pack.b import x", "b": "from pack import c", "c": "from .a import y"}, True),
        ({"__init__": "from .a import x", "a": "from pack import b", "b": ""}, False),
    ],
)
def test_circles_are_found(tmp_path: Path, files: dict[str, str], circle: bool) -> None:
    for name, text in {"__init__": "", **files}.items():
        (tmp_path / "pack").mkdir(exist_ok=True)
        (tmp_path / "pack" / f"{name}.py").write_text(text)
    assert bool(circle_in(graph_of(tmp_path / "pack"))) is circle
