"""How each kind of store refuses, and what helps."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .place import Kind


@dataclass(frozen=True)
class Words:
    """How one kind of store refuses, and what helps."""

    bucket: str
    """What it calls the place that objects lie in."""
    no_bucket: str
    """Its code for a place that is not there."""
    unknown_key: tuple[str, ...]
    """Its codes for credentials that it does not know, where it gives them status 404."""
    metadata: tuple[str, ...]
    """Parts of the URLs where a cloud machine hands out its credentials; they are asked when there
    are no others."""
    variables: str
    """Those that it is set up by."""
    no_credentials: str
    """What to set, where there are none."""
    hidden: str
    """When it says "denied" of what is not there."""
    endpoint: str
    """The variable that holds its address."""


WORDS: Mapping[Kind, Words] = MappingProxyType(
    {
        "S3": Words(
            bucket="bucket",
            no_bucket="NoSuchBucket",
            unknown_key=("InvalidAccessKeyId", "XAdminUserNotFound"),
            metadata=("/latest/api/token", "/latest/meta-data/"),
            variables="AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL",
            no_credentials="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod a "
            "role",
            hidden="S3 also says so of a missing object when the credentials lack s3:ListBucket",
            endpoint="AWS_ENDPOINT_URL",
        ),
        "Gcs": Words(
            bucket="bucket",
            no_bucket="NoSuchBucket",
            unknown_key=(),
            metadata=("metadata.google.internal", "/computeMetadata/"),
            variables="GOOGLE_APPLICATION_CREDENTIALS (a file), GOOGLE_SERVICE_ACCOUNT_KEY (its "
            "contents)",
            no_credentials="Set GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT_KEY, "
            "give the pod an identity, or set GOOGLE_SKIP_SIGNATURE=true where anybody may read",
            hidden="Google also says so of a missing object when the credentials lack "
            "storage.objects.list",
            endpoint="STORAGE_EMULATOR_HOST",
        ),
        "Azure": Words(
            bucket="container",
            no_bucket="ContainerNotFound",
            unknown_key=(),
            metadata=("/metadata/identity/oauth2/token",),
            variables="AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY, "
            "AZURE_STORAGE_SAS_TOKEN",
            no_credentials="Set AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or "
            "AZURE_STORAGE_SAS_TOKEN, give the pod an identity, or set AZURE_SKIP_SIGNATURE=true "
            "where anybody may read",
            hidden="",
            endpoint="AZURE_STORAGE_ENDPOINT, AZURE_STORAGE_ACCOUNT_NAME",
        ),
    }
)
