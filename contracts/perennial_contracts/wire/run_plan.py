"""The plan of a run, the folders that its steps share, and the result.

A run is one pod. ``assemble`` and ``train`` are its init containers, ``judge`` is its container;
they share volumes. ``judge`` writes a :class:`TrainingResult` as its termination message. A step
that fails writes an :class:`~perennial_contracts.wire.outcome.Outcome` with a TrainingFailure or a
LoadFailure.
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
"""Environment variable with the plan as JSON, in all three steps."""

INPUT_FOLDER = "/perennial/input"
"""Written by assemble, read by train: TRAIN_FILE and PLAN_FILE."""
HOLDOUT_FOLDER = "/perennial/holdout"
"""Written by assemble, read by judge, not mounted in train: RECENT_FILE, SUMMARY_FILE, and with a
baseline REFERENCE_FILE."""
CHAMPION_FOLDER = "champion"
"""In INPUT_FOLDER: the files of the served model, for a warm start."""
OUTPUT_FOLDER = "/perennial/output"
"""Written by train, read by judge: MODEL_ONNX or MODEL_SKOPS, and after a search SEARCH_FILE."""
EXTRA_FOLDER = "extra"
"""In OUTPUT_FOLDER and in a bundle: files for the next training, beside the champion."""
CANDIDATE, SETTINGS, LEARNT_UNTIL = "candidate", "settings", "learntUntil"
"""Keys of a bundle's lineage: kind of the model that the search chose, its settings as a JSON
object, and time of the last captured row in its training data."""

TRAIN_FILE = "train.parquet"
RECENT_FILE = "recent.parquet"
REFERENCE_FILE = "reference.parquet"
SUMMARY_FILE = "data.json"
"""Contains a DataSummary."""
PLAN_FILE = "plan.json"
MODEL_ONNX = "model.onnx"
MODEL_SKOPS = "model.skops"
SEARCH_FILE = "search.json"
"""The trials of the search, for the report."""

PROGRESS_PORT = 8090
"""Port on which train serves a Progress over HTTP at PROGRESS_PATH while it runs."""
PROGRESS_PATH = "/progress"


class TrainingFailure(StrEnum):
    """Reasons why a run ended without a decision; they become reasons of conditions."""

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
    """No candidate is within the budget for size and latency."""
    NO_MODEL = "NoModel"
    """The trainer wrote no model."""
    EXTRA_REFUSED = "ExtraRefused"
    """The extra files beside the model are too many, too large, or not regular files."""
    CONVERSION_FAILED = "ConversionFailed"
    """The model cannot be converted to ONNX."""
    PARITY_FAILED = "ParityFailed"
    """The converted model does not give the answers of the trained model."""
    WRONG_SIGNATURE = "WrongSignature"
    """The model does not accept the features, or does not output label and probabilities."""
    PUBLISH_FAILED = "PublishFailed"
    """The store rejected the bundle."""
    UNTRUSTED_MODEL = "UntrustedModel"
    """Reading the model could run code inside it, and its source is not marked as trusted."""
    CONVERTER_NOT_INSTALLED = "ConverterNotInstalled"
    """The trainer image cannot convert this format."""
    BAD_PLAN = "BadPlan"
    """The plan is missing or cannot be read."""


class Model(BaseModel):
    """A model by its URI and digest."""

    model_config = ConfigDict(extra="ignore")

    uri: str
    digest: str


class Plan(BaseModel):
    """The plan of a run, built by the operator from the resources."""

    model_config = ConfigDict(extra="ignore")

    namespace: str
    model: str
    """Name of the ModelDeployment; part of the path of captured files."""
    job: str
    """Name of the RetrainJob."""
    champion: Model | None = None
    """None only for a first model, fitted by hand."""
    captured: str | None = None
    """URI of the captured files, or the path of a mounted volume."""
    trigger: Trigger
    data: TrainingData
    compression: Compression | None = None
    search: Search
    gate: Gate
    budget: Budget = Budget()
    output: str
    now: str
    """Creation time of the run, RFC 3339; windows end here."""

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
    """Progress of the search: the JSON response at PROGRESS_PATH."""

    model_config = ConfigDict(extra="ignore")

    phase: str = "Training"
    trialsDone: int = 0
    trialsTotal: int = 0
    """Upper limit of trials; fewer run if time runs out."""
    best: Best | None = None
    """None until a candidate is fitted."""


class TrainingResult(BaseModel):
    """The result of ``judge``."""

    model_config = ConfigDict(extra="ignore")

    decision: Literal["Accepted", "Rejected"]
    message: str
    """The reason with its numbers, in one or two sentences."""
    challenger: Model
    candidate: str = ""
    data: DataSummary
    metrics: list[Metric] = []
    """Metrics of the challenger on Recent."""
    sizeBytes: int | None = None
    p95Microseconds: int | None = None
    comparisons: list[Comparison]
    report: str | None = None

    def to_text(self) -> str:
        """Return the termination message."""
        return shortened(self, self.message[: MESSAGE_LIMIT // 2])

    @classmethod
    def from_text(cls, text: str) -> "TrainingResult | None":
        """Parse a termination message. Return None if it is something else."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None
