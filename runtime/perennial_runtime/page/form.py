"""The form that sends a request to the model; it begins with a request that works."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perennial_contracts.wire.names import HTTP_PORT
from perennial_contracts.wire.profile import Distribution, Profile

from ..samples import MANY_ELEMENTS, sample_row, sample_size, sample_tensor
from ..signature import TensorSpec, is_tabular

MANY_FEATURES = 60
"""Number of features from which a row is written as JSON, without a field for each feature."""
KINDS = {"f": "number", "i": "integer", "u": "integer", "b": "boolean", "O": "text"}
LOCAL = f"http://localhost:{HTTP_PORT}/"
"""Address in the command; the script replaces it by the address of the page."""


@dataclass(frozen=True)
class Field:
    """A field for one feature of a row."""

    id: str
    name: str
    datatype: str
    kind: str
    value: object
    suggestions: Sequence[str] = ()
    """Categories of the profile."""
    attributes: Mapping[str, object] = field(default_factory=dict)
    """Type and limits of the HTML input."""
    required: bool = False


@dataclass(frozen=True)
class Form:
    """The form and the command that sends the same request."""

    path: str
    """Path of the request, relative to the page."""
    command: str
    hint: str
    fields: Sequence[Field] = ()
    """Empty if the request is written as JSON."""
    request: str = ""


def form(model_path: str, inputs: Sequence[TensorSpec], profile: Profile | None) -> Form:
    """Build the form; ``model_path`` is relative to the page."""
    if is_tabular(inputs):
        row = sample_row(inputs, profile)
        request: dict[str, Any] = {"instances": [row]}
        path = f"{model_path}/predict"
        if len(inputs) < MANY_FEATURES:
            hint = "Leave a field empty for a missing value. " if _can_miss(inputs) else ""
            return Form(path, _command(path, request), hint, _fields(inputs, row, profile))
        return Form(path, _command(path, request), "", request=_text(request))
    is_large = sum(map(sample_size, inputs)) >= MANY_ELEMENTS
    request = {"inputs": [sample_tensor(spec, with_data=not is_large) for spec in inputs]}
    path = f"{model_path}/infer"
    hint = "If a tensor has no data, zeros are sent. " if is_large else ""
    return Form(path, _command(path, request), hint, request=_text(request))


def _can_miss(inputs: Sequence[TensorSpec]) -> bool:
    return any(tensor.dtype.kind in "fO" for tensor in inputs)


def _command(path: str, request: dict[str, Any]) -> str:
    return f"curl {LOCAL}{path} -d {shlex.quote(json.dumps(request))}"


def _text(request: dict[str, Any]) -> str:
    """Format a request as JSON with one tensor, or one row, per line."""
    key, entries = next(iter(request.items()))
    lines = ",\n  ".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    return f'{{"{key}": [\n  {lines}\n]}}'


def _fields(
    inputs: Sequence[TensorSpec], row: dict[str, Any], profile: Profile | None
) -> list[Field]:
    seen = {each.name: each for each in profile.features} if profile else {}
    return [
        _field(f"f{index}", tensor, row[tensor.name], seen.get(tensor.name))
        for index, tensor in enumerate(inputs)
    ]


def _field(id_: str, tensor: TensorSpec, value: Any, seen: Distribution | None) -> Field:
    kind = KINDS[tensor.dtype.kind]
    if kind == "boolean":
        return Field(id_, tensor.name, tensor.datatype, kind, json.dumps(value))
    attributes: dict[str, object] = {"type": "text", "placeholder": "missing"}
    if kind == "number":
        attributes = {"type": "number", "step": "any", "placeholder": "missing"}
    elif kind == "integer":
        limits = np.iinfo(tensor.dtype)
        attributes = {"type": "number", "step": 1}
        if tensor.dtype.itemsize < 8:  # a browser compares larger numbers with too few digits
            attributes |= {"min": limits.min, "max": limits.max}
        elif tensor.dtype.kind == "u":
            attributes |= {"min": 0}
    suggestions = (seen.categories or ()) if seen else ()
    return Field(
        id_, tensor.name, tensor.datatype, kind, value, suggestions, attributes, kind == "integer"
    )
