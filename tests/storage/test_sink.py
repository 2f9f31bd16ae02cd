"""Captured files in buckets and folders."""

from pathlib import Path

import pytest
from support.azure import AzureServer, needs_azurite
from support.stores import client_of

from perennial_storage.errors import StorageError
from perennial_storage.sink import open_sink


@needs_azurite
def test_captured_files_can_be_put_into_azurite(
    azure_server: AzureServer, variables: pytest.MonkeyPatch
) -> None:
    for name, value in azure_server.environment.items():
        variables.setenv(name, value)
    open_sink("az://captured/here").put("a/b.parquet", b"rows")
    assert bytes(client_of("az://captured/").get("here/a/b.parquet").bytes()) == b"rows"
    with pytest.raises(StorageError, match=r"there is no such container\. Check --capture"):
        open_sink("az://nothing/here").put("a/b.parquet", b"rows")


def test_a_file_in_a_folder_appears_whole(tmp_path: Path) -> None:
    sink = open_sink(f"file://{tmp_path}/deep")
    sink.put("a/b.parquet", b"data")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["b.parquet"]
    assert (tmp_path / "deep/a/b.parquet").read_bytes() == b"data"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"Set --capture to a writable folder") as caught:
        open_sink(f"{tmp_path}/file").put("a/b.parquet", b"data")
    assert caught.value.uri == f"{tmp_path}/file"
