from pathlib import Path

import pytest

from perennial_build import debian
from perennial_build.debian import Package
from perennial_build.errors import ReportedError
from perennial_cluster import choice, kind
from perennial_cluster.cli import main, parser
from perennial_cluster.existing import ExistingCluster
from perennial_cluster.kind import KindCluster
from perennial_cluster.local import LocalCluster


def test_an_existing_cluster_is_used_only_if_the_variable_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/somebody's/production")
    monkeypatch.delenv("PERENNIAL_KUBECONFIG", raising=False)
    monkeypatch.setattr(choice, "docker_answers", lambda: False)
    assert isinstance(choice.choose(), LocalCluster)
    monkeypatch.setenv("PERENNIAL_KUBECONFIG", "/named")
    assert choice.choose() == ExistingCluster(Path("/named"))


def test_kind_is_used_only_if_a_docker_daemon_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERENNIAL_KUBECONFIG", raising=False)
    monkeypatch.setattr(choice.shutil, "which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(choice, "docker_answers", lambda: True)
    assert isinstance(choice.choose(), KindCluster)
    monkeypatch.setattr(choice, "docker_answers", lambda: False)
    assert isinstance(choice.choose(), LocalCluster)


def test_an_existing_cluster_is_never_removed() -> None:
    with pytest.raises(ReportedError, match="is not removed"):
        ExistingCluster(Path("/named")).down("perennial")


def test_an_existing_cluster_pulls_its_images() -> None:
    with pytest.raises(ReportedError, match="PERENNIAL_RUNTIME_IMAGE"):
        ExistingCluster(Path("/named")).load("perennial", Path("/a.tar"))


def test_a_missing_kubeconfig_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PERENNIAL_KUBECONFIG", "/missing")
    assert main(["up"]) == 1
    assert "/missing is not a file" in capsys.readouterr().err


def test_kind_creates_the_cluster_from_the_configuration_in_the_repository() -> None:
    command = kind.create_command("test", Path("/c.yaml"), Path("/kc"))
    assert command[:6] == ["kind", "create", "cluster", "--name", "test", "--config"]
    assert "--kubeconfig" in command
    assert kind.load_command("test", Path("/a.tar")) == [
        *("kind", "load", "image-archive", "/a.tar", "--name", "test")
    ]


def test_kinds_configuration_grows_by_one_line_a_worker() -> None:
    base = kind.CONFIG.read_text()
    assert kind.config_for(base, 1) == base
    assert kind.config_for(base, 3).count("- role: worker") == 2


@pytest.mark.parametrize(
    ("number", "container"), [(0, "t-control-plane"), (1, "t-worker"), (2, "t-worker2")]
)
def test_kinds_nodes_have_kinds_names(number: int, container: str) -> None:
    assert kind.node_container("t", number) == container


def test_only_missing_packages_are_installed() -> None:
    packages = (Package("shell", "sh"), Package("nonsense", "/no/such/file"))
    assert debian.missing_packages(packages) == ["nonsense"]


def test_without_root_the_command_to_run_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian.os, "geteuid", lambda: 1000)
    with pytest.raises(ReportedError, match=r"sudo apt-get install .* nonsense"):
        debian.install_packages((Package("nonsense", "/no/such/file"),))


def test_the_command_line_knows_its_actions() -> None:
    options = parser().parse_args(["node", "stop", "1", "--name", "test"])
    assert (options.what, options.index, options.name) == ("stop", 1, "test")
    assert parser().parse_args(["up", "--nodes", "2"]).nodes == 2
