"""How a challenger is searched for, what it must show, and how large and slow it may be."""

import re
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import ConfigDict, Field, model_validator

from ..stats.quality import MetricName, RegressionMetric
from ..wire.modelcard import TaskName
from .common import ApiModel, rules

Candidate = Literal[
    "Logistic", "Linear", "DecisionTree", "ExtraTrees", "RandomForest", "LightGBM", "XGBoost",
    "HistGradientBoosting", "MLP",
]  # fmt: skip
CANDIDATES: tuple[Candidate, ...] = get_args(Candidate)
"""From the simplest to the least simple."""
ONLY_FOR: dict[Candidate, TaskName] = {"Logistic": "Classification", "Linear": "Regression"}
"""Those that learn only classes, or only numbers."""


METRIC_FITS = f"{{numbers}} == ({{metric}} in {list(get_args(RegressionMetric))})"
"""A CEL rule: whether numbers are learnt, and the metric, both as expressions."""
OF_NUMBERS = "rmse, mae, r2, pinball_10 or pinball_90, and these only there"


def _usual_metric(fields: dict[str, Any]) -> MetricName:
    return "rmse" if fields.get("task") == "Regression" else "f1"


class Search(ApiModel):
    """How the challenger is found. All of it is a hint where image names a trainer of your own."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.metric) || "
                + METRIC_FITS.format(numbers="(self.task == 'Regression')", metric="self.metric"),
                f"metric: for task: Regression expected {OF_NUMBERS}",
            ),
            (
                "!has(self.candidates) || !((self.task == 'Regression' ? 'Logistic' : 'Linear') "
                "in self.candidates)",
                "candidates: Logistic is for task: Classification and Linear for task: Regression",
            ),
        )
    )

    task: TaskName = "Classification"
    """What is learnt: classes, or numbers."""
    candidates: Annotated[
        list[Candidate] | None,
        Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = None
    """Kinds of model that are tried; where absent, all that the task has and that are installed."""
    metric: Annotated[MetricName, Field(default_factory=_usual_metric)]
    """What cross-validation compares them by; where absent f1, and rmse for numbers."""
    order: Literal["TimeOrdered", "Shuffled"] = "TimeOrdered"
    """TimeOrdered: the rows are in the order of time, and models are compared on later rows than
    they learn from. Shuffled: the order says nothing; folds are drawn at random, with equal shares
    of the classes."""
    maxTrials: Annotated[int, Field(ge=1, le=1000)] = 10
    """Most models that are tried. With many rows all are tried on a part of them, and only the
    better ones on more."""
    maxSeconds: Annotated[int, Field(ge=1, le=86400)] = 600
    """No further model is tried after this time."""
    warmStart: bool = False
    """Begin with the champion: its kind and settings first, XGBoost and LightGBM going on from its
    trees, then each other kind once. Where its features or classes are others, and where there is
    none, all is searched as usual."""
    seed: Annotated[int, Field(ge=0, le=2_147_483_647)] = 0
    """Of all that is random."""


class Gate(ApiModel):
    """What the challenger must show, on rows that neither model has learnt from."""

    metric: Annotated[MetricName, Field(default_factory=_usual_metric)]
    """What the two are compared by; the search's where absent."""
    minImprovementPermille: Annotated[int, Field(ge=0, le=1000)] = 2
    """On the captured holdout, the lower bound of the gain (95 %, paired bootstrap) must be at
    least this, in thousandths; of errors without an upper end (log_loss, mae, rmse, pinball_10,
    pinball_90) in thousandths of the champion's."""
    maxRegressionPermille: Annotated[int, Field(ge=0, le=1000)] = 5
    """On the baseline's holdout, the lower bound of the gain must be above minus this, in
    thousandths. Not looked at without a baseline."""
    minValuePermille: Annotated[int, Field(ge=0, le=1000)] = 0
    """On the captured holdout, the metric itself must be at least this, in thousandths; of errors
    (log_loss, brier, mae, rmse, pinball_10, pinball_90) at most this, and 0 is no limit."""


def resolve_gate(search: Search, gate: Gate) -> Gate:
    """The gate with the search's metric where it names none."""
    if "metric" in gate.model_fields_set or gate.metric == search.metric:
        return gate
    return gate.model_copy(update={"metric": search.metric})


_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
SIZE_PATTERN = "^[1-9][0-9]{0,11}(k|M|G|Ki|Mi|Gi)?$"
SIZE_EXPECTED = "expected a size in bytes such as 50Mi, 500k or 1000000"


class Budget(ApiModel):
    """How quick and how small the model must be. A candidate beyond it is not taken."""

    p95Microseconds: Annotated[int | None, Field(ge=1, le=60_000_000)] = None
    """A row, as ONNX with one thread, may take at most this in 95 of 100 cases, on the machine
    that searches."""
    sizeBytes: Annotated[
        int | Annotated[str, Field(max_length=14)] | None,
        Field(
            json_schema_extra=rules((f"string(self).matches('{SIZE_PATTERN}')", SIZE_EXPECTED)),
        ),
    ] = None
    """The ONNX file may have at most this many bytes, such as 50Mi."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.sizeBytes is not None and not re.fullmatch(SIZE_PATTERN, str(self.sizeBytes)):
            raise ValueError(f"sizeBytes: {SIZE_EXPECTED}, got {self.sizeBytes!r}")
        return self

    @property
    def size(self) -> int | None:
        """``sizeBytes`` in bytes."""
        if self.sizeBytes is None:
            return None
        number, unit = re.fullmatch(r"(\d+)([A-Za-z]*)", str(self.sizeBytes)).groups()  # type: ignore[union-attr]
        return int(number) * _UNITS[unit]

    def limits(self) -> dict[str, int]:
        """What is limited: p95Microseconds and sizeBytes, where they are given."""
        both = {"p95Microseconds": self.p95Microseconds, "sizeBytes": self.size}
        return {name: limit for name, limit in both.items() if limit is not None}
