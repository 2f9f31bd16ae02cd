"""``modelcard.json``: all that is known of a model, for machines; report.html shows the same.

Numbers that are not defined (ROC AUC of one class) are left out, never NaN.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

MODEL_CARD_NAME = "modelcard.json"
REPORT_NAME = "report.html"

TaskName = Literal["Classification", "Regression"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Score(_Part):
    """A metric on held-out rows with its 95 % interval (bootstrap over blocks of rows)."""

    metric: str
    value: float
    low: float | None = None
    high: float | None = None


class Curve(_Part):
    """Points of a curve, thinned to what can be seen; x ascends."""

    x: list[float]
    y: list[float]
    name: str = ""
    """The class that it is about, where there is one for each."""


class Slice(_Part):
    """The scores of some of the rows: those where a feature has a value, or lies in a range."""

    feature: str
    value: str
    rows: int
    score: Score


class Evaluation(_Part):
    """How good a model is on held-out rows."""

    task: TaskName
    rows: int
    classes: list[str] = []
    positive: str | None = None
    scores: list[Score] = []
    matrix: list[list[int]] = []
    """Shape (classes, classes); row is the answer, column the truth."""
    roc: list[Curve] = []
    """False positive rate, true positive rate."""
    precision_recall: list[Curve] = []
    """Recall, precision."""
    calibration: list[Curve] = []
    """Mean predicted probability, observed share, by bins of equal counts."""
    residuals: Curve | None = None
    """Regression: truth and prediction of a sample of the rows."""
    slices: list[Slice] = []
    dummy: list[Score] = []
    """What one gets without learning anything: the prior, or the median."""


class Side(_Part):
    """Champion and challenger, metric by metric, on the same rows."""

    metric: str
    on: Literal["Recent", "Reference"]
    rows: int
    champion: float
    challenger: float
    low: float
    high: float
    """The interval of the gain (positive: the challenger is better), 95 %, paired bootstrap."""


class CandidateTrial(_Part):
    """One kind of model with one choice of settings, and what it cost."""

    kind: str
    params: dict[str, str | int | float | bool | list[int] | None] = {}
    status: Literal["Done", "Failed", "Skipped", "Halved", "OverBudget"] = "Done"
    """Halved: left out after a round on fewer rows. OverBudget: larger or slower than allowed."""
    mean: float | None = None
    deviation: float | None = None
    seconds: float = 0.0
    rows: int = 0
    """Rows of its last round."""
    p95_microseconds: float | None = None
    """Of one row, as ONNX, on the machine that searched."""
    size_bytes: int | None = None
    problem: str = ""
    chosen: bool = False
    goes_on: bool = False
    """Its trees were added to the champion's."""


class CompressionTrial(_Part):
    """One way to compress, measured; the first entry is the model as it was (``Original``)."""

    method: str
    status: Literal["Original", "Kept", "Passed", "Refused", "NotApplicable", "Failed"]
    """Kept: this one is served. Passed: it would do, another one came first. Refused: the gate, or
    neither smaller nor faster."""
    why: str = ""
    size_bytes: int | None = None
    transfer_bytes: int | None = None
    """Of the file, gzipped."""
    p50_microseconds: float | None = None
    p95_microseconds: float | None = None
    batch_rows: int = 1
    batch_p50_microseconds: float | None = None
    """Of batch_rows rows together."""
    metric: str = ""
    value: float | None = None
    loss: float | None = None
    control: float | None = None
    """Distill: the same student, taught with the hard labels."""


class ConversionFacts(_Part):
    """From which format the ONNX model was made, and how well it agrees with the original."""

    format: str
    converter: str
    rows: int
    agreement: float | None = None
    """Share of rows with the same label; classifiers only."""
    ties: int = 0
    """Rows with another label where two classes are as likely to the tolerance."""
    max_difference: float
    seconds: float = 0.0


class DataFacts(_Part):
    """What was learnt from and judged on."""

    digest: str = ""
    rows: int = 0
    captured: int = 0
    held_out: int = 0
    start: str | None = None
    end: str | None = None
    label: str = ""
    labels: dict[str, int] = {}
    """Rows of each label, of those learnt from."""
    columns: list[dict[str, str | int | float | None]] = []
    """By column: name, type, missing, distinct, mean, min, max; what there is."""


class ModelCard(_Part):
    """The contents of ``modelcard.json``."""

    schemaVersion: Literal[1] = 1
    name: str
    """NAMESPACE/NAME of the ModelDeployment, or the file's name."""
    decision: Literal["Accepted", "Rejected"] | None = None
    """None for a model that stood against nothing."""
    headline: str = ""
    """The decision with its numbers, in a sentence."""
    kind: str = ""
    """Which candidate it is, or the format it came in."""
    evaluation: Evaluation | None = None
    champion_matrix: list[list[int]] = []
    comparisons: list[Side] = []
    metric: str = ""
    """What the search compared by."""
    why: str = ""
    """Why this candidate was chosen."""
    trials: list[CandidateTrial] = []
    compression: list[CompressionTrial] = []
    conversion: ConversionFacts | None = None
    data: DataFacts = DataFacts()
    size_bytes: int | None = None
    p95_microseconds: float | None = None
    budget: dict[str, int] = {}
    """p95Microseconds and sizeBytes, where they were given."""
    lineage: dict[str, str] = {}
    """Digests of data, champion, code and environment; seed; trigger."""
    environment: dict[str, str] = {}
    """Versions of the packages that decide what comes out."""
