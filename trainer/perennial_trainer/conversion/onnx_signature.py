"""Inputs and outputs of an ONNX model of any kind."""

from typing import Any

from perennial_contracts.wire.bundle import Tensor
from perennial_contracts.wire.outcome import LoadFailure

from ..errors import StepError
from ..model.onnx_model import ERRORS, SignatureError
from ..model.onnx_model import describe as describe_node
from ..model.sessions import open_session


def describe(model: bytes) -> tuple[list[Tensor], list[Tensor]]:
    """Return the inputs and the outputs.

    Raises:
        StepError: UnsupportedModel if ONNX Runtime cannot load the model, or one of them is not a
            tensor.
    """
    try:
        session = open_session(model)
    except ERRORS as error:
        raise StepError(
            LoadFailure.UNSUPPORTED_MODEL, f"ONNX Runtime cannot load the model: {error}"
        ) from error
    return (
        [_tensor(node) for node in session.get_inputs()],
        [_tensor(node) for node in session.get_outputs()],
    )


def _tensor(node: Any) -> Tensor:
    try:
        tensor = describe_node(node)
    except SignatureError as error:
        raise StepError(LoadFailure.UNSUPPORTED_MODEL, str(error)) from error
    shape = [extent if extent > 0 else -1 for extent in tensor.shape]
    return tensor.model_copy(update={"shape": shape})
