"""S3 and whatever speaks its protocol, set up by the usual ``AWS_*`` variables."""

import os
from typing import Any

from .object_store import Bucket
from .refusal import Words

CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
WORDS = Words(
    bucket="bucket",
    no_bucket="NoSuchBucket",
    unknown_key=("InvalidAccessKeyId", "XAdminUserNotFound"),
    metadata=("/latest/api/token", "/latest/meta-data/"),
    variables="AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL",
    no_credentials="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod a role",
    hidden="S3 also says so of a missing object when the credentials lack s3:ListBucket",
    endpoint="AWS_ENDPOINT_URL",
)


def bucket(name: str) -> Bucket:
    """The bucket of a name."""

    def make(options: dict[str, Any]) -> Any:
        from obstore.store import S3Store

        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        # A store of one's own has no machine credentials to ask for: talk to it anonymously.
        anonymous = bool(endpoint) and not any(os.environ.get(name) for name in CREDENTIALS)
        extra: dict[str, Any] = {"skip_signature": True} if anonymous else {}
        return S3Store(name, **options, **extra)

    return Bucket(f"s3://{name}", WORDS, make)
