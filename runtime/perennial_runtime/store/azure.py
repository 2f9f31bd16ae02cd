"""Azure Blob Storage, set up by the usual ``AZURE_*`` variables.

``AZURE_STORAGE_ACCOUNT_NAME`` with ``AZURE_STORAGE_ACCOUNT_KEY`` or ``AZURE_STORAGE_SAS_TOKEN``;
``AZURE_TENANT_ID`` and ``AZURE_CLIENT_ID`` with ``AZURE_CLIENT_SECRET`` or
``AZURE_FEDERATED_TOKEN_FILE``; ``AZURE_SKIP_SIGNATURE=true`` for what anybody may read;
``AZURE_STORAGE_ENDPOINT`` for a server of one's own, or ``AZURE_STORAGE_USE_EMULATOR=true`` with
``AZURITE_BLOB_STORAGE_URL``; else the identity of the machine.
"""

import os
from typing import Any

from .object_store import Bucket
from .refusal import Words

CREDENTIALS = (
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
HOSTS = (".blob.core.windows.net", ".dfs.core.windows.net")
"""How the host names of accounts end."""
WORDS = Words(
    bucket="container",
    no_bucket="ContainerNotFound",
    unknown_key=(),
    metadata=("/metadata/identity/oauth2/token",),
    variables="AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN",
    no_credentials="Set AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or "
    "AZURE_STORAGE_SAS_TOKEN, give the pod an identity, or set AZURE_SKIP_SIGNATURE=true where "
    "anybody may read",
    hidden="",
    endpoint="AZURE_STORAGE_ENDPOINT, AZURE_STORAGE_ACCOUNT_NAME",
)


def container(uri: str, name: str, account: str | None = None, *, public: bool = False) -> Bucket:
    """A container.

    Args:
        uri: what its objects' URIs begin with, up to the slash.
        name: the container's.
        account: the storage account; None for the one of the variables.
        public: whether it is read without credentials where the variables give none.
    """

    def make(options: dict[str, Any]) -> Any:
        from obstore.store import AzureStore

        extra: dict[str, Any] = {} if account is None else {"account_name": account}
        own = public or bool(os.environ.get("AZURE_STORAGE_ENDPOINT"))
        if own and not any(os.environ.get(name) for name in CREDENTIALS):
            extra["skip_signature"] = True
        return AzureStore(name, **options, **extra)

    return Bucket(uri, WORDS, make)
