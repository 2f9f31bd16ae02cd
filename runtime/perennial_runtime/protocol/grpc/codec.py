"""ModelInfer: requests to arrays, arrays to responses. No I/O.

Messages come and go without the five bytes that gRPC puts before them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.classification import classify
from ..shared.infer_request import Signature, checked_shape, wrong_input
from ..shared.layout import Layout, Place, Seen
from ..shared.messages import brief
from ..shared.protobuf import parse
from ..shared.request import InferRequest, OutputForm
from ..shared.tensor_binary import decode_binary
from .contents import decode_contents
from .memo import Memo, payloads_of
from .model_name import check_model
from .response import ResponseWriter
from .schema import message_class

_Request = message_class("inference.ModelInferRequest")


class GrpcCodec:
    """Translates for one model."""

    def __init__(
        self,
        name: str,
        version: str,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        labels: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """``labels`` names, by output, the classes in the order of the values of a row."""
        self._name = name
        self._version = version
        self._signature = Signature(inputs, outputs)
        self._labels = labels or {}
        self._seen = Seen()
        self._memo = Memo()
        self._writer = ResponseWriter(name, version)

    def decode(self, message: bytes) -> InferRequest:
        """Reads a ModelInferRequest.

        Raises:
            BadRequestError: naming the tensor, what was expected, and what came.
            NotFoundError: for another model or version.
        """
        return self._memo.recall(message) or self._parse(message)

    def _parse(self, message: bytes) -> InferRequest:
        request = parse(_Request, message)
        check_model(request.model_name, request.model_version, self._name, self._version)
        signature = self._signature
        raw = request.raw_input_contents
        inputs = request.inputs
        if raw and len(raw) != len(inputs):
            raise BadRequestError(
                f"raw_input_contents: expected one for each of the {len(inputs)} inputs, or none, "
                f"got {len(raw)}"
            )
        feeds: dict[str, np.ndarray] = {}
        for place, tensor in enumerate(inputs):
            spec = signature.input(tensor.name, feeds)
            shape = _checked(spec, tensor)
            if not raw:
                feeds[spec.name] = decode_contents(spec, shape, tensor.contents)
                continue
            if tensor.HasField("contents") and tensor.contents.ListFields():
                raise wrong_input(spec, "contents: expected none beside raw_input_contents")
            data = raw[place]
            feeds[spec.name] = decode_binary(spec, shape, data, 0, len(data))
        signature.check_complete(feeds)
        names, forms = signature.all_outputs, None
        if request.outputs:
            names, forms = signature.wanted(
                (output.name, _parameters(output.parameters)) for output in request.outputs
            )
        if raw and self._seen.again(len(message)):
            self._learn(message, feeds, names, forms)
        return InferRequest(feeds, names, request.id or None, forms)

    def _learn(
        self,
        message: bytes,
        feeds: Mapping[str, np.ndarray],
        outputs: Sequence[str],
        forms: Sequence[OutputForm] | None,
    ) -> None:
        """Remembers a request of raw contents, which were read into ``feeds``, in their order."""
        payloads = payloads_of(message)
        if payloads is None or len(payloads.raw) != len(feeds):
            return
        places = [
            Place(self._signature.inputs[name], array.shape, start, end - start)
            for (name, array), (start, end) in zip(feeds.items(), payloads.raw, strict=True)
        ]
        self._memo.learn(message, payloads, Layout(places, outputs, forms))

    def encode(self, request: InferRequest, results: Sequence[np.ndarray]) -> bytes:
        """A ModelInferResponse, its tensors in raw_output_contents."""
        outputs: list[tuple[str, str, np.ndarray]] = []
        forms = request.forms
        for place, (name, result) in enumerate(zip(request.outputs, results, strict=True)):
            if forms is not None and forms[place].classes:
                texts = classify(result, forms[place].classes, self._labels.get(name, ()))
                outputs.append((name, "BYTES", texts))
            else:
                outputs.append((name, self._signature.outputs[name].datatype, result))
        return self._writer.write(request.id, outputs)


def _checked(spec: TensorSpec, tensor: Any) -> tuple[int, ...]:
    """The shape of an input, and that its datatype is right."""
    if tensor.datatype != spec.datatype:
        raise wrong_input(
            spec, f"datatype: expected {spec.datatype}, got {brief(tensor.datatype or None)}"
        )
    if "shared_memory_region" in tensor.parameters:
        raise wrong_input(spec, "parameters: shared memory is not supported; send the data")
    return checked_shape(spec, tensor.shape)


def _parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters by name, as plain values."""
    return {
        name: getattr(value, value.WhichOneof("parameter_choice") or "bool_param")
        for name, value in parameters.items()
    }
