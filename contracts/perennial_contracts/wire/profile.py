"""Drift profile: distributions of inputs and predictions on held-out data.

``profile.json`` is part of the bundle. A distribution is stored as counts over fixed bins, so the
sum of the counts of several pods is exact.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

PROFILE_NAME = "profile.json"
NUMBER_BINS = 10
CATEGORY_BINS = 20
"""Maximum number of categories with a bin of their own; all others share one bin."""
MAX_FEATURES = 50
"""Maximum number of monitored features; of a model with more, the first ones are monitored."""


class Distribution(BaseModel):
    """Counts over the bins of one feature, of the score, or of the label.

    A number's bins are the intervals between ``edges``, the first and the last one open; value x
    is in bin i when ``edges[i-1] <= x < edges[i]``. A category's bins are ``categories`` and one
    for all others. The last bin of either counts missing values (NaN, the empty string).
    """

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(min_length=1, max_length=256)]
    edges: list[float] | None = None
    categories: list[str] | None = None
    counts: list[Annotated[int, Field(ge=0)]]

    @model_validator(mode="after")
    def _is_whole(self) -> "Distribution":
        if (self.edges is None) == (self.categories is None):
            raise ValueError(f"{self.name}: expected either edges or categories")
        if len(self.counts) != self.bins:
            raise ValueError(f"{self.name}: expected {self.bins} counts, got {len(self.counts)}")
        if self.edges is not None and (
            not np.isfinite(self.edges).all()
            or any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False))
        ):
            raise ValueError(f"{self.name}: expected finite edges in ascending order")
        if self.categories is not None and len(set(self.categories)) != len(self.categories):
            raise ValueError(f"{self.name}: expected each category once")
        return self

    @property
    def is_number(self) -> bool:
        return self.edges is not None

    @property
    def bins(self) -> int:
        """Return the number of bins, including the one for missing values."""
        inner = self.edges if self.edges is not None else self.categories
        return len(inner or ()) + 2

    def count(self, values: "np.ndarray[Any, Any] | Sequence[Any]") -> np.ndarray:
        """Count the values in each bin.

        Args:
            values: shape (rows,); numbers, of which NaN is missing, or strings, of which "", None
                and NaN (null in a column of texts) are missing.

        Returns:
            Shape (bins,), int64.
        """
        if self.edges is not None:
            numbers = np.asarray(values, np.float64).reshape(-1)
            places = np.searchsorted(self.edges, numbers, side="right")
            places[np.isnan(numbers)] = self.bins - 1
            return np.bincount(places, minlength=self.bins).astype(np.int64)
        counts = np.zeros(self.bins, np.int64)
        places_of = {category: place for place, category in enumerate(self.categories or ())}
        listed = values.reshape(-1).tolist() if isinstance(values, np.ndarray) else values
        for value, times in Counter(listed).items():
            other = self.bins - 2
            place = self.bins - 1 if _is_missing(value) else places_of.get(str(value), other)
            counts[place] += times
        return counts


class Baseline(BaseModel):
    """A quality score on held-out data and its variation by chance."""

    model_config = ConfigDict(extra="ignore")

    value: Annotated[float, Field(allow_inf_nan=False)]
    deviation: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """Standard deviation of the score over samples of ``rows`` rows."""
    rows: Annotated[int, Field(ge=1)]


class Profile(BaseModel):
    """The contents of ``profile.json``."""

    model_config = ConfigDict(extra="ignore")

    schemaVersion: Literal[1] = 1
    rows: Annotated[int, Field(ge=1)]
    """Number of held-out rows counted."""
    features: Annotated[list[Distribution], Field(max_length=MAX_FEATURES)]
    score: Distribution | None = None
    """Distribution of :func:`~perennial_contracts.stats.quality.score_of`, or of the predictions of
    a regressor."""
    label: Distribution | None = None
    """Distribution of the predicted label."""
    positive: str | None = None
    """Positive class of recall, precision, F1 and ROC AUC, if there are two classes."""
    quality: dict[str, Baseline] = {}
    """Scores by their scikit-learn names."""

    @model_validator(mode="after")
    def _names_once(self) -> "Profile":
        names = [feature.name for feature in self.features]
        if len(set(names)) != len(names):
            raise ValueError("features: expected each name once")
        return self

    def to_bytes(self) -> bytes:
        """Return the bytes of ``profile.json``."""
        return self.model_dump_json(exclude_none=True).encode() + b"\n"


def fit_numbers(name: str, values: np.ndarray) -> Distribution:
    """Return a distribution over bins of about equal counts (at most deciles).

    ``values`` has shape (rows,), float; NaN is missing. Infinities do not become edges.
    """
    numbers = np.asarray(values, np.float64).reshape(-1)
    finite = numbers[np.isfinite(numbers)]
    edges: list[float] = []
    if finite.size:
        shares = np.linspace(0, 1, NUMBER_BINS + 1)[1:-1]
        # A quantile that is a value of the data keeps ties on one side of the edge.
        edges = np.unique(np.quantile(finite, shares, method="higher")).tolist()
    bare = Distribution(name=name, edges=edges, counts=[0] * (len(edges) + 2))
    return bare.model_copy(update={"counts": bare.count(numbers).tolist()})


def fit_categories(
    name: str, values: "np.ndarray[Any, Any] | Sequence[Any]", keep: Sequence[str] = ()
) -> Distribution:
    """Return a distribution over the most frequent categories and those in ``keep``."""
    listed = values.reshape(-1).tolist() if isinstance(values, np.ndarray) else values
    found = Counter(str(value) for value in listed if not _is_missing(value))
    ordered = sorted(found, key=lambda category: (-found[category], category))
    categories = list(dict.fromkeys([*keep, *ordered]))[: max(CATEGORY_BINS, len(keep))]
    bare = Distribution(name=name, categories=categories, counts=[0] * (len(categories) + 2))
    return bare.model_copy(update={"counts": bare.count(values).tolist()})


def _is_missing(value: Any) -> bool:
    return value is None or value == "" or value != value
