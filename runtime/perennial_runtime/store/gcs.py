"""Google Cloud Storage, set up by the usual variables.

``GOOGLE_APPLICATION_CREDENTIALS`` (a file), ``GOOGLE_SERVICE_ACCOUNT_KEY`` (its contents, for a
Secret that is handed over as variables), ``GOOGLE_SKIP_SIGNATURE=true`` for what anybody may read,
``STORAGE_EMULATOR_HOST`` for a server of one's own; else the identity of the machine or the pod.
"""

import os
from typing import Any

from .object_store import Bucket
from .refusal import Words

WORDS = Words(
    bucket="bucket",
    no_bucket="NoSuchBucket",
    unknown_key=(),
    metadata=("metadata.google.internal", "/computeMetadata/"),
    variables="GOOGLE_APPLICATION_CREDENTIALS (a file), GOOGLE_SERVICE_ACCOUNT_KEY (its contents)",
    no_credentials="Set GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT_KEY, give the pod "
    "an identity, or set GOOGLE_SKIP_SIGNATURE=true where anybody may read",
    hidden="Google also says so of a missing object when the credentials lack storage.objects.list",
    endpoint="STORAGE_EMULATOR_HOST",
)


def bucket(name: str) -> Bucket:
    """The bucket of a name."""

    def make(options: dict[str, Any]) -> Any:
        from obstore.store import GCSStore

        extra: dict[str, Any] = {}
        if emulator := os.environ.get("STORAGE_EMULATOR_HOST"):
            # Google's own clients take it with a scheme and without.
            url = emulator if "://" in emulator else f"http://{emulator}"
            # Any token will do; without one, object_store would still ask a machine for its own
            # when it writes.
            extra = {"base_url": url.rstrip("/"), "bearer_token": "none"}
        return GCSStore(name, **options, **extra)

    return Bucket(f"gs://{name}", WORDS, make)
