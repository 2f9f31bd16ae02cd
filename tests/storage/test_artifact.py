"""Models on this machine: used in place, and every way in which they can be wrong."""

import os

import pytest

from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.errors import StorageError
from perennial_storage.fetch import fetch

OTHER = "sha256:" + "0" * 64


def failure(uri, cache, pin=None, retry_seconds=0.0) -> StorageError:
    with pytest.raises(StorageError) as caught:
        fetch(str(uri), pin, cache, retry_seconds)
    return caught.value


def test_a_local_bundle_is_used_in_place(write_files, bundle_files, cache):
    directory = write_files(bundle_files)
    digest = digest_of(bundle_files["bundle.json"])
    for uri in (str(directory), f"{directory}/", f"file://{directory}"):
        artifact = fetch(uri, digest, cache, 0)
        assert artifact.digest == digest
        assert artifact.model == directory / "model.onnx"
    assert not cache.exists()


def test_a_bare_local_model_is_pinned_by_its_own_bytes(write_files, model, cache):
    directory = write_files({"model.onnx": model, "named.onnx": model})
    for uri in (directory, directory / "named.onnx"):
        assert fetch(str(uri), digest_of(model), cache, 0).digest == digest_of(model)


def test_nothing_at_a_local_path_is_not_found(tmp_path, cache):
    for path in ("absent", "absent.onnx"):
        error = failure(tmp_path / path, cache)
        assert error.reason is LoadFailure.MODEL_NOT_FOUND
        assert f"{tmp_path / path}: nothing found; expected" in error.message


def test_a_changed_file_of_a_local_bundle_is_a_mismatch(write_files, bundle_files, cache):
    changed = bytearray(bundle_files["model.onnx"])
    changed[-1] ^= 1
    error = failure(write_files({**bundle_files, "model.onnx": bytes(changed)}), cache)
    assert error.reason is LoadFailure.DIGEST_MISMATCH
    assert "model.onnx: expected digest sha256:" in error.message
    error = failure(write_files({**bundle_files, "model.onnx": b"short"}), cache)
    assert error.reason is LoadFailure.DIGEST_MISMATCH
    assert f"expected {len(changed)} bytes, got 5" in error.message


def test_a_pin_that_differs_is_a_mismatch(write_files, bundle_files, model, cache):
    for files in (bundle_files, {"model.onnx": model}):
        error = failure(write_files(files), cache, pin=OTHER)
        assert error.reason is LoadFailure.DIGEST_MISMATCH
        assert f"expected digest {OTHER}, got sha256:" in error.message


def test_a_bundle_that_lacks_a_file_is_corrupt(write_files, bundle_files, web, cache):
    files = {path: data for path, data in bundle_files.items() if path != "notes/readme.txt"}
    assert "lists notes/readme.txt" in failure(write_files(files), cache).message
    web.files = {f"/b/{path}": data for path, data in files.items()}
    error = failure(f"{web.url}/b/", cache)
    assert error.reason is LoadFailure.MODEL_CORRUPT
    assert "notes/readme.txt" in error.message


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        (b"<html>", "Invalid JSON"),
        (b'{"files": []}', "files"),
        (
            b'{"files": [{"path": "../x", "digest": "sha256:%s", "size": 1}]}' % (b"a" * 64),
            "a path inside the bundle",
        ),
    ],
)
def test_an_invalid_manifest_is_corrupt(write_files, cache, manifest, problem):
    error = failure(write_files({"bundle.json": manifest}), cache)
    assert error.reason is LoadFailure.MODEL_CORRUPT
    assert problem in error.message


@pytest.mark.skipif(os.getuid() != 0, reason="only root can hand the process another user")
def test_a_file_that_may_not_be_read_is_access_denied(write_files, model, cache):
    directory = write_files({"model.onnx": model})
    directory.chmod(0o700)
    os.seteuid(65532)
    try:
        error = failure(directory, cache)
    finally:
        os.seteuid(0)
    assert error.reason is LoadFailure.ACCESS_DENIED
    assert "fsGroup" in error.message
