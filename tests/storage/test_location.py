"""Which store a URI selects, and URIs that select none."""

import subprocess
import sys
from pathlib import Path

import pytest

from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.errors import StorageError
from perennial_storage.fetch import fetch
from perennial_storage.location import locate, open_store

AZURE_HOST = "account.blob.core.windows.net"
LOCAL = """
import pathlib, sys
from perennial_storage.fetch import fetch
from perennial_storage.sink import open_sink
folder = pathlib.Path(sys.argv[1])
fetch(str(folder / "model.onnx"), None, folder / "cache", 0)
open_sink(str(folder / "captured")).put("rows.parquet", b"rows")
print(*{"obstore", "perennial_storage.web", "huggingface_hub", "filelock"} & sys.modules.keys())
"""


def test_an_unknown_scheme_is_unsupported(cache: Path) -> None:
    with pytest.raises(StorageError) as caught:
        fetch("gopher://models/x", None, cache, 0)
    assert caught.value.reason is LoadFailure.UNSUPPORTED_MODEL
    assert "got gopher://" in caught.value.message


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("gs:///x.onnx", "expected a bucket, got none"),
        ("az:///x.onnx", "expected a container, got none"),
        ("abfss://models/x.onnx", "expected abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH"),
        (f"https://{AZURE_HOST}/", "expected a container, got none"),
    ],
)
def test_a_uri_without_a_bucket_is_not_found(uri: str, expected: str) -> None:
    with pytest.raises(StorageError, match=expected) as caught:
        locate(uri)
    assert caught.value.reason is LoadFailure.MODEL_NOT_FOUND


@pytest.mark.parametrize("create", [True, False])
def test_a_malformed_url_is_not_found(create: bool) -> None:
    with pytest.raises(StorageError, match=r"https://\[host/x: .*Check output\.uri$") as caught:
        open_store("https://[host/x", "output.uri", "agent", create=create)
    assert caught.value.reason is LoadFailure.MODEL_NOT_FOUND


def test_a_model_and_captures_on_this_machine_load_no_client(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"a model")
    command = [sys.executable, "-c", LOCAL, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "\n"


def test_a_web_server_without_a_host_is_not_found() -> None:
    with pytest.raises(StorageError, match="expected a host, got none") as caught:
        locate("https:///x.onnx")
    assert caught.value.reason is LoadFailure.MODEL_NOT_FOUND


def test_a_repository_of_data_sets_has_no_models() -> None:
    with pytest.raises(StorageError, match="expected a repository of models") as caught:
        locate("hf://datasets/org/flights/model.onnx")
    assert caught.value.reason is LoadFailure.MODEL_NOT_FOUND


@pytest.mark.parametrize("uri", ["ftp://host/x", "pvc://claim/x", "gs:///x", "abfss://models/x"])
@pytest.mark.parametrize("create", [True, False])
def test_a_folder_of_no_known_store_is_rejected_with_what_is_expected(
    uri: str, create: bool
) -> None:
    with pytest.raises(StorageError, match=r": expected .*Check output\.uri$") as caught:
        open_store(uri, "output.uri", "agent", create=create)
    assert caught.value.reason is LoadFailure.MODEL_NOT_FOUND
    assert uri in caught.value.message


@pytest.mark.parametrize("uri", ["https://host/x", "hf://org/delays/x"])
def test_a_store_that_cannot_be_written_to_is_rejected_before_any_request(uri: str) -> None:
    with pytest.raises(StorageError, match=r"expected s3://BUCKET/PATH, gs://BUCKET/PATH, az://"):
        open_store(uri, "output.uri", "agent", create=True)
