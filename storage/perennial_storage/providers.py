"""Settings of each cloud's client, and the words and codes of its errors.

obstore reads most variables itself. S3: the usual ``AWS_*`` variables.

Google: ``GOOGLE_APPLICATION_CREDENTIALS`` (a file), ``GOOGLE_SERVICE_ACCOUNT_KEY`` (its contents,
for a Secret that is passed as variables), ``GOOGLE_SKIP_SIGNATURE=true`` for public objects,
``STORAGE_EMULATOR_HOST`` for a self-hosted server; else the identity of the machine or pod.

Azure: ``AZURE_STORAGE_ACCOUNT_NAME`` with ``AZURE_STORAGE_ACCOUNT_KEY`` or
``AZURE_STORAGE_SAS_TOKEN``; ``AZURE_TENANT_ID`` and ``AZURE_CLIENT_ID`` with
``AZURE_CLIENT_SECRET`` or ``AZURE_FEDERATED_TOKEN_FILE``; ``AZURE_SKIP_SIGNATURE=true`` for public
objects; ``AZURE_STORAGE_ENDPOINT`` for a self-hosted server, or
``AZURE_STORAGE_USE_EMULATOR=true`` with ``AZURITE_BLOB_STORAGE_URL``; else the machine's identity.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from .buckets import Bucket, BucketKind

S3_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
AZURE_CREDENTIALS = (
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_TOKEN",
    "AZURE_CLIENT_ID",
    "AZURE_STORAGE_CLIENT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_STORAGE_USE_EMULATOR",
)


@dataclass(frozen=True)
class Provider:
    """The vocabulary of one kind of bucket: error codes, variables and advice."""

    bucket: str
    """Its word for a bucket."""
    no_bucket: str
    """Its error code for a bucket that does not exist."""
    unknown_key: tuple[str, ...]
    """Its error codes for unknown credentials, if it sends them with status 404."""
    metadata: tuple[str, ...]
    """Parts of the URLs from which a cloud machine gets credentials.

    obstore requests them if the environment has none."""
    variables: str
    """The variables that hold credentials."""
    no_credentials: str
    """Advice if there are no credentials."""
    hidden: str
    """When it answers "denied" for an object that does not exist; empty if never."""
    endpoint: str
    """The variables that hold its address."""


PROVIDERS: Mapping[BucketKind, Provider] = MappingProxyType(
    {
        "S3": Provider(
            bucket="bucket",
            no_bucket="NoSuchBucket",
            unknown_key=("InvalidAccessKeyId", "XAdminUserNotFound"),
            metadata=("/latest/api/token", "/latest/meta-data/"),
            variables="AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL",
            no_credentials="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod a "
            "role",
            hidden="S3 also denies access to a missing object if the credentials lack "
            "s3:ListBucket",
            endpoint="AWS_ENDPOINT_URL",
        ),
        "Gcs": Provider(
            bucket="bucket",
            no_bucket="NoSuchBucket",
            unknown_key=(),
            metadata=("metadata.google.internal", "/computeMetadata/"),
            variables="GOOGLE_APPLICATION_CREDENTIALS (a file), GOOGLE_SERVICE_ACCOUNT_KEY (its "
            "contents)",
            no_credentials="Set GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT_KEY, "
            "give the pod an identity, or set GOOGLE_SKIP_SIGNATURE=true for a public bucket",
            hidden="Google also denies access to a missing object if the credentials lack "
            "storage.objects.list",
            endpoint="STORAGE_EMULATOR_HOST",
        ),
        "Azure": Provider(
            bucket="container",
            no_bucket="ContainerNotFound",
            unknown_key=(),
            metadata=("/metadata/identity/oauth2/token",),
            variables="AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY, "
            "AZURE_STORAGE_SAS_TOKEN",
            no_credentials="Set AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or "
            "AZURE_STORAGE_SAS_TOKEN, give the pod an identity, or set AZURE_SKIP_SIGNATURE=true "
            "for a public container",
            hidden="",
            endpoint="AZURE_STORAGE_ENDPOINT, AZURE_STORAGE_ACCOUNT_NAME",
        ),
    }
)


def client_options(bucket: Bucket, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the arguments that obstore does not read from the environment itself."""
    if bucket.kind == "S3":
        return _s3_options(environment)
    if bucket.kind == "Gcs":
        return _gcs_options(environment)
    return _azure_options(bucket, environment)


def _s3_options(environment: Mapping[str, str]) -> dict[str, Any]:
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    # A self-hosted store has no machine credentials to request: connect anonymously.
    anonymous = endpoint and not any(environment.get(name) for name in S3_CREDENTIALS)
    return {"skip_signature": True} if anonymous else {}


def _gcs_options(environment: Mapping[str, str]) -> dict[str, Any]:
    emulator = environment.get("STORAGE_EMULATOR_HOST")
    if not emulator:
        return {}
    # Google's own clients accept it with a scheme and without.
    url = emulator if "://" in emulator else f"http://{emulator}"
    # Any token will do. Without one, object_store would request the machine's own when it writes.
    return {"base_url": url.rstrip("/"), "bearer_token": "none"}


def _azure_options(bucket: Bucket, environment: Mapping[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {} if bucket.account is None else {"account_name": bucket.account}
    may_be_public = bucket.public or environment.get("AZURE_STORAGE_ENDPOINT")
    if may_be_public and not any(environment.get(name) for name in AZURE_CREDENTIALS):
        options["skip_signature"] = True
    return options
