"""Responses of PredictionService.GetModelMetadata and ModelService.GetModelStatus."""

from collections.abc import Sequence
from typing import Any

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.messages import quoted
from ..shared.protobuf import parse, to_bytes
from ..shared.tensorflow import DATA_TYPES, DEFAULT_SIGNATURE, VERSION, State
from .model_spec import check_model, model_spec
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
    """Return a GetModelMetadataResponse with the model's signature.

    Raises:
        BadRequestError: if the message is no GetModelMetadataRequest, or is about other metadata.
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
    for infos, tensors in ((signature.inputs, inputs), (signature.outputs, outputs)):
        for tensor in tensors:
            _fill(infos[tensor.name], tensor)
    response = _MetadataResponse(model_spec=model_spec(name))
    response.metadata[SIGNATURE_DEF].Pack(signatures)
    return to_bytes(response)


def get_model_status(message: bytes, name: str, state: State) -> bytes:
    """Return a GetModelStatusResponse.

    Raises:
        BadRequestError: if the message is no GetModelStatusRequest.
        NotFoundError: for another model or version.
    """
    request = parse(_StatusRequest, message)
    check_model(request.model_spec, name)
    response = _StatusResponse()
    status = response.model_version_status.add(version=int(VERSION), state=state.value)
    status.status.SetInParent()
    return to_bytes(response)


def _fill(info: Any, tensor: TensorSpec) -> None:
    info.name = tensor.name
    info.dtype = DATA_TYPES[tensor.datatype]
    info.tensor_shape.SetInParent()
    for extent in tensor.shape:
        info.tensor_shape.dim.add(size=extent)
