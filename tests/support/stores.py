"""Fixtures of stores: servers, a clean environment, and a client to look inside."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perennial_storage.buckets import parse_bucket
from perennial_storage.object_store import BucketStore
from support.azure import ACCOUNT, KEY, AzureServer, needs_azurite
from support.gcs_xml import GcsXmlServer
from support.hub import Hub
from support.s3 import KEYS, S3Server, needs_s3
from support.web import WebServer

_PREFIXES = ("AWS", "AZUR", "GOOGLE", "GCE_", "STORAGE_", "SERVICE_ACCOUNT", "HF_", "HUGGING")

BUCKETS = [
    pytest.param("s3://models", marks=needs_s3),
    "gs://models",
    pytest.param("az://models", marks=needs_azurite),
    pytest.param(f"abfss://models@{ACCOUNT}.dfs.core.windows.net", marks=needs_azurite),
]
"""Parameters for the fixture ``folder_uri``."""
STORES = [*BUCKETS, "path"]


def client_of(uri: str) -> Any:
    """Return obstore's client for the bucket of a URI."""
    found = parse_bucket(uri)
    assert found is not None
    return BucketStore(*found, "a test", seconds=60).client()


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """The environment without variables that configure a client."""
    for name in [name for name in os.environ if name.startswith(_PREFIXES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    return monkeypatch


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.close()


@pytest.fixture
def hub(web: WebServer, variables: pytest.MonkeyPatch) -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub", reason="the extra hf is not installed")
    server = Hub(web)
    variables.setenv("HF_ENDPOINT", server.url)
    yield server
    server.close()


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def gcs_xml_server() -> Iterator[GcsXmlServer]:
    server = GcsXmlServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def azure_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureServer]:
    server = AzureServer(tmp_path_factory.mktemp("azure"))
    server.start()
    try:
        for name in ("models", "captured"):
            server.make_container(name)
        yield server
    finally:
        server.stop()


@pytest.fixture
def folder_uri(
    request: pytest.FixtureRequest, variables: pytest.MonkeyPatch, tmp_path: Path
) -> str:
    """The URI of an empty folder in the kind of store that the parameter names."""
    kind = request.param.partition("://")[0]
    if kind == "path":
        (tmp_path / "here").mkdir()
        return str(tmp_path / "here")
    if kind == "s3":
        settings = {"AWS_ENDPOINT_URL": request.getfixturevalue("s3_server").url, **KEYS}
    elif kind == "gs":
        settings = {"STORAGE_EMULATOR_HOST": request.getfixturevalue("gcs_xml_server").host}
    else:
        settings = {
            "AZURE_STORAGE_ENDPOINT": request.getfixturevalue("azure_server").url,
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": KEY,
        }
    for name, value in settings.items():
        variables.setenv(name, value)
    return f"{request.param}/{tmp_path.name}"
