"""What the steps of a run agree on: the plan that they get, the folders, the result they leave.

A run is one pod. ``assemble`` and ``train`` are its init containers, ``judge`` its container. They
share volumes; the last one leaves a :class:`TrainingResult` as its termination message, one that
fails an :class:`~perennial_contracts.wire.outcome.Outcome` with a TrainingFailure or LoadFailure.
"""

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from ..api.compression import Compression
from ..api.retrainjob import TrainingData
from ..api.retrainjob_status import Comparison, DataSummary, Metric
from ..api.search import Budget, Gate, Search, resolve_gate
from ..api.trigger import Trigger
from ..stats.quality import MetricName
from .outcome import MESSAGE_LIMIT, shortened

ASSEMBLE, TRAIN, JUDGE = "assemble", "train", "judge"
"""The steps, and the names of their containers."""

PLAN_VARIABLE = "PERENNIAL_PLAN"
"""Environment variable that holds the plan as JSON, in all three steps."""

INPUT_FOLDER = "/perennial/input"
"""Made by assemble, read by train: TRAIN_FILE and PLAN_FILE."""
HOLDOUT_FOLDER = "/perennial/holdout"
"""Made by assemble, read by judge, and not mounted in train: RECENT_FILE, SUMMARY_FILE, and where
there is a baseline REFERENCE_FILE."""
CHAMPION_FOLDER = "champion"
"""In INPUT_FOLDER: the files of the model that serves, for a training that goes on from there."""
OUTPUT_FOLDER = "/perennial/output"
"""Made by train, read by judge: MODEL_ONNX or MODEL_SKOPS, and SEARCH_FILE where there was one."""
EXTRA_FOLDER = "extra"
"""In OUTPUT_FOLDER and in a bundle: files that the next training finds beside the champion."""
CANDIDATE, SETTINGS, LEARNT_UNTIL = "candidate", "settings", "learntUntil"
"""Keys of a bundle's lineage: the kind of model that the search found, its settings as a JSON
object, and the time of the last captured row that it has learnt from."""

TRAIN_FILE = "train.parquet"
RECENT_FILE = "recent.parquet"
REFERENCE_FILE = "reference.parquet"
SUMMARY_FILE = "data.json"
"""A DataSummary."""
PLAN_FILE = "plan.json"
MODEL_ONNX = "model.onnx"
MODEL_SKOPS = "model.skops"
SEARCH_FILE = "search.json"
"""What was tried, for the report."""

PROGRESS_PORT = 8090
"""Where train says how far it is, over HTTP, while it runs: PROGRESS_PATH gives a Progress."""
PROGRESS_PATH = "/progress"

RETRY_EXIT_CODE = 3
"""Exit code of a step for what another attempt may mend."""


class TrainingFailure(StrEnum):
    """Why a run came to no decision. The names become reasons of conditions."""

    NO_LABELS = "NoLabels"
    """No captured row has a label."""
    TOO_FEW_ROWS = "TooFewRows"
    """Fewer captured rows with a label than data.minRows."""
    ONE_CLASS = "OneClass"
    """All rows have the same label."""
    DATA_UNREADABLE = "DataUnreadable"
    """The baseline or a captured file cannot be read, or lacks a column."""
    TRAINING_FAILED = "TrainingFailed"
    """No candidate could be trained."""
    OVER_BUDGET = "OverBudget"
    """No candidate is as small and as quick as budget asks."""
    NO_MODEL = "NoModel"
    """The trainer left no model."""
    EXTRA_REFUSED = "ExtraRefused"
    """The files that the trainer left beside its model are too many, too large or no plain ones."""
    CONVERSION_FAILED = "ConversionFailed"
    """The model cannot be converted to ONNX."""
    PARITY_FAILED = "ParityFailed"
    """The converted model does not say what the trained one says."""
    WRONG_SIGNATURE = "WrongSignature"
    """The model does not take the features or does not give label and probabilities."""
    PUBLISH_FAILED = "PublishFailed"
    """The store did not take the bundle."""
    UNTRUSTED_MODEL = "UntrustedModel"
    """Reading the model could run code that it holds, and nothing says that it is trusted."""
    CONVERTER_NOT_INSTALLED = "ConverterNotInstalled"
    """The trainer's image cannot convert this format."""
    BAD_PLAN = "BadPlan"
    """The plan is missing or cannot be read."""


class Model(BaseModel):
    """A model by place and bytes."""

    model_config = ConfigDict(extra="ignore")

    uri: str
    digest: str


class Plan(BaseModel):
    """What a run is to do, made by the operator out of the resources."""

    model_config = ConfigDict(extra="ignore")

    namespace: str
    model: str
    """Name of the ModelDeployment; captured files bear it."""
    job: str
    """Name of the RetrainJob."""
    champion: Model | None = None
    """None only where a first model is made by hand."""
    captured: str | None = None
    """URI of the captured files; a path where a volume is mounted."""
    trigger: Trigger
    data: TrainingData
    compression: Compression | None = None
    search: Search
    gate: Gate
    budget: Budget = Budget()
    output: str
    now: str
    """When the run was made; windows reach back from here. RFC 3339."""

    @model_validator(mode="after")
    def _resolve(self) -> Self:
        self.gate = resolve_gate(self.search, self.gate)
        return self


class Best(BaseModel):
    """The best candidate so far."""

    model_config = ConfigDict(extra="ignore")

    kind: str
    metric: MetricName
    value: float
    """By cross-validation."""


class Progress(BaseModel):
    """How far the search is; what PROGRESS_PATH answers, as JSON."""

    model_config = ConfigDict(extra="ignore")

    phase: str = "Training"
    trialsDone: int = 0
    trialsTotal: int = 0
    """Most trials that there can be; fewer where the time is over."""
    best: Best | None = None
    """None until a candidate has been fitted."""


class TrainingResult(BaseModel):
    """What the judge found."""

    model_config = ConfigDict(extra="ignore")

    decision: Literal["Accepted", "Rejected"]
    message: str
    """Why, with the numbers, in a sentence or two."""
    challenger: Model
    candidate: str = ""
    data: DataSummary
    metrics: list[Metric] = []
    """The challenger's, on Recent."""
    sizeBytes: int | None = None
    p95Microseconds: int | None = None
    comparisons: list[Comparison]
    report: str | None = None

    def to_text(self) -> str:
        """The termination message."""
        return shortened(self, self.message[: MESSAGE_LIMIT // 2])

    @classmethod
    def from_text(cls, text: str) -> "TrainingResult | None":
        """Reads a termination message; None where it is something else."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None
