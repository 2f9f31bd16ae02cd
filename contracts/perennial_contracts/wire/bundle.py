"""The model bundle: a directory with an ONNX model and its description.

``bundle.json`` lists every other file with its digest, so the digest of ``bundle.json`` alone
pins the whole directory. A bare ``.onnx`` file is pinned by its own digest.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from .digest import DIGEST_PATTERN, digest_of
from .modelcard import TaskName
from .names import Datatype

MANIFEST_NAME = "bundle.json"
MODEL_NAME = "model.onnx"


class Tensor(BaseModel):
    """One input or output of a model."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(min_length=1, max_length=256)]
    datatype: Datatype
    shape: list[Annotated[int, Field(ge=-1)]]
    """Size of each dimension; -1 means any size."""


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
    """Contents of ``bundle.json``. Unknown keys are ignored, so newer bundles load."""

    model_config = ConfigDict(extra="ignore")

    schemaVersion: Literal[1] = 1
    files: Annotated[list[BundleFile], Field(min_length=1, max_length=1000)]
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []
    task: TaskName | None = None
    """Kind of the answers: classes or numbers. None if the bundle does not state it."""
    labels: list[str] | None = None
    """Classes of a classifier as text, in the order of its probabilities."""
    positive: str | None = None
    """Positive class of a binary classifier; scores are its probability."""
    metrics: dict[str, float] = {}
    """Scores on held-out data, by their scikit-learn names."""
    lineage: dict[str, str] = {}
    """Origin of the model: data, code, environment. Keys are free."""

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
        """Return the bytes of ``bundle.json``; the bundle's digest is their digest."""
        return self.model_dump_json(indent=1, exclude_none=True).encode() + b"\n"


def describe_files(contents: Mapping[str, bytes]) -> list[BundleFile]:
    """Return the ``files`` entries for contents by relative path, sorted by path."""
    return [
        BundleFile(path=path, digest=digest_of(data), size=len(data))
        for path, data in sorted(contents.items())
    ]
