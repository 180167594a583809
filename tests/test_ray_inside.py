"""What the course leans on inside Ray: listed, still there, and nowhere else in the library."""

import ast
import random
import re
from pathlib import Path
from types import ModuleType

import pytest
import ray

import course_lib
from course_lib.cluster import ray_inside
from course_lib.columnar_dqn import rllib_inside

HOME = Path(course_lib.__file__).parent
LISTS = (ray_inside, rllib_inside)
PRIVATE = re.compile(r"(^|\.)_[^_]|(^|\.)generated(\.|$)|^ray\.scripts")
# Ray's own settings (RAY_with_small_letters) and processes are not documented; RAY_CAPITALS are.
INSIDE_TEXT = re.compile(r"^(RAY_[a-z]\w+|raylet|gcs_server|--gcs-address.*)$|static_resource_list")


def table(inside: ModuleType) -> str:
    """A list as text, for whoever upgrades Ray."""
    return "\n".join(
        f"* {one.name} ({one.file})\n    why: {one.why}\n    instead: {one.instead}"
        for one in inside.LEANS_ON
    )


@pytest.mark.parametrize("inside", LISTS, ids=lambda inside: inside.__name__)
def test_ray_has_the_version_that_the_list_was_read_against(inside: ModuleType) -> None:
    assert ray.__version__ == inside.READ_AGAINST, (
        f"Ray is {ray.__version__}, and {inside.__name__} was read against {inside.READ_AGAINST}. "
        "Go through it as docs/architecture.md says (an upgrade of Ray), then set READ_AGAINST:\n"
        f"{table(inside)}"
    )


EACH = [pytest.param(inside, one, id=one.name) for inside in LISTS for one in inside.LEANS_ON]


@pytest.mark.parametrize(("inside", "one"), EACH)
def test_what_is_listed_is_still_there(inside: ModuleType, one: ray_inside.Inside) -> None:
    file = Path(ray.__file__).parent / one.file
    assert one.text.encode() in file.read_bytes(), f"{one.text} is not there:\n{table(inside)}"
    assert one.why and one.instead


def test_the_agents_ports_are_four_and_leave_the_learners_random_numbers_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = random.getstate()
    drawn = iter([1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9])
    monkeypatch.setattr(ray_inside.secrets, "randbelow", lambda _: next(drawn))
    ports = ray_inside.agent_ports()
    assert len(set(ports.values())) == len(ports) == 4
    assert random.getstate() == before


def found_in(code: str) -> list[str]:
    """Names of Ray's inside in a module's code."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ray":
            names = [f"{node.module}.{one.name}" for one in node.names]
        elif isinstance(node, ast.Import):
            names = [one.name for one in node.names if one.name.split(".")[0] == "ray"]
        elif isinstance(node, ast.Attribute) and ast.unparse(node).startswith("ray."):
            names = [ast.unparse(node)]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("ray.init", "start.attach"):
            names = [word.arg for word in node.keywords if word.arg]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            names = [f"._{text}"] if INSIDE_TEXT.search(text) else []
            names += [text] if text.startswith("ray.") and " " not in text else []
        else:
            continue
        found += [name for name in names if PRIVATE.search(name)]
    return found


@pytest.mark.parametrize(
    "code",
    ["from ray._private import services", "import ray._raylet", "ray.init(_temp_dir='x')",
     "from ray.core.generated import gcs_pb2", "ray._private.worker.mode", "x = 'raylet'",
     "importlib.import_module('ray.train._internal.storage')", "os.environ['RAY_gcs_x'] = '1'",
     "from ray.train._internal import storage", "command = ['-m', 'ray.scripts.scripts']"],
)  # fmt: skip
def test_the_search_finds(code: str) -> None:
    assert found_in(code)


def test_nothing_else_in_the_library_knows_rays_inside() -> None:
    elsewhere = {
        str(path.relative_to(HOME)): names
        for path in sorted(HOME.rglob("*.py"))
        if path != Path(ray_inside.__file__)
        and (names := found_in(path.read_text(encoding="utf-8")))
    }
    assert elsewhere == {}, "move these to course_lib/cluster/ray_inside.py, with the reason"
