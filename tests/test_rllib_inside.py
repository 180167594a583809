"""The names inside RLlib that ColumnarDQN leans on are used in one place."""

import ast
import builtins
from pathlib import Path

import pytest

import course_lib
from course_lib.columnar_dqn import algorithm, learner, module, rllib_inside

ROOT = Path(course_lib.__file__).parent
FILES = [
    path
    for room in ("columnar_dqn", "rllib", "tuning", "trading")
    for path in sorted((ROOT / room).glob("*.py"))
    if path.name != "rllib_inside.py"
]
OURS = [algorithm.ColumnarDQN, algorithm.ColumnarDQNConfig, learner.ColumnarDQNTorchLearner,
        module.ColumnarDQNTorchRLModule]  # fmt: skip
BRIDGES = [rllib_inside.InsideDQN, rllib_inside.InsideLearner]
LISTED = {one.name for one in rllib_inside.LEANS_ON}
DOCUMENTED = {"_forward_train"}  # by RLModule.forward_train, as the method to override


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in ("_", "_abc_impl")


def names_used(path: Path) -> set[str]:
    """Private names that a file takes from elsewhere: attributes, arguments, imports, texts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = {node.name for node in ast.walk(tree) if hasattr(node, "name") and node.name}
    used, stored = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            (stored if isinstance(node.ctx, ast.Store) else used).add(node.attr)
        elif isinstance(node, ast.keyword | ast.arg) and node.arg:
            (used if isinstance(node, ast.keyword) else stored).add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            used.add(node.value)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ray"):
            used |= {*node.module.split("."), *(alias.name for alias in node.names)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            stored.add(node.target.id)
    taken = used - own - stored | (used | stored) & LISTED - own
    return {name for name in taken if private(name) and name.isidentifier()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_other_file_takes_a_private_name(path):
    allowed = {"_bar"}  # of tqdm's holder, left out of a pickle by name
    assert not names_used(path) - allowed - set(dir(builtins))


@pytest.mark.parametrize("ours", [*OURS, *BRIDGES], ids=lambda ours: ours.__name__)
def test_our_classes_override_no_private_name_of_rllibs_but_listed_ones(ours):
    above = {name for base in ours.__mro__[1:] for name in vars(base) if "ray." in base.__module__}
    overridden = {name for name in vars(ours) if private(name)} & above
    assert overridden <= (LISTED if ours in BRIDGES else DOCUMENTED)
