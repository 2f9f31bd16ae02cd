"""Fetching from this machine and from a web server; each way it can fail, with the real thing."""

import os
import socket
import time

import pytest

from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_runtime.errors import LoadError
from perennial_runtime.fetching.fetch import fetch

OTHER = "sha256:" + "0" * 64


def failure(uri, cache, pin=None, retry_seconds=0.0) -> LoadError:
    with pytest.raises(LoadError) as caught:
        fetch(str(uri), pin, cache, retry_seconds)
    return caught.value


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_a_local_bundle_is_used_where_it_lies(write_files, bundle_files, cache):
    directory = write_files(bundle_files)
    digest = digest_of(bundle_files["bundle.json"])
    for uri in (str(directory), f"{directory}/", f"file://{directory}"):
        artifact = fetch(uri, digest, cache, 0)
        assert artifact.digest == digest
        assert artifact.model == directory / "model.onnx"
    assert not cache.exists()


def test_a_bare_local_model_is_pinned_by_its_own_bytes(write_files, affine, cache):
    directory = write_files({"model.onnx": affine, "named.onnx": affine})
    for uri in (directory, directory / "named.onnx"):
        assert fetch(str(uri), digest_of(affine), cache, 0).digest == digest_of(affine)


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


def test_a_pin_that_differs_is_a_mismatch(write_files, bundle_files, affine, cache):
    for files in (bundle_files, {"model.onnx": affine}):
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
def test_a_manifest_that_is_none_is_corrupt(write_files, cache, manifest, problem):
    error = failure(write_files({"bundle.json": manifest}), cache)
    assert error.reason is LoadFailure.MODEL_CORRUPT
    assert problem in error.message


@pytest.mark.skipif(os.getuid() != 0, reason="only root can hand the process another user")
def test_a_file_that_may_not_be_read_is_access_denied(write_files, affine, cache):
    directory = write_files({"model.onnx": affine})
    directory.chmod(0o700)
    os.seteuid(65532)
    try:
        error = failure(directory, cache)
    finally:
        os.seteuid(0)
    assert error.reason is LoadFailure.ACCESS_DENIED
    assert "fsGroup" in error.message


def test_an_unknown_scheme_is_unsupported(cache):
    error = failure("gopher://models/x", cache)
    assert error.reason is LoadFailure.UNSUPPORTED_MODEL
    assert "got gopher://" in error.message


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
def test_a_bare_model_is_downloaded(web, affine, cache, path):
    web.files = {"/m/model.onnx": affine}
    artifact = fetch(web.url + path, digest_of(affine), cache, 0)
    assert artifact.model.read_bytes() == affine
    assert artifact.bundle is None
    assert fetch(web.url + path, digest_of(affine), cache, 0) == artifact


def test_a_damaged_cache_entry_is_mended(web, bundle_files, affine, cache):
    web.files = {f"/b/{path}": data for path, data in bundle_files.items()}
    web.files["/bare.onnx"] = affine
    for uri in (f"{web.url}/b/", f"{web.url}/bare.onnx"):
        artifact = fetch(uri, None, cache, 0)
        for damage in (b"", affine[:-1] + b"?"):
            artifact.model.write_bytes(damage)
            mended = fetch(uri, artifact.digest, cache, 0)
            assert mended.model.read_bytes() == affine


def test_what_a_killed_process_left_behind_is_removed(web, affine, cache):
    (cache / ".partial-dead").mkdir(parents=True)
    web.files = {"/x.onnx": affine}
    fetch(f"{web.url}/x.onnx", None, cache, 0)
    assert [path.name for path in cache.iterdir()] == [digest_of(affine).replace(":", "-")]


def test_nothing_on_a_web_server_is_not_found(web, cache):
    error = failure(f"{web.url}/x/", cache)
    assert error.reason is LoadFailure.MODEL_NOT_FOUND
    assert error.message == (
        f"{web.url}/x/: no object found under this prefix; "
        "expected bundle.json or model.onnx. Check spec.model.uri"
    )
    error = failure(f"{web.url}/x.onnx", cache)
    assert error.reason is LoadFailure.MODEL_NOT_FOUND
    assert "HTTP 404" in error.message


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, LoadFailure.ACCESS_DENIED),
        (403, LoadFailure.ACCESS_DENIED),
        (410, LoadFailure.MODEL_NOT_FOUND),
        (429, LoadFailure.STORE_UNREACHABLE),
        (500, LoadFailure.STORE_UNREACHABLE),
        (503, LoadFailure.STORE_UNREACHABLE),
    ],
)
@pytest.mark.parametrize("path", ["/x.onnx", "/x/"])
def test_a_web_servers_status_gives_the_reason(web, cache, path, status, reason):
    for name in ("/x.onnx", "/x/bundle.json", "/x/model.onnx"):
        web.files[name] = lambda handler: handler.reply(status, b"no")
    error = failure(web.url + path, cache)
    assert error.reason is reason
    if reason is not LoadFailure.MODEL_NOT_FOUND:
        assert f"HTTP {status}" in error.message
    assert error.exit_code == (3 if reason is LoadFailure.STORE_UNREACHABLE else 1)


def test_a_refused_connection_is_unreachable_and_leaves_nothing(cache):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}/x.onnx", cache, pin=OTHER)
    assert list(cache.iterdir()) == []
    assert error.reason is LoadFailure.STORE_UNREACHABLE
    assert "connection refused" in error.message


def test_an_unknown_host_is_unreachable(cache):
    error = failure("http://no-such-host.invalid/x.onnx", cache)
    assert error.reason is LoadFailure.STORE_UNREACHABLE
    assert "no-such-host.invalid is not known" in error.message


def test_a_server_that_never_answers_is_unreachable(cache, monkeypatch):
    monkeypatch.setattr("perennial_runtime.store.web.TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = failure(f"http://127.0.0.1:{silent.getsockname()[1]}/x.onnx", cache)
    assert error.reason is LoadFailure.STORE_UNREACHABLE
    assert "no answer within" in error.message


def test_a_download_that_breaks_off_is_tried_again(web, affine, cache):
    def cut_short_once(handler):
        web.files["/x.onnx"] = affine
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(affine)))
        handler.end_headers()
        handler.wfile.write(affine[:10])
        handler.close_connection = True

    web.files["/x.onnx"] = cut_short_once
    assert fetch(f"{web.url}/x.onnx", None, cache, 30).model.read_bytes() == affine
    assert web.requests == ["/x.onnx", "/x.onnx"]


def test_tries_end_after_the_time_given_and_only_unreachable_stores_are_tried_again(web, cache):
    web.files["/x.onnx"] = lambda handler: handler.reply(503, b"")
    begun = time.monotonic()
    error = failure(f"{web.url}/x.onnx", cache, retry_seconds=0.7)
    assert 0.7 <= time.monotonic() - begun < 5
    assert "(tried 3 times)" in error.message
    web.files["/x.onnx"] = lambda handler: handler.reply(403, b"")
    web.requests.clear()
    failure(f"{web.url}/x.onnx", cache, retry_seconds=60)
    assert len(web.requests) == 1


def test_a_wrong_file_on_a_web_server_is_noticed_and_nothing_is_kept(web, bundle_files, cache):
    web.files = {f"/b/{path}": data for path, data in bundle_files.items()}
    web.files["/b/model.onnx"] = bundle_files["model.onnx"][:-1] + b"?"
    error = failure(f"{web.url}/b/", cache)
    assert error.reason is LoadFailure.DIGEST_MISMATCH
    assert "model.onnx: expected digest" in error.message
    assert list(cache.iterdir()) == []


def test_secrets_of_a_url_are_sent_but_never_shown(web, cache):
    seen = []

    def refuse(handler):
        seen.append(handler.headers["Authorization"])
        handler.reply(403, b"")

    web.files["/x.onnx"] = refuse
    url = web.url.replace("http://", "http://user:secret@")
    error = failure(f"{url}/x.onnx?signature=hidden", cache)
    assert "secret" not in error.message
    assert "hidden" not in error.message
    assert web.requests == ["/x.onnx?signature=hidden"]
    assert seen == ["Basic dXNlcjpzZWNyZXQ="]


def test_a_cache_that_cannot_be_written_is_said_so(web, affine, tmp_path):
    web.files = {"/x.onnx": affine}
    (tmp_path / "file").write_text("")
    error = failure(f"{web.url}/x.onnx", tmp_path / "file")
    assert error.reason is LoadFailure.INTERNAL_ERROR
    assert "--cache-dir" in error.message
