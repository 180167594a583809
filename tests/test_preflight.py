"""Preflight: each item green or red with its fix, reports, and the room at a glance."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from course_lib.cluster.machine import running
from course_lib.preflight import Report, Result, collect, items, packages, runner
from course_lib.preflight import __main__ as command
from course_lib.preflight.child import Child
from course_lib.preflight.report import FAIL, NOTE, OK, Style, clean

ROOT = Path(__file__).resolve().parent.parent
GIB = 2**30


def child(content: object = None, *, code: str = "") -> Child:
    """A child process that answers with ``content``, or runs ``code``."""
    return Child("test", [sys.executable, "-c", code or f"print({json.dumps(content)!r})"])


def only(*statuses: str) -> Report:
    names = ("Python", "Packages", "Ray")
    results = [
        Result(name, status, f"{name} was seen", "" if status == OK else f"mend {name}")
        for name, status in zip(names, statuses, strict=False)
    ]
    return Report(host="box", platform="Linux", python="3.12.1", course="0.1.0", results=results)


def shows(result: Result, status: str, *words: str) -> None:
    """Fail unless a result has the status, and its detail or fix all the words."""
    assert result.status == status, result
    assert all(word in f"{result.detail} | {result.fix}" for word in words), result


class TestItems:
    @pytest.mark.parametrize(
        ("result", "status", "detail"),
        [
            (items.python((3, 11, 9)), FAIL, "3.11.9"),
            (items.python((3, 12, 0)), OK, "3.12.0"),
            (items.python((3, 13, 5)), OK, "3.13.5"),
            (items.python((3, 14, 0)), FAIL, "3.14.0"),
            (items.memory(16 * GIB, int(1.9 * GIB)), FAIL, "1.9 GiB free of 16.0"),
            (items.memory(16 * GIB, 3 * GIB), NOTE, "3.0 GiB free of 16.0"),
            (items.memory(16 * GIB, 12 * GIB), OK, "12.0 GiB free of 16.0"),
            (items.disk({"/course": 100 * GIB, "/tmp": GIB // 2}), FAIL, "/tmp"),
            (items.disk({"/course": 3 * GIB, "/tmp": 99 * GIB}), NOTE, "/course"),
            (items.disk({"/course": 100 * GIB, "/tmp": 40 * GIB}), OK, "/tmp"),
            (items.cores(1), NOTE, "1"),
            (items.cores(64), OK, "64"),
            (items.gpu([], None), OK, "none is needed"),
        ],
    )
    def test_given_facts(self, result: Result, status: str, detail: str) -> None:
        shows(result, status, detail)
        assert bool(result.fix) == (status != OK)

    def test_gpu_seen_and_not_seen_by_torch(self) -> None:
        seen = items.gpu(["Fine GPU"], child({"cuda": True, "version": "2"}))
        unseen = items.gpu(["Fine GPU"] * 2, child({"cuda": False, "version": "2"}))
        broken = items.gpu(["Fine GPU"], child(code="raise SystemExit('no torch')"))
        assert (seen.status, unseen.status, broken.status) == (OK, NOTE, NOTE)
        assert "2 x Fine GPU" in unseen.detail
        assert "no torch" in broken.detail

    def test_rendering(self) -> None:
        good = {"height": 400, "width": 600, "colours": 5}
        assert items.rendering(child(good)).status == OK
        assert items.rendering(child({**good, "colours": 1})).status == FAIL
        broken = items.rendering(child(code="import no_such_module_at_all"))
        shows(broken, FAIL, "No module named 'no_such_module_at_all'", "pip install")

    @pytest.mark.parametrize(
        ("change", "status"),
        [({}, OK), ({"start_s": 40.0}, NOTE), ({"answer": 41}, FAIL)],
    )
    def test_ray(self, change: dict, status: str) -> None:
        found = {"answer": 42, "start_s": 7.0, "task_s": 0.1, "cores": 2, "dashboard": False}
        assert items.ray(child({**found, **change})).status == status

    def test_ray_that_hangs_is_red_and_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(items, "RAY_LIMIT_S", 1.0)
        code = "import subprocess as s; s.run(['sleep', '61'])"
        hanging = child(code=code)
        time.sleep(0.5)
        family = psutil.Process(hanging._process.pid).children(recursive=True)
        started = time.perf_counter()
        result = items.ray(hanging)
        assert time.perf_counter() - started < 5
        shows(result, FAIL, "no answer within 1 s")
        psutil.wait_procs(family, timeout=5)
        assert not [process for process in family if running(process)]
        assert hanging._process.poll() is not None

    def test_widgets(self, tmp_path: Path) -> None:
        (tmp_path / items.EXTENSION).mkdir(parents=True)
        (tmp_path / items.EXTENSION / "package.json").write_text("{}")
        assert items.widgets([str(tmp_path)]).status == OK
        shows(items.widgets([]), FAIL, "missing: JupyterLab's part of ipywidgets |")

    def test_folder(self, tmp_path: Path) -> None:
        assert items.folder(tmp_path).status == OK
        shows(items.folder(tmp_path / "gone"), NOTE, "| copy the course into a folder of yours")

    def test_data(self, tmp_path: Path) -> None:
        assert items.data().status == OK
        shows(
            items.data(tmp_path / "gone.csv.gz"), FAIL, "| get it back with `git checkout -- data"
        )

    def test_cluster(self) -> None:
        import socket

        assert items.cluster({}).status == OK
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            assert items.cluster({"RAY_ADDRESS": f"127.0.0.1:{port}"}).status == OK
        dead = {"RAY_ADDRESS": f"ray://127.0.0.1:{port}"}
        shows(items.cluster(dead), FAIL, "nothing listens", "unset RAY_ADDRESS")
        shows(items.cluster({"RAY_ADDRESS": "nonsense"}), FAIL, "RAY_ADDRESS must be")


class TestPackages:
    LOCK = (
        "numpy==2.3.5 \\\n    --hash=sha256:0f\nruff==0.12.1\n"
        "winpty==1.0 ; sys_platform == 'nowhere'\n# a comment\n"
    )

    @pytest.mark.parametrize(
        ("versions", "status", "detail"),
        [
            ({}, OK, "all 2 at the version in requirements.lock"),
            ({"numpy": "2.3.5+cpu"}, OK, "all 2 at the version in requirements.lock"),
            ({"numpy": None}, FAIL, "missing: numpy"),
            ({"numpy": "1.26.4"}, FAIL, "different: numpy 1.26.4, not 2.3.5"),
            ({"ruff": None}, NOTE, "missing: ruff; only the course's own tests and tools use it"),
        ],
    )
    def test_installed_against_locked(
        self, versions: dict, status: str, detail: str, tmp_path: Path
    ) -> None:
        lock = tmp_path / "requirements.lock"
        lock.write_text(self.LOCK)
        result = packages.check(lock, {"numpy": "2.3.5", "ruff": "0.12.1", **versions}.get)
        assert (result.status, result.detail) == (status, detail)
        pinned = result.fix.endswith("-m pip install --no-deps numpy==2.3.5")
        assert pinned == (status == FAIL)

    def test_gpu_libraries_are_for_a_torch_that_needs_them(
        self, tmp_path: Path, monkeypatch
    ) -> None:
        (tmp_path / "requirements.lock").write_text("nvidia-cublas==13.4\n")
        for core, status in ((set(), OK), ({"nvidia-cublas"}, FAIL)):
            monkeypatch.setattr(packages, "needed", lambda core=core: core)
            assert packages.check(tmp_path / "requirements.lock", {}.get).status == status

    def test_many_missing_are_counted(self, tmp_path: Path) -> None:
        nothing = packages.check(packages.LOCK, lambda name: None)
        shows(nothing, FAIL, " more", "requirements.lock")

    def test_no_lock(self, tmp_path: Path) -> None:
        assert packages.check(tmp_path / "none").status == NOTE

    def test_a_lock_that_pins_nothing(self) -> None:
        with pytest.raises(ValueError, match="'numpy>=2' does not pin one version"):
            packages.read_lock("numpy>=2\n")

    def test_the_real_lock_holds_what_is_needed(self) -> None:
        pins, needed = packages.read_lock(packages.LOCK.read_text()), packages.needed()
        assert {"numpy", "torch", "ray", "gymnasium", "pyarrow", "jupyterlab"} <= needed & set(pins)
        assert "ruff" in pins
        assert "ruff" not in needed


class TestRun:
    def results(self, monkeypatch: pytest.MonkeyPatch, *statuses: str) -> None:
        monkeypatch.setattr(runner, "_results", lambda: iter(only(*statuses).results))

    @pytest.mark.parametrize(
        ("statuses", "status", "words"),
        [
            ((OK, OK), 0, "This machine is ready."),
            ((OK, NOTE), 0, "ready. 1 of the items has a note."),
            ((OK, FAIL), 1, "Not ready yet: Packages."),
        ],
    )
    def test_status_summary_and_fix(
        self, statuses: tuple, status: int, words: str, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture,
    ) -> None:  # fmt: skip
        self.results(monkeypatch, *statuses)
        assert command.main([]) == status
        lines = capsys.readouterr().out.splitlines()
        assert words in lines[-1]
        red = [number for number, line in enumerate(lines) if "FAIL" in line]
        assert len(red) == statuses.count(FAIL)
        assert all(lines[number + 1].strip() == "fix: mend Packages" for number in red)

    def test_an_error_in_one_check_does_not_hide_the_rest(self) -> None:
        def broken() -> Result:
            raise ImportError("no psutil")

        shows(runner._guarded("Memory", broken), FAIL, "ImportError: no psutil")

    def test_json_that_cannot_be_written(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path
    ) -> None:
        self.results(monkeypatch, OK)
        (tmp_path / "file").write_text("")
        assert command.main(["--json", str(tmp_path / "file" / "x.json")]) == 2
        assert "error:" in capsys.readouterr().err

    @pytest.mark.parametrize("flags", [["--json", "x", "--collect", "y"], ["--html", "x"]])
    def test_flags_that_do_not_go_together(self, flags: list[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            command.main(flags)
        assert caught.value.code == 2

    def test_marks_for_an_old_terminal(self) -> None:
        import io

        old = Style(io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
        old.line(Result("Ray", FAIL, "broken", "mend")).encode("cp1252")

    def test_this_machine(self, tmp_path: Path) -> None:
        """The real command, with Ray and all."""
        report_file = tmp_path / "me.json"
        env = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        run = subprocess.run(
            [sys.executable, "-m", "course_lib.preflight", "--json", str(report_file)],
            cwd=ROOT, env=env, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        report = Report.from_json(report_file.read_text(encoding="utf-8"))
        assert run.returncode == 0, run.stdout
        assert report.ok
        names = [result.item for result in report.results]
        assert names == ["Python", "Packages", "Memory", "Disk", "Folder", "Cores", "GPU",
                         "Widgets", "Data", "Cluster", "Rendering", "Ray"]  # fmt: skip
        assert all((report.host, report.time, report.platform))
        assert all(name in run.stdout for name in names)
        assert "\033" not in run.stdout


class TestCollect:
    def room(self, folder: Path) -> Path:
        for number in range(40):
            statuses = (OK, FAIL, OK) if number == 7 else (OK, NOTE if number == 9 else OK, OK)
            (folder / f"p{number:02}.json").write_text(only(*statuses).to_json())
        return folder

    def test_the_room_at_a_glance(self, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
        assert command.main(["--collect", str(self.room(tmp_path))]) == 1
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "39 of 40 machines are ready (1 with a note), 1 needs help."
        assert lines[2].split() == ["machine", "Python", "Packages", "Ray"]
        assert lines[3].split()[0] == "p07"
        assert sum(line.startswith("p") for line in lines) == 41
        text = "\n".join(lines)
        assert "p07 needs help (host box, Linux)" in text
        assert "fix: mend Packages" in text

    def test_all_ready(self, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
        (tmp_path / "a.json").write_text(only(OK, OK).to_json())
        assert command.main(["--collect", str(tmp_path)]) == 0
        assert "1 of 1 machines are ready." in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "the file is empty"),
            (b'{"results": [', "not JSON"),
            (b"[1, 2]", "not a report of the preflight"),
            (b'{"results": "all"}', "not a report of the preflight"),
            (b'{"format": 99, "results": []}', "another version (99)"),
            (b'{"format": 1, "results": []}', "without results"),
            (b'{"format": 1, "results": [{"status": "great"}]}', "cannot be read"),
            (b'{"format": 1, "results": [3]}', "cannot be read"),
            (b"\xff\xfe\x00", "not a text file"),
            (b" " * 1_000_001, "too large"),
            (b"[" * 100_000, "nested too deeply"),
        ],
    )
    def test_a_bad_file_is_named_and_the_rest_shown(
        self, content: bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture
    ) -> None:
        (tmp_path / "good.json").write_text(only(OK).to_json())
        (tmp_path / "bad.json").write_bytes(content)
        assert command.main(["--collect", str(tmp_path)]) == 1
        out = capsys.readouterr().out
        assert "1 of 1 machines are ready; files that cannot be read: 1." in out
        assert "bad.json: " in out
        assert reason in out

    def test_a_report_saved_by_windows_notepad(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text(only(OK).to_json(), encoding="utf-8-sig")
        reports, broken = collect.read_folder(tmp_path)
        assert len(reports) == 1
        assert not broken

    def test_machines_with_different_items(self) -> None:
        reports = [only(OK, OK, OK), only(FAIL)]
        text = collect.as_text(reports, [], Style())
        assert text.splitlines()[4].split()[-1] == "?"

    def test_no_folder_and_no_file(self, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
        assert command.main(["--collect", str(tmp_path / "none")]) == 2
        assert "is not a folder" in capsys.readouterr().err
        assert command.main(["--collect", str(tmp_path)]) == 2
        assert "holds no .json file" in capsys.readouterr().err

    def test_a_strangers_text_cannot_steer_a_terminal(self, tmp_path: Path) -> None:
        """Pages are tested in test_reports."""
        evil = only(FAIL)
        evil.results[0] = Result("Py\x1b[2Jthon", FAIL, "bad", "\x1b]0;x\x07")
        evil.host = "a\nb"
        (tmp_path / "evil.json").write_text(evil.to_json())
        text = collect.as_text(*collect.read_folder(tmp_path), Style())
        assert not {"\x1b", "\x07"} & set(text)
        assert "host ab" in text

    def test_page(self, tmp_path: Path) -> None:
        page = tmp_path / "out" / "room.html"
        assert command.main(["--collect", str(self.room(tmp_path)), "--html", str(page)]) == 1
        text = page.read_text(encoding="utf-8")
        assert text.count("<tr>") == 41
        assert "39 of 40 machines are ready" in text


def test_a_report_survives_its_file() -> None:
    report = only(OK, NOTE, FAIL)
    back = Report.from_json(report.to_json(), "x")
    assert back.results == report.results
    assert not back.ok
    assert json.loads(report.to_json())["ok"] is False


def test_clean() -> None:
    assert clean("a\tb\x1b\u202ec" + "d" * 400) == "abc" + "d" * 294
    assert clean(None) == ""
