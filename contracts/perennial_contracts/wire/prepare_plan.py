"""What the steps of the Job ``prepare`` agree on: the plan, the folders, the files in them.

The Job is one pod. ``fetch`` and ``convert`` are its init containers, ``publish`` its container.
The one in the middle reads what anybody may have made: it has neither credentials nor network, and
what it leaves is only data to the last one. That one leaves an
:class:`~perennial_contracts.wire.outcome.Outcome` with the bundle's digest as its termination
message, one that fails an Outcome with a reason.
"""

from pydantic import BaseModel, ConfigDict

from ..api.compression import Compression
from ..api.packaging import ModelFormat

PREPARE = "prepare"
"""The trainer's command."""
FETCH, CONVERT, PUBLISH = "fetch", "convert", "publish"
"""Its steps, and the names of their containers."""

ARTIFACT_FOLDER = "artifact"
"""In the input folder: the artifact's files, by their paths."""
FETCHED_FILE = "fetched.json"
"""A Fetched."""
SAMPLE_FILE = "sample.parquet"
GATE_FILE = "gate.parquet"


class Preparation(BaseModel):
    """The plan, made by the operator out of the resource."""

    model_config = ConfigDict(extra="ignore")

    name: str
    """NAMESPACE/NAME of the ModelDeployment."""
    uri: str
    """Where the artifact lies, as a container sees it."""
    digest: str | None = None
    """What it must have; see ``digest.digest_of_files`` for a directory's."""
    format: ModelFormat = "Auto"
    trusted: bool = False
    sample: str | None = None
    compression: Compression | None = None
    output: str


class Fetched(BaseModel):
    """What ``fetch`` found."""

    model_config = ConfigDict(extra="ignore")

    digest: str
    path: str
    """Of the artifact in ARTIFACT_FOLDER; ``.`` where it is the folder itself."""
    bundle: bool = False
    """Whether it is a bundle already, to be compressed."""
