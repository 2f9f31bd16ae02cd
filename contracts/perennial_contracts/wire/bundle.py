"""The model bundle: a directory that holds an ONNX model and says what it is.

``bundle.json`` lists every other file with its digest, so the digest of ``bundle.json`` alone
pins the whole directory. A bare ``.onnx`` file is pinned by its own digest.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from .digest import DIGEST_PATTERN, digest_of
from .modelcard import TaskName

MANIFEST_NAME = "bundle.json"
MODEL_NAME = "model.onnx"

Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
    "FP16", "FP32", "FP64", "BYTES",
]  # fmt: skip
"""Tensor element types, as the Open Inference Protocol v2 names them."""


class Tensor(BaseModel):
    """One input or output of a model."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(min_length=1, max_length=256)]
    datatype: Datatype
    shape: list[Annotated[int, Field(ge=-1)]]
    """Extent of each dimension; -1 stands for any."""


class BundleFile(BaseModel):
    """A file of the bundle, by its path relative to ``bundle.json``."""

    model_config = ConfigDict(extra="ignore")

    path: Annotated[str, Field(min_length=1, max_length=1024)]
    digest: Annotated[str, Field(pattern=DIGEST_PATTERN)]
    size: Annotated[int, Field(ge=0)]
    """Bytes."""

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        parts = PurePosixPath(path).parts
        if path.startswith("/") or ".." in parts or "\\" in path or path == MANIFEST_NAME:
            raise ValueError(f"expected a path inside the bundle, such as model.onnx, got {path!r}")
        return path


class Bundle(BaseModel):
    """The contents of ``bundle.json``. Unknown keys are ignored, so that newer bundles load."""

    model_config = ConfigDict(extra="ignore")

    schemaVersion: Literal[1] = 1
    files: Annotated[list[BundleFile], Field(min_length=1, max_length=1000)]
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []
    task: TaskName | None = None
    """What the model tells: classes, or numbers. None where the bundle does not say."""
    labels: list[str] | None = None
    """The classes of a classifier as text, in the order of its probabilities."""
    positive: str | None = None
    """Of two classes the one that scores are about."""
    metrics: dict[str, float] = {}
    """Scores on held-out data, by the names that scikit-learn gives them."""
    lineage: dict[str, str] = {}
    """Where the model comes from: data, code, environment; free keys."""

    @field_validator("files")
    @classmethod
    def _has_a_model(cls, files: list[BundleFile]) -> list[BundleFile]:
        paths = [file.path for file in files]
        if MODEL_NAME not in paths:
            raise ValueError(f"expected a file {MODEL_NAME}, got {', '.join(paths)}")
        if len(set(paths)) != len(paths):
            raise ValueError("expected each path once")
        return files

    def to_bytes(self) -> bytes:
        """The bytes of ``bundle.json``; the bundle's digest is taken over them."""
        return self.model_dump_json(indent=1, exclude_none=True).encode() + b"\n"


def describe_files(contents: Mapping[str, bytes]) -> list[BundleFile]:
    """The ``files`` entries for some contents by relative path, in order of path."""
    return [
        BundleFile(path=path, digest=digest_of(data), size=len(data))
        for path, data in sorted(contents.items())
    ]
