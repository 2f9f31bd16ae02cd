"""Sample requests for a model, with typical values if there is a profile."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from perennial_contracts.wire.profile import Distribution, Profile

from .signature import TensorSpec

MANY_ELEMENTS = 400
"""Number of elements from which on a sample is too long to show."""


def sample_row(features: Sequence[TensorSpec], profile: Profile | None) -> dict[str, Any]:
    """Return a row as JSON values: the median of a number, the most frequent category.

    A feature without a distribution in the profile is 0, false or the empty string.
    """
    profiled = {d.name: d for d in profile.features} if profile else {}
    return {feature.name: _value(feature, profiled.get(feature.name)) for feature in features}


def sample_tensor(spec: TensorSpec, with_data: bool = True) -> dict[str, Any]:
    """Return a tensor of zeros or empty strings in the protocol's JSON.

    The data are flat. Every free extent is 1.
    """
    sample = spec.sample() if with_data else None
    return {
        "name": spec.name,
        "datatype": spec.datatype,
        "shape": [1 if extent < 0 else extent for extent in spec.shape],
        **({} if sample is None else {"data": sample.reshape(-1).tolist()}),
    }


def sample_size(spec: TensorSpec) -> int:
    """Return the number of elements of a sample, without creating it."""
    size = 1
    for extent in spec.shape:
        size *= 1 if extent < 0 else extent
    return size


def median(distribution: Distribution) -> float | None:
    """Return the lower edge of the bin with the median.

    An edge is a value of the data itself. None for categories, and for a number without any value.
    """
    edges = distribution.edges or []
    if not edges:
        return None
    sums = np.cumsum(distribution.counts[:-1])
    index = int(np.searchsorted(sums, sums[-1] / 2))
    return edges[max(index - 1, 0)]


def _value(feature: TensorSpec, distribution: Distribution | None) -> Any:
    kind = feature.dtype.kind
    typical: Any = None
    if distribution is not None:
        is_number = distribution.is_number
        typical = median(distribution) if is_number else _most_frequent(distribution)
    if kind == "O":
        return "" if typical is None else str(typical)
    if kind == "b":
        return str(typical) in ("True", "1", "1.0")
    try:
        number = float(typical or 0)
    except ValueError:  # a category of a whole-number feature that is no number
        number = 0.0
    if kind == "f":
        number = float(f"{number:.6g}")
        return int(number) if number.is_integer() and abs(number) < 1e15 else number
    limits = np.iinfo(feature.dtype)
    return min(max(round(number), int(limits.min)), int(limits.max))


def _most_frequent(distribution: Distribution) -> str | None:
    categories = distribution.categories or []
    return max(zip(distribution.counts, categories, strict=False))[1] if categories else None
