"""Google Cloud Storage and Azure.

Real servers of their protocols, and single made-up responses for the errors that these lack.
"""

import os
import socket

import pytest
from support.azure import ACCOUNT, KEY, needs_azurite
from support.gcs import GcsServer, needs_gcs

from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.errors import OverwrittenError, StorageError
from perennial_storage.fetch import fetch
from perennial_storage.location import locate
from perennial_storage.parts import PART_BYTES
from perennial_storage.store import Span


@pytest.fixture(scope="module")
def gcs_server(tmp_path_factory):
    server = GcsServer(tmp_path_factory.mktemp("gcs"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def gcs(gcs_server, variables):
    for name, value in gcs_server.environment.items():
        variables.setenv(name, value)
    return gcs_server


@pytest.fixture
def azure(azure_server, variables):
    for name, value in azure_server.environment.items():
        variables.setenv(name, value)
    return azure_server


def failure(uri, cache) -> StorageError:
    with pytest.raises(StorageError) as caught:
        fetch(uri, None, cache, 0)
    return caught.value


@needs_gcs
@pytest.mark.parametrize("uri", ["gs://models/delays/1/", "gs://models/delays/1"])
def test_a_bundle_is_fetched_from_a_gcs_server(gcs, bundle_files, tmp_path, uri):
    for path, data in bundle_files.items():
        gcs.upload(f"delays/1/{path}", data)
    artifact = fetch(uri, digest_of(bundle_files["bundle.json"]), tmp_path, 0)
    assert artifact.model.read_bytes() == bundle_files["model.onnx"]


@needs_gcs
@pytest.mark.parametrize("size", [0, 10, 3 * PART_BYTES + 1])
def test_objects_of_every_size_arrive_from_a_gcs_server(gcs, tmp_path, size):
    data = os.urandom(size)
    gcs.upload("bare/model.onnx", data)
    for uri in ("gs://models/bare/model.onnx", "gs://models/bare/"):
        assert fetch(uri, None, tmp_path, 0).model.read_bytes() == data


@needs_gcs
def test_nothing_at_a_gcs_server_is_not_found(gcs, tmp_path):
    for uri in ("gs://models/no.onnx", "gs://models/no/", "gs://no-such-bucket/x.onnx"):
        assert failure(uri, tmp_path).reason is LoadFailure.MODEL_NOT_FOUND


def assert_the_version_is_held_to(uri, upload):
    source = locate(uri).store
    upload("version.onnx", b"old" * 10)
    with source.open("version.onnx", Span(0, 10)) as blob:
        assert (b"".join(blob.chunks), blob.size) == ((b"old" * 10)[:10], 30)
    version = blob.version
    with source.open("version.onnx", Span(10, 99), version) as blob:
        assert (b"".join(blob.chunks), blob.version) == ((b"old" * 10)[10:], version)
    upload("version.onnx", b"new" * 10)
    with pytest.raises(OverwrittenError):
        source.open("version.onnx", Span(10, 20), version)


@needs_gcs
def test_a_version_is_required_even_if_the_gcs_server_ignores_it(gcs):
    assert_the_version_is_held_to("gs://models/version.onnx", gcs.upload)


@needs_azurite
def test_a_version_is_required_at_azurite(azure):
    assert_the_version_is_held_to("az://models/version.onnx", azure.upload)


@needs_azurite
@pytest.mark.parametrize(
    "uri",
    [
        "az://models/delays/1/",
        f"abfss://models@{ACCOUNT}.dfs.core.windows.net/delays/1/",
        f"https://{ACCOUNT}.blob.core.windows.net/models/delays/1/",
    ],
)
def test_a_bundle_is_fetched_from_azurite(azure, bundle_files, tmp_path, uri):
    for path, data in bundle_files.items():
        azure.upload(f"delays/1/{path}", data)
    artifact = fetch(uri, digest_of(bundle_files["bundle.json"]), tmp_path, 0)
    assert artifact.model.read_bytes() == bundle_files["model.onnx"]


@needs_azurite
@pytest.mark.parametrize("size", [0, 10, 3 * PART_BYTES + 1])
def test_objects_of_every_size_arrive_from_azurite(azure, tmp_path, size):
    data = os.urandom(size)
    azure.upload("bare/model.onnx", data)
    for uri in ("az://models/bare/model.onnx", "az://models/bare/"):
        assert fetch(uri, None, tmp_path, 0).model.read_bytes() == data


@needs_azurite
def test_errors_of_azurite_are_distinguished(azure, variables, tmp_path):
    azure.upload("there.onnx", b"x")
    assert "no such object" in failure("az://models/no.onnx", tmp_path).message
    assert "no such container" in failure("az://nothing/x.onnx", tmp_path).message
    for name, value in (("wrong key", KEY[:-8] + "AAAAAA=="), ("no key", "")):
        variables.setenv("AZURE_STORAGE_ACCOUNT_KEY", value)
        if not value:
            variables.delenv("AZURE_STORAGE_ACCOUNT_KEY")
        error = failure("az://models/there.onnx", tmp_path)
        assert error.reason is LoadFailure.ACCESS_DENIED, name
        assert "(AuthorizationFailure). Check the credentials" in error.message


@pytest.fixture(params=["gs", "az"])
def answering(request, web, variables):
    """A URI whose store is the test's web server, and its objects' paths there."""
    if request.param == "gs":
        variables.setenv("STORAGE_EMULATOR_HOST", web.url)
        # obstore writes a dot in an object's name as %2E there, and a slash as %2F.
        return "gs://models/x/", [
            f"/models/x%2F{name}" for name in ("bundle%2Ejson", "model%2Eonnx")
        ]
    variables.setenv("AZURE_STORAGE_ENDPOINT", web.url)
    variables.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    return "az://models/x/", [f"/models/x/{name}" for name in ("bundle.json", "model.onnx")]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, LoadFailure.ACCESS_DENIED),
        (403, LoadFailure.ACCESS_DENIED),
        (404, LoadFailure.MODEL_NOT_FOUND),
        (500, LoadFailure.STORE_UNREACHABLE),
        (503, LoadFailure.STORE_UNREACHABLE),
    ],
)
def test_the_status_of_a_response_gives_the_reason(answering, web, tmp_path, status, reason):
    uri, paths = answering
    for path in paths:
        web.files[path] = lambda handler: handler.reply(status, b"<Error><Code>Why</Code></Error>")
    error = failure(uri, tmp_path)
    assert set(web.requests) == set(paths[:1] if status >= 500 else paths)
    assert error.reason is reason
    if reason is LoadFailure.ACCESS_DENIED:
        assert "access denied (Why)" in error.message


@pytest.mark.parametrize("uri", ["gs://models/x.onnx", "az://models/x.onnx"])
def test_a_refused_connection_is_unreachable(variables, tmp_path, uri):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    variables.setenv("STORAGE_EMULATOR_HOST", url)
    variables.setenv("AZURE_STORAGE_ENDPOINT", url)
    variables.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    error = failure(uri, tmp_path)
    assert error.reason is LoadFailure.STORE_UNREACHABLE
    assert "connection refused. Check" in error.message


@pytest.mark.parametrize(
    ("uri", "name", "value", "problem"),
    [
        ("gs://models/x.onnx", "GOOGLE_SERVICE_ACCOUNT_KEY", "{}", "private_key"),
        ("gs://models/x.onnx", "GOOGLE_APPLICATION_CREDENTIALS", "/absent.json", "/absent.json"),
        ("az://models/x.onnx", "AZURE_STORAGE_ACCOUNT_KEY", KEY, "Account must be specified"),
        ("https://a.blob.core.windows.net/m/x.onnx", "AZURE_STORAGE_ACCOUNT_KEY", "?", "Key"),
    ],
)
def test_unusable_credentials_are_access_denied(variables, tmp_path, uri, name, value, problem):
    variables.setenv(name, value)
    error = failure(uri, tmp_path)
    assert error.reason is LoadFailure.ACCESS_DENIED
    assert problem in error.message
    assert "Check the credentials: " in error.message


def test_a_machine_without_credentials_is_access_denied(web, variables, tmp_path):
    """The machine's metadata service has none."""
    variables.setenv("GCE_METADATA_HOST", web.url.removeprefix("http://"))
    variables.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    variables.setenv("AZURE_MSI_ENDPOINT", f"{web.url}/metadata/identity/oauth2/token")
    for uri, advice in (
        ("gs://models/x.onnx", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("az://models/x.onnx", "AZURE_STORAGE_ACCOUNT_KEY"),
    ):
        error = failure(uri, tmp_path)
        assert error.reason is LoadFailure.ACCESS_DENIED
        assert "no credentials. Set " in error.message
        assert advice in error.message
