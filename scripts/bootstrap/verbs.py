"""The verbs of ``course.py``: what each does, and the command line."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, NoReturn, Sequence
from urllib.parse import quote

from bootstrap import wheelhouse
from bootstrap.environment import Setup, remove
from bootstrap.machine import ROOT, Machine, SetupError, say

FIRST = "notebooks/00_welcome.ipynb"
LEFTOVERS = (
    "results",
    "build",
    "dist",
    ".uv",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
)
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
)


class Course:
    """What the verbs act on.

    Args:
        machine: the machine.
        venv: its environment for the course.
        more: words of the command line that are for the program behind the verb.
    """

    def __init__(self, machine: Machine, venv: Path, more: Sequence[str] = ()) -> None:
        self.machine, self.venv, self.more = machine, venv, list(more)
        self.python = machine.python_of(venv)

    def setup(self) -> None:
        """Make .venv with every package at its locked version."""
        Setup(self.machine, self.venv).run()

    def lab(self, port: int, notebook: str) -> None:
        """Open the course in JupyterLab (--no-browser prints the address only)."""
        env = dict(self.machine.env)
        env["PATH"] = os.pathsep.join([str(self.python.parent), env.get("PATH", "")])
        words = ["-m", "jupyterlab", "--ip=127.0.0.1", f"--port={port}", "--log-level=WARN"]
        words += ["--ServerApp.root_dir=.", f"--LabApp.default_url=/lab/tree/{quote(notebook)}"]
        words += ["--LabApp.extension_manager=readonly"]
        # JupyterLab refuses to run as root unless told; containers are often root.
        if hasattr(os, "getuid") and os.getuid() == 0:
            words.append("--allow-root")
        # Without a screen there is no browser to open: the address is printed instead.
        screen = (
            self.machine.system in ("win32", "darwin")
            or env.get("DISPLAY")
            or env.get("WAYLAND_DISPLAY")
        )
        if not screen:
            words.append("--no-browser")
        _become([self.python, *words, *self.more], env)

    def build(self) -> None:
        """Generate learner and solution notebooks from notebooks/source."""
        self._last("scripts/lessons/build.py", *self.more)

    def format(self) -> None:
        """Mend style where ruff can, then build."""
        self._step("-m", "ruff", "check", "--fix", "-q", ".")
        self._step("-m", "ruff", "format", ".")
        self.build()

    def lesson(self) -> None:
        """Begin a lesson, such as 05_topic: files that pass the tests as they come."""
        self._last("scripts/lessons/new_lesson.py", *self.more)

    def outputs(self) -> None:
        """Write down what a lesson, such as 05_topic, prints in every run."""
        self._step("scripts/lessons/build.py")
        paths = [f"notebooks/solutions/{name}.ipynb" for name in self.more]
        self._last("tests/notebook_nbval.py", *paths, "--renew")

    def previews(self) -> None:
        """Run the solutions, or those named, and keep what they show for those who browse."""
        self._step("scripts/lessons/build.py")
        self._last("scripts/lessons/previews.py", *self.more)

    def check(self) -> None:
        """Style, types, generated files."""
        for words in CHECKS:
            self._step("-m", *words)
        self._step("scripts/lessons/build.py", "--check")

    def test(self) -> None:
        """Check, then the quick tests: about ten minutes."""
        self.check()
        self._pytest("not slow and not full")

    def test_all(self) -> None:
        """The slow tests, which `test` leaves out."""
        self._pytest("slow and not full")

    def test_full(self) -> None:
        """Everything, with the laptop-profile notebooks and the learning claims."""
        self.check()
        self._pytest("")

    def bench(self) -> None:
        """Measure speed beside the peers."""
        self._last("-m", "benchmarks", *self.more)

    def grade_self(self) -> None:
        """Grade your own notebooks as the class grader would."""
        words = ["--mine", "--seed", "public", "--out", "results/grade-self"]
        self._last("-m", "course_lib.grading", "notebooks", *words, *self.more)

    def wheelhouse(self) -> None:
        """Download every package into wheelhouse/, to set up without a network."""
        wheelhouse.pack(self.machine, self.python)

    def lock(self) -> None:
        """Resolve all packages afresh: requirements.lock and environment.yml."""
        self._last("scripts/lock.py", *self.more)

    def clean(self) -> None:
        """Remove the environment, results and caches."""
        if self.venv.exists():
            remove(self.venv)
        caches = [*ROOT.glob("*.egg-info"), *ROOT.rglob("__pycache__")]
        for folder in [*(ROOT / name for name in LEFTOVERS), *caches]:
            shutil.rmtree(folder, ignore_errors=True)

    def _step(self, *words: Any) -> None:
        code = subprocess.call([str(self.python), *map(str, words)], env=dict(self.machine.env))
        if code:
            sys.exit(code)

    def _last(self, *words: Any) -> NoReturn:
        _become([self.python, *words], self.machine.env)

    def _pytest(self, marks: str) -> NoReturn:
        # Two side by side: starting Ray and reading disks leave cores idle. `-n0` is one at a time.
        words = ["-m", "pytest", "-n2", *(["-m", marks] if marks else [])]
        self._last(*words, *self.more)


def _become(command: Sequence[Any], env: Any) -> NoReturn:
    """Run a program in the place of this one, so that signals and Ctrl-C reach it."""
    words = [str(part) for part in command]
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(words[0], words, dict(env))
    child = subprocess.Popen(words, env=dict(env))
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:
            continue  # it got the same signal, and ends in its own way


VERBS: dict[str, Callable[..., None]] = {
    method.__name__.replace("_", "-"): method
    for method in (Course.lab, Course.test, Course.setup, Course.test_all, Course.test_full,
                   Course.check, Course.build, Course.format, Course.lesson, Course.outputs,
                   Course.previews, Course.bench, Course.grade_self, Course.wheelhouse,
                   Course.lock, Course.clean)
}  # fmt: skip


def _arguments(given: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    common = argparse.ArgumentParser(add_help=False)
    venv = os.environ.get("VENV") or ".venv"
    common.add_argument("--venv", default=venv, help=f"the environment's folder ({venv})")
    common.add_argument("--no-setup", action="store_true", help="take the environment as it is")
    parser = argparse.ArgumentParser(
        prog="python course.py",
        description="Set up the course and start it. All verbs but clean set up first, if need be. "
        "What a verb does not know itself goes to the program behind it.",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, method in VERBS.items():
        one = verbs.add_parser(
            verb, help=(method.__doc__ or "").rstrip("."), parents=[common], allow_abbrev=False
        )
        if method is Course.lab:
            one.add_argument("--port", type=int, default=8888, help="8888 if not said otherwise")
            one.add_argument("--notebook", default=FIRST, help=f"to open with ({FIRST})")
    return parser.parse_known_args(given)


def main(given: Sequence[str], machine: Machine | None = None) -> int:
    """Do what the command line asks for.

    Returns:
        0; 1 with a message on stderr if it cannot be done; 130 if interrupted.
    """
    options, more = _arguments(given)
    os.chdir(ROOT)
    course = Course(machine or Machine.this(), Path(os.path.abspath(options.venv)), more)
    try:
        if options.verb not in ("clean", "setup") and not options.no_setup:
            course.setup()
        own = {"port": options.port, "notebook": options.notebook} if options.verb == "lab" else {}
        VERBS[options.verb](course, **own)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}; is the disk full, or the folder not yours?", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\ninterrupted; what was downloaded is kept: run the same command again to go on")
        return 130
    return 0
