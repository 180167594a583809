"""ColumnarDQN can be copied into another RLlib project: it imports nothing of the course."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import ray

from course_lib import columnar_dqn

FOLDER = Path(columnar_dqn.__file__).parent
NEEDED = {"gymnasium", "numpy", "ray", "torch"}
PROGRAM = """
import sys
sys.modules["course_lib"] = None  # whoever imports it fails
import ray
ray.init(sys.argv[1], log_to_driver=False)
from borrowed_dqn.algorithm import ColumnarDQNConfig

config = (
    ColumnarDQNConfig()
    .environment("CartPole-v1")
    .env_runners(num_env_runners=0, rollout_fragment_length=32)
    .training(
        train_batch_size=16, training_intensity=4, num_steps_sampled_before_learning_starts=64,
        replay_buffer_config={"type": "ColumnarReplay", "capacity": 500, "alpha": 0.6},
    )
    .reporting(min_sample_timesteps_per_iteration=128)
    .debugging(log_level="ERROR")
)
algo = config.build_algo()
for _ in range(3):
    result = algo.train()
learner = result["learners"]["default_policy"]
assert learner["num_module_steps_trained_lifetime"] > 0, learner
assert learner["qf_loss"] == learner["qf_loss"], "nan"
assert result["num_env_steps_sampled_lifetime"] >= 384
assert not any(name.startswith("course_lib.") for name in sys.modules)
print("trained", len(algo.local_replay_buffer))
"""


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_it_imports_only_what_every_rllib_project_has(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= 1, "it must not look above its own folder"
            names = [] if node.level else [node.module or ""]
        else:
            continue
        assert {name.partition(".")[0] for name in names} <= NEEDED | sys.stdlib_module_names


def test_its_page_shows_the_figures_of_the_benchmarks():
    docs = FOLDER.parent.parent / "docs"
    page = (docs / "columnar_dqn.md").read_text(encoding="utf-8")
    benchmarks = (docs / "benchmarks.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.partition("## Measured")[2].splitlines()
            if line.startswith("| ")][1:]  # fmt: skip
    assert len(rows) == 6
    for text, value in rows:
        assert f"* {text}: **{value}**" in benchmarks or f"* {text}: {value} (" in benchmarks, text


def test_a_copy_under_another_name_trains(tmp_path, local_ray):
    shutil.copytree(FOLDER, tmp_path / "borrowed_dqn", ignore=shutil.ignore_patterns("__pycache__"))
    address = ray.get_runtime_context().gcs_address
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, address], cwd=tmp_path, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3_000:]
    assert done.stdout.splitlines()[-1] == "trained 384"
