"""S3: a real server, a versitygw that runs here."""

import os
import socket
from pathlib import Path

import obstore
import pytest
from support.proxy import Proxy
from support.s3 import KEYS, needs_s3
from support.stores import client_of

from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.errors import StorageError
from perennial_storage.fetch import fetch
from perennial_storage.parts import PART_BYTES


@pytest.fixture
def credentials(variables):
    """The environment with credentials for S3 and no other variables of clients."""
    for name, value in KEYS.items():
        variables.setenv(name, value)
    return variables


@pytest.fixture
def store(s3_server, credentials) -> Path:
    """The directory of the bucket ``models``, with the environment set up to reach it."""
    credentials.setenv("AWS_ENDPOINT_URL", s3_server.url)
    return s3_server.buckets / "models"


def put(directory: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def failure(uri: str, cache: Path, **arguments) -> StorageError:
    with pytest.raises(StorageError) as caught:
        fetch(uri, arguments.get("pin"), cache, 0)
    return caught.value


@needs_s3
@pytest.mark.parametrize("uri", ["s3://models/delays/1/", "s3://models/delays/1"])
def test_a_bundle_is_fetched_from_s3(store, bundle_files, tmp_path, uri):
    put(store / "delays/1", bundle_files)
    artifact = fetch(uri, digest_of(bundle_files["bundle.json"]), tmp_path, 0)
    assert artifact.model.read_bytes() == bundle_files["model.onnx"]


@needs_s3
@pytest.mark.parametrize("uri", ["s3://models/bare/model.onnx", "s3://models/bare/"])
def test_a_bare_model_is_fetched_from_s3(store, model, tmp_path, uri):
    put(store / "bare", {"model.onnx": model})
    assert fetch(uri, None, tmp_path, 0).digest == digest_of(model)


@needs_s3
def test_a_large_object_arrives_whole(store, tmp_path):
    """Put into the server's folder it has no entity tag, put by a client it has."""
    data = os.urandom(20 * 1024 * 1024 + 1)
    put(store, {"large.onnx": data})
    obstore.put(client_of("s3://models/"), "larger.onnx", data + b"!")
    assert fetch("s3://models/large.onnx", digest_of(data), tmp_path, 0).digest == digest_of(data)
    assert fetch("s3://models/larger.onnx", None, tmp_path, 0).model.read_bytes() == data + b"!"


@pytest.fixture
def cut_off(store, s3_server, credentials):
    """A proxy in front of the server, and a function that uploads past it."""
    proxy = Proxy(int(s3_server.url.rpartition(":")[2]))
    uploading = client_of("s3://models/")
    credentials.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
    yield proxy, lambda name, data: obstore.put(uploading, name, data)
    proxy.close()


@needs_s3
def test_after_a_cut_only_the_rest_is_requested_from_s3(cut_off, tmp_path):
    proxy, upload = cut_off
    data = os.urandom(8 * PART_BYTES + 1)
    upload("cut/model.onnx", data)
    proxy.cut_after = 3 * PART_BYTES
    artifact = fetch("s3://models/cut/", digest_of(data), tmp_path, 60)
    assert artifact.model.read_bytes() == data
    assert proxy.cut_after is None
    # Lost is what was on its way: each worker's chunk, and what its connection held.
    assert proxy.received < len(data) + 2 * PART_BYTES


@needs_s3
def test_an_s3_object_overwritten_during_the_download_is_downloaded_again(cut_off, tmp_path):
    proxy, upload = cut_off
    old, new = os.urandom(8 * PART_BYTES), os.urandom(8 * PART_BYTES)
    upload("swapped.onnx", old)
    proxy.on_cut = lambda: upload("swapped.onnx", new)
    proxy.cut_after = 3 * PART_BYTES
    artifact = fetch("s3://models/swapped.onnx", None, tmp_path, 60)
    assert proxy.cut_after is None
    assert artifact.model.read_bytes() == new
    assert artifact.digest == digest_of(new)


@needs_s3
def test_an_empty_prefix_is_not_found(store, tmp_path):
    error = failure("s3://models/nothing/here/", tmp_path)
    assert error.reason is LoadFailure.MODEL_NOT_FOUND
    assert error.message == (
        "s3://models/nothing/here/: no object found under this prefix; "
        "expected bundle.json or model.onnx. Check spec.model.uri"
    )


@needs_s3
def test_a_missing_object_and_a_missing_bucket_are_not_found(store, tmp_path):
    error = failure("s3://models/nothing.onnx", tmp_path)
    assert error.reason is LoadFailure.MODEL_NOT_FOUND
    assert "no such object" in error.message
    error = failure("s3://no-such-bucket/x.onnx", tmp_path)
    assert error.reason is LoadFailure.MODEL_NOT_FOUND
    assert "there is no such bucket" in error.message


@needs_s3
@pytest.mark.parametrize("uri", ["s3://models/bare/model.onnx", "s3://models/bare/"])
@pytest.mark.parametrize("wrong", ["key", "secret", "none"])
def test_wrong_or_missing_credentials_are_access_denied(
    store, credentials, model, tmp_path, uri, wrong
):
    put(store / "bare", {"model.onnx": model})
    if wrong == "none":
        credentials.delenv("AWS_ACCESS_KEY_ID")
        credentials.delenv("AWS_SECRET_ACCESS_KEY")
    else:
        name = "AWS_ACCESS_KEY_ID" if wrong == "key" else "AWS_SECRET_ACCESS_KEY"
        credentials.setenv(name, "wrong")
    error = failure(uri, tmp_path)
    assert error.reason is LoadFailure.ACCESS_DENIED
    assert "Check the credentials" in error.message
    assert not error.is_retryable


@needs_s3
def test_an_object_that_was_overwritten_is_a_mismatch(store, model, tmp_path):
    put(store / "changed", {"model.onnx": model + b"\n"})
    error = failure("s3://models/changed/", tmp_path, pin=digest_of(model))
    assert error.reason is LoadFailure.DIGEST_MISMATCH


def test_a_refused_connection_to_s3_is_unreachable(credentials, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    credentials.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    error = failure("s3://models/x.onnx", tmp_path)
    assert error.reason is LoadFailure.STORE_UNREACHABLE
    assert "connection refused" in error.message
    assert error.is_retryable


def test_an_unknown_s3_endpoint_is_unreachable(credentials, tmp_path):
    credentials.setenv("AWS_ENDPOINT_URL", "http://no-such-host.invalid")
    error = failure("s3://models/x.onnx", tmp_path)
    assert error.reason is LoadFailure.STORE_UNREACHABLE
    assert "host name" in error.message


def test_an_s3_server_that_never_answers_is_unreachable(credentials, tmp_path, monkeypatch):
    monkeypatch.setattr("perennial_storage.object_store.READ_TIMEOUT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        credentials.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        error = failure("s3://models/x.onnx", tmp_path)
    assert error.reason is LoadFailure.STORE_UNREACHABLE
    assert "no response in time" in error.message


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, LoadFailure.ACCESS_DENIED),
        (401, LoadFailure.ACCESS_DENIED),
        (500, LoadFailure.STORE_UNREACHABLE),
        (503, LoadFailure.STORE_UNREACHABLE),
    ],
)
def test_the_status_of_an_s3_server_gives_the_reason(credentials, web, tmp_path, status, reason):
    body = b"<Error><Code>SomeCode</Code></Error>"
    for path in ("/models/x/bundle.json", "/models/x/model.onnx"):
        web.files[path] = lambda handler: handler.reply(status, body)
    credentials.setenv("AWS_ENDPOINT_URL", web.url)
    assert failure("s3://models/x/", tmp_path).reason is reason


def test_a_403_for_the_manifest_alone_does_not_hide_a_bare_model(credentials, web, model, tmp_path):
    """S3 answers 403 for a missing key if the credentials may not list the bucket."""
    web.files["/models/x/bundle.json"] = lambda handler: handler.reply(403, b"")
    web.files["/models/x/model.onnx"] = s3_object(model)
    credentials.setenv("AWS_ENDPOINT_URL", web.url)
    assert fetch("s3://models/x/", None, tmp_path, 0).digest == digest_of(model)


def s3_object(data: bytes):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.send_header("ETag", '"x"')
        handler.send_header("Last-Modified", "Mon, 02 Nov 2026 00:00:00 GMT")
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def test_a_machine_without_credentials_is_access_denied(credentials, web, tmp_path):
    """Without an own endpoint, obstore requests them from the metadata service."""
    credentials.delenv("AWS_ACCESS_KEY_ID")
    credentials.delenv("AWS_SECRET_ACCESS_KEY")
    credentials.setenv("AWS_METADATA_ENDPOINT", web.url)
    error = failure("s3://models/x.onnx", tmp_path)
    assert error.reason is LoadFailure.ACCESS_DENIED
    assert "no credentials" in error.message
