"""TensorFlow's names and numbers of element types."""

from enum import IntEnum


class DataType(IntEnum):
    """TensorFlow's ``DataType``, as far as models here have them."""

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
"""By the Open Inference Protocol's name."""
