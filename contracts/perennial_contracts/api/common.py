"""The API group, and the types that every kind of it shares."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

GROUP = "perennial.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

PAUSED_ANNOTATION = f"{GROUP}/paused"
"""Set to "true" on a resource, it stops the operator from touching it and its children."""

DIGEST_MESSAGE = "expected sha256: and 64 hexadecimal digits (0-9, a-f)"


class Rule(BaseModel):
    """One CEL validation rule of a schema (``x-kubernetes-validations``)."""

    rule: str
    message: str
    reason: str = "FieldValueInvalid"


def rules(*pairs: tuple[str, str]) -> dict[str, Any]:
    """Schema extras for CEL rules, each given as (rule, message)."""
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
"""Patterns, in RE2's syntax, of what lies in a bucket."""
_FILE_URIS = (*BUCKET_URIS, "https?://[^/]+/.+", "hf://(datasets/)?[^/@]+/[^/@]+(@[^/]+)?/.+")
BUCKET_PATH = (
    "s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH or "
    "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH"
)
"""How such a URI is written, for messages."""


def matches(*patterns: str) -> str:
    """A CEL rule: one of some patterns fits the whole of a text."""
    return f"self.matches('^({'|'.join(patterns)})$')"


PARQUET_FILE = rules(
    (
        matches(*_FILE_URIS),
        "expected a Parquet file: s3://BUCKET/PATH.parquet, gs://BUCKET/PATH.parquet, "
        "az://CONTAINER/PATH.parquet, abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH.parquet, "
        "http(s)://HOST/PATH.parquet or hf://[datasets/]ORGANISATION/REPOSITORY/PATH.parquet",
    )
)
"""Schema extras for a Parquet file that is read."""


def list_map(*keys: str) -> dict[str, Any]:
    """Schema extras for a list whose elements are told apart by some of their fields."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


class ApiModel(BaseModel):
    """Base of everything that stands in a resource.

    Fields are written as in YAML. Unknown fields are ignored: the API server has pruned them
    already, and an older operator must be able to read what a newer one wrote.
    """

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)


ObjectName = Annotated[str, Field(min_length=1, max_length=253)]


class LocalReference(ApiModel):
    """Names an object in the same namespace."""

    name: ObjectName
    """Name of the object."""


class Condition(ApiModel):
    """What is known about one aspect of a resource, as Kubernetes writes it."""

    type: Annotated[str, Field(max_length=316)]
    """Aspect that the condition is about."""
    status: Annotated[str, Field(json_schema_extra={"enum": ["True", "False", "Unknown"]})]
    """True, False or Unknown."""
    observedGeneration: Annotated[int, Field(ge=0)] = 0
    """The metadata.generation that the condition was computed for."""
    lastTransitionTime: Annotated[
        str, Field(max_length=64, json_schema_extra={"format": "date-time"})
    ]
    """When the status last changed."""
    reason: Annotated[str, Field(max_length=1024)]
    """Why, in one CamelCase word."""
    message: Annotated[str, Field(max_length=32768)] = ""
    """Why, and what to do about it, for people."""


Digest = Annotated[
    str,
    Field(
        max_length=71,
        json_schema_extra=rules(("self.matches('^sha256:[0-9a-f]{64}$')", DIGEST_MESSAGE)),
    ),
]
Moment = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"})]
"""A time as Kubernetes writes it."""
