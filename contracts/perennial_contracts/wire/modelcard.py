"""``modelcard.json``: the facts of report.html in a form for machines.

Undefined numbers, such as ROC AUC with one class, are absent, never NaN.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

MODEL_CARD_NAME = "modelcard.json"
REPORT_NAME = "report.html"

TaskName = Literal["Classification", "Regression"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Score(_Part):
    """Metric on held-out rows with its 95 % interval (bootstrap over blocks)."""

    metric: str
    value: float
    low: float | None = None
    high: float | None = None


class Curve(_Part):
    """Points of a curve in ascending x, thinned to the resolution of a chart."""

    x: list[float]
    y: list[float]
    name: str = ""
    """Class of the curve, if each class has one."""


class Slice(_Part):
    """Score on the rows for which a feature has one value or is in one range."""

    feature: str
    value: str
    rows: int
    score: Score


class Evaluation(_Part):
    """Quality of a model on held-out rows."""

    task: TaskName
    rows: int
    classes: list[str] = []
    positive: str | None = None
    scores: list[Score] = []
    matrix: list[list[int]] = []
    """Shape (classes, classes); row is the prediction, column the true class."""
    roc: list[Curve] = []
    """False positive rate, true positive rate."""
    precision_recall: list[Curve] = []
    """Recall, precision."""
    calibration: list[Curve] = []
    """Mean predicted probability, observed share, by bins of equal counts."""
    residuals: Curve | None = None
    """Regression: true value and prediction for a sample of the rows."""
    slices: list[Slice] = []
    dummy: list[Score] = []
    """Scores of a constant prediction: the class prior, or the median."""


class Side(_Part):
    """Champion and challenger, metric by metric, on the same rows."""

    metric: str
    on: Literal["Recent", "Reference"]
    rows: int
    champion: float
    challenger: float
    low: float
    high: float
    """95 % interval of the gain (positive: the challenger is better), by paired bootstrap."""


class CandidateTrial(_Part):
    """Evaluation of a candidate: kind of model, settings, score and cost."""

    kind: str
    params: dict[str, str | int | float | bool | list[int] | None] = {}
    status: Literal["Done", "Failed", "Skipped", "Halved", "OverBudget"] = "Done"
    """Halved: dropped after a round on fewer rows. OverBudget: larger or slower than allowed."""
    mean: float | None = None
    deviation: float | None = None
    seconds: float = 0.0
    rows: int = 0
    """Rows in its last round."""
    p95_microseconds: float | None = None
    """Time for one row, as ONNX, on the machine that searched."""
    size_bytes: int | None = None
    problem: str = ""
    chosen: bool = False
    goes_on: bool = False
    """True if its trees were added to the champion's trees."""


class CompressionTrial(_Part):
    """One measured compression method; ``Original`` is the uncompressed model."""

    method: str
    status: Literal["Original", "Kept", "Passed", "Refused", "NotApplicable", "Failed"]
    """Kept: served. Passed: accepted by the gate, but another method came first. Refused: rejected
    by the gate, or neither smaller nor faster."""
    why: str = ""
    size_bytes: int | None = None
    transfer_bytes: int | None = None
    """Size of the file after gzip."""
    p50_microseconds: float | None = None
    p95_microseconds: float | None = None
    batch_rows: int = 1
    batch_p50_microseconds: float | None = None
    """Time for ``batch_rows`` rows in one run."""
    metric: str = ""
    value: float | None = None
    loss: float | None = None
    control: float | None = None
    """Distill: score of the same student trained on the hard labels."""


class ConversionFacts(_Part):
    """Format that the model was converted from, and the agreement of the two."""

    format: str
    converter: str
    rows: int
    agreement: float | None = None
    """Share of rows with the same label; classifiers only."""
    ties: int = 0
    """Rows with a different label for which two classes are equally likely within tolerance."""
    max_difference: float
    seconds: float = 0.0


class DataFacts(_Part):
    """Rows that the model was trained and judged on."""

    digest: str = ""
    rows: int = 0
    captured: int = 0
    held_out: int = 0
    start: str | None = None
    end: str | None = None
    label: str = ""
    labels: dict[str, int] = {}
    """Training rows by label."""
    columns: list[dict[str, str | int | float | None]] = []
    """For each column: name, type, missing, distinct, mean, min, max, as far as they apply."""


class ModelCard(_Part):
    """The contents of ``modelcard.json``."""

    schemaVersion: Literal[1] = 1
    name: str
    """NAMESPACE/NAME of the ModelDeployment, or the file's name."""
    decision: Literal["Accepted", "Rejected"] | None = None
    """None for a model without a champion to compare with."""
    headline: str = ""
    """Numbers of the decision or of the conversion in one sentence."""
    kind: str = ""
    """Kind of the chosen candidate, or the format of the artifact."""
    evaluation: Evaluation | None = None
    champion_matrix: list[list[int]] = []
    comparisons: list[Side] = []
    metric: str = ""
    """Metric that the search compared candidates by."""
    why: str = ""
    """Reason for choosing this candidate."""
    trials: list[CandidateTrial] = []
    compression: list[CompressionTrial] = []
    conversion: ConversionFacts | None = None
    data: DataFacts = DataFacts()
    size_bytes: int | None = None
    p95_microseconds: float | None = None
    budget: dict[str, int] = {}
    """p95Microseconds and sizeBytes, if they were set."""
    lineage: dict[str, str] = {}
    """Digests of data, champion, code and environment; seed; trigger."""
    environment: dict[str, str] = {}
    """Versions of the packages that determine the result."""
