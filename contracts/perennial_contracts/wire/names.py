"""Names and numbers that two programs share: outputs, datatypes, port, exit code.

The runtime, the trainer and the operator import them from here. A change breaks bundles, clients
and running clusters, so each of them is covered by a golden test.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
    "FP16", "FP32", "FP64", "BYTES",
]  # fmt: skip
"""Tensor element types, as the Open Inference Protocol v2 names them."""

LABEL = "label"
"""Output of a classifier: the predicted class, one for each row."""
PROBABILITIES = "probabilities"
"""Output of a classifier: a probability for each class, in the order of ``Bundle.labels``."""
PREDICTION = "prediction"
"""Output of a regression model: one number for each row."""

NUMPY_DTYPES: Mapping[Datatype, str] = MappingProxyType(
    {
        "BOOL": "bool",
        "UINT8": "uint8",
        "UINT16": "uint16",
        "UINT32": "uint32",
        "UINT64": "uint64",
        "INT8": "int8",
        "INT16": "int16",
        "INT32": "int32",
        "INT64": "int64",
        "FP16": "float16",
        "FP32": "float32",
        "FP64": "float64",
        "BYTES": "object",
    }
)
"""NumPy dtype of each datatype. BYTES tensors hold Python strings."""
DATATYPES_BY_ONNX_TYPE: Mapping[str, Datatype] = MappingProxyType(
    {
        "bool": "BOOL",
        "uint8": "UINT8",
        "uint16": "UINT16",
        "uint32": "UINT32",
        "uint64": "UINT64",
        "int8": "INT8",
        "int16": "INT16",
        "int32": "INT32",
        "int64": "INT64",
        "float16": "FP16",
        "float": "FP32",
        "double": "FP64",
        "string": "BYTES",
    }
)
"""Datatype of each element type of ONNX Runtime: ``float`` for a ``tensor(float)``."""

HTTP_PORT = 8080
"""Default port of the runtime, for HTTP and gRPC."""
RETRY_EXIT_CODE = 3
"""Exit code of a program whose failure may go away on a retry, such as a store that is down."""
