"""The stop button, pressed for real in the long cells of the lessons; the rest still runs."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import build
import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from lesson import lessons

QUICK = "train_mice(env.unwrapped, sizes.num_episodes"
WAITS = ("widgets.LiveWalk", QUICK)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple]:
    monkeypatch.setenv("COURSE_PROFILE", "laptop")
    manager, client = start_new_kernel(extra_arguments=["--Application.log_level=40"])
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(kernel: tuple, code: str, stop_after_s: float | None) -> tuple[str, str]:
    """Run one cell; return what it printed, and its error."""
    manager, client = kernel
    heard: dict[str, list[str]] = {"stream": [], "error": []}

    def hear(message: dict) -> None:
        content = message["content"]
        if message["msg_type"] == "execute_input" and stop_after_s is not None:
            press.start()
        if message["msg_type"] in heard:
            heard[message["msg_type"]].append(content.get("text") or content.get("ename", ""))

    press = threading.Timer(stop_after_s or 0, manager.interrupt_kernel)
    client.execute_interactive(code, timeout=180, output_hook=hear)
    press.cancel()
    return "".join(heard["stream"]), "".join(heard["error"])


def go_through(number: str, kernel: tuple, waits: tuple[str, ...], stop_after_s: float) -> int:
    """Run a lesson, stop the cells that hold one of ``waits``; return how many said so."""
    notebook = nbformat.read(build.targets(lessons([number])[0])["solution"], as_version=4)
    stopped = 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        wait = any(words in cell.source for words in waits)
        soon = 0.06 if QUICK in cell.source else stop_after_s
        began = time.monotonic()
        printed, error = run(kernel, cell.source, soon if wait else None)
        assert error == "" or (wait and error == "StoppedError"), f"{cell.id}: {error}; {printed}"
        if wait:
            assert time.monotonic() - began < soon + 6, cell.id  # of 10 on an idle machine
            stopped += printed.count("Stopped") + (error != "") == 1
    return stopped


LOST = """import course_lib, os, signal, time
class Falls:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
one = Falls()
del one
time.sleep(20)
"""


def test_a_stop_that_python_throws_away_is_pressed_again(kernel: tuple) -> None:
    began = time.monotonic()
    _, error = run(kernel, LOST, None)
    assert error == "StoppedError"
    assert time.monotonic() - began < 15


IMPORTS = """import course_lib, signal, sys, time
sys.path.insert(0, {folder!r})
import takes_long
heard = []
signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))  # as Tune does
until = time.monotonic() + 10
while not heard and time.monotonic() < until:
    time.sleep(0.05)
print(len(heard))
"""


def test_a_stop_during_an_import_reaches_who_listens_after_it(
    kernel: tuple, tmp_path: Path
) -> None:
    (tmp_path / "takes_long.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(0.05)\n"
    )
    printed, error = run(kernel, IMPORTS.format(folder=str(tmp_path)), None)
    assert (printed.strip(), error) == ("1", "")


def test_a_stop_is_of_the_cell_in_which_it_was_pressed(kernel: tuple, tmp_path: Path) -> None:
    """A press at the end of an import is pressed again a moment later: not in the next cell."""
    (tmp_path / "is_late.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    run(kernel, "import course_lib, sys, time", None)
    assert run(kernel, f"sys.path.insert(0, {str(tmp_path)!r}); import is_late", None)[1] == ""
    assert run(kernel, "time.sleep(0.5)", None)[1] == ""


HALF_DRAWN = """import course_lib, matplotlib.pyplot as plt
%matplotlib inline
plt.figure().add_subplot().set_title("whole")
title = plt.figure().add_subplot().set_title("half made")
title.set_fontsize = title._fontproperties = None
raise KeyboardInterrupt
"""


def test_a_stop_while_a_figure_is_made_shows_one_error_and_the_other_figures(
    kernel: tuple,
) -> None:
    shown: list[str] = []
    kernel[1].execute_interactive(
        HALF_DRAWN, timeout=60, output_hook=lambda message: shown.append(message["msg_type"])
    )
    told = ("error", "display_data")
    assert tuple(kind for kind in shown if kind in told) == told


def test_a_double_click_is_one_stop(kernel: tuple) -> None:
    """The second press comes while the first is told, or while the figures are drawn after it."""
    run(kernel, "import course_lib, time, matplotlib.pyplot as plt\n%matplotlib inline", None)
    press = kernel[0].interrupt_kernel
    for gap_s in (0.02, 0.1, 0.4):
        again = threading.Timer(1 + gap_s, press)
        again.start()
        printed, error = run(kernel, "plt.subplots(3, 4)\ntime.sleep(30)", 1)
        again.join()
        assert (printed, error) == ("", "StoppedError"), gap_s


SAYS = ("", "StoppedError", "NotMadeError", "NothingReportedError", "NothingToDrawError")
IDLE = """import time, ray
until = time.monotonic() + 10
if ray.is_initialized():
    while ray.available_resources().get("CPU", 0) < ray.cluster_resources()["CPU"]:
        assert time.monotonic() < until, "tasks go on"
        time.sleep(0.2)
"""


def stop_each(number: str, kernel: tuple, waits: dict[str, float]) -> None:
    """Stop each cell named after some seconds, try the next, run it again to its end, and go on."""
    notebook = nbformat.read(build.targets(lessons([number])[0])["solution"], as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert set(waits) <= {cell.id for cell in cells}
    for cell, after in zip(cells, [*cells[1:], cells[-1]], strict=True):
        stop_after_s = waits.get(cell.id)
        if stop_after_s is not None:
            began = time.monotonic()
            printed, error = run(kernel, cell.source, stop_after_s)
            took = time.monotonic() - began
            ended_itself = took < stop_after_s + 1  # a search whose trials have all ended
            stopped = error in SAYS[1:] or "topped" in printed or ended_itself
            assert error in SAYS and stopped, (
                f"{cell.id}: {error or 'no word of the stop'}; {printed}"
            )
            assert took < stop_after_s + 25, f"{cell.id} went on for {took:.0f} s"
            assert run(kernel, IDLE, None)[1] == "", f"{cell.id}: its tasks go on"
            printed, error = run(kernel, after.source, None)
            assert error in SAYS, f"after {cell.id}: {error}; {printed}"
        printed, error = run(kernel, cell.source, None)
        assert error == "", f"{cell.id}: {error}; {printed}"


WAITS_02 = {
    "cluster-connect": 0.3,
    "grid-search": 0.3,
    "tpe-search": 4.0,
    "early-results-search": 3.0,
    "rates": 0.3,
    "agent-stopped": 4.5,
    "agent-search": 2.0,
}
WAITS_04 = {"students": 0.3, "trials": 8.0, "live-bitcoin": 3.0, "variants": 0.3, "records": 8.0}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_lesson_02(kernel: tuple) -> None:
    stop_each("02", kernel, WAITS_02)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_lesson_04(kernel: tuple) -> None:
    stop_each("04", kernel, WAITS_04)


@pytest.mark.slow
@pytest.mark.parametrize("stop_after_s", [0.2, 3.0, 8.0])
def test_lesson_01(kernel: tuple, stop_after_s: float) -> None:
    assert go_through("01", kernel, WAITS, stop_after_s) == 3


@pytest.mark.slow
@pytest.mark.parametrize("stop_after_s", [0.3, 2.5])
def test_lesson_00(kernel: tuple, stop_after_s: float) -> None:
    waits = ('one after the other", total', "preflight.run")
    assert go_through("00", kernel, waits, stop_after_s) == 2


LONG_03 = (
    "learn_cells(chosen)", "learn_cells(alike)", "broken.error_at(", "own_rows = train(",
    "one_run.remote", "first_steps.remote", "rllib_rows = runs.train", "ppo_rows = runs.train",
    "columnar = time_spent", "scaling.sampling_rates",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("stop_after_s", [0.3, 4.0])
def test_lesson_03(kernel: tuple, stop_after_s: float) -> None:
    """A cell that was stopped says so; one that then lacks a name says which cell to run."""
    notebook = nbformat.read(build.targets(lessons(["03"])[0])["solution"], as_version=4)
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        words = next((words for words in LONG_03 if words in cell.source), None)
        began = time.monotonic()
        printed, error = run(kernel, cell.source, stop_after_s if words else None)
        allowed = ("", "StoppedError", "NotMadeError") if words else ("", "NotMadeError")
        assert error in allowed, f"{cell.id}: {error}; {printed}"
        if words:
            limit = 25 if "runs.build" in cell.source else 6  # an import goes on to its end
            took = time.monotonic() - began
            assert took < stop_after_s + limit, f"{cell.id}: {took:.0f} s, {error}; {printed}"
            assert "Stopped" in printed or error, f"{cell.id} said nothing: {printed}"
        if ".remote(" in cell.source:
            busy, _ = run(kernel, BUSY_03, None)
            assert busy.strip() == "0", f"{cell.id} left tasks running"


BUSY_03 = """
import time
for _ in range(30):
    busy = ray.cluster_resources()["CPU"] - ray.available_resources().get("CPU", 0)
    if not busy:
        break
    time.sleep(0.5)
print(f"{busy:g}")
"""


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", [lesson.number for lesson in lessons()])
def test_every_long_cell_at_the_start_in_the_middle_and_near_the_end(
    number: str, kernel: tuple
) -> None:
    """A cell of over two seconds is stopped at three shares of the time that it took before."""
    notebook = nbformat.read(build.targets(lessons([number])[0])["solution"], as_version=4)
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        began = time.monotonic()
        printed, error = run(kernel, cell.source, None)
        took = time.monotonic() - began
        assert error == "", f"{cell.id}: {error}; {printed}"
        for share in (0.05, 0.5, 0.9, None) if took > 2 else ():
            press_s = None if share is None else max(share * took, 0.2)
            began = time.monotonic()
            printed, error = run(kernel, cell.source, press_s)
            left_s = time.monotonic() - began - (press_s or 0)
            where = f"{cell.id} of {took:.1f} s, stopped at {share}: {error}; {printed}"
            if press_s is None:
                assert error == "", f"not whole again: {where}"
            elif left_s > 0:  # it was not over before
                said = "Stopped" in printed or error == "StoppedError"
                assert said or left_s < 2, f"went on for {left_s:.1f} s: {where}"
                assert left_s < 25, where  # imports, and a Ray that starts, go on to their end
