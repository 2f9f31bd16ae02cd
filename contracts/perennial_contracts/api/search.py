"""Search for a challenger, the gate that judges it, and its budget."""

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
"""Kinds of model, the simplest first."""
ONLY_FOR: dict[Candidate, TaskName] = {"Logistic": "Classification", "Linear": "Regression"}
"""Kinds that support only one task."""


METRIC_FITS = f"{{numbers}} == ({{metric}} in {list(get_args(RegressionMetric))})"
"""CEL rule with two expressions: ``numbers``, true for a regression, and ``metric``."""
METRIC_EXPECTED = (
    "for search.task: Regression expected rmse, mae, r2, pinball_10 or pinball_90, and for "
    "Classification another metric"
)


def _usual_metric(fields: dict[str, Any]) -> MetricName:
    return "rmse" if fields.get("task") == "Regression" else "f1"


class Search(ApiModel):
    """Search for the challenger. If image is set, all fields are hints for it."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.metric) || "
                + METRIC_FITS.format(numbers="(self.task == 'Regression')", metric="self.metric"),
                f"{{path}}.metric: {METRIC_EXPECTED}. Change one of them",
            ),
            (
                "!has(self.candidates) || !((self.task == 'Regression' ? 'Logistic' : 'Linear') "
                "in self.candidates)",
                "{path}.candidates: Logistic requires task: Classification, and Linear requires "
                "task: Regression. Remove the other one",
            ),
        )
    )

    task: TaskName = "Classification"
    """Task of the model. Classification predicts classes, Regression predicts numbers."""
    candidates: Annotated[
        list[Candidate] | None,
        Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = None
    """Kinds of model to try. If unset, all installed kinds that support the task."""
    metric: Annotated[MetricName, Field(default_factory=_usual_metric)]
    """Metric of the cross-validation. Defaults to f1, and to rmse for Regression."""
    order: Literal["TimeOrdered", "Shuffled"] = "TimeOrdered"
    """TimeOrdered means that the rows are in the order of time; models are compared on later rows
    than they learn from. Shuffled means that folds are drawn at random, with equal shares of the
    classes."""
    maxTrials: Annotated[int, Field(ge=1, le=1000)] = 10
    """Largest number of trials. With many rows, only the better candidates are tried on all of
    them."""
    maxSeconds: Annotated[int, Field(ge=1, le=86400)] = 600
    """Seconds after which no new trial starts."""
    warmStart: bool = False
    """True to begin the search with the champion: first its kind and settings, then each other kind
    once. XGBoost and LightGBM continue from its trees. Ignored if there is no champion, or if its
    features or classes differ."""
    seed: Annotated[int, Field(ge=0, le=2_147_483_647)] = 0
    """Seed of all random numbers."""


class Gate(ApiModel):
    """Rule that accepts or rejects a challenger, on rows that no model learnt from."""

    metric: Annotated[MetricName, Field(default_factory=_usual_metric)]
    """Metric of the comparison. Defaults to search.metric."""
    minImprovementPermille: Annotated[int, Field(ge=0, le=1000)] = 2
    """Least gain on the captured held-out rows, in thousandths; for log_loss, mae, rmse and pinball
    losses, in thousandths of the champion's value. The lower bound of the gain (95 %, paired
    bootstrap) must reach it."""
    maxRegressionPermille: Annotated[int, Field(ge=0, le=1000)] = 5
    """Largest accepted loss on the baseline's held-out rows, in thousandths. The lower bound of the
    gain (95 %) must be above minus this value. Ignored without data.baseline."""
    minValuePermille: Annotated[int, Field(ge=0, le=1000)] = 0
    """Least value of the metric on the captured held-out rows, in thousandths; the largest value
    for log_loss, brier, mae, rmse and pinball losses. 0 means no limit."""


def resolve_gate(search: Search, gate: Gate) -> Gate:
    """Return the gate, with the metric of the search if it names none."""
    if "metric" in gate.model_fields_set or gate.metric == search.metric:
        return gate
    return gate.model_copy(update={"metric": search.metric})


_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
SIZE_PATTERN = "^[1-9][0-9]{0,11}(k|M|G|Ki|Mi|Gi)?$"
SIZE_EXPECTED = "expected a size in bytes such as 50Mi, 500k or 1000000"


class Budget(ApiModel):
    """Limits of time and size; the search never chooses a candidate beyond them."""

    p95Microseconds: Annotated[int | None, Field(ge=1, le=60_000_000)] = None
    """Largest 95th percentile of the time for one row, in microseconds: as ONNX, with one thread,
    on the machine of the search. If unset, there is no limit."""
    sizeBytes: Annotated[
        int | Annotated[str, Field(max_length=14)] | None,
        Field(
            json_schema_extra=rules((f"string(self).matches('{SIZE_PATTERN}')", SIZE_EXPECTED)),
        ),
    ] = None
    """Largest size of the ONNX file in bytes, such as 50Mi. If unset, there is no limit."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.sizeBytes is not None and not re.fullmatch(SIZE_PATTERN, str(self.sizeBytes)):
            raise ValueError(f"sizeBytes: {SIZE_EXPECTED}, got {self.sizeBytes!r}")
        return self

    @property
    def size(self) -> int | None:
        """``sizeBytes`` as a number."""
        if self.sizeBytes is None:
            return None
        number, unit = re.fullmatch(r"(\d+)([A-Za-z]*)", str(self.sizeBytes)).groups()  # type: ignore[union-attr]
        return int(number) * _UNITS[unit]

    def limits(self) -> dict[str, int]:
        """Return the limits that are set, by name."""
        both = {"p95Microseconds": self.p95Microseconds, "sizeBytes": self.size}
        return {name: limit for name, limit in both.items() if limit is not None}
