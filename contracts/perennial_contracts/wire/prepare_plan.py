"""The plan of the Job ``prepare``, and the folders and files that its steps share.

The Job is one pod. ``fetch`` and ``convert`` are its init containers, ``publish`` its container.
``convert`` reads untrusted bytes, so it has neither credentials nor network, and ``publish`` treats
its output as data only. ``publish`` writes an :class:`~perennial_contracts.wire.outcome.Outcome`
with the bundle's digest as its termination message; a step that fails writes one with a reason.
"""

from pydantic import BaseModel, ConfigDict

from ..api.compression import Compression
from ..api.packaging import ModelFormat

PREPARE = "prepare"
"""The trainer's command."""
FETCH, CONVERT, PUBLISH = "fetch", "convert", "publish"
"""Its steps, and the names of their containers."""

ARTIFACT_FOLDER = "artifact"
"""In the input folder: the files of the artifact, under their relative paths."""
FETCHED_FILE = "fetched.json"
"""Contains a Fetched."""
SAMPLE_FILE = "sample.parquet"
GATE_FILE = "gate.parquet"


class Preparation(BaseModel):
    """The plan, built by the operator from the resource."""

    model_config = ConfigDict(extra="ignore")

    name: str
    """NAMESPACE/NAME of the ModelDeployment."""
    uri: str
    """URI of the artifact as seen from a container."""
    digest: str | None = None
    """Expected digest; for a directory see ``digest.digest_of_files``."""
    format: ModelFormat = "Auto"
    trusted: bool = False
    sample: str | None = None
    compression: Compression | None = None
    output: str


class Fetched(BaseModel):
    """The result of ``fetch``."""

    model_config = ConfigDict(extra="ignore")

    digest: str
    path: str
    """Path of the artifact in ARTIFACT_FOLDER; ``.`` means the folder itself."""
    bundle: bool = False
    """True if the artifact is a bundle already and only needs compression."""
