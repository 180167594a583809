"""Parts that need no running Ray: tokens, complaints, what travels, GPUs, scripts."""

import importlib.util
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
import wheels
from pyarrow import fs

from course_lib.cluster import Target, endpoint, gpu, ray_inside, remote, storage, travel
from course_lib.cluster.endpoint import Endpoint

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts" / "cluster"
HERE = ("2.60.0", "3.12.1")


class TestToken:
    def test_variable_before_file(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("from-file\n")
        both = {"RAY_AUTH_TOKEN": "from-variable", "RAY_AUTH_TOKEN_PATH": str(tmp_path / "token")}
        assert endpoint.token(both) == "from-variable"
        del both["RAY_AUTH_TOKEN"]
        assert endpoint.token(both) == "from-file"

    def test_home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        assert endpoint.token({}) == ""
        (tmp_path / ".ray").mkdir()
        (tmp_path / ".ray" / "auth_token").write_text("mine")
        assert endpoint.token({}) == "mine"

    def test_switched_off(self) -> None:
        assert endpoint.token({"RAY_AUTH_TOKEN": "x", "RAY_AUTH_MODE": "disabled"}) == ""


class TestComplaints:
    @pytest.mark.parametrize(
        ("address", "found", "words"),
        [
            ("h:6379", Endpoint("gcs", versions=HERE), ""),
            ("ray://h:10001", Endpoint("client"), ""),
            ("h:8265", Endpoint("other"), "no Ray that this notebook can use"),
            ("h:6379", Endpoint("gcs", versions=("2.60.0", "3.12.9")), ""),
            ("h:6379", Endpoint("gcs", versions=("2.60.0", "3.13.0")), "Python 3.13.0"),
            ("ray://h:6379", Endpoint("gcs", takes_token=False), "Write 'h:6379'"),
        ],
        ids=["well", "client", "no Ray", "patch release", "other Python", "port before token"],
    )
    def test_says_what_is_wrong(self, address: str, found: Endpoint, words: str) -> None:
        target = Target(address, "the argument `address`")
        said = remote.complain(target, found, "", HERE)
        assert words in said
        assert bool(words) == bool(said)


class TestPatience:
    def test_keeps_what_the_learner_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TUNE_STATE_REFRESH_PERIOD", "3")
        name = "RAY_gcs_rpc_server_reconnect_timeout_s"
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
        ray_inside.outlive_head()
        assert os.environ["TUNE_STATE_REFRESH_PERIOD"] == "3"
        assert os.environ[name] == "3600"


class TestTravel:
    def test_course_and_data_only(self) -> None:
        environment = travel.runtime_env()
        assert environment["working_dir"] == str(ROOT)
        kept = {one.name for one in ROOT.iterdir()} - {
            name.removeprefix("/") for name in environment["excludes"]
        }
        assert kept == {"course_lib", "data"}

    def test_without_a_clone(self, tmp_path: Path) -> None:
        environment = travel.runtime_env(root=tmp_path)
        assert environment["py_modules"] == [str(tmp_path / "course_lib")]
        assert "working_dir" not in environment

    def test_another_version_is_installed_elsewhere(self) -> None:
        needed = travel.closure()
        folder = travel.added(needed)
        assert folder.startswith("${HOME}/")
        assert travel.runtime_env()["env_vars"]["PYTHONPATH"] == folder
        assert travel.added(needed | {"torch": "0.1"}) != folder

    def test_installs_without_the_packages_own_wishes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wheels.make(tmp_path, "seeds", "1.0", requires="no-such-package")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert travel.install(["seeds==1.0"], "${HOME}/here") == ""
        assert (tmp_path / "home" / "here" / "seeds.py").read_text() == "VALUE = 1\n"
        assert "seeds==2.0" in travel.install(["seeds==2.0"], "${HOME}/here")

    def test_closure_has_what_trading_needs_and_no_tensorflow(self) -> None:
        found = travel.closure()
        assert {"tensortrade", "pandas", "python-dateutil", "torch", "gymnasium"} <= set(found)
        assert not {"tensorflow", "stochastic", "ray"} & set(found)

    def test_lacking(self) -> None:
        assert travel.lacking({"pytest": "1", "no-such-package": "2.0"}) == ["no-such-package==2.0"]


class TestDisk:
    """The notebook's disk as a worker sees it; the actor that lies between is left out."""

    @pytest.fixture
    def away(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> storage.AwayDisk:
        disk = storage.Disk([str(tmp_path)])
        monkeypatch.setattr(storage, "_ask", lambda name, *a, **k: getattr(disk, name)(*a, **k))
        return storage.AwayDisk()

    def test_write_read_list_move_remove(self, away: storage.AwayDisk, tmp_path: Path) -> None:
        folder, file = str(tmp_path / "a" / "b"), str(tmp_path / "a" / "b" / "f")
        away.create_dir(folder)
        away.create_dir(folder)
        for opens, data in (
            (away.open_output_stream, b"hello"),
            (away.open_append_stream, b" u"),
        ):
            with opens(file) as stream:
                stream.write(data)
        with away.open_input_stream(file) as stream:
            assert stream.read() == b"hello u"
        with away.open_input_file(file) as stream:
            stream.seek(6)
            assert stream.read() == b"u"
        found = away.get_file_info(fs.FileSelector(str(tmp_path), recursive=True))
        assert sorted((one.base_name, one.is_file, one.size) for one in found) == [
            ("a", False, None), ("b", False, None), ("f", True, 7),
        ]  # fmt: skip
        away.move(file, file + "2")
        away.copy_file(file + "2", file + "3")
        assert away.get_file_info(file).type == fs.FileType.NotFound
        assert Path(file + "3").read_bytes() == b"hello u"
        away.delete_dir_contents(folder)
        assert list(Path(folder).iterdir()) == []
        away.delete_dir(str(tmp_path / "a"))
        assert list(tmp_path.iterdir()) == []

    def test_nothing_there(self, away: storage.AwayDisk, tmp_path: Path) -> None:
        nowhere = fs.FileSelector(str(tmp_path / "no"), allow_not_found=True)
        assert away.get_file_info(nowhere) == []
        with pytest.raises(FileNotFoundError):
            away.open_input_stream(str(tmp_path / "no"))

    @pytest.mark.parametrize("path", ["/etc/passwd", "{tmp}/../outside", "{tmp}/link/x"])
    def test_refuses_what_is_outside(self, tmp_path: Path, path: str) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "link").symlink_to("/etc")
        disk, outside = storage.Disk([str(tmp_path / "in")]), path.format(tmp=tmp_path / "in")
        inside = str(tmp_path / "in" / "f")
        for ask in (
            lambda: disk.write(outside, b"", 0),
            lambda: disk.call("cat_file", outside),
            lambda: disk.call("mv", inside, outside),
        ):
            with pytest.raises(PermissionError, match="results must lie in"):
                ask()

    def test_refuses_what_is_not_offered(self, tmp_path: Path) -> None:
        with pytest.raises(PermissionError, match=r"the disk offers .* got 'chmod'"):
            storage.Disk([str(tmp_path)]).call("chmod", str(tmp_path))

    def test_a_file_in_parts(self, away: storage.AwayDisk, tmp_path: Path) -> None:
        size = storage.CHUNK - 1
        with away.open_output_stream(str(tmp_path / "f")) as stream:
            for letter in b"abc":
                stream.write(bytes([letter]) * size)
        with away.open_input_stream(str(tmp_path / "f")) as stream:
            assert stream.read() == b"a" * size + b"b" * size + b"c" * size

    def test_at_home_and_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        travelled = pickle.dumps(storage.HomeDisk())
        assert type(pickle.loads(travelled)) is storage.HomeDisk
        monkeypatch.setenv(storage.ON_WORKER, "1")
        assert type(pickle.loads(travelled)) is storage.AwayDisk
        assert travel.runtime_env()["env_vars"][storage.ON_WORKER] == "1"

    def test_says_what_was_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(storage, "_used", {})
        for name in ("run", "run/trial", "gone"):
            storage.HomeDisk().create_dir(str(tmp_path / name))
        (tmp_path / "gone").rmdir()
        assert storage.used() == [str(tmp_path / "run")]


class TestLearnerPlace:
    @pytest.mark.parametrize(
        ("wish", "in_cluster", "here", "local", "settings"),
        [
            ("auto", 0, 0, True, (0, 0)),
            ("auto", 1, 1, True, (0, 1)),
            ("auto", 1, 0, False, (1, 1)),
            ("auto", 1, 0, True, (0, 0)),
            ("auto", 0, 1, False, (0, 0)),
            (0, 4, 1, False, (0, 0)),
            (1, 2, 0, False, (1, 1)),
            (1, 1, 1, True, (0, 1)),
        ],
    )
    def test_place(self, wish, in_cluster: int, here: int, local: bool, settings: tuple) -> None:
        place = gpu.place_learner(wish, in_cluster=in_cluster, here=here, local=local)
        assert (place.num_learners, place.num_gpus_per_learner) == settings

    def test_asked_for_and_absent(self) -> None:
        with pytest.raises(ValueError, match=r"at most the GPUs that there are \(0\), got 1; use"):
            gpu.place_learner(1, in_cluster=0, here=0, local=False)

    @pytest.mark.parametrize("wish", [2, -1, True, "all"])
    def test_refuses(self, wish) -> None:
        with pytest.raises(ValueError, match="must be 'auto', 0 or 1"):
            gpu.place_learner(wish, in_cluster=4, here=0, local=False)


class TestShare:
    @pytest.mark.parametrize(
        ("num_gpus", "at_once", "part"),
        [(0, 4, 0), (1, 1, 1), (2, 2, 1), (8, 2, 1), (1, 2, 0.5), (1, 3, 0.33), (2, 3, 0.5),
         (2, 5, 0.33), (1, 20, 0.05)],
    )  # fmt: skip
    def test_share(self, num_gpus: float, at_once: int, part: float) -> None:
        assert gpu.share(num_gpus, at_once) == part
        assert part == 0 or sum(int(1 / part) for _ in range(num_gpus)) >= at_once

    def test_too_many(self) -> None:
        with pytest.raises(ValueError, match="at most 20 per GPU, got 21"):
            gpu.share(1, 21)


class TestScripts:
    def test_ray_up(self) -> None:
        import yaml
        from ray.autoscaler._private.util import prepare_config, validate_config

        config = yaml.safe_load((SCRIPTS / "classroom.yaml").read_text())
        full = prepare_config(config)
        validate_config(full)
        assert full["max_workers"] == 5
        started = full["head_start_ray_commands"] + full["worker_start_ray_commands"]
        assert all("RAY_AUTH_MODE=token" in line for line in started if "ray start" in line)

    def test_kuberay(self) -> None:
        """Ray's own reader of such manifests takes it, and authentication is on."""
        import yaml
        from ray.autoscaler._private.kuberay import autoscaling_config as reader

        manifest = yaml.safe_load((SCRIPTS / "kuberay.yaml").read_text())
        manifest["metadata"]["namespace"] = "default"
        config = reader._derive_autoscaling_config_from_ray_cr(manifest)
        assert config["available_node_types"]["cores"]["resources"]["CPU"] == 16
        assert config["available_node_types"]["cores"]["min_workers"] == 5
        assert manifest["spec"]["authOptions"] == {"mode": "token"}

    def test_versions_in_the_manifest_are_the_locks(self) -> None:
        locked = check_versions().locked((ROOT / "requirements.lock").read_text())
        text = (SCRIPTS / "kuberay.yaml").read_text()
        assert text.count(f"rayproject/ray:{locked['ray']}-py312") == 2
        assert f'rayVersion: "{locked["ray"]}"' in text

    def test_differences(self) -> None:
        lock = (ROOT / "requirements.lock").read_text()
        assert check_versions().differences(lock) == []
        other = lock.replace("ray==2.60.0", "ray==2.59.0")
        assert check_versions().differences(other) == [
            "ray is 2.60.0 here, and requirements.lock says 2.59.0"
        ]

    @pytest.mark.parametrize("name", ["start_head.sh", "start_worker.sh"])
    def test_start_scripts_ask_for_an_address(self, name: str, tmp_path: Path) -> None:
        env = {**os.environ, "PY": sys.executable, "HOME": str(tmp_path)}
        run = subprocess.run(
            ["sh", str(SCRIPTS / name)], env=env, capture_output=True, text=True, timeout=300
        )
        assert run.returncode == 2
        assert run.stdout.startswith("usage: sh scripts/cluster/start_")

    def test_a_worker_without_token_is_told_where_to_get_it(self, tmp_path: Path) -> None:
        hidden = [name for name in os.environ if name.startswith("RAY_")]
        env = {**os.environ, "PY": sys.executable, "HOME": str(tmp_path)}
        for name in hidden:
            del env[name]
        run = subprocess.run(
            ["sh", str(SCRIPTS / "start_worker.sh"), "h:6379"],
            env=env, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert run.returncode == 1
        assert "No token here" in run.stdout

    def test_a_machine_that_vanishes_is_noticed_alike_everywhere(self) -> None:
        common = (SCRIPTS / "common.sh").read_text()
        noticed = dict(re.findall(r"export (RAY_health\w+)=(\d+)", common))
        assert len(noticed) == 4
        for name in ("classroom.yaml", "kuberay.yaml"):
            text = (SCRIPTS / name).read_text()
            for key, value in noticed.items():
                assert re.search(rf'{key}(=|, value: "){value}\b', text), f"{key} in {name}"


def check_versions():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("check_versions", SCRIPTS / "check_versions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
