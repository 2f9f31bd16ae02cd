"""JSON Schemas of single values and of tensors, by datatype and shape."""

from typing import Any

import numpy as np

from ..signature import DTYPES, TensorSpec

Schema = dict[str, Any]

LARGEST_EXTENT = 2**31 - 1


def value(datatype: str, nullable: bool = False) -> Schema:
    """One value of a datatype as JSON has it; null is a missing one where that is possible."""
    dtype = DTYPES[datatype]
    if dtype.kind == "b":
        return {"type": "boolean"}
    if dtype.kind == "O":
        return {"type": ["string", "null"] if nullable else "string"}
    if dtype.kind == "f":
        schema: Schema = {"type": ["number", "null"] if nullable else "number"}
        return schema | _float_limits(dtype)
    limits = np.iinfo(dtype)
    # Other widths are no formats of OpenAPI; the limits say them.
    named = {"INT32": {"format": "int32"}, "INT64": {"format": "int64"}}.get(datatype, {})
    return {"type": "integer", "minimum": int(limits.min), "maximum": int(limits.max), **named}


def _float_limits(dtype: np.dtype) -> Schema:
    """Numbers are rounded to the type: up to half a step above its largest one they fit."""
    if dtype.itemsize == 8:
        return {"format": "double"}
    info = np.finfo(dtype)
    limit = (2 - 2.0 ** -(info.nmant + 1)) * 2.0 ** (info.maxexp - 1)
    named = {"format": "float"} if dtype.itemsize == 4 else {}
    return {"exclusiveMinimum": -limit, "exclusiveMaximum": limit, **named}


def shape(spec: TensorSpec) -> Schema:
    """The shape of a tensor that a request has: every extent that is not free is the model's."""
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
    """The data of a tensor that a request has, flat in row-major order, or nested as its shape."""
    # Null is NaN; among strings there is none.
    element = value(spec.datatype, nullable=spec.dtype.kind == "f")
    flat = {"type": "array", "items": element}
    if len(spec.shape) < 2:
        return flat
    # Where there is no element at all, inner arrays may be missing as well.
    return {"anyOf": [flat, nested(element, spec.shape, may_be_empty=-1 in spec.shape)]}


def nested(element: Schema, extents: tuple[int, ...], may_be_empty: bool = False) -> Schema:
    """Arrays within arrays, as deep as there are extents."""
    schema = element
    for extent in reversed(extents):
        schema = {"type": "array", "items": schema}
        if extent >= 0:
            schema |= {"maxItems": extent} | ({} if may_be_empty else {"minItems": extent})
    return schema
