"""What v1 tells about a model: the bodies of its ``GET`` paths."""

from collections.abc import Sequence
from enum import StrEnum

import orjson

from ...signature import TensorSpec
from ..shared.tensorflow import DATA_TYPES
from .request import DEFAULT_SIGNATURE

VERSION = "1"
"""Of every model: TensorFlow Serving's versions are numbers, and one process serves one."""


class State(StrEnum):
    """How far a model is, as TensorFlow Serving names it."""

    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


def models_body(name: str) -> bytes:
    """Of ``/v1/models``."""
    return orjson.dumps({"models": [name]})


def model_body(name: str, state: State) -> bytes:
    """Of ``/v1/models/NAME``; KServe's clients read ``ready``, TensorFlow Serving's the rest."""
    status = {
        "version": VERSION,
        "state": state,
        "status": {"error_code": "OK", "error_message": ""},
    }
    return orjson.dumps(
        {"name": name, "ready": state is State.AVAILABLE, "model_version_status": [status]}
    )


def metadata_body(name: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> bytes:
    """Of ``/v1/models/NAME/metadata``."""
    signature = {
        "inputs": {tensor.name: _tensor_info(tensor) for tensor in inputs},
        "outputs": {tensor.name: _tensor_info(tensor) for tensor in outputs},
        "method_name": "tensorflow/serving/predict",
    }
    return orjson.dumps(
        {
            "model_spec": {"name": name, "signature_name": "", "version": VERSION},
            "metadata": {"signature_def": {"signature_def": {DEFAULT_SIGNATURE: signature}}},
        }
    )


def _tensor_info(tensor: TensorSpec) -> dict[str, object]:
    return {
        "dtype": DATA_TYPES[tensor.datatype].name,
        "tensor_shape": {
            "dim": [{"size": str(extent), "name": ""} for extent in tensor.shape],
            "unknown_rank": False,
        },
        "name": tensor.name,
    }
