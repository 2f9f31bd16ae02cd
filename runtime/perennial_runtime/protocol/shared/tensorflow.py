"""TensorFlow Serving's vocabulary, which its REST and gRPC APIs share."""

from enum import IntEnum, StrEnum
from typing import Any

from ...errors import BadRequestError
from .messages import brief, listing

DEFAULT_SIGNATURE = "serving_default"
VERSION = "1"
"""Version of every model: TensorFlow Serving's are numbers, and a process serves only one."""


class State(StrEnum):
    """States of a model, as TensorFlow Serving names them."""

    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


class DataType(IntEnum):
    """Element types of TensorFlow's ``DataType`` that models can have here."""

    DT_FLOAT = 1
    DT_DOUBLE = 2
    DT_INT32 = 3
    DT_UINT8 = 4
    DT_INT16 = 5
    DT_INT8 = 6
    DT_STRING = 7
    DT_INT64 = 9
    DT_BOOL = 10
    DT_UINT16 = 17
    DT_HALF = 19
    DT_UINT32 = 22
    DT_UINT64 = 23


DATA_TYPES = {
    "BOOL": DataType.DT_BOOL,
    "UINT8": DataType.DT_UINT8,
    "UINT16": DataType.DT_UINT16,
    "UINT32": DataType.DT_UINT32,
    "UINT64": DataType.DT_UINT64,
    "INT8": DataType.DT_INT8,
    "INT16": DataType.DT_INT16,
    "INT32": DataType.DT_INT32,
    "INT64": DataType.DT_INT64,
    "FP16": DataType.DT_HALF,
    "FP32": DataType.DT_FLOAT,
    "FP64": DataType.DT_DOUBLE,
    "BYTES": DataType.DT_STRING,
}
"""TensorFlow's element type of each datatype of the Open Inference Protocol."""


def check_signature(name: Any, *more_signatures: str) -> None:
    """Check a request's signature name: an ONNX model has only one signature.

    Raises:
        BadRequestError: for a name other than the default or ``more_signatures``.
    """
    accepted = (DEFAULT_SIGNATURE, *more_signatures)
    if name not in (*accepted, ""):
        raise BadRequestError(
            f"signature_name: expected none or {listing(map(brief, accepted))}, "
            f"got {brief(name)}. A model has only one signature. Fix: leave the name out"
        )
