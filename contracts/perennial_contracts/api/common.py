"""API group, and types that its kinds share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

GROUP = "perennial.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

PAUSED_ANNOTATION = f"{GROUP}/paused"
"""Annotation that stops the operator from changing a resource and its children if it is "true"."""

DIGEST_MESSAGE = "expected sha256: and 64 hexadecimal digits (0-9, a-f)"


class Rule(BaseModel):
    """CEL validation rule of a schema (``x-kubernetes-validations``)."""

    rule: str
    message: str
    reason: str = "FieldValueInvalid"


def rules(*pairs: tuple[str, str]) -> dict[str, Any]:
    """Return schema extras for CEL rules, each given as (rule, message).

    ``{path}`` in a message becomes the path of the field that has the rule, such as ``spec.model``.
    """
    return {
        "x-kubernetes-validations": [
            Rule(rule=rule, message=message).model_dump() for rule, message in pairs
        ]
    }


BUCKET_URIS = (
    "s3://[^/]+/.+",
    "gs://[^/]+/.+",
    "az://[^/]+/.+",
    "abfss?://[^/@]+@[^/@]+/.+",
)
"""Patterns of URIs in buckets, in RE2's syntax."""
_FILE_URIS = (*BUCKET_URIS, "https?://[^/]+/.+", "hf://(datasets/)?[^/@]+/[^/@]+(@[^/]+)?/.+")
BUCKET_PATH = (
    "s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH or "
    "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH"
)
"""Form of these URIs, for messages."""


def matches(*patterns: str) -> str:
    """Return a CEL rule: the whole text matches one of the patterns."""
    return f"self.matches('^({'|'.join(patterns)})$')"


PARQUET_FILE = rules(
    (
        matches(*_FILE_URIS),
        "expected a Parquet file at s3://, gs://, az://, abfss://, http(s):// or hf://",
    )
)
"""Schema extras for the URI of a Parquet file to read."""


def list_map(*keys: str) -> dict[str, Any]:
    """Return schema extras for a list that is a map by some fields of its elements."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


class ApiModel(BaseModel):
    """Base of all types in a resource.

    Fields have their names in YAML. Unknown fields are ignored: the API server has pruned them
    already, and an older operator must be able to read what a newer one wrote.
    """

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)


ObjectName = Annotated[str, Field(min_length=1, max_length=253)]


class LocalReference(ApiModel):
    """Reference to an object in the same namespace."""

    name: ObjectName
    """Name of the object."""


class Condition(ApiModel):
    """State of one aspect of a resource, as in Kubernetes."""

    type: Annotated[str, Field(max_length=316)]
    """Type of the condition, in CamelCase."""
    status: Annotated[str, Field(json_schema_extra={"enum": ["True", "False", "Unknown"]})]
    """Status of the condition."""
    observedGeneration: Annotated[int, Field(ge=0)] = 0
    """metadata.generation that the condition was computed for."""
    lastTransitionTime: Annotated[
        str, Field(max_length=64, json_schema_extra={"format": "date-time"})
    ]
    """Time of the last change of the status."""
    reason: Annotated[str, Field(max_length=1024)]
    """Reason for the status, as one CamelCase word."""
    message: Annotated[str, Field(max_length=32768)] = ""
    """Explanation: the problem, the facts and the fix."""


Digest = Annotated[
    str,
    Field(
        max_length=71,
        json_schema_extra=rules(("self.matches('^sha256:[0-9a-f]{64}$')", DIGEST_MESSAGE)),
    ),
]
Moment = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"})]
"""Time in RFC 3339, as in Kubernetes."""
