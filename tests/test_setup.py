"""The search for a Python, and the stamp that tells a finished environment from a half-made one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("sh", "tr", "sed", "head", "id", "cat", "cksum", "df", "awk", "dirname", "grep", "rm")


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, Path]:
    """An empty home, and a PATH with a few tools and no Python."""
    tools, home = tmp_path / "bin", tmp_path / "home"
    tools.mkdir()
    home.mkdir()
    for tool in TOOLS:
        for folder in ("/usr/bin", "/bin"):
            if (Path(folder) / tool).exists() and not (tools / tool).exists():
                (tools / tool).symlink_to(Path(folder) / tool)
    # `id -un` is asked for the account's own home; a name without a home keeps this one out.
    (tools / "id").unlink()
    write_program(tools / "id", "echo nobody-here")
    return {"tools": tools, "home": home}


def write_program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def good_python(path: Path) -> Path:
    return write_program(path, f'exec {sys.executable} "$@"')


def broken_python(path: Path) -> Path:
    return write_program(path, "echo 'pyenv: python3.12: command not found' >&2; exit 127")


def find(machine: dict[str, Path], **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(machine["tools"]), "HOME": str(machine["home"]), **more}
    return subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "find_python.sh")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_takes_the_one_on_the_path(machine: dict[str, Path]) -> None:
    wanted = good_python(machine["tools"] / "python3.12")
    assert find(machine).stdout.strip() == str(wanted)


def test_passes_by_a_shim_that_fails(machine: dict[str, Path]) -> None:
    broken_python(machine["tools"] / "python3.12")
    wanted = good_python(machine["home"] / ".pyenv/versions/3.12.1/bin/python")
    assert find(machine).stdout.strip() == str(wanted)


def test_passes_by_an_older_python(machine: dict[str, Path]) -> None:
    write_program(machine["tools"] / "python3", "exit 1")
    wanted = good_python(machine["home"] / ".pyenv/versions/3.12.9/bin/python")
    assert find(machine).stdout.strip() == str(wanted)


def test_finds_pyenv_beside_its_shims_when_home_is_elsewhere(
    machine: dict[str, Path], tmp_path: Path
) -> None:
    wanted = good_python(tmp_path / "pyenv/versions/3.12.1/bin/python")
    path = f"{machine['tools']}:{tmp_path / 'pyenv/shims'}"
    assert find(machine, PATH=path).stdout.strip() == str(wanted)


def test_pyenv_root_with_a_space(machine: dict[str, Path], tmp_path: Path) -> None:
    wanted = good_python(tmp_path / "my pyenv/versions/3.13.0/bin/python")
    assert find(machine, PYENV_ROOT=str(tmp_path / "my pyenv")).stdout.strip() == str(wanted)


def test_uses_the_one_it_is_given(machine: dict[str, Path], tmp_path: Path) -> None:
    good_python(machine["tools"] / "python3.12")
    wanted = good_python(tmp_path / "mine")
    assert find(machine, PYTHON=str(wanted)).stdout.strip() == str(wanted)


def test_says_so_when_the_given_one_does_not_suit(machine: dict[str, Path]) -> None:
    good_python(machine["tools"] / "python3.12")
    run = find(machine, PYTHON="/no/such/python")
    assert run.returncode == 1
    assert "'/no/such/python'" in run.stderr


def test_says_how_to_get_one(machine: dict[str, Path]) -> None:
    run = find(machine)
    assert (run.returncode, run.stdout) == (1, "")
    assert "needs Python 3.12" in run.stderr
    assert "uv python install 3.12" in run.stderr


def set_up(machine: dict[str, Path], venv: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(machine["tools"]), "HOME": str(machine["home"]), "VENV": str(venv)}
    return subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "setup.sh")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def finished(venv: Path) -> None:
    """Make a folder that looks like a finished environment of today's lock."""
    parts = [ROOT / "requirements.lock", ROOT / "pyproject.toml", ROOT / "scripts/setup.sh"]
    text = b"".join(part.read_bytes() for part in parts)
    stamp = subprocess.run(["cksum"], input=text, capture_output=True, check=True).stdout
    good_python(venv / "bin/python")
    (venv / ".course-ready").write_text(stamp.decode().strip())


def test_a_finished_environment_is_left_alone(machine: dict[str, Path], tmp_path: Path) -> None:
    finished(tmp_path / "venv")
    run = set_up(machine, tmp_path / "venv")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize("damage", ["no stamp", "old stamp", "python gone"])
def test_a_half_made_environment_is_noticed(
    machine: dict[str, Path], tmp_path: Path, damage: str
) -> None:
    venv = tmp_path / "venv"
    finished(venv)
    if damage == "no stamp":
        (venv / ".course-ready").unlink()
    elif damage == "old stamp":
        (venv / ".course-ready").write_text("1 2")
    else:
        (venv / "bin/python").unlink()
    run = set_up(machine, venv)
    assert run.returncode == 1, "there is no Python here, so mending it has to fail"
    assert "[1/4]" in run.stdout
    assert "needs Python 3.12" in run.stderr


def test_too_little_disk_is_said_before_anything_is_made(
    machine: dict[str, Path], tmp_path: Path
) -> None:
    good_python(machine["tools"] / "python3.12")
    (machine["tools"] / "df").unlink()
    write_program(machine["tools"] / "df", "printf 'head\\n/dev/x 1 1 1048576 1%% /\\n'")
    run = set_up(machine, tmp_path / "venv")
    assert run.returncode == 1
    assert "about 8 GB" in run.stderr
    assert "1 GB are free" in run.stderr
    assert not (tmp_path / "venv").exists()


def test_ci_calls_the_readme_command() -> None:
    assert "make test" in (ROOT / ".ci/run").read_text()
    assert "make test" in (ROOT / "README.md").read_text()
    assert os.access(ROOT / ".ci/run", os.X_OK)
