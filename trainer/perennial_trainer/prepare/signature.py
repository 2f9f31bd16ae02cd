"""What an ONNX model takes and gives, whatever kind of model it is."""

from typing import Any

from perennial_contracts.bundle import Tensor
from perennial_contracts.outcome import LoadFailure

from ..errors import StepError
from ..onnx_model import DATATYPES, ERRORS
from ..sessions import open_session


def describe(model: bytes) -> tuple[list[Tensor], list[Tensor]]:
    """Inputs and outputs.

    Raises:
        StepError: UnsupportedModel, where ONNX Runtime cannot load it or one of them is no tensor.
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
    element = node.type.removeprefix("tensor(").removesuffix(")")
    if element not in DATATYPES:
        raise StepError(
            LoadFailure.UNSUPPORTED_MODEL, f"{node.name}: expected a tensor, got {node.type}"
        )
    shape = [extent if isinstance(extent, int) and extent > 0 else -1 for extent in node.shape]
    return Tensor(name=node.name, datatype=DATATYPES[element], shape=shape)
