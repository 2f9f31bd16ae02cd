"""Fetching bundles and bare models into the cache."""

import pytest

from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.errors import StorageError
from perennial_storage.fetch import fetch


def failure(uri, cache, pin=None, retry_seconds=0.0) -> StorageError:
    with pytest.raises(StorageError) as caught:
        fetch(str(uri), pin, cache, retry_seconds)
    return caught.value


def test_a_bundle_is_downloaded_once_and_then_found_in_the_cache(web, bundle_files, cache):
    web.files = {f"/b/{path}": data for path, data in bundle_files.items()}
    digest = digest_of(bundle_files["bundle.json"])
    artifact = fetch(f"{web.url}/b", None, cache, 0)
    assert artifact.digest == digest
    assert artifact.model.read_bytes() == bundle_files["model.onnx"]
    assert (artifact.model.parent / "notes/readme.txt").exists()
    web.requests.clear()
    assert fetch(f"{web.url}/b/", None, cache, 0) == artifact
    assert web.requests == ["/b/bundle.json"]
    web.requests.clear()
    assert fetch(f"{web.url}/b/", digest, cache, 0) == artifact
    assert web.requests == []


@pytest.mark.parametrize("path", ["/m/model.onnx", "/m/", "/m"])
def test_a_bare_model_is_downloaded(web, model, cache, path):
    web.files = {"/m/model.onnx": model}
    artifact = fetch(web.url + path, digest_of(model), cache, 0)
    assert artifact.model.read_bytes() == model
    assert artifact.bundle is None
    assert fetch(web.url + path, digest_of(model), cache, 0) == artifact


def test_a_damaged_cache_entry_is_replaced(web, bundle_files, model, cache):
    web.files = {f"/b/{path}": data for path, data in bundle_files.items()}
    web.files["/bare.onnx"] = model
    for uri in (f"{web.url}/b/", f"{web.url}/bare.onnx"):
        artifact = fetch(uri, None, cache, 0)
        for damage in (b"", model[:-1] + b"?"):
            artifact.model.write_bytes(damage)
            mended = fetch(uri, artifact.digest, cache, 0)
            assert mended.model.read_bytes() == model


def test_files_of_a_killed_process_are_removed(web, model, cache):
    (cache / ".partial-dead").mkdir(parents=True)
    web.files = {"/x.onnx": model}
    fetch(f"{web.url}/x.onnx", None, cache, 0)
    assert [path.name for path in cache.iterdir()] == [digest_of(model).replace(":", "-")]


def test_a_file_with_the_wrong_digest_is_a_mismatch_and_is_not_kept(web, bundle_files, cache):
    web.files = {f"/b/{path}": data for path, data in bundle_files.items()}
    web.files["/b/model.onnx"] = bundle_files["model.onnx"][:-1] + b"?"
    error = failure(f"{web.url}/b/", cache)
    assert error.reason is LoadFailure.DIGEST_MISMATCH
    assert "model.onnx: expected digest" in error.message
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_reported(web, model, tmp_path):
    web.files = {"/x.onnx": model}
    (tmp_path / "file").write_text("")
    error = failure(f"{web.url}/x.onnx", tmp_path / "file")
    assert error.reason is LoadFailure.INTERNAL_ERROR
    assert "--cache-dir" in error.message
