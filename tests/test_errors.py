"""The course's own errors in a notebook: a sentence, and what the cells after it say."""

import ast
import subprocess
import sys
from pathlib import Path

import course_lib
from course_lib import cells as course_cells
from course_lib.cluster import ClusterError, ClusterLostError
from course_lib.errors import CourseError

ROOT = Path(__file__).resolve().parent.parent
# IPython's shell is what a kernel runs cells with; it keeps what it would show.
SHELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell
class Shell(InteractiveShell):
    def _showtraceback(self, etype, value, lines):
        print("\\n".join(lines))
shell = Shell.instance(colors="nocolor")
for cell in sys.stdin.read().split("# CELL\\n"):
    print("CELL")
    shell.run_cell(cell, store_history=True)
"""
CONNECT = """
from course_lib.cluster import connect, start
def start_local(*sizes, **options):
    raise RuntimeError("it was not ready")
start.start_local = start_local
"""


def cells(*sources: str, **env: str) -> list[str]:
    """Run cells as a kernel does; return what each of them showed."""
    run = subprocess.run(
        [sys.executable, "-c", SHELL], input="# CELL\n".join(sources), cwd=ROOT, text=True,
        capture_output=True, timeout=300, env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", **env},
    )  # fmt: skip
    return run.stdout.split("CELL\n")[1:]


def test_a_sentence_and_no_traceback() -> None:
    import_it = (
        "from course_lib.cluster import ClusterError\ndef f():\n    raise ClusterError('Gone.')\n"
    )
    shown, whole, again, usual = cells(import_it + "f()\n", "%tb Verbose\n", "%tb\n", "1 / 0\n")
    assert shown == "ClusterError: Gone.\n(where it happened: %tb Verbose)\n"
    assert "Traceback" in whole
    assert "raise ClusterError" in whole
    assert again == shown
    assert "Traceback" in usual
    (whole,) = cells(import_it + "f()\n", COURSE_TRACEBACK="1")
    assert "raise ClusterError" in whole


def test_outside_of_a_notebook_the_traceback_is_whole() -> None:
    code = "from course_lib.cluster import ClusterError; raise ClusterError('Gone.')"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stderr.startswith("Traceback")
    assert run.stderr.endswith("ClusterError: Gone.\n")
    assert ClusterError("Gone.")._render_traceback_()[0] == "ClusterError: Gone."


def test_the_courses_own_errors_are_of_one_family() -> None:
    """Those that a notebook can show; the grader's own and what a check raises never reach one."""
    others = set()
    home = Path(course_lib.__file__).parent
    for path in home.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and path.parent.name not in ("grading", "tryouts"):
                bases = {ast.unparse(base) for base in node.bases}
                plain = any(base.endswith(("Error", "Exception")) for base in bases)
                if plain and not any("Course" in one or "Cluster" in one for one in bases):
                    others.add(node.name)
    assert others <= {"CourseError"}


def test_the_cells_after_a_failed_connect_say_what_to_do() -> None:
    first = CONNECT + "kept = 3\ncluster = connect('local')\nAT_ONCE = min(cluster.num_cpus, 4)\n"
    shown, *after, kept, usual, again = cells(
        "AT_ONCE = 7\n" + first, "print(cluster.num_cpus)\n", "range(AT_ONCE)\n",
        "def f():\n    with cluster: pass\nf()\n", "AT_ONCE\n", "print(kept)\n", "clutter\n",
        "start.start_local = lambda *s, **o: 1 / 0\ntry:\n    connect('local')\n"
        "except Exception: kept = 4\nprint(kept)",
    )  # fmt: skip
    assert shown.splitlines()[0] == "Starting a local Ray, usually 5 to 15 seconds ..."
    assert shown.splitlines()[1].startswith("ClusterError: Ray did not start on this machine: it ")
    for name, said in zip(("cluster", "AT_ONCE", "cluster", "AT_ONCE"), after, strict=True):
        sentence = f"NotMadeError: `{name}` is not there: run connect() above first."
        assert said.splitlines()[0] == sentence
    assert kept == "3\n"
    assert "----> 1 clutter\n" in usual
    assert usual.endswith(f"NameError: name 'clutter' is not defined\n{course_cells.ABOVE}\n")
    assert again.endswith("4\n")


def test_the_stop_button_during_connect_shows_a_sentence() -> None:
    stop = CONNECT.replace('RuntimeError("it was not ready")', "KeyboardInterrupt")
    shown, after, caught = cells(
        stop + "cluster = connect('local')\n", "cluster\n",
        "try:\n    connect('local')\nexcept KeyboardInterrupt: print('caught')",
    )  # fmt: skip
    assert shown.splitlines()[1] == (
        "StoppedError: connect() was stopped before it was done. Run this cell again."
    )
    assert "Traceback" not in shown
    assert "`cluster` is not there: run connect() above first" in after
    assert caught.endswith("caught\n")


def test_a_cell_that_was_stopped_shows_a_sentence_and_the_next_says_which_to_run() -> None:
    stop = "def stop(n):\n    if n == 2: raise KeyboardInterrupt\n"
    loop = "# long\nimport os\ndone = []\nfor n in range(5):\n    stop(n)\n    done.append(n)\n"
    _, shown, kept, missing, inner = cells(
        f"import course_lib\n{stop}", loop + "best = max(done)\n", "print(done)\n",
        "print(best)\n", "def f():\n    return unheard\nf()\n",
    )  # fmt: skip
    assert shown.splitlines()[0] == (
        "StoppedError: stopped. What this cell has made so far is kept. Not made: best. To go on "
        "from its beginning, run it again."
    )
    assert "Traceback" not in shown
    assert kept == "[0, 1]\n"
    assert missing.splitlines()[0] == (
        "NotMadeError: `best` is not there: the cell that makes it was stopped. Run that one "
        "again first: it begins with `done = []`."
    )
    assert inner.endswith("NameError: name 'unheard' is not defined\n"), "no advice inside of code"


def test_a_package_that_is_being_imported_is_imported_to_its_end_before_the_cell_stops(
    tmp_path: Path,
) -> None:
    (tmp_path / "slow_package.py").write_text(
        "import time\nfor _ in range(20):\n    time.sleep(0.05)\nwhole = True\n"
    )
    press = (
        "import os, signal, threading\nthreading.Timer(0.3, os.kill, (os.getpid(), 2)).start()\n"
    )
    _, shown, after = cells(
        f"import course_lib, sys\nsys.path.insert(0, {str(tmp_path)!r})\n",
        f"{press}import slow_package\nimport time\ntime.sleep(10)\nlate = 1\n",
        "print(slow_package.whole)\n",
    )
    assert shown.startswith("StoppedError: stopped.")
    assert "Not made: late." in shown
    assert after == "True\n"


def test_what_a_cell_with_an_error_did_not_make() -> None:
    _, shown, missing, made = cells(
        "import course_lib\n", "a = 1\nb = 1 / 0\n", "b\n", "b = 2\nprint(a, b)\n"
    )
    assert "ZeroDivisionError: division by zero" in shown
    assert "`b` is not there: the cell that makes it ended with an error" in missing
    assert made == "1 2\n"


def test_a_stopped_cell_lets_go_of_what_its_functions_held() -> None:
    """An actor that is held by a traceback alone would keep its core for ever."""
    _, _, after = cells(
        "import course_lib, weakref\nclass Held:\n    pass\nseen = []\n",
        "def f():\n    held = Held()\n    held.itself = held\n    seen.append(weakref.ref(held))\n"
        "    raise KeyboardInterrupt\nf()\n",
        "print(seen[0]() is None)\n",
    )
    assert after == "True\n"


def test_a_check_before_its_exercise() -> None:
    check = "f = checks.check_f(f)\n"
    _, shown, again = cells("import course_lib\nclass checks:\n    check_f = print\n", check, check)
    for said in (shown, again):
        assert said.splitlines()[0] == (
            "NotMadeError: `f` is not there: run the cell of the exercise first, the one above "
            "that begins with `# EXERCISE`."
        )


def test_names_that_a_cell_did_not_make() -> None:
    code = (
        "a = 1\nb = connect()\nc, d = 1, [e for e in 'xy']\n"
        "def f():\n    g = 1\nfor h in 'x':\n    i = h\nimport os\nj.k = 2\n"
    )
    assert sorted(course_cells.names_from(code, 2)) == ["b", "c", "d", "f", "h", "i", "os"]


def test_errors_travel() -> None:
    """Ray sends errors between processes."""
    import pickle

    for kind in (ClusterError, ClusterLostError):
        error = pickle.loads(pickle.dumps(kind("Gone.")))
        assert isinstance(error, CourseError)
        assert isinstance(error, ConnectionError)
        assert str(error) == "Gone."
