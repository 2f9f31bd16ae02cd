"""JSON Schemas of single values and of tensors, by datatype and shape."""

from typing import Any

import numpy as np

from ..protocol.shared.infer_request import LARGEST_EXTENT
from ..signature import DTYPES, TensorSpec

Schema = dict[str, Any]


def object_of(**properties: Schema) -> Schema:
    """Return the schema of an object whose properties are all required."""
    return {"type": "object", "required": list(properties), "properties": properties}


def value(datatype: str, nullable: bool = False) -> Schema:
    """Return the schema of one value of a datatype.

    Args:
        nullable: accept null, for a missing value.
    """
    dtype = DTYPES[datatype]
    if dtype.kind == "b":
        return {"type": "boolean"}
    if dtype.kind == "O":
        return {"type": ["string", "null"] if nullable else "string"}
    if dtype.kind == "f":
        schema: Schema = {"type": ["number", "null"] if nullable else "number"}
        return schema | _float_limits(dtype)
    limits = np.iinfo(dtype)
    # OpenAPI has no formats for other widths, so these have only limits.
    named = {"INT32": {"format": "int32"}, "INT64": {"format": "int64"}}.get(datatype, {})
    return {"type": "integer", "minimum": int(limits.min), "maximum": int(limits.max), **named}


def _float_limits(dtype: np.dtype) -> Schema:
    """Return the limits of a float type.

    Numbers that round to the largest number of the type still fit.
    """
    if dtype.itemsize == 8:
        return {"format": "double"}
    info = np.finfo(dtype)
    limit = (2 - 2.0 ** -(info.nmant + 1)) * 2.0 ** (info.maxexp - 1)
    named = {"format": "float"} if dtype.itemsize == 4 else {}
    return {"exclusiveMinimum": -limit, "exclusiveMaximum": limit, **named}


def shape(spec: TensorSpec) -> Schema:
    """Return the schema of a tensor's shape in a request."""
    extents = [
        {"type": "integer", "minimum": 0, "maximum": LARGEST_EXTENT}
        if extent < 0
        else {"const": extent}
        for extent in spec.shape
    ]
    rank = len(extents)
    ranks = {"type": "array", "minItems": rank, "maxItems": rank}
    return ranks | ({"prefixItems": extents} if extents else {})


def data(spec: TensorSpec) -> Schema:
    """Return the schema of a tensor's data in a request: flat, or nested."""
    # Null is NaN, which strings do not have.
    element = value(spec.datatype, nullable=spec.dtype.kind == "f")
    flat = {"type": "array", "items": element}
    if len(spec.shape) < 2:
        return flat
    # If the tensor has no elements, it may have no inner arrays either.
    return {"anyOf": [flat, nested(element, spec.shape, may_be_empty=-1 in spec.shape)]}


def nested(element: Schema, extents: tuple[int, ...], may_be_empty: bool = False) -> Schema:
    """Return the schema of nested arrays, one level for each extent."""
    schema = element
    for extent in reversed(extents):
        schema = {"type": "array", "items": schema}
        if extent >= 0:
            schema |= {"maxItems": extent} | ({} if may_be_empty else {"minItems": extent})
    return schema
