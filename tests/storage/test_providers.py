"""Settings of the clouds' clients that obstore does not read from the environment."""

from typing import Any

import pytest

from perennial_storage.buckets import parse_bucket
from perennial_storage.providers import client_options

AZURE_URL = "https://account.blob.core.windows.net/models/x"
OWN = {"AZURE_STORAGE_ENDPOINT": "http://azurite:10000/account"}


@pytest.mark.parametrize(
    ("uri", "environment", "options"),
    [
        ("s3://models/x", {}, {}),
        ("s3://models/x", {"AWS_ENDPOINT_URL": "http://minio"}, {"skip_signature": True}),
        ("s3://models/x", {"AWS_ENDPOINT_URL_S3": "http://minio"}, {"skip_signature": True}),
        ("s3://models/x", {"AWS_ENDPOINT_URL": "http://minio", "AWS_ACCESS_KEY_ID": "a"}, {}),
        ("gs://models/x", {}, {}),
        (
            "gs://models/x",
            {"STORAGE_EMULATOR_HOST": "fake-gcs:4443"},
            {"base_url": "http://fake-gcs:4443", "bearer_token": "none"},
        ),
        (
            "gs://models/x",
            {"STORAGE_EMULATOR_HOST": "https://fake-gcs/"},
            {"base_url": "https://fake-gcs", "bearer_token": "none"},
        ),
        ("az://models/x", {}, {}),
        ("az://models/x", OWN, {"skip_signature": True}),
        ("az://models/x", {**OWN, "AZURE_STORAGE_SAS_TOKEN": "a"}, {}),
        (
            "abfss://models@account.dfs.core.windows.net/x",
            {},
            {"account_name": "account"},
        ),
        (AZURE_URL, {}, {"account_name": "account", "skip_signature": True}),
        (AZURE_URL, {"AZURE_STORAGE_ACCOUNT_KEY": "a"}, {"account_name": "account"}),
    ],
)
def test_options_follow_from_the_uri_and_the_environment(
    uri: str, environment: dict[str, str], options: dict[str, Any]
) -> None:
    found = parse_bucket(uri)
    assert found is not None
    assert client_options(found[0], environment) == options
