"""What a serving pod has counted since it started, as ``GET /v2/models/M/counters`` answers it.

Every number only ever grows while ``instance`` stays the same.
"""

from pydantic import BaseModel, ConfigDict

Counts = list[int]


class CaptureCounts(BaseModel):
    """Rows by what became of them."""

    model_config = ConfigDict(extra="ignore")

    written: int = 0
    dropped: int = 0
    """Never written: the queue was full, or the store did not take them."""
    problem: str = ""
    """Why the store did not take the last file; empty where it did."""


class Counters(BaseModel):
    """The counters of one process."""

    model_config = ConfigDict(extra="ignore")

    instance: str
    """Names the process: another one has counted from zero."""
    digest: str
    """Of the model that is served."""
    rows: int = 0
    """Predictions made."""
    features: dict[str, Counts] = {}
    """By feature, over the bins of the profile."""
    score: Counts | None = None
    label: Counts | None = None
    labels: int = 0
    """Labels that came back for predictions of this model."""
    matrix: list[Counts] = []
    """Shape (classes, classes): row is the prediction, column the truth, in the bundle's order."""
    scores: list[Counts] = []
    """Shape (2, SCORE_BINS): scores of rows whose truth is not, and is, the positive class."""
    capture: CaptureCounts | None = None
    """None where nothing is captured."""
