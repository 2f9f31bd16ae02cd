"""How obstore's clients are set up, beside what they read from the environment themselves.

S3: the usual ``AWS_*`` variables.

Google: ``GOOGLE_APPLICATION_CREDENTIALS`` (a file), ``GOOGLE_SERVICE_ACCOUNT_KEY`` (its contents,
for a Secret that is handed over as variables), ``GOOGLE_SKIP_SIGNATURE=true`` for what anybody may
read, ``STORAGE_EMULATOR_HOST`` for a server of one's own; else the identity of the machine or pod.

Azure: ``AZURE_STORAGE_ACCOUNT_NAME`` with ``AZURE_STORAGE_ACCOUNT_KEY`` or
``AZURE_STORAGE_SAS_TOKEN``; ``AZURE_TENANT_ID`` and ``AZURE_CLIENT_ID`` with
``AZURE_CLIENT_SECRET`` or ``AZURE_FEDERATED_TOKEN_FILE``; ``AZURE_SKIP_SIGNATURE=true`` for what
anybody may read; ``AZURE_STORAGE_ENDPOINT`` for a server of one's own, or
``AZURE_STORAGE_USE_EMULATOR=true`` with ``AZURITE_BLOB_STORAGE_URL``; else the machine's identity.
"""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .place import Kind, Place

CLASS_OF: Mapping[Kind, str] = MappingProxyType(
    {"S3": "S3Store", "Gcs": "GCSStore", "Azure": "AzureStore"}
)
"""Names of obstore's classes; each takes the bucket's name and :func:`options_of`."""
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


def options_of(place: Place, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Arguments for obstore's class that follow from a bucket and the variables."""
    if place.kind == "S3":
        return _s3(environment)
    if place.kind == "Gcs":
        return _gcs(environment)
    return _azure(place, environment)


def _s3(environment: Mapping[str, str]) -> dict[str, Any]:
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    # A store of one's own has no machine credentials to ask for: talk to it anonymously.
    anonymous = endpoint and not any(environment.get(name) for name in S3_CREDENTIALS)
    return {"skip_signature": True} if anonymous else {}


def _gcs(environment: Mapping[str, str]) -> dict[str, Any]:
    emulator = environment.get("STORAGE_EMULATOR_HOST")
    if not emulator:
        return {}
    # Google's own clients take it with a scheme and without.
    url = emulator if "://" in emulator else f"http://{emulator}"
    # Any token will do; without one, object_store would still ask a machine for its own when it
    # writes.
    return {"base_url": url.rstrip("/"), "bearer_token": "none"}


def _azure(place: Place, environment: Mapping[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {} if place.account is None else {"account_name": place.account}
    own = place.public or environment.get("AZURE_STORAGE_ENDPOINT")
    if own and not any(environment.get(name) for name in AZURE_CREDENTIALS):
        options["skip_signature"] = True
    return options
