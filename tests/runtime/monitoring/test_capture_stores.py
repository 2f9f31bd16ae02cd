"""Capture to real servers of S3's, Google Cloud Storage's and Azure's protocols."""

import obstore
import pytest
from support.azure import AzureServer, needs_azurite
from support.captured import ROW, capture_of, feed_back, predict, read, wait_until
from support.gcs import WritableGcsServer, needs_gcs
from support.s3 import S3Server, needs_s3
from support.store_server import StoreServer
from support.stores import client_of

from perennial_contracts.wire.counters import CaptureCounts
from perennial_storage.buckets import parse_bucket

SERVERS: dict[str, type[StoreServer]] = {"s3": S3Server, "gs": WritableGcsServer, "az": AzureServer}
ENDPOINTS = {
    "s3": "AWS_ENDPOINT_URL",
    "gs": "STORAGE_EMULATOR_HOST",
    "az": "AZURE_STORAGE_ENDPOINT, AZURE_STORAGE_ACCOUNT_NAME",
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("s3", marks=needs_s3),
        pytest.param("gs", marks=needs_gcs),
        pytest.param("az", marks=needs_azurite),
    ],
)
def scheme(request):
    return request.param


@pytest.fixture(scope="module")
def store(scheme, tmp_path_factory):
    """A server with the bucket, or container, ``captured``."""
    server = SERVERS[scheme](tmp_path_factory.mktemp(scheme))
    server.start()
    if isinstance(server, AzureServer):
        server.make_container("captured")
    yield server
    server.stop()


@pytest.fixture
def serve(start, store, flights, write_files):
    """Starts a server that captures at once."""

    def run(uri, **environment):
        return start(
            write_files(flights()),
            *("--name", "flights", "--capture", uri, "--capture-flush-seconds", "0.1"),
            **{**store.environment, **getattr(store, "writing", {}), **environment},
        )

    return run


@pytest.fixture
def download(store, monkeypatch, tmp_path):
    """Copy the objects below a URI into a folder, and return it."""
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)

    def get(uri):
        reading, (_, prefix) = client_of(uri), parse_bucket(uri)
        for found in obstore.list(reading, prefix).collect():
            path = tmp_path / "downloaded" / found["path"].removeprefix(f"{prefix}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(obstore.get(reading, found["path"]).bytes()))
        return tmp_path / "downloaded"

    return get


def test_captured_rows_are_written_after_an_outage(serve, store, scheme, download):
    uri = f"{scheme}://captured/some/where"
    server = serve(uri)
    (kept,) = predict(server, ROW)
    wait_until(lambda: capture_of(server).written == 1)
    store.stop()
    first, second = predict(server, ROW, ROW)
    feed_back(server, (first, 1), (second, 1))
    wait_until(lambda: capture_of(server).problem)
    assert capture_of(server).problem == (
        f"{uri}/: connection refused. Check {ENDPOINTS[scheme]} and the network"
    )
    wait_until(lambda: capture_of(server).dropped == 4)
    store.start()
    (again,) = predict(server, ROW)
    feed_back(server, (kept, 1), (again, 0))
    wait_until(lambda: capture_of(server).written == 4)
    assert capture_of(server) == CaptureCounts(written=4, dropped=4)
    server.wait_for("captured rows are written again")
    joined = read(
        download(uri),
        "SELECT p._prediction_id, p.carrier, l._label "
        "FROM ?predictions p JOIN ?labels l USING (_prediction_id)",
    )
    assert sorted(joined) == sorted([(kept, "AA", "1"), (again, "AA", "0")])


@pytest.mark.parametrize(
    "scheme",
    [pytest.param("s3", marks=needs_s3), pytest.param("az", marks=needs_azurite)],
    indirect=True,
)
def test_a_missing_bucket_is_reported(serve, scheme):
    # fake-gcs-server reports a missing bucket like a missing object, unlike Google.
    uri = f"{scheme}://no-such-bucket/x"
    server = serve(uri)
    predict(server, ROW)
    wait_until(lambda: capture_of(server).dropped == 1)
    bucket = "container" if scheme == "az" else "bucket"
    assert capture_of(server).problem.startswith(f"{uri}/: there is no such {bucket}. Check --capt")


@pytest.mark.parametrize("scheme", [pytest.param("s3", marks=needs_s3)], indirect=True)
def test_wrong_credentials_are_reported(serve):
    server = serve("s3://captured/x", AWS_ACCESS_KEY_ID="wrong")
    predict(server, ROW)
    wait_until(lambda: capture_of(server).dropped == 1)
    problem = capture_of(server).problem
    assert problem.startswith("s3://captured/x/: access denied")
