"""Models on web servers: what each response means, and where credentials are sent."""

import os
import socket
import ssl
import urllib.error
from pathlib import Path

import pytest
from support.ranged import RangedFile
from support.web import WebServer

from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage import web as web_module
from perennial_storage.errors import StorageError
from perennial_storage.fetch import fetch
from perennial_storage.folder import Folder

OTHER = "sha256:" + "0" * 64


def failure(uri, cache, pin=None, retry_seconds=0.0) -> StorageError:
    with pytest.raises(StorageError) as caught:
        fetch(str(uri), pin, cache, retry_seconds)
    return caught.value


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
    assert error.is_retryable == (reason is LoadFailure.STORE_UNREACHABLE)


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
    assert "no-such-host.invalid is unknown" in error.message


def test_a_server_that_never_answers_is_unreachable(cache, monkeypatch):
    monkeypatch.setattr("perennial_storage.web.TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = failure(f"http://127.0.0.1:{silent.getsockname()[1]}/x.onnx", cache)
    assert error.reason is LoadFailure.STORE_UNREACHABLE
    assert "no response within" in error.message


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


def test_credentials_do_not_follow_to_another_host(web, model, cache):
    elsewhere = type(web)()
    seen = []

    def give(handler):
        seen.append(handler.headers["Authorization"])
        handler.reply(200, model)

    def send_away(handler):
        handler.send_response(302)
        handler.send_header("Location", f"{elsewhere.url}/y.onnx")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    elsewhere.files["/y.onnx"] = give
    web.files["/x.onnx"] = send_away
    url = web.url.replace("http://", "http://user:secret@")
    try:
        assert fetch(f"{url}/x.onnx", None, cache, 0).model.read_bytes() == model
    finally:
        elsewhere.close()
    assert seen == [None]


def read_failure(web: WebServer, path: str) -> StorageError:
    with pytest.raises(StorageError) as caught:
        Folder(web.url, "spec.model.uri", 0).read(path)
    return caught.value


def test_a_response_that_is_cut_off_is_retried(
    web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perennial_storage.retry.FIRST_DELAY_SECONDS", 0.01)
    served = RangedFile(os.urandom(100_000))
    served.cuts = [50_000]

    def respond(handler) -> None:  # type: ignore[no-untyped-def]
        handler.close_connection = True
        served(handler)

    web.files["/x.bin"] = respond
    folder = Folder(web.url, "spec.model.uri", 10)
    folder.download("x.bin", tmp_path / "x.bin")
    assert (tmp_path / "x.bin").read_bytes() == served.data
    served.cuts = [50_000]
    error = read_failure(web, "x.bin")
    assert error.reason is LoadFailure.STORE_UNREACHABLE
    assert "expected 100000 bytes, got 50000 before the connection ended" in error.message


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        *((401, LoadFailure.ACCESS_DENIED), (403, LoadFailure.ACCESS_DENIED)),
        *((404, LoadFailure.MODEL_NOT_FOUND), (503, LoadFailure.STORE_UNREACHABLE)),
    ],
)
def test_the_status_for_a_file_of_a_folder_gives_the_reason(
    web: WebServer, status: int, reason: LoadFailure
) -> None:
    web.files["/x"] = lambda handler: handler.reply(status, b"")  # type: ignore[attr-defined]
    assert read_failure(web, "x").reason is reason


def test_a_web_server_does_not_list_its_files(web: WebServer) -> None:
    with pytest.raises(StorageError, match=r"does not list its files\. Expected a bundle, or"):
        Folder(f"{web.url}/saved/", "spec.model.uri", 0).list("")


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (socket.gaierror(), "https://no/x: the host name no is unknown. Check output.uri"),
        (
            ssl.SSLCertVerificationError("self-signed"),
            "https://no/x: the certificate is not trusted: ",
        ),
    ],
)
def test_a_wrong_host_or_certificate_is_reported(cause: Exception, message: str) -> None:
    if isinstance(cause, ssl.SSLCertVerificationError):
        cause.verify_message = ""
    url = "https://no/x"
    error = web_module.explain(url, url, urllib.error.URLError(cause), "output.uri")  # type: ignore[arg-type]
    assert error.message == message
    assert error.is_retryable


def test_a_url_that_cannot_be_requested_is_not_retried() -> None:
    with pytest.raises(StorageError, match=r"Check output\.uri") as caught:
        Folder("http://host:port", "output.uri", 60).read("x")
    assert caught.value.reason is LoadFailure.MODEL_NOT_FOUND
