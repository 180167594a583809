"""course.py: a Python and uv are found, and an environment is made, mended or left alone."""

import ast
import hashlib
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
import wheels
from bootstrap import environment, installing, locked, pythons, uv, verbs, wheelhouse
from bootstrap.machine import Machine, SetupError, existing

ROOT = Path(__file__).resolve().parent.parent
OLD_PYTHONS = {
    version: found
    for version in ("2.7", "3.6", "3.8", "3.9", "3.11")
    for found in sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python"))
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    return tmp_path


def machine(folder: Path, *, system: str = "linux", **env: str) -> Machine:
    """A machine with an empty home, and nothing on its PATH but what a test puts into bin."""
    running = env.pop("running", None)
    return Machine({"PATH": str(folder / "bin"), **env}, system, [folder / "home"],
                   Path(running) if running else None)  # fmt: skip


def program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def python(path: Path, version: str = "3.12", bits64: bool = True, makes_pip: bool = True) -> Path:
    return program(path, f"echo {version} {bits64} {makes_pip}")


def found(machine: Machine, **how: bool) -> Path | None:
    one = pythons.find(machine, **how)
    return one.path if one else None


class TestPythons:
    def test_takes_the_one_on_the_path(self, folder: Path) -> None:
        wanted = python(folder / "bin/python3.12")
        assert found(machine(folder)) == wanted

    def test_the_probe_is_true_of_this_python(self) -> None:
        here = pythons.probe(Machine.this(), Path(sys.executable))
        assert here and here.version == "{}.{}".format(*sys.version_info) and here.makes_pip

    @pytest.mark.parametrize("unfit", [
        lambda path: program(path, "echo 'pyenv: not switched on' >&2; exit 127"),
        lambda path: python(path, "3.11"),
        lambda path: python(path, "3.14"),
        lambda path: python(path, bits64=False),
    ])  # fmt: skip
    def test_passes_by_what_does_not_suit(self, folder: Path, unfit) -> None:
        unfit(folder / "bin/python3")
        wanted = python(folder / "home/.pyenv/versions/3.12.9/bin/python")
        assert found(machine(folder)) == wanted

    def test_debian_without_ensurepip_suits_uv_and_not_pip(self, folder: Path) -> None:
        debians = python(folder / "bin/python3", makes_pip=False)
        assert found(machine(folder)) == debians
        assert found(machine(folder), with_pip=True) is None

    def test_pyenv_beside_its_shims_when_home_is_elsewhere(self, folder: Path) -> None:
        wanted = python(folder / "pyenv/versions/3.12.1/bin/python")
        path = f"{folder / 'bin'}:{folder / 'pyenv/shims'}"
        assert found(machine(folder, PATH=path)) == wanted

    def test_pyenv_root_with_a_space(self, folder: Path) -> None:
        wanted = python(folder / "my [py]env/versions/3.13.0/bin/python", "3.13")
        assert found(machine(folder, PYENV_ROOT=str(folder / "my [py]env"))) == wanted

    def test_uv_and_conda_have_some_too(self, folder: Path) -> None:
        condas = python(folder / "home/miniforge3/envs/any/bin/python")
        assert found(machine(folder)) == condas
        uvs = python(folder / "somewhere/python")
        program(folder / "bin/uv", f"echo {uvs}")
        assert found(machine(folder)) == uvs

    def test_uses_the_one_it_is_given_and_no_other(self, folder: Path) -> None:
        python(folder / "bin/python3.12")
        wanted = python(folder / "mine")
        assert found(machine(folder, PYTHON=str(wanted))) == wanted
        with pytest.raises(SetupError, match="'/no/such/python', which is not a working Python"):
            found(machine(folder, PYTHON="/no/such/python"))

    def test_windows_asks_the_launcher(self, folder: Path) -> None:
        wanted = python(folder / "Python 3.12/python.exe")
        program(
            folder / "bin/py", f"printf ' -V:3.14 *     C:/no/python.exe\\n -V:3.12   {wanted}'"
        )
        assert found(machine(folder, system="win32")) == wanted

    @pytest.mark.parametrize(("variable", "inside"), [
        ("LOCALAPPDATA", "Programs/Python/Python312"), ("ProgramFiles", "Python313"),
        ("APPDATA", "uv/python/cpython-3.12.16-windows-x86_64-none"),
    ])  # fmt: skip
    def test_windows_folders_of_installers(self, folder: Path, variable: str, inside: str) -> None:
        wanted = python(folder / "My Files" / inside / "python.exe")
        its = {variable: str(folder / "My Files")}
        assert found(machine(folder, system="win32", **its)) == wanted

    @pytest.mark.parametrize(("system", "way"), [
        ("linux", "sudo apt install python3.12-venv"), ("win32", "winget install Python")
    ])  # fmt: skip
    def test_says_how_to_get_one(self, folder: Path, capsys, system: str, way: str) -> None:
        nowhere = machine(folder, system=system, COURSE_INSTALLER="pip")
        assert verbs.main(["setup", "--venv", str(folder / "venv")], nowhere) == 1
        said = capsys.readouterr().err
        assert "needs Python 3.12 (or 3.13) and found none" in said
        assert way in said
        assert not (folder / "venv").exists()


class TestOldPythons:
    @pytest.mark.parametrize("version", ["2.7", "3.6"])
    def test_too_old_for_course_py(self, version: str) -> None:
        done = self.run(version)
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: this is Python {version}.")
        assert done.stderr.count("\n") == 1

    @pytest.mark.parametrize("version", ["3.8", "3.9", "3.11"])
    def test_old_enough(self, version: str) -> None:
        done = self.run(version)
        assert done.returncode == 0, done.stderr
        assert "wheelhouse" in done.stdout

    def run(self, version: str) -> subprocess.CompletedProcess[str]:
        if version not in OLD_PYTHONS:
            pytest.skip(f"no Python {version} here")
        command = [OLD_PYTHONS[version], "course.py", "--help"]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    @pytest.mark.parametrize(
        "path", [ROOT / "course.py", *(ROOT / "scripts/bootstrap").glob("*.py")]
    )
    def test_syntax_and_imports(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
        modules = {one.module.split(".")[0] for one in ast.walk(tree)
                   if isinstance(one, ast.ImportFrom) and one.module}  # fmt: skip
        assert modules - {"__future__", "bootstrap"} <= sys.stdlib_module_names


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")
class TestMake:
    """The Makefile needs any Python that runs."""

    def make(self, folder: Path) -> subprocess.CompletedProcess[str]:
        for tool in ("sh", "make"):
            (folder / "bin" / tool).symlink_to(shutil.which(tool) or "")
        program(folder / "bin/id", "echo nobody-here")
        env = {"PATH": str(folder / "bin"), "HOME": str(folder / "home"), "PYTHONHOME": "other"}
        command = ["make", "lab", "VENV=/no/such", "PORT=1 $1;", "NOTEBOOK=a b's.ipynb"]
        return subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )

    def test_one_of_pyenv_after_shims_that_fail(self, folder: Path) -> None:
        program(folder / "bin/python3", "exit 127")
        program(folder / "home/.pyenv/versions/3.9.1/bin/python", "printf '%s|' $PYTHONHOME \"$@\"")
        said = self.make(folder).stdout
        assert said == "course.py|lab|--port=1 ;|--notebook=a b's.ipynb|", "and no PYTHONHOME"

    def test_none_at_all(self, folder: Path) -> None:
        program(folder / "bin/python3", "exit 127")
        done = self.make(folder)
        assert done.returncode == 2
        assert done.stderr.startswith("error: no Python runs here. Get one (sudo apt install")


class TestUv:
    def test_one_on_the_path_if_it_is_new_enough(self, folder: Path, monkeypatch) -> None:
        monkeypatch.setattr(uv, "FOLDER", folder / ".uv")
        there = program(folder / "bin/uv", "echo uv 0.9.1")
        assert uv.find(machine(folder)) == there
        program(folder / "bin/uv", "echo uv 0.4.30")
        assert uv.find(machine(folder)) is None

    @pytest.fixture
    def pinned(self, folder: Path, monkeypatch) -> Path:
        """A wheel of a uv, pinned by its hash, in a folder that pip knows."""
        path = folder / "index/uv-7.0-py3-none-any.whl"
        path.parent.mkdir()
        wheels.make(path.parent, "uv", "7.0", scripts={"uv": "#!/bin/sh\necho uv 7.0\n"})
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        (folder / "uv.txt").write_text(f"uv==7.0 \\\n    --hash=sha256:{digest}\n")
        monkeypatch.setattr(uv, "LOCK", folder / "uv.txt")
        monkeypatch.setattr(uv, "FOLDER", folder / ".uv")
        return path

    @pytest.mark.parametrize("way", ["pip", "wheelhouse"])
    @pytest.mark.parametrize("tampered", [False, True])
    def test_is_fetched_if_its_hash_is_the_pinned_one(
        self, folder: Path, pinned: Path, way: str, tampered: bool
    ) -> None:
        if tampered:
            pinned.write_bytes(pinned.read_bytes() + b"0")
        here = machine(folder, running=sys.executable, PIP_NO_INDEX="1",
                       PIP_FIND_LINKS=str(pinned.parent), PIP_CONFIG_FILE=os.devnull)  # fmt: skip
        fetched = uv.fetch(here, None, pinned.parent if way == "wheelhouse" else None)
        assert fetched == (None if tampered else folder / ".uv/uv-7.0/uv")
        assert uv.find(here) == fetched

    def test_is_told_what_pip_is_told(self) -> None:
        said = (
            "global.index-url='https://mirror.example/simple'\nglobal.cert='/a b.pem'\n"
            "global.proxy='proxy.example:3128'\n"
            "global.extra-index-url='\\nhttps://one.example\\nfile:///two'\n"
            ":env:.find-links='/w1 /w2'\n:env:.index-url='https://nearer.example'\nfreeze.all='1'"
        )
        assert uv.pip_settings(said) == {
            "UV_DEFAULT_INDEX": "https://nearer.example", "SSL_CERT_FILE": "/a b.pem",
            "UV_INDEX": "https://one.example file:///two", "UV_FIND_LINKS": "/w1,/w2",
            "UV_INDEX_STRATEGY": "unsafe-best-match", "ALL_PROXY": "proxy.example:3128",
        }  # fmt: skip

    @pytest.mark.parametrize("pip", ["running", ""])
    def test_settings_of_the_environment(self, folder: Path, pip: str) -> None:
        running = {"running": sys.executable} if pip else {}
        set_by_hand = {"PIP_INDEX_URL": "https://a.example", "PIP_CONFIG_FILE": os.devnull}
        env = uv.environment(machine(folder, **running, **set_by_hand))
        assert env["UV_DEFAULT_INDEX"] == "https://a.example"
        env = uv.environment(machine(folder, **running, **set_by_hand, UV_DEFAULT_INDEX="mine"))
        assert env["UV_DEFAULT_INDEX"] == "mine"

    def test_a_cache_of_its_own_where_the_usual_place_cannot_be_written(
        self, folder: Path, monkeypatch
    ) -> None:
        monkeypatch.setattr(uv, "FOLDER", folder / ".uv")
        (folder / "file").touch()
        for usual, wanted in (("home/cache", "home/cache"), ("file/cache", ".uv/cache")):
            there = program(folder / "bin/uv", f"echo {folder / usual}")
            assert uv.cache(machine(folder), there) == folder / wanted

    def test_fetches_a_python_where_none_is(self, folder: Path, capsys) -> None:
        fetched = folder / "fetched"
        program(folder / "bin/uv", f'case "$*" in --version) echo uv 0.9.1;; '
                f'"python install 3.12") printf "#!/bin/sh\\necho 3.12 True True" > {fetched}; '
                f"chmod +x {fetched};; *--managed-python*) echo {fetched};; "
                "*) exit 1;; esac")  # fmt: skip
        (folder / "bin/chmod").symlink_to(shutil.which("chmod") or "")
        venv = folder / "venv"
        assert verbs.main(["setup", "--venv", str(venv)], machine(folder)) == 1, "uv makes no venv"
        said = capsys.readouterr()
        assert "asking uv to fetch Python 3.12" in said.out
        assert f"Python 3.12 at {fetched}" in said.out
        assert "could not be made" in said.err


def finished(folder: Path) -> Path:
    """A folder that looks like a finished environment of today's lock."""
    venv = folder / "venv"
    python(venv / "bin/python")
    (venv / "pyvenv.cfg").touch()
    setup = environment.Setup(machine(folder), venv)
    setup._write_stamp(setup._today())
    return venv


class TestEnvironment:
    def test_a_finished_one_is_left_alone(self, folder: Path, capsys) -> None:
        venv = finished(folder)
        assert verbs.main(["setup", "--venv", str(venv)], machine(folder)) == 0
        assert capsys.readouterr() == ("", "")

    @pytest.mark.parametrize("damage", ["no stamp", "old stamp", "python gone", "other torch"])
    def test_a_half_made_one_is_noticed(self, folder: Path, capsys, damage: str) -> None:
        venv = finished(folder)
        more = {}
        if damage == "no stamp":
            (venv / environment.STAMP).unlink()
        elif damage == "old stamp":
            (venv / environment.STAMP).write_text("1 2")
        elif damage == "python gone":
            (venv / "bin/python").unlink()
        else:
            more = {"COURSE_TORCH": "cpu"}
        nowhere = machine(folder, COURSE_INSTALLER="pip", **more)
        assert verbs.main(["setup", "--venv", str(venv)], nowhere) == 1
        said = capsys.readouterr()
        assert "[1/4]" in said.out
        assert "needs Python 3.12" in said.err

    @pytest.mark.parametrize(("stamp", "torch", "kept"), [
        ("locked 0", "", True), ("cpu 0", "", True), ("locked 0", "cpu", False),
        ("cpu 0", "locked", False), (None, "", False),
    ])  # fmt: skip
    def test_what_is_kept_when_the_lock_changes(
        self, folder: Path, monkeypatch, stamp: str | None, torch: str, kept: bool
    ) -> None:
        """Another build of PyTorch has the same version number: an installer would keep it."""
        venv = finished(folder)
        (venv / "torch").touch()
        if stamp:
            (venv / environment.STAMP).write_text(stamp)
        else:
            (venv / environment.STAMP).unlink()
        python(folder / "bin/python3.12")
        program(folder / "bin/uv", "[ $1 = --version ] && echo uv 0.9.1")
        monkeypatch.setattr(installing, "patiently", lambda *_: sys.exit(3))
        run = environment.Setup(machine(folder, COURSE_TORCH=torch), venv).run
        with pytest.raises(SystemExit if kept else SetupError):
            run()
        assert (venv / "torch").exists() == kept
        if kept:  # and interrupted: what was chosen once is not forgotten
            assert environment.Setup(machine(folder), venv)._stamp() == (stamp[:-2], "unfinished")

    def test_too_little_disk_is_said_before_anything_is_made(
        self, folder: Path, capsys, monkeypatch
    ) -> None:
        python(folder / "bin/python3.12")
        usage = namedtuple("usage", "free")
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1.9 * 2**30))
        here = machine(folder, COURSE_INSTALLER="pip")
        assert verbs.main(["setup", "--venv", str(folder / "venv")], here) == 1
        said = capsys.readouterr().err
        assert "about 8 GB" in said
        assert "1 GB are free" in said
        assert not (folder / "venv").exists()

    @pytest.mark.parametrize("verb", ["setup", "clean"])
    def test_a_folder_of_something_else_is_not_removed(
        self, folder: Path, capsys, monkeypatch, verb: str
    ) -> None:
        monkeypatch.setattr(verbs, "ROOT", folder)
        monkeypatch.chdir(folder)
        python(folder / "bin/python3.12")
        (folder / "photos").mkdir()
        (folder / "photos/cat.png").touch()
        here = machine(folder, COURSE_INSTALLER="pip")
        for given, why in (("photos", "is not a Python env"), ("photos/cat.png", "or the folder")):
            assert verbs.main([verb, "--venv", given], here) == 1
            assert why in capsys.readouterr().err
        assert (folder / "photos/cat.png").exists()

    def test_a_disk_that_is_not_there(self, folder: Path, monkeypatch) -> None:
        monkeypatch.setattr(Path, "exists", lambda _: False)
        assert existing(Path("/usb/stick")) == Path("/")

    @pytest.mark.parametrize("name", ["COURSE_INSTALLER", "COURSE_TORCH"])
    def test_a_wrong_word_is_explained(self, folder: Path, capsys, name: str) -> None:
        assert verbs.main(["setup"], machine(folder, **{name: "conda"})) == 1
        assert f"{name} must be " in capsys.readouterr().err

    @pytest.mark.parametrize(("system", "torch", "gpu", "cpu_build"), [
        ("linux", "", False, False), ("linux", "cpu", True, True), ("linux", "auto", False, True),
        ("linux", "auto", True, False), ("darwin", "cpu", False, False),
        ("win32", "cpu", False, False),
    ])  # fmt: skip
    def test_which_torch(
        self, folder: Path, monkeypatch, system: str, torch: str, gpu: bool, cpu_build: bool
    ) -> None:
        if gpu:
            program(folder / "bin/nvidia-smi", "")
        chosen, commands = self.packages(machine(folder, system=system, COURSE_TORCH=torch),
                                         monkeypatch)  # fmt: skip
        assert ("torch" in chosen) == (not cpu_build)
        assert any(name.startswith("nvidia-") for name in chosen) == (not cpu_build)
        assert any("--torch-backend" in command for command in commands) == cpu_build
        assert {"numpy", "ray", "tensorboard"} <= set(chosen)

    def test_where_the_cpu_build_is_not_reached(self, folder: Path, monkeypatch) -> None:
        chosen, _ = self.packages(machine(folder, COURSE_TORCH="auto"), monkeypatch, reached=False)
        assert "torch" in chosen
        with pytest.raises(SetupError, match="not reached"):
            self.packages(machine(folder, COURSE_TORCH="cpu"), monkeypatch, reached=False)

    @pytest.mark.parametrize("way", [(None, None), (Path("uv"), wheelhouse.Wheelhouse(Path(), ()))])
    def test_the_cpu_build_by_pip_or_from_a_wheelhouse(
        self, folder: Path, monkeypatch, way: tuple
    ) -> None:
        chosen, _ = self.packages(machine(folder, COURSE_TORCH="auto"), monkeypatch, way=way)
        assert "torch" in chosen
        with pytest.raises(SetupError, match=r"needs uv, .* and no wheelhouse"):
            self.packages(machine(folder, COURSE_TORCH="cpu"), monkeypatch, way=way)

    def packages(
        self, machine: Machine, monkeypatch, reached: bool = True, way: tuple = (Path("uv"), None)
    ) -> tuple[dict, list]:
        """What would be installed from the lock, and all commands."""
        chosen: dict[str, locked.Locked] = {}
        commands = []

        def patiently(command: list, env: dict) -> None:
            commands.append(command)
            if "-r" in command:
                chosen.update(locked.read(command[-1]))
            if "--torch-backend" in command and not reached:
                raise SetupError("not reached")

        monkeypatch.setattr(installing, "patiently", patiently)
        setup = environment.Setup(machine, Path("no-venv"))
        installer = installing.Installer(machine, Path("no-venv"), *way)
        installer.from_lock(setup._packages(installer))
        return chosen, commands

    def test_a_network_that_fails_is_tried_again(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(installing, "PAUSE_S", 0)
        once = f"from pathlib import Path as P; p = P({str(tmp_path / 'n')!r}); " \
               "n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1)); " \
               "raise SystemExit(n < TIMES)"  # fmt: skip
        installing.patiently([sys.executable, "-c", once.replace("TIMES", "2")], {})
        assert (tmp_path / "n").read_text() == "xxx"
        with pytest.raises(SetupError, match="failed three times"):
            installing.patiently([sys.executable, "-c", once.replace("TIMES", "99")], {})


def test_lab_as_it_is_started(folder: Path, monkeypatch) -> None:
    started: list[list] = []
    monkeypatch.setattr(verbs, "_become", lambda command, env: started.append([command, env]))
    words = ["lab", "--no-setup", "--venv", "here", "--notebook", "my notes?.ipynb", "--debug"]
    assert verbs.main(words, machine(folder)) == 0
    ((command, env),) = started
    assert env["PATH"].split(os.pathsep)[0] == str(ROOT / "here/bin"), "notebooks lie elsewhere"
    assert "--LabApp.default_url=/lab/tree/my%20notes%3F.ipynb" in command
    assert command[-1] == "--debug"
    with pytest.raises(SystemExit):
        verbs.main(["lab", "--port", "a", "--no-setup"], machine(folder))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages that a small course needs, as a folder that pip and uv know."""
    folder = tmp_path_factory.mktemp("index")
    wheels.make(folder, "kit", "1.0")
    for name in ("setuptools", "pip"):
        wheels.of_installed(folder, name)
    program = uv.find(Machine.this())
    version = (Machine.this().output([program, "--version"]) or "uv 0").split()[1]
    wheels.make(folder, "uv", version, scripts={"uv": program.read_bytes() if program else ""})
    return folder


@pytest.fixture
def course(tmp_path: Path, index: Path) -> Path:
    """A course of one package, with this program and a lock of its own."""
    course = tmp_path / "a b ä"
    shutil.copytree(ROOT / "scripts/bootstrap", course / "scripts/bootstrap")
    shutil.copy(ROOT / "course.py", course)
    (course / "scripts/check_imports.py").write_text("import kit, small_course\n")
    (course / "small_course.py").touch()
    (course / "pyproject.toml").write_text(
        "[project]\nname = 'small-course'\nversion = '1'\n[tool.setuptools]\n"
        "py-modules = ['small_course']\n[build-system]\nrequires = ['setuptools']\n"
        "build-backend = 'setuptools.build_meta'\n"
    )
    for wheel in sorted(index.glob("*.whl")):
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        name, version = wheel.name.split("-")[:2]
        lock = course / ("scripts/uv.txt" if name == "uv" else "requirements.lock")
        with lock.open("a") as stream:
            stream.write(f"{name}=={version} \\\n    --hash=sha256:{digest}\n")
    return course


def run(course: Path, *words: str, prefix: tuple[str, ...] = (), **env: str) -> str:
    """Run course.py in the small course; return what it said, with the exit status in front."""
    installer = env.get("COURSE_INSTALLER", "uv")
    if installer == "uv" and not uv.find(Machine.this()):
        pytest.skip("no uv here")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    broken = course.parent / "broken"
    broken.mkdir(exist_ok=True)
    (broken / "kit.py").write_text("raise ImportError('of another program')")
    own = {"PIP_CONFIG_FILE": os.devnull, "UV_CACHE_DIR": str(course.parent / "cache"),
           "PYTHONPATH": str(broken)}  # fmt: skip
    done = subprocess.run(
        [*prefix, sys.executable, "course.py", *words], cwd=course, env={**kept, **own, **env},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return f"{done.returncode}\n{done.stdout}"


def test_what_slows_or_hides_packages_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")
    monkeypatch.setenv("KEPT", "1")
    env = Machine.this().env
    assert not {"PYTHONDONTWRITEBYTECODE", "PYTHONHOME"} & env.keys()
    assert env["KEPT"] == "1"


def from_index(index: Path) -> dict[str, str]:
    return {"PIP_FIND_LINKS": str(index), "PIP_INDEX_URL": index.as_uri(), "PIP_NO_INDEX": ""}


@pytest.mark.parametrize("installer", ["uv", pytest.param("pip", marks=pytest.mark.slow)])
class TestSmallCourse:
    """The whole way, with packages of a few lines."""

    def test_made_then_left_alone_then_mended(
        self, course: Path, index: Path, installer: str
    ) -> None:
        settings = {"COURSE_INSTALLER": installer, **from_index(index)}
        said = run(course, "setup", **settings)
        assert said.startswith("0\n"), said
        assert "The environment is ready." in said
        assert run(course, "setup", **settings) == "0\n"
        overrides = course / ".venv/share/jupyter/lab/settings/overrides.json"
        assert '"saveState": true' in overrides.read_text(), "sliders are there after a break"
        (course / ".venv" / environment.STAMP).unlink()
        assert "The environment is ready." in run(course, "setup", **settings)
        moved = course.rename(course.with_name("moved"))
        assert "The environment is ready." in run(moved, "setup", **settings)

    def test_another_file_than_the_locked_is_refused(
        self, course: Path, index: Path, installer: str
    ) -> None:
        lock = course / "requirements.lock"
        kit = locked.read(lock)["kit"].hashes[0]
        lock.write_text(lock.read_text().replace(kit, "0" * 64))
        said = run(course, "setup", COURSE_INSTALLER=installer, **from_index(index))
        assert said.startswith("1\n")
        assert "is not the one that requirements.lock names" in said
        assert "trying again" not in said
        assert not list((course / ".venv").rglob("kit.py"))

    def test_a_wheelhouse_needs_no_network(self, course: Path, index: Path, installer: str) -> None:
        settings = {"COURSE_INSTALLER": installer, **from_index(index)}
        assert run(course, "wheelhouse", **settings).startswith("0\n")
        shutil.rmtree(course / ".venv")
        shutil.rmtree(course / ".uv", ignore_errors=True)
        alone = ("unshare", "-rn") if sys.platform == "linux" else ()
        if alone and subprocess.run([*alone, "true"], check=False).returncode:
            alone = ()
        said = run(course, "setup", prefix=alone, COURSE_INSTALLER=installer)
        assert said.startswith("0\n"), said
        assert "and nothing from the network" in said


class TestWheelhouse:
    def test_for_another_lock_or_machine(self, folder: Path, monkeypatch, capsys) -> None:
        monkeypatch.setattr(wheelhouse, "FOLDER", folder / "wheelhouse")
        assert wheelhouse.find(machine(folder)) is None
        (folder / "wheelhouse").mkdir()
        mark = folder / "wheelhouse" / f"{wheelhouse._kind(machine(folder), '3.13')}.sha256"
        mark.write_text(locked.digest(*wheelhouse.LOCKS))
        lock = folder / "lock"  # as Git for Windows writes it
        lock.write_bytes(wheelhouse.LOCKS[0].read_bytes().replace(b"\n", b"\r\n"))
        monkeypatch.setattr(wheelhouse, "LOCKS", (lock, wheelhouse.LOCKS[1]))
        house = wheelhouse.find(machine(folder))
        assert house and house.pythons == ("3.13",)
        mark.write_text("another lock")
        assert wheelhouse.find(machine(folder)) is None
        assert "today's lock" in capsys.readouterr().out
        with pytest.raises(SetupError, match="make it anew"):
            wheelhouse.find(machine(folder, COURSE_WHEELHOUSE=str(folder / "wheelhouse")))


def test_ci_calls_the_readme_command() -> None:
    assert "make test" in (ROOT / ".ci/run").read_text()
    assert "make test" in (ROOT / "README.md").read_text()
    assert os.access(ROOT / ".ci/run", os.X_OK)
