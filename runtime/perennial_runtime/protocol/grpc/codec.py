"""ModelInfer: requests to arrays, arrays to responses. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.classification import classify
from ..shared.infer_request import (
    InferRequest,
    OutputForm,
    Signature,
    checked_shape,
    count_elements,
    wrong_input,
)
from ..shared.layout import Layout, RepeatFilter, TensorSpan
from ..shared.messages import brief
from ..shared.protobuf import parse
from ..shared.tensor_binary import decode_binary, decode_texts
from .inference_service import check_model
from .memo import MessageMemo, payloads_of
from .response import GrpcResponseWriter
from .schema import message_class

_Request = message_class("inference.ModelInferRequest")

CONTENTS_FIELDS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""Field of InferTensorContents with the elements, by datatype."""


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
        """Create a codec.

        Args:
            labels: names of the classes, by the output that has a value for each class.
        """
        self._name = name
        self._version = version
        self._signature = Signature(inputs, outputs)
        self._labels = labels or {}
        self._repeats = RepeatFilter()
        self._memo = MessageMemo()
        self._writer = GrpcResponseWriter(name, version)

    def decode(self, message: bytes) -> InferRequest:
        """Read a ModelInferRequest.

        Raises:
            BadRequestError: with the tensor, and the expected and actual content.
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
        for index, tensor in enumerate(inputs):
            spec = signature.input(tensor.name, feeds)
            shape = _checked(spec, tensor)
            if not raw:
                feeds[spec.name] = _contents(spec, shape, tensor.contents)
                continue
            if tensor.HasField("contents") and tensor.contents.ListFields():
                raise wrong_input(spec, "contents: expected none beside raw_input_contents")
            data = raw[index]
            feeds[spec.name] = decode_binary(spec, shape, data, 0, len(data))
        signature.check_complete(feeds)
        names, forms = signature.all_outputs, None
        if request.outputs:
            names, forms = signature.requested(
                (output.name, _parameters(output.parameters)) for output in request.outputs
            )
        if raw and self._repeats.is_repeat(len(message)):
            self._learn(message, feeds, names, forms)
        return InferRequest(feeds, names, request.id or None, forms)

    def _learn(
        self,
        message: bytes,
        feeds: Mapping[str, np.ndarray],
        outputs: Sequence[str],
        forms: Sequence[OutputForm] | None,
    ) -> None:
        """Remember the form of a request with raw contents.

        Args:
            feeds: the tensors of the request, in the order of the message.
        """
        payloads = payloads_of(message)
        if payloads is None or len(payloads.raw) != len(feeds):
            return
        spans = [
            TensorSpan(self._signature.inputs[name], array.shape, start, end - start)
            for (name, array), (start, end) in zip(feeds.items(), payloads.raw, strict=True)
        ]
        self._memo.learn(message, payloads, Layout(spans, outputs, forms))

    def encode(self, request: InferRequest, results: Sequence[np.ndarray]) -> bytes:
        """Return a ModelInferResponse, with its tensors in raw_output_contents."""
        outputs: list[tuple[str, str, np.ndarray]] = []
        forms = request.forms
        for index, (name, result) in enumerate(zip(request.outputs, results, strict=True)):
            if forms is not None and forms[index].classes:
                texts = classify(result, forms[index].classes, self._labels.get(name, ()))
                outputs.append((name, "BYTES", texts))
            else:
                outputs.append((name, self._signature.outputs[name].datatype, result))
        return self._writer.write(request.id, outputs)


def _checked(spec: TensorSpec, tensor: Any) -> tuple[int, ...]:
    """Return the shape of an input, after checking its datatype."""
    if tensor.datatype != spec.datatype:
        raise wrong_input(
            spec, f"datatype: expected {spec.datatype}, got {brief(tensor.datatype or None)}"
        )
    if "shared_memory_region" in tensor.parameters:
        raise wrong_input(spec, "parameters: shared memory is not supported. Fix: send the data")
    return checked_shape(spec, tensor.shape)


def _parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters by name, as plain values."""
    return {
        name: getattr(value, value.WhichOneof("parameter_choice") or "bool_param")
        for name, value in parameters.items()
    }


def _contents(spec: TensorSpec, shape: tuple[int, ...], contents: Any) -> np.ndarray:
    """Read a tensor from typed contents: protobuf's own numbers and bytes.

    Args:
        shape: a checked shape.
        contents: an InferTensorContents.

    Raises:
        BadRequestError: with the tensor, and the expected and actual content.
    """
    count = count_elements(spec, shape)
    field = CONTENTS_FIELDS.get(spec.datatype)
    if field is None:
        raise wrong_input(
            spec, f"contents: no field for {spec.datatype}. Fix: send raw_input_contents"
        )
    elements = getattr(contents, field)
    if len(elements) != count or len(contents.ListFields()) > (count > 0):
        got = [f"{len(values)} in {other.name}" for other, values in contents.ListFields()]
        raise wrong_input(
            spec,
            f"contents: expected {count} elements in {field} for {spec.datatype} of shape "
            f"{list(shape)}, and no others, got {', '.join(got) or 'none'}",
        )
    if spec.datatype == "BYTES":
        return decode_texts(spec, shape, elements)
    dtype = spec.dtype
    if dtype.kind in "iu" and dtype.itemsize < 4 and count:
        limits = np.iinfo(dtype)
        low, high = min(elements), max(elements)
        if low < limits.min or high > limits.max:
            raise wrong_input(
                spec,
                f"contents: expected numbers from {limits.min} to {limits.max}, "
                f"got {low if low < limits.min else high}",
            )
    return np.array(list(elements), dtype).reshape(shape)
