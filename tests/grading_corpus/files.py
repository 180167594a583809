"""Write the corpus: a folder of submissions, and what each should get."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grading_corpus import answers

WORTH = (
    "# EXERCISE 1.5\ndef worth_from_afar(steps, gamma):\n"
    "    return sum(-gamma**t for t in range(steps - 1)) + 20 * gamma ** (steps - 1)\n"
)
PLACEHOLDER = "import numpy as np\n"


@dataclass
class Entry:
    """A submission's file name, and what is expected of it.

    ``points`` and ``states`` are by exercise; exercises that are not named must get 0 points.
    """

    name: str
    points: dict[str, int] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def code(source: str, **extra: Any) -> dict[str, Any]:
    base = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    return {**base, "source": source, **extra}


def notebook(*cells: dict[str, Any], **extra: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **extra}


def exercise(source: str, **extra: Any) -> dict[str, Any]:
    return code("# EXERCISE 1.2\n" + source, id="exercise-1-2", **extra)


def check(source: str = "td_update = checks.check_td_update(td_update)") -> dict[str, Any]:
    return code(source, id="check")


def plain(source: str) -> dict[str, Any]:
    """A notebook with one answer and its check."""
    return notebook(exercise(source), check())


def with_neighbour(source: str) -> dict[str, Any]:
    """The same with a right answer to exercise 1.5, which must keep its points."""
    return notebook(exercise(source), check(), code(WORTH, id="exercise-1-5"))


def version_3(source: str) -> dict[str, Any]:
    lines = ("# EXERCISE 1.2\n" + source).splitlines(keepends=True)
    cell = {"cell_type": "code", "language": "python", "metadata": {}, "outputs": [],
            "collapsed": False, "input": lines}  # fmt: skip
    sheet = {"cells": [cell], "metadata": {}}
    return {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [sheet]}


def _with_helper(helper: str) -> Callable[[str], Any]:
    """Notebooks whose answer takes its maximum by a function of another cell."""
    return lambda good: notebook(
        code(helper), exercise(good.replace("next_q_values.max()", "best(next_q_values)"))
    )


STUB = answers.HEAD + '    raise NotImplementedError("Exercise 1.2")'
COLAB = {"metadata": {"id": "xYz12", "colab": {"base_uri": "x"}, "outputId": "q"}}
HUGE = [{"output_type": "stream", "name": "stdout", "text": "x" * 20_000_000}]
FORMS: dict[str, Callable[[str], Any]] = {
    "colab": lambda good: notebook(
        {**code("# EXERCISE 1.2\n" + good), **COLAB}, nbformat_minor=0, metadata={"colab": {}}
    ),
    "marker-lost": lambda good: notebook(code(good, id="exercise-1-2")),
    "id-lost": lambda good: notebook(code("#EXERCISE 1.2\n" + good, id="abc")),
    "both-lost": lambda good: notebook(code("# 1.2 of notebook 01\n" + good), code(WORTH)),
    "metadata-only": lambda good: notebook(code(good, id="z", metadata={"exercise": "1.2"})),
    "format-3": version_3,
    "format-4-0": lambda good: notebook(
        {key: value for key, value in exercise(good).items() if key != "id"}, nbformat_minor=0
    ),
    "source-as-list": lambda good: notebook(
        {**exercise(good), "source": ("# EXERCISE 1.2\n" + good).splitlines(keepends=True)}
    ),
    "reordered": lambda good: notebook(check(), exercise(good)),
    "duplicated": lambda good: notebook(exercise(answers.HEAD + "    return 0\n"), exercise(good)),
    "stub-copy-after": lambda good: notebook(exercise(good), exercise(STUB)),
    "answer-in-a-new-cell": lambda good: notebook(exercise(STUB), check(), code(good)),
    "no-checks": lambda good: notebook(exercise(good)),
    "edited-check": lambda good: notebook(exercise(good), check("td_update = 5\nraise SystemExit")),
    "duplicated-check": lambda good: notebook(exercise(good), check(), check(), check()),
    "two-in-one-cell": lambda good: notebook(exercise(good + WORTH)),
    "helper-elsewhere": lambda good: notebook(
        code("import math\nGAIN = 1.0\ndef best(row):\n    return GAIN * math.fsum([max(row)])"),
        exercise(good.replace("next_q_values.max()", "best(next_q_values)")),
    ),
    "helper-as-lambda": _with_helper("best = lambda row: max(row)"),
    "helper-annotated": _with_helper("from typing import Callable\nbest: Callable = max"),
    "helper-in-try": _with_helper("try:\n    import numbaa\nexcept ImportError:\n    best = max"),
    "helper-in-if": _with_helper("if True:\n    def best(row):\n        return max(row)"),
    "helper-by-call": _with_helper("import functools\nbest = functools.partial(max, default=0)"),
    "helper-in-two-steps": _with_helper(
        "TABLE = {}\nTABLE['best'] = max\ndef best(row):\n    return TABLE['best'](row)"
    ),
    "helper-counted": _with_helper(
        "GAIN = 0.5\nGAIN += 0.5\ndef best(row):\n    return GAIN * max(row)"
    ),
    "helper-in-a-timed-cell": _with_helper("%%time\ndef best(row):\n    return max(row)"),
    "helper-by-star": _with_helper(
        "from math import *\ndef best(row):\n    return fsum([max(row)])"
    ),
    "helper-beside-an-error": _with_helper("best = max\nSIZE = 1 / 0"),
    "helper-named-as-the-courses": lambda good: notebook(
        code("def reading(row):\n    return max(row)"),
        exercise(good.replace("next_q_values.max()", "reading(next_q_values)")),
    ),
    "helper-uses-a-name-that-is-no-more": lambda good: notebook(
        code("def best(row):\n    return float(np.max(row))"),
        exercise(good.replace("next_q_values.max()", "best(next_q_values)")),
        check(),
        code("np = 3"),
    ),
    "helper-name-used-again": lambda good: notebook(
        code("def best(row):\n    return max(row)"),
        exercise(good.replace("next_q_values.max()", "best(next_q_values)")),
        check(),
        code("best = 3\nprint(best)"),
    ),
    "timed": lambda good: notebook(code("%%time\n# EXERCISE 1.2\n" + good, id="exercise-1-2")),
    "a-long-training-elsewhere": lambda good: notebook(
        code("import time\ntrained = time.sleep(10_000)"),
        exercise(good + "print(trained)\n"),
    ),
    "helper-set-by-global": lambda good: notebook(
        code("def prepare():\n    global best\n    best = max\nprepare()"),
        exercise(good.replace("next_q_values.max()", "best(next_q_values)")),
    ),
    "helper-filled-by-a-decorator": lambda good: notebook(
        code(
            "TABLE = {}\ndef kept(f):\n    TABLE[f.__name__] = f\n    return f\n"
            "@kept\ndef best(row):\n    return max(row)"
        ),
        exercise(good.replace("next_q_values.max()", "TABLE['best'](next_q_values)")),
    ),
    "helper-in-a-module": lambda good: notebook(
        code("%%writefile mine.py\ndef best(row):\n    return max(row)"),
        exercise("import mine\n" + good.replace("next_q_values.max()", "mine.best(next_q_values)")),
    ),
    "helper-under-a-second-name": lambda good: notebook(
        code("def best(row):\n    return max(row)"),
        code("largest = best"),
        code("best = None"),
        exercise(good.replace("next_q_values.max()", "largest(next_q_values)")),
    ),
    "helper-below": lambda good: notebook(
        exercise(good.replace("next_q_values.max()", "best(next_q_values)")),
        code("def best(row):\n    return max(row)"),
    ),
    "wrong-kernel": lambda good: notebook(
        exercise(good), metadata={"kernelspec": {"name": "julia", "language": "julia"}}
    ),
    "skip-tags": lambda good: notebook(
        exercise(good, metadata={"tags": ["nbval-skip", "raises-exception"]})
    ),
    "odd-metadata": lambda good: notebook(exercise(good, metadata=None), metadata=[]),
    "huge-output": lambda good: notebook(exercise(good, outputs=HUGE)),
    "crlf": lambda good: notebook(exercise(good.replace("\n", "\r\n"))),
}
NAMES = ["Müller, Jörg", "with  spaces and.dots", "小明", "quote'\"<b>&", "=1+1"]
BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"), "cut-off": (json.dumps(plain(answers.GOOD)).encode()[:300], "damaged"),
    "merge-conflict": (b'{"cells": [\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> x\n]}', "conflict"),
    "not-a-notebook": (b'{"hello": 1}', "not a notebook"), "a-list": (b"[1, 2]", "not a notebook"),
    "binary": (bytes(range(256)) * 10, "damaged"),
    "deep": (b'{"cells":' + b"[" * 100_000, "nested too deeply"),
    "cells-are-numbers": (b'{"cells": [1, 2]}', "damaged"),
}  # fmt: skip


SAMPLE = {"half-a-character", "half-an-emoji", "raise-in-a-comment", "sockets-replaced",
          "memory-of-its-own", "users-of-its-own", "whole solution", "whole stub",
          "debug-prints", "no-mask", "loop", "kill", "flood",
          "memory", "equal-to-all", "patched-respond", "no-respond", "calls-the-reference",
          "other-processes", "network", "other-submission", "changes-the-course", "double-fork",
          "both-lost", "quote'\"<b>&", "cut-off", "link-out", "pipe"}  # fmt: skip


def write(folder: Path, root: Path, port: int, *, only: set[str] | None = None) -> list[Entry]:
    """Write submissions below ``folder``; return what is expected of each.

    Args:
        folder: of the submissions.
        root: of the repository.
        port: where a server listens that nobody must reach.
        only: names to keep, such as ``SAMPLE``: one of each kind.
    """
    entries = [*_whole_notebooks(folder, root), *_answers(folder, port), *_forms(folder)]
    entries += _broken(folder)
    if only is None:
        return entries
    for path in folder.iterdir():
        if path.name.removesuffix(".ipynb") not in only:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return [entry for entry in entries if entry.name in only]


def _save(folder: Path, name: str, content: Any) -> None:
    (folder / f"{name}.ipynb").write_text(json.dumps(content), encoding="utf-8")


def _whole_notebooks(folder: Path, root: Path) -> list[Entry]:
    name = "01_mouse_and_cheese.ipynb"
    full = {"1.1": 10, "1.2": 10, "1.3": 12, "1.4": 8, "1.5": 8}
    for learner, source in (("whole solution", "solutions/" + name), ("whole stub", name)):
        (folder / learner).mkdir()
        (folder / learner / name).write_bytes((root / "notebooks" / source).read_bytes())
    trap = "import pathlib\npathlib.Path(__file__).with_name('was-run').touch()\n"
    (folder / "whole solution" / "conftest.py").write_text(trap)
    return [
        Entry("whole solution", full, dict.fromkeys(full, "solved")),
        Entry("whole stub", {}, dict.fromkeys(full, "not started yet")),
    ]


def _answers(folder: Path, port: int) -> list[Entry]:
    entries = []
    for name, source in answers.RIGHT_ANSWERS.items():
        _save(folder, name, plain(source.replace("HOSTSOCKET", str(folder.parent / "host"))))
        entries.append(Entry(name, {"1.2": 10}, {"1.2": "solved", "1.5": "missing"}))
    for name, (source, points, state) in answers.WRONG_ANSWERS.items():
        _save(folder, name, plain(source))
        entries.append(Entry(name, {"1.2": points}, {"1.2": state}))
    for name, (source, state) in answers.STOPPED_ANSWERS.items():
        _save(folder, name, with_neighbour(source))
        entries.append(Entry(name, {"1.2": 0, "1.5": 8}, {"1.2": state}))
    for name, source in answers.REFUSED_ANSWERS.items():
        told = source.replace("PORT", str(port)).replace("SUBMISSIONS", str(folder))
        _save(folder, name, with_neighbour(told))
        entries.append(Entry(name, {"1.2": 0, "1.5": 8}))
    for name, source in answers.TAMPERED_ANSWERS.items():
        _save(folder, name, with_neighbour(source))
        entries.append(Entry(name, {"1.2": 0, "1.5": 8}, {"1.2": "tampered"}))
    for name, source in answers.STRAYS.items():
        _save(folder, name, with_neighbour(source))
        entries.append(Entry(name, {"1.2": 10, "1.5": 8}))
    return entries


def _forms(folder: Path) -> list[Entry]:
    entries = []
    for name, make in FORMS.items():
        _save(folder, name, make(answers.GOOD))
        more = {"1.5": 8} if name in ("both-lost", "two-in-one-cell") else {}
        entries.append(Entry(name, {"1.2": 10, **more}))
    _save(folder, "bom", plain(answers.GOOD))
    path = folder / "bom.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    for name in NAMES:
        _save(folder, name, plain(answers.GOOD))
    _save(folder, "nobody_01_mouse_and_cheese", plain(answers.GOOD))
    return [*entries, *(Entry(name, {"1.2": 10}) for name in ("bom", "nobody", *NAMES))]


def _broken(folder: Path) -> list[Entry]:
    for name, (data, _) in BROKEN.items():
        (folder / f"{name}.ipynb").write_bytes(data)
    outside = folder.parent / "outside.ipynb"
    outside.write_text(json.dumps(plain(answers.GOOD)))
    (folder / "link-out.ipynb").symlink_to(outside)
    (folder / "link-nowhere.ipynb").symlink_to("/nowhere/at/all.ipynb")
    (folder / "link-folder").symlink_to(folder.parent)
    os.mkfifo(folder / "pipe.ipynb")
    links = {"link-out": "leads out", "link-nowhere": "leads out", "link-folder": "leads out"}
    words = {name: words for name, (_, words) in BROKEN.items()} | links
    words["pipe"] = "not an ordinary file"
    return [Entry(name, problem=text) for name, text in words.items()]
