"""A request that fits a model, to show or to try: usual values where the profile tells them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from perennial_contracts.wire.profile import Distribution, Profile

from .signature import TensorSpec

MANY_ELEMENTS = 400
"""From here on a sample is too long to show."""


def sample_row(features: Sequence[TensorSpec], profile: Profile | None) -> dict[str, Any]:
    """A row of a table as JSON's values: the median of a number, the most frequent category.

    A feature that the profile does not know is 0, false or the empty string.
    """
    known = {d.name: d for d in profile.features} if profile else {}
    return {feature.name: _value(feature, known.get(feature.name)) for feature in features}


def sample_tensor(spec: TensorSpec, with_data: bool = True) -> dict[str, Any]:
    """The protocol's JSON of a tensor of zeros, or of empty strings; data is flat.

    Every extent that is free is 1.
    """
    sample = spec.sample() if with_data else None
    return {
        "name": spec.name,
        "datatype": spec.datatype,
        "shape": [1 if extent < 0 else extent for extent in spec.shape],
        **({} if sample is None else {"data": sample.reshape(-1).tolist()}),
    }


def sample_size(spec: TensorSpec) -> int:
    """Elements of a tensor whose free extents are 1; counted without making it."""
    size = 1
    for extent in spec.shape:
        size *= 1 if extent < 0 else extent
    return size


def median(seen: Distribution) -> float | None:
    """The lower edge of the bin with the median: an edge is a value of the data itself.

    None for a category, and for a number that was never there.
    """
    edges = seen.edges or []
    if not edges:
        return None
    sums = np.cumsum(seen.counts[:-1])
    place = int(np.searchsorted(sums, sums[-1] / 2))
    return edges[max(place - 1, 0)]


def _value(feature: TensorSpec, seen: Distribution | None) -> Any:
    kind = feature.dtype.kind
    usual: Any = None
    if seen is not None:
        usual = median(seen) if seen.is_number else _most_frequent(seen)
    if kind == "O":
        return "" if usual is None else str(usual)
    if kind == "b":
        return str(usual) in ("True", "1", "1.0")
    try:
        number = float(usual or 0)
    except ValueError:  # a category that is no number, of a feature of whole numbers
        number = 0.0
    if kind == "f":
        number = float(f"{number:.6g}")
        return int(number) if number.is_integer() and abs(number) < 1e15 else number
    limits = np.iinfo(feature.dtype)
    return min(max(round(number), int(limits.min)), int(limits.max))


def _most_frequent(seen: Distribution) -> str | None:
    categories = seen.categories or []
    return max(zip(seen.counts, categories, strict=False))[1] if categories else None
