"""Folders in every kind of store, on real servers of their protocols."""

import os
import socket
import threading
from pathlib import Path

import pytest
from support.azure import KEY, needs_azurite
from support.stores import BUCKETS, STORES

from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.errors import StorageError
from perennial_storage.folder import Folder


def open_folder(uri: str, *, create: bool = True) -> Folder:
    return Folder(uri, "output.uri", 0, create=create)


def failing(call: object, *arguments: object) -> StorageError:
    assert callable(call)
    with pytest.raises(StorageError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize("folder_uri", STORES, indirect=True)
def test_a_written_file_is_read_downloaded_and_listed(folder_uri: str, tmp_path: Path) -> None:
    folder = open_folder(f"{folder_uri}/")
    names = ["a/model=x/one file.bin", "a/model=xy/two", "ü#?.txt"]
    for name in names:
        folder.write(name, name.encode())
        assert folder.read(name) == name.encode()
    folder.write(names[0], b"anew")
    folder.download(names[0], tmp_path / "deep/er")
    assert (tmp_path / "deep/er").read_bytes() == b"anew"
    assert folder.list("") == sorted(names)
    # By whole parts of a path.
    assert folder.list("a/model=x") == [names[0]]
    assert folder.list("none") == []
    assert folder.read_if_exists("a/none") is None
    assert folder.describe(names[1]) == f"{folder_uri}/{names[1]}"


@pytest.mark.parametrize("folder_uri", STORES, indirect=True)
def test_large_files_and_empty_ones_arrive_whole(folder_uri: str, tmp_path: Path) -> None:
    folder, data = open_folder(folder_uri), os.urandom(7_000_001)
    for name, content in (("large", data), ("empty", b"")):
        folder.write_new(name, content)
        folder.download(name, tmp_path / name)
        assert (tmp_path / name).read_bytes() == content
    assert folder.list("") == ["empty", "large"]


@pytest.mark.parametrize("folder_uri", STORES, indirect=True)
def test_write_new_accepts_the_same_bytes_and_overwrites_no_others(folder_uri: str) -> None:
    folder = open_folder(folder_uri)
    assert folder.write_new("x/model.onnx", b"first")
    assert folder.write_new("x/model.onnx", b"first")
    assert not folder.write_new("x/model.onnx", b"second")
    assert folder.read("x/model.onnx") == b"first"


@pytest.mark.parametrize("folder_uri", STORES, indirect=True)
def test_of_many_concurrent_creates_one_succeeds(folder_uri: str) -> None:
    store = open_folder(folder_uri)._store
    start, won = threading.Barrier(8), []

    def create(number: int) -> None:
        start.wait()
        if store.create("x", b"%d" % number):
            won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [b"%d" % number for number in won] == [open_folder(folder_uri).read("x")]


@pytest.mark.parametrize("folder_uri", BUCKETS, indirect=True)
def test_objects_that_only_mark_folders_are_not_listed(folder_uri: str) -> None:
    folder = open_folder(folder_uri)
    for name, data in {"saved": b"", "saved/model.bin": b"x", "saved/empty": b""}.items():
        if name != "saved" or not folder_uri.startswith("s3"):  # a directory there is no file
            folder.write(name, data)
    assert folder.list("") == ["saved/empty", "saved/model.bin"]


@pytest.mark.parametrize("folder_uri", BUCKETS, indirect=True)
def test_a_missing_bucket_or_object_is_named(folder_uri: str) -> None:
    error = failing(open_folder(folder_uri).read, "none.parquet")
    assert error.reason is LoadFailure.MODEL_NOT_FOUND
    assert error.message == f"{folder_uri}/none.parquet: no such object. Check output.uri"
    gone = open_folder(folder_uri.replace("://models", "://nothing"))
    for error in (failing(gone.read, "x"), failing(gone.write, "x", b"x")):
        assert error.reason is LoadFailure.MODEL_NOT_FOUND
        assert gone.describe("x") in error.message
        assert "Check output.uri" in error.message


@needs_azurite
@pytest.mark.parametrize("folder_uri", ["az://models"], indirect=True)
def test_a_wrong_key_is_access_denied(folder_uri: str, variables: pytest.MonkeyPatch) -> None:
    variables.setenv("AZURE_STORAGE_ACCOUNT_KEY", f"{KEY[:-8]}AAAAAA==")
    error = failing(open_folder(folder_uri).write, "x", b"x")
    assert error.reason is LoadFailure.ACCESS_DENIED
    assert "their permission to write" in error.message


@pytest.mark.parametrize("uri", ["s3://models/x", "gs://models/x", "az://models/x"])
def test_an_unreachable_store_is_retryable(variables: pytest.MonkeyPatch, uri: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    variables.setenv("AWS_ENDPOINT_URL", url)
    variables.setenv("STORAGE_EMULATOR_HOST", url)
    variables.setenv("AZURE_STORAGE_ENDPOINT", url)
    variables.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    for call, arguments in ((open_folder(uri).read, ("x",)), (open_folder(uri).write, ("x", b""))):
        error = failing(call, *arguments)
        assert (error.reason, error.is_retryable) == (LoadFailure.STORE_UNREACHABLE, True)
        assert f"{uri}/x: connection refused. Check " in error.message


@pytest.mark.parametrize(
    ("name", "uri"),
    [("GOOGLE_SERVICE_ACCOUNT_KEY", "gs://models/x"), ("AZURE_STORAGE_ACCOUNT_KEY", "az://m/x")],
)
def test_unusable_credentials_are_access_denied(
    variables: pytest.MonkeyPatch, name: str, uri: str
) -> None:
    variables.setenv(name, "{}")
    error = failing(open_folder, uri)
    assert error.reason is LoadFailure.ACCESS_DENIED
    assert f"Check the credentials: {name.partition('_')[0]}" in error.message
