"""The Hugging Face Hub: its real client, and a server here that imitates it."""

import logging
import os
import socket
import sys

import pytest
from support.hub import COMMIT
from support.ranged import RangedFile

from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.errors import StorageError
from perennial_storage.fetch import fetch
from perennial_storage.folder import Folder
from perennial_storage.parts import PART_BYTES
from perennial_storage.uris import split

PATIENCE = 60.0


def failure(uri, cache, retry_seconds=0.0) -> StorageError:
    with pytest.raises(StorageError) as caught:
        fetch(uri, None, cache, retry_seconds)
    return caught.value


@pytest.mark.parametrize(
    "uri",
    [
        "hf://org/delays/onnx/",
        "hf://org/delays@v1/onnx",
        "hf://org/delays@v1/onnx/model.onnx",
        f"hf://org/delays@{COMMIT}/onnx/",
        "hf://org/delays@refs%2Fpr%2F1/onnx/",
    ],
)
def test_a_model_is_fetched_from_a_server_like_the_hub(hub, model, cache, caplog, uri):
    hub.files["onnx/model.onnx"] = model
    with caplog.at_level(logging.INFO, "perennial"):
        artifact = fetch(uri, digest_of(model), cache, 0)
    assert artifact.model.read_bytes() == model
    told = [record.fields["commit"] for record in caplog.records if "revision" in record.msg]
    assert told == ([] if COMMIT in uri else [COMMIT])


def test_a_bundle_is_fetched_from_the_root_of_a_repository(hub, bundle_files, cache):
    hub.files = bundle_files
    artifact = fetch("hf://org/delays/", digest_of(bundle_files["bundle.json"]), cache, 0)
    assert artifact.bundle is not None


def test_a_large_file_is_downloaded_in_parts_by_a_link_without_the_token(hub, cache, variables):
    served = RangedFile(os.urandom(3 * PART_BYTES))
    hub.large["model.onnx"] = served
    hub.token = "secret"
    variables.setenv("HF_TOKEN", "secret")
    assert fetch("hf://org/delays/", None, cache, 0).model.read_bytes() == served.data
    assert len(served.spans) == 3
    assert served.sent == len(served.data)
    assert served.tokens == [None] * 3
    assert hub.links == 1


def test_an_expired_link_is_renewed_and_no_byte_is_downloaded_twice(hub, cache):
    served = RangedFile(os.urandom(3 * PART_BYTES))
    served.refused = {1: 403}
    hub.large["model.onnx"] = served
    assert fetch("hf://org/delays/", None, cache, PATIENCE).model.read_bytes() == served.data
    assert served.sent == len(served.data)
    assert hub.links == 2


@pytest.mark.parametrize("uri", ["hf://org/delays/", "hf://org/delays/model.onnx"])
def test_after_a_cut_only_the_rest_is_requested_from_the_hub(hub, cache, uri):
    served = RangedFile(os.urandom(3 * PART_BYTES))
    served.cuts = [PART_BYTES // 2] * 3
    hub.large["model.onnx"] = served
    with pytest.raises(StorageError, match="before the connection ended"):
        fetch(uri, digest_of(served.data), cache, 0)
    assert fetch(uri, digest_of(served.data), cache, 0).model.read_bytes() == served.data
    assert served.sent == len(served.data)


def test_missing_files_revisions_and_repositories_are_distinguished(hub, cache):
    hub.files["model.onnx"] = b""
    for uri, what in (
        ("hf://org/delays/other.onnx", "there is no such file"),
        ("hf://org/delays@v9/model.onnx", "there is no such revision"),
        ("hf://org/nothing/model.onnx", "there is no such repository"),
        (f"hf://org/nothing@{COMMIT}/model.onnx", "there is no such repository"),
        ("hf://org/delays/folder/", "no object found under this prefix"),
        ("hf://org", "expected hf://ORGANISATION/REPOSITORY[@REVISION]/PATH"),
        ("hf://org/de--lays../x.onnx", "Check spec.model.uri"),
    ):
        error = failure(uri, cache)
        assert error.reason is LoadFailure.MODEL_NOT_FOUND
        assert what in error.message
        assert "Check spec.model.uri" in error.message


def test_without_the_token_a_private_repository_is_not_found(hub, cache):
    """The hub does not reveal that it exists."""
    hub.token = "secret"
    error = failure("hf://org/delays/model.onnx", cache)
    assert error.reason is LoadFailure.MODEL_NOT_FOUND
    assert "HF_TOKEN" in error.message


def test_a_gated_repository_is_access_denied(hub, cache):
    hub.gated = True
    error = failure("hf://org/delays/model.onnx", cache)
    assert error.reason is LoadFailure.ACCESS_DENIED
    assert "Accept its terms" in error.message


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_broken_hub_is_unreachable(hub, cache, status):
    hub.status = status
    error = failure("hf://org/delays/model.onnx", cache)
    assert error.reason is LoadFailure.STORE_UNREACHABLE
    assert f"HTTP {status}" in error.message


def test_a_hub_that_refuses_the_connection_is_unreachable(variables, cache):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    error = failure("hf://org/delays/model.onnx", cache)
    assert error.reason is LoadFailure.STORE_UNREACHABLE
    assert "Check HF_ENDPOINT" in error.message


def test_without_the_client_the_message_names_the_package(variables, cache):
    variables.setitem(sys.modules, "huggingface_hub", None)
    error = failure("hf://org/delays/model.onnx", cache)
    assert error.reason is LoadFailure.UNSUPPORTED_MODEL
    assert "perennial[hf]" in error.message


# --- folders ---


def open_folder(uri: str) -> Folder:
    return Folder(uri, "output.uri", 0)


def read_failure(uri: str, path: str) -> StorageError:
    with pytest.raises(StorageError) as caught:
        open_folder(uri).read(path)
    return caught.value


@pytest.mark.parametrize("uri", ["hf://org/delays/saved", "hf://org/delays@v1/saved/"])
def test_a_folder_is_read_and_listed_as_of_one_commit(hub, uri):
    hub.files = {"saved/a": b"a", "saved/b/c": b"c", "README.md": b"me"}
    hub.large["saved/large"] = RangedFile(os.urandom(100_000))
    folder = open_folder(uri)
    assert folder.list("") == ["a", "b/c", "large"]
    assert folder.list("b") == ["b/c"]
    assert folder.describe("a") == f"hf://org/delays@{COMMIT}/saved/a"
    assert folder.read("b/c") == b"c"
    assert folder.read("large") == hub.large["saved/large"].data


def test_a_table_is_read_from_a_repository_of_data_sets(hub):
    hub.kind, hub.files = "dataset", {"2013.parquet": b"rows"}
    folder, name = split("hf://datasets/org/delays/2013.parquet")
    assert open_folder(folder).read(name) == b"rows"


def test_the_token_is_sent_to_the_hub_but_not_to_the_host_of_its_large_files(hub, variables):
    hub.token = "secret"
    hub.large["model.bin"] = RangedFile(b"x" * 1000)
    reason = read_failure("hf://org/delays/", "model.bin").reason
    assert reason is LoadFailure.MODEL_NOT_FOUND
    variables.setenv("HF_TOKEN", "secret")
    assert open_folder("hf://org/delays/").read("model.bin") == b"x" * 1000
    assert hub.large["model.bin"].tokens == [None]


def test_errors_of_the_hub_name_the_cause(hub):
    hub.files["a"] = b"a"
    assert "no such file" in read_failure("hf://org/delays/", "none").message
    assert "no such revision" in read_failure("hf://org/delays@v9/", "none").message
    assert "no such repository" in read_failure("hf://org/others/", "none").message
    hub.gated = True
    assert read_failure("hf://org/delays/", "none").reason is LoadFailure.ACCESS_DENIED
    hub.gated, hub.status = False, 503
    assert read_failure("hf://org/delays/", "none").reason is LoadFailure.STORE_UNREACHABLE


def test_a_folder_of_the_hub_needs_its_client(variables):
    variables.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(StorageError, match=r"Install perennial\[hf\]") as caught:
        open_folder("hf://org/delays/")
    assert caught.value.reason is LoadFailure.UNSUPPORTED_MODEL
