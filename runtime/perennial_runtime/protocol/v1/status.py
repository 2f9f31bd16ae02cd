"""Bodies of the v1 responses that do not run the model: model status and metadata."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson

from ..shared.tensorflow import DATA_TYPES, DEFAULT_SIGNATURE, VERSION, State

if TYPE_CHECKING:  # imports NumPy, which happens when the server is already live
    from ...signature import TensorSpec


def models_body(name: str) -> bytes:
    """Return the body of ``/v1/models``."""
    return orjson.dumps({"models": [name]})


def model_body(name: str, state: State) -> bytes:
    """Return the body of ``/v1/models/NAME``.

    KServe's clients read ``ready``, TensorFlow Serving's the rest.
    """
    status = {
        "version": VERSION,
        "state": state,
        "status": {"error_code": "OK", "error_message": ""},
    }
    return orjson.dumps(
        {"name": name, "ready": state is State.AVAILABLE, "model_version_status": [status]}
    )


def metadata_body(
    name: str, inputs: "Sequence[TensorSpec]", outputs: "Sequence[TensorSpec]"
) -> bytes:
    """Return the body of ``/v1/models/NAME/metadata``."""
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


def _tensor_info(tensor: "TensorSpec") -> dict[str, object]:
    return {
        "dtype": DATA_TYPES[tensor.datatype].name,
        "tensor_shape": {
            "dim": [{"size": str(extent), "name": ""} for extent in tensor.shape],
            "unknown_rank": False,
        },
        "name": tensor.name,
    }
