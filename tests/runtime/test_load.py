"""Errors of a store become errors of loading, with the exit code that retries."""

import socket
from pathlib import Path

import pytest
from support.web import WebServer

from perennial_contracts.wire.outcome import LoadFailure
from perennial_runtime.errors import LoadError
from perennial_runtime.load import load_model
from perennial_runtime.settings import parse


def failure(uri: str, cache: Path) -> LoadError:
    settings = parse(["resolve", uri, "--retry-seconds", "0", "--cache-dir", str(cache)], {})
    with pytest.raises(LoadError) as caught:
        load_model(settings)
    return caught.value


def test_an_unreachable_store_has_the_exit_code_for_another_attempt(
    variables: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        variables.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    error = failure("s3://models/x.onnx", tmp_path)
    assert (error.reason, error.exit_code) == (LoadFailure.STORE_UNREACHABLE, 3)
    assert error.message == (
        "s3://models/x.onnx: connection refused. Check AWS_ENDPOINT_URL and the network"
    )


def test_any_other_failure_has_exit_code_1_and_names_the_model(tmp_path: Path) -> None:
    error = failure(f"file://{tmp_path}/absent.onnx", tmp_path)
    assert (error.reason, error.exit_code) == (LoadFailure.MODEL_NOT_FOUND, 1)
    assert f"file://{tmp_path}/absent.onnx" in error.message


def test_a_failure_does_not_show_the_secrets_of_a_url(web: WebServer, tmp_path: Path) -> None:
    host = web.url.removeprefix("http://")
    error = failure(f"http://me:pass@{host}/absent.onnx?sig=abc", tmp_path)
    assert error.reason is LoadFailure.MODEL_NOT_FOUND
    assert error.message.startswith(f"{web.url}/absent.onnx: ")
    assert "pass" not in error.message
    assert "abc" not in error.message
