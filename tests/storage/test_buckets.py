"""URIs of buckets."""

import pytest

from perennial_storage.buckets import parse_bucket

AZURE_HOST = "account.blob.core.windows.net"


@pytest.mark.parametrize(
    ("uri", "bucket", "key"),
    [
        ("s3://models/delays/1/", "s3://models", "delays/1"),
        ("gs://models/delays/1/", "gs://models", "delays/1"),
        ("gs://models/a?b#c/x.onnx", "gs://models", "a?b#c/x.onnx"),
        ("gs://models", "gs://models", ""),
        ("az://models/delays/1/", "az://models", "delays/1"),
        (
            "abfss://models@account.dfs.core.windows.net/delays/x.onnx",
            "abfss://models@account.dfs.core.windows.net",
            "delays/x.onnx",
        ),
        (f"https://{AZURE_HOST}/models/a%20b/", f"https://{AZURE_HOST}/models", "a b"),
    ],
)
def test_a_uri_is_parsed_into_bucket_and_key(uri, bucket, key):
    found, found_key = parse_bucket(uri)
    assert (found.uri, found_key) == (bucket, key)


@pytest.mark.parametrize(
    "uri",
    [
        *("model.onnx", "/models/1", "file:///models/1", "https://host/models/1", "hf://org/x/"),
        f"https://{AZURE_HOST}/models/x.onnx?sv=2021-08-06&sig=abc",
        f"https://{AZURE_HOST}/x.onnx",
        "pvc://claim/models/",
    ],
)
def test_other_uris_have_no_bucket(uri):
    assert parse_bucket(uri) is None
