"""What an instructor does with a class: lists, versions, dates, points by hand, equal answers."""

import datetime
import json
import os
from pathlib import Path, PurePath
from typing import Any

import pytest

pytest.importorskip("nbval")
from grading_corpus import answers, files

from course_lib.grading import (
    alike,
    course,
    names,
    overrides,
    report,
    roster,
    run,
    scores,
    session,
)
from course_lib.grading.submissions import Submission, find, newest

LESSONS = course.lessons()
STEMS = [lesson.stem for lesson in LESSONS.values()]
FILE = "01_mouse_and_cheese"


def put(folder: Path, name: str, source: str = answers.GOOD, time: float | None = None) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(files.plain(source)))
    if time is not None:
        os.utime(path, (time, time))


def found(folder: Path) -> dict[str, Submission]:
    return {one.learner: one for one in newest(find(folder, LESSONS, "01"))}


def row(learner: str, points: int | None = 10, **more: Any) -> dict[str, Any]:
    state = "not graded" if points is None else "solved" if points == 10 else "partly"
    one = {"exercise": "1.2", "title": "t", "points": points, "of": 10, "seconds": 1.0,
           "state": state, "message": "", "trouble": "", "parts": [], "missing": {},
           "by_hand": None, "source": ""}  # fmt: skip
    one["verdict"] = scores.verdict(one)
    base = {"learner": learner, "notebook": "01", "file": f"{learner}.ipynb", "problem": ""}
    return {**base, "exercises": [one | more], "seconds": 1.0, "late": "", "older": []}


class TestNames:
    @pytest.mark.parametrize(
        ("path", "learner", "attempt"),
        [
            ("ann.ipynb", "ann", 0),
            (f"ann_{FILE}.ipynb", "ann", 0),
            (f"ann {FILE} (2).ipynb", "ann", 2),
            (f"ann_{FILE}-Copy1.ipynb", "ann", 1),
            (f"ann/{FILE} - Copy.ipynb", "ann", 1),
            (f"ann/{FILE}_2.ipynb", "ann", 2),
            ("student_2.ipynb", "student_2", 2),
            ("Ann Lee_1234567_assignsubmission_file_/x.ipynb", "Ann Lee", 0),
            (f"Ann Lee_1234567_assignsubmission_file_{FILE}.ipynb", "Ann Lee", 0),
            (f"leeann_LATE_12_345_{FILE}-3.ipynb", "leeann", 3),
            (f"leeann_12_345_{FILE}.ipynb.txt", "leeann", 0),
            ("ann.IPYNB", "ann", 0),
        ],
    )
    def test_whose_and_which(self, path: str, learner: str, attempt: int) -> None:
        read = names.read(PurePath(path), STEMS)
        assert (read.learner, read.attempt) == (learner, attempt)

    def test_platforms(self) -> None:
        moodle = names.read(PurePath("Ann_77123_assignsubmission_file_/a.ipynb"), STEMS)
        canvas = names.read(PurePath("leeann_LATE_12_345_a.ipynb"), STEMS)
        assert (moodle.platform, moodle.id, moodle.late) == ("moodle", "77123", False)
        assert (canvas.platform, canvas.id, canvas.late) == ("canvas", "12", True)


class TestVersions:
    def test_the_newest_counts_and_names_the_others(self, tmp_path: Path) -> None:
        put(tmp_path, "ann.ipynb", time=200.0)
        put(tmp_path, "ann_2.ipynb", time=100.0)
        put(tmp_path, f"bob/{FILE}.ipynb", time=300.0)
        put(tmp_path, f"bob/{FILE}-old.ipynb", time=100.0)
        mine = found(tmp_path)
        assert set(mine) == {"ann", "bob"}
        assert (mine["ann"].path.name, mine["ann"].older) == ("ann_2.ipynb", ["ann.ipynb"])
        assert mine["bob"].path.name == f"{FILE}.ipynb"

    def test_a_number_is_a_version_only_beside_the_first(self, tmp_path: Path) -> None:
        put(tmp_path, "student_1.ipynb")
        put(tmp_path, "student_2.ipynb")
        assert set(found(tmp_path)) == {"student_1", "student_2"}

    def test_two_learners_of_one_name(self, tmp_path: Path) -> None:
        for number in (1111, 2222):
            put(tmp_path, f"Ann Lee_{number}_assignsubmission_file_/{FILE}.ipynb")
        assert set(found(tmp_path)) == {"Ann Lee (1111)", "Ann Lee (2222)"}

    def test_the_best_counts_if_asked_for(self, tmp_path: Path) -> None:
        rows = [row("ann", 3, exercise="1.2"), {**row("ann", 10), "file": "better.ipynb"}]
        (kept,) = report.write(rows, tmp_path, {})
        assert (kept["file"], kept["older"]) == ("better.ipynb", ["ann.ipynb"])

    def test_late(self, tmp_path: Path) -> None:
        put(tmp_path, "ann.ipynb", time=86_400.0)
        put(tmp_path, f"leebob_LATE_1_2_{FILE}.ipynb", time=0.0)
        due = datetime.datetime(1970, 1, 1, 23, tzinfo=datetime.UTC)
        late = {name: one.late_by(due) for name, one in found(tmp_path).items()}
        assert late == {"ann": "1:00:00", "leebob": "late"}
        assert found(tmp_path)["ann"].late_by(None) == ""


class TestWhatIsNoNotebook:
    def test_it_is_listed(self, tmp_path: Path) -> None:
        put(tmp_path, "ann.IPYNB")
        put(tmp_path, "bob.ipynb.txt")
        put(tmp_path, f"cy/{FILE}.ipynb")
        (tmp_path / "cy" / "notes.txt").write_text("mine")
        (tmp_path / "dora.pdf").write_bytes(b"%PDF")
        (tmp_path / "erik").mkdir()
        (tmp_path / "fred").mkdir()
        (tmp_path / "fred" / "essay.docx").write_bytes(b"PK")
        problems = {name: one.problem for name, one in found(tmp_path).items()}
        assert set(problems) == {"ann", "bob", "cy", "dora", "erik", "fred"}
        assert problems["ann"] == problems["bob"] == problems["cy"] == ""
        assert "a file that is no notebook: dora.pdf" in problems["dora"]
        assert "an empty folder" in problems["erik"]
        assert "no notebook, but essay.docx" in problems["fred"]


class TestRoster:
    MOODLE = (
        "First name,Last name,ID number,Email address\nAnn,Lée,1111,ann@x.org\n"
        "Ann,Lée,2222,lee@x.org\nZoë,Nobody,3,z@x.org\n"
    )
    CANVAS = (
        "Student,ID,SIS Login ID,Section\n    Points Possible,,,\n"
        '"Lee, Ann",12,alee,A\n"Kim, Bob",13,bkim,A\n'
    )

    def read(self, folder: Path, text: str) -> roster.Roster:
        (folder / "list.csv").write_text(text, encoding="utf-8")
        return roster.read(folder / "list.csv")

    def test_who_is_missing_and_who_is_a_stranger(self, tmp_path: Path) -> None:
        people = self.read(tmp_path, self.MOODLE)
        people.match({"Ann Lee (1111)": "1111", "lee": "", "Hacker": ""})
        assert people.missing == ["Zoë Nobody"]
        assert people.strangers == ["Hacker"]

    def test_a_name_of_two_people_is_nobodys(self, tmp_path: Path) -> None:
        people = self.read(tmp_path, self.MOODLE)
        people.match({"Ann Lee": ""})
        assert people.strangers == ["Ann Lee"]

    def test_canvas_and_its_table(self, tmp_path: Path) -> None:
        people = self.read(tmp_path, self.CANVAS)
        people.match({"leeann": "12"})
        assert people.missing == ["Kim, Bob"]
        path = roster.write_tables(
            people, {"leeann": {"01": 41, "02": None}}, {"01": 48, "02": 40}, tmp_path
        )
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        assert path.name == "canvas.csv"
        assert lines == [
            "Student,ID,SIS Login ID,Section,Notebook 01,Notebook 02",
            "    Points Possible,,,,48,40",
            '"Lee, Ann",12,alee,A,41,', '"Kim, Bob",13,bkim,A,,',
        ]  # fmt: skip

    @pytest.mark.parametrize("text", ["learner;group\nann;A\n", "Name\nann\n"])
    def test_plain_lists(self, tmp_path: Path, text: str) -> None:
        assert self.read(tmp_path, text).missing == ["ann"]

    @pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "learner\n"])
    def test_what_is_no_list(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(ValueError, match="--roster"):
            self.read(tmp_path, text)

    def test_the_report_names_them(self, tmp_path: Path) -> None:
        people = self.read(tmp_path, "learner\nann\nzoe\n")
        report.write([row("ann"), row("bob")], tmp_path, {"graded": 2, "of": 5}, people)
        page = (tmp_path / "class.html").read_text(encoding="utf-8")
        assert "1 of the class list: zoe." in page
        assert "bob: not on the class list" in page
        assert "2 of 5 notebooks are graded" in page
        assert "zoe,,,,,,,not graded,nothing handed in" in (tmp_path / "scores.csv").read_text(
            encoding="utf-8-sig"
        )


class TestByHand:
    def test_points_by_hand_stay(self, tmp_path: Path) -> None:
        text = "learner,notebook,exercise,points,reason\nann,1,1.2,9,=we talked\n"
        (tmp_path / "overrides.csv").write_text(text)
        for _ in range(2):  # each time that the report is written
            (kept,) = report.write([row("ann", None)], tmp_path, {})
            assert kept["exercises"][0]["points"] == 9
        assert "gave 9 of 10 points" in (tmp_path / "feedback" / "ann.html").read_text()
        assert "'=we talked" in (tmp_path / "scores.csv").read_text(encoding="utf-8-sig")
        assert (tmp_path / "overrides.csv").read_text() == text

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("bob,01,1.2,9,x", "line 2: there is no bob"),
            ("ann,01,1.2,11,x", "from 0 to 10, got 11"),
            ("ann,01,1.2,-1,x", "from 0 to 10, got -1"),
            ("ann,01,,9,x", "it lacks exercise"),
            ("ann", "it lacks notebook, exercise, points"),
        ],
    )
    def test_what_does_not_fit_is_said(self, tmp_path: Path, line: str, words: str) -> None:
        path = tmp_path / "overrides.csv"
        path.write_text(f"learner,notebook,exercise,points,reason\n{line}\n")
        (problem,) = overrides.apply([row("ann")], tmp_path)
        assert words in problem


class TestAgain:
    def grade(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, **options: Any
    ) -> tuple[int, list[str]]:
        """Grade without kernels; return the status, and whose notebooks were run."""
        ran: list[str] = []

        def prepare(plan: Any, lesson: Any) -> None:
            blank = {"title": "t", "needs": "", "parts": {"p": 1}, "cases": []}
            plan.expected[lesson.number] = {one.number: blank for one in lesson.exercises}

        def session_run(plan: Any, lesson: Any, cells: list[Any]) -> dict[str, Any]:
            ran.append(cells[0].source.split()[-1])
            nothing = {"answer": "missing", "source": "", "records": {}, "missing": {}}
            return {one.number: nothing for one in lesson.exercises}

        monkeypatch.setattr(session.Plan, "prepare", prepare)
        monkeypatch.setattr(session, "run", session_run)
        made = run.Options(
            folder / "in", folder / "out", notebook="01", sandbox="reduced", jobs=1, **options
        )
        return run.grade(made), sorted(ran)

    def test_one_learner_or_all(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("ann", "bob"):
            put(tmp_path / "in", f"{name}.ipynb", answers.GOOD + f"# of {name}")
        assert self.grade(tmp_path, monkeypatch) == (0, ["ann", "bob"])
        assert self.grade(tmp_path, monkeypatch) == (0, [])
        assert self.grade(tmp_path, monkeypatch, regrade=("bob",)) == (0, ["bob"])
        assert self.grade(tmp_path, monkeypatch, regrade=("all",)) == (0, ["ann", "bob"])
        assert "The checks changed" not in capsys.readouterr().out
        monkeypatch.setattr(run, "checks_stamp", lambda: "another")
        assert self.grade(tmp_path, monkeypatch) == (0, [])
        assert "The checks changed since 2 were graded" in capsys.readouterr().out
        with pytest.raises(ValueError, match="nobody here is called zoe"):
            self.grade(tmp_path, monkeypatch, regrade=("zoe",))

    def test_what_a_killed_grader_left_is_swept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run.tempfile, "gettempdir", lambda: str(tmp_path))
        mine, dead = tmp_path / f"cgr{os.getpid()}-x", tmp_path / "cgr999999999-x"
        for folder in (mine, dead):
            folder.mkdir()
        run._sweep()
        assert list(tmp_path.iterdir()) == [mine]


class TestAlike:
    LONG = (
        "def f(env, table, *, gamma):\n    obs, total = env.reset()[0], 0\n    done = False\n"
        "    while not done:\n        action = max(range(4), key=lambda a: table[obs, a])\n"
        "        obs, reward, end, cut, _ = env.step(action)\n"
        "        total += gamma * reward\n        done = end or cut\n    return total\n"
    )

    def groups(self, *sources: str, own: str = "") -> list[dict[str, Any]]:
        rows = [row(f"l{i}", source=source) for i, source in enumerate(sources)]
        return alike.groups(rows, {"1.2": own})

    def test_other_names_and_comments_are_no_difference(self) -> None:
        renamed = "# mine\n" + self.LONG.replace("total", "s").replace("action", "a1")
        (group,) = self.groups(self.LONG, renamed, self.LONG.replace("gamma *", "2 *"))
        assert list(group["answers"]) == ["l0", "l1"]

    def test_short_answers_and_the_courses_own_say_nothing(self) -> None:
        assert self.groups(answers.GOOD, answers.GOOD) == []
        assert self.groups(self.LONG, self.LONG, own=self.LONG) == []
        assert self.groups("def f(:", "def f(:") == []
