"""PredictionService.GetModelMetadata and ModelService.GetModelStatus."""

from collections.abc import Sequence
from typing import Any

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.messages import quoted
from ..shared.protobuf import parse, to_bytes
from ..shared.tensorflow import DATA_TYPES
from ..v1.request import DEFAULT_SIGNATURE
from ..v1.status import VERSION, State
from .model_spec import answered_model, check_model
from .schema import message_class

_MetadataRequest = message_class("tensorflow.serving.GetModelMetadataRequest")
_MetadataResponse = message_class("tensorflow.serving.GetModelMetadataResponse")
_SignatureDefMap = message_class("tensorflow.serving.SignatureDefMap")
_StatusRequest = message_class("tensorflow.serving.GetModelStatusRequest")
_StatusResponse = message_class("tensorflow.serving.GetModelStatusResponse")

SIGNATURE_DEF = "signature_def"


def get_model_metadata(
    message: bytes, name: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> bytes:
    """Answers a GetModelMetadataRequest with the model's signature.

    Raises:
        BadRequestError: where the message is none, or asks for other metadata.
        NotFoundError: for another model or version.
    """
    request = parse(_MetadataRequest, message)
    check_model(request.model_spec, name)
    fields = list(request.metadata_field)
    if set(fields) != {SIGNATURE_DEF}:
        raise BadRequestError(
            f"metadata_field: expected {SIGNATURE_DEF!r}, got {quoted(fields) or 'none'}"
        )
    signatures = _SignatureDefMap()
    signature = signatures.signature_def[DEFAULT_SIGNATURE]
    signature.method_name = "tensorflow/serving/predict"
    for described, tensors in ((signature.inputs, inputs), (signature.outputs, outputs)):
        for tensor in tensors:
            _describe(described[tensor.name], tensor)
    response = _MetadataResponse(model_spec=answered_model(name))
    response.metadata[SIGNATURE_DEF].Pack(signatures)
    return to_bytes(response)


def get_model_status(message: bytes, name: str, state: State) -> bytes:
    """Answers a GetModelStatusRequest.

    Raises:
        BadRequestError: where the message is none.
        NotFoundError: for another model or version.
    """
    request = parse(_StatusRequest, message)
    check_model(request.model_spec, name)
    response = _StatusResponse()
    status = response.model_version_status.add(version=int(VERSION), state=state.value)
    status.status.SetInParent()
    return to_bytes(response)


def _describe(info: Any, tensor: TensorSpec) -> None:
    info.name = tensor.name
    info.dtype = DATA_TYPES[tensor.datatype]
    info.tensor_shape.SetInParent()
    for extent in tensor.shape:
        info.tensor_shape.dim.add(size=extent)
