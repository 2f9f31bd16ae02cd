import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from perennial_build.errors import ReportedError
from perennial_cluster import processes
from perennial_cluster.processes import Identity


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {"PATH": os.environ["PATH"], processes.MARK: str(tmp_path / "node-0")}
    with subprocess.Popen(["sleep", "60"], env=environment) as process:
        processes.wait_until(lambda: processes.is_marked(process.pid, tmp_path), "the mark to show")
        yield process
        process.kill()


def test_a_process_is_identified_by_the_folder_of_its_node_and_cluster(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert processes.marked(tmp_path) == {sleeper.pid}
    assert processes.marked(tmp_path / "node-0") == {sleeper.pid}


def test_a_folder_with_a_longer_name_is_another(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert not processes.is_marked(sleeper.pid, tmp_path / "node-")
    assert not processes.is_marked(sleeper.pid, Path(f"{tmp_path}/node-0/deeper"))


def test_a_pidfile_is_valid_only_while_its_process_runs(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    identity = processes.identify(sleeper.pid)
    assert identity
    pidfile = tmp_path / "pid"
    processes.write_pidfile(pidfile, identity)
    assert processes.from_pidfile(pidfile) == sleeper.pid
    processes.write_pidfile(pidfile, Identity(sleeper.pid, identity.started - 1))
    assert processes.from_pidfile(pidfile) is None


@pytest.mark.parametrize("content", ["", "x y", "1", "999999999 1"])
def test_an_invalid_pidfile_names_no_process(tmp_path: Path, content: str) -> None:
    (tmp_path / "pid").write_text(content)
    assert processes.from_pidfile(tmp_path / "pid") is None


def test_a_zombie_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    processes.wait_until(lambda: processes.identify(sleeper.pid) is None, "the zombie to show")


def test_killing_ends_only_marked_processes(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        processes.kill_all(lambda: processes.marked(tmp_path))
        assert sleeper.wait(timeout=5) == -9
        assert stranger.poll() is None
        stranger.kill()


def test_a_wait_that_times_out_names_the_condition() -> None:
    with pytest.raises(ReportedError, match="for the moon"):
        processes.wait_until(lambda: False, "the moon", 0.0)


def test_a_cgroup_that_vanishes_during_the_search_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ours" / "pod").mkdir(parents=True)
    (tmp_path / "ours" / "cgroup.procs").write_text(f"{os.getpid()}\n")
    scandir = os.scandir

    def scandir_that_loses_the_pod(path: str | Path) -> object:
        if Path(path).name == "pod":
            raise FileNotFoundError(path)
        return scandir(path)

    monkeypatch.setattr(processes, "CGROUPS", tmp_path)
    monkeypatch.setattr(os, "scandir", scandir_that_loses_the_pod)
    assert processes.in_cgroups(["ours"]) == {os.getpid()}
