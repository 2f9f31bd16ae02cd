"""Tensors in typed contents: elements as protobuf's own numbers and bytes. No I/O."""

from typing import Any

import numpy as np

from ...signature import TensorSpec
from ..shared.infer_request import count_elements, wrong_input
from ..shared.tensor_binary import decode_texts

FIELDS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""Which field has the elements, by datatype."""


def decode_contents(spec: TensorSpec, shape: tuple[int, ...], contents: Any) -> np.ndarray:
    """Reads one tensor.

    Args:
        shape: a checked one.
        contents: an InferTensorContents.

    Raises:
        BadRequestError: naming the tensor, what was expected, and what came.
    """
    count = count_elements(spec, shape)
    field = FIELDS.get(spec.datatype)
    if field is None:
        raise wrong_input(
            spec, f"contents: {spec.datatype} has no field there. Send raw_input_contents"
        )
    elements = getattr(contents, field)
    if len(elements) != count or len(contents.ListFields()) > (count > 0):
        found = [f"{len(value)} in {known.name}" for known, value in contents.ListFields()]
        raise wrong_input(
            spec,
            f"contents: expected {count} elements in {field} for {spec.datatype} of shape "
            f"{list(shape)}, and no others, got {', '.join(found) or 'none'}",
        )
    if spec.datatype == "BYTES":
        return decode_texts(spec, shape, elements)
    dtype = spec.dtype
    if dtype.kind in "iu" and dtype.itemsize < 4 and count:
        limits = np.iinfo(dtype)
        low, high = min(elements), max(elements)
        if low < limits.min or high > limits.max:
            raise wrong_input(
                spec,
                f"contents: expected numbers from {limits.min} to {limits.max}, "
                f"got {low if low < limits.min else high}",
            )
    return np.array(list(elements), dtype).reshape(shape)
