from pathlib import Path

import pytest

from perennial_build.errors import ReportedError
from perennial_cluster import network, records
from perennial_cluster.records import Record


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_STATE", str(tmp_path))
    monkeypatch.setattr(network, "host_networks", list)
    monkeypatch.setattr(network, "link_exists", lambda name: False)


def test_clusters_get_different_indices_and_keep_them() -> None:
    assert records.allocate("one").index == 0
    assert records.allocate("two").index == 1
    assert records.read("one") == Record(0)
    assert records.names() == ["one", "two"]


def test_an_index_whose_bridge_exists_belongs_to_another_state_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(network, "link_exists", lambda name: name == "perennial0")
    assert records.allocate("one").index == 1


def test_an_unknown_cluster_has_no_record() -> None:
    assert records.read("none") is None


def test_the_error_for_a_damaged_record_names_the_expected_content(tmp_path: Path) -> None:
    records.allocate("one")
    (tmp_path / "clusters/one/cluster.json").write_text("{")
    with pytest.raises(ReportedError, match=r"cluster\.json is damaged .*expected"):
        records.read("one")


def test_created_folders_are_added_to_the_record() -> None:
    records.remember_made_folders(["/b"])
    records.remember_made_folders(["/a"])
    assert records.made_folders() == ["/a", "/b"]
