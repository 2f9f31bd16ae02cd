"""Infer requests of the v2 protocol to arrays, and arrays to responses. No I/O.

Each tensor is JSON, or bytes after the JSON head (the binary tensor data extension).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.classification import classify
from ..shared.infer_request import (
    InferRequest,
    OutputForm,
    Signature,
    checked_shape,
    wrong_input,
)
from ..shared.layout import Layout, RepeatFilter
from ..shared.messages import brief
from .binary import EMPTY, Tail, decode_whole
from .header import HEADER
from .json_memo import JsonMemo
from .response import V2ResponseWriter
from .tensor_json import decode_data

_MAX_HEADS = 64
_MAX_HEAD_BYTES = 16 * 1024
_BINARY = OutputForm(binary=True)


class V2Codec:
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
        self._writer = V2ResponseWriter(name, version, outputs)
        self._signature = Signature(inputs, outputs)
        self._labels = labels or {}
        self._repeats = RepeatFilter()
        self._layouts: dict[bytes, tuple[int, Layout]] = {}
        """Length of the body and layout, by head."""
        self._memo = JsonMemo(self._signature.inputs)

    def decode(self, body: bytes | memoryview, header_length: int | None = None) -> InferRequest:
        """Read the body of an infer request.

        Args:
            body: bytes; may be a view if there is a ``header_length``.
            header_length: number of bytes of the JSON head, before the binary tensors. None: the
                body is all JSON. 0: the body is the data of the model's only input.

        Raises:
            BadRequestError: with the tensor, and the expected and actual content.
        """
        if header_length is None:
            return self._all_json(bytes(body))
        if header_length == 0:
            return self._raw(body)
        if not 0 < header_length <= len(body):
            raise BadRequestError(
                f"{HEADER}: expected a length within the body's {len(body)} bytes, "
                f"got {header_length}"
            )
        head = bytes(body[:header_length])
        entry = self._layouts.get(head)
        if entry is not None and entry[0] == len(body):
            layout = entry[1]
            return InferRequest(layout.feeds(body), layout.outputs, None, layout.forms)
        tail = Tail(body, header_length)
        request = self._parse(head, tail)
        if tail.spans and len(tail.spans) == len(request.feeds) and request.id is None:
            self._learn(head, len(body), Layout(tail.spans, request.outputs, request.forms))
        return request

    def _all_json(self, body: bytes) -> InferRequest:
        request = self._memo.recall(body)
        if request is None:
            request = self._parse(body, EMPTY)
            self._memo.learn(body, request)
        return request

    def _parse(self, head: bytes, tail: Tail) -> InferRequest:
        request = _object(head)
        entries = request.get("inputs")
        if type(entries) is not list:
            raise BadRequestError(f"inputs: expected an array of tensors, got {brief(entries)}")
        signature = self._signature
        has_booleans = b"true" in head or b"false" in head
        feeds: dict[str, np.ndarray] = {}
        for entry in entries:
            spec = signature.input(entry.get("name") if type(entry) is dict else None, feeds)
            feeds[spec.name] = _tensor(spec, entry, tail, has_booleans)
        signature.check_complete(feeds)
        tail.check_used()
        request_id = request.get("id")
        if request_id is not None and type(request_id) is not str:
            raise BadRequestError(f"id: expected a string, got {brief(request_id)}")
        outputs, forms = self._requested(request)
        return InferRequest(feeds, outputs, request_id, forms)

    def _learn(self, head: bytes, length: int, layout: Layout) -> None:
        """Remember a head that came before, without an id and with only binary tensors."""
        if len(head) <= _MAX_HEAD_BYTES and self._repeats.is_repeat(hash(head)):
            if len(self._layouts) >= _MAX_HEADS:
                self._layouts.clear()
            self._layouts[head] = (length, layout)

    def _raw(self, body: bytes | memoryview) -> InferRequest:
        """Read a body without a head. Its size gives the shape of the input."""
        signature = self._signature
        if len(signature.inputs) != 1:
            raise BadRequestError(
                f"{HEADER}: expected the length of the JSON head, got 0. Only a model with one "
                f"input takes a body without a head; this one has {len(signature.inputs)}"
            )
        (spec,) = signature.inputs.values()
        feeds = {spec.name: decode_whole(spec, body)}
        outputs = signature.all_outputs
        return InferRequest(feeds, outputs, None, (_BINARY,) * len(outputs))

    def _requested(
        self, request: Mapping[str, Any]
    ) -> tuple[Sequence[str], Sequence[OutputForm] | None]:
        binary = _parameters("parameters", request).get("binary_data_output", False)
        if type(binary) is not bool:
            raise BadRequestError(
                f"parameters: binary_data_output: expected true or false, got {brief(binary)}"
            )
        entries = request.get("outputs")
        if entries is None or entries == []:
            names = self._signature.all_outputs
            return names, (_BINARY,) * len(names) if binary else None
        if type(entries) is not list:
            raise BadRequestError(f"outputs: expected an array, got {brief(entries)}")
        return self._signature.requested(
            (
                (entry.get("name"), _parameters("outputs: parameters", entry, entry.get("name")))
                if type(entry) is dict
                else (None, {})
                for entry in entries
            ),
            binary,
        )

    def encode(
        self, request: InferRequest, results: Sequence[np.ndarray]
    ) -> tuple[bytes, int | None]:
        """Return the body of the response, and the length of its JSON head.

        The length is None if the body is all JSON, without binary tensors.
        """
        if request.forms is None:
            return self._writer.write(request.id, request.outputs, results)
        values = [
            classify(result, form.classes, self._labels.get(name, ())) if form.classes else result
            for name, form, result in zip(request.outputs, request.forms, results, strict=True)
        ]
        binary = [form.binary for form in request.forms]
        return self._writer.write(request.id, request.outputs, values, binary)


def _object(head: bytes) -> dict[str, Any]:
    try:
        request = orjson.loads(head)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"body: expected JSON, got an error: {error}") from None
    if type(request) is not dict:
        raise BadRequestError(f"body: expected an object, got {brief(request)}")
    return request


def _tensor(
    spec: TensorSpec, entry: Mapping[str, Any], tail: Tail, has_booleans: bool
) -> np.ndarray:
    datatype = entry.get("datatype")
    if datatype != spec.datatype:
        raise wrong_input(spec, f"datatype: expected {spec.datatype}, got {brief(datatype)}")
    shape = entry.get("shape")
    if type(shape) is not list:
        raise wrong_input(spec, f"shape: expected {list(spec.shape)}, got {brief(shape)}")
    extents = checked_shape(spec, shape)
    data = entry.get("data")
    parameters = _parameters("inputs: parameters", entry, spec.name)
    if "binary_data_size" in parameters:
        if data is not None:
            raise wrong_input(spec, "data: expected none beside binary_data_size, got both")
        return tail.tensor(spec, extents, parameters["binary_data_size"])
    if type(data) is not list:
        hint = ". Shared memory is not supported" if "shared_memory_region" in parameters else ""
        raise wrong_input(
            spec, f"data: expected an array, or binary_data_size, got {brief(data)}{hint}"
        )
    return decode_data(spec, extents, data, may_hold_booleans=has_booleans)


def _parameters(field: str, owner: Mapping[str, Any], name: Any = None) -> Mapping[str, Any]:
    parameters = owner.get("parameters")
    if parameters is None:
        return {}
    if type(parameters) is not dict:
        of = f" of {name!r}" if name is not None else ""
        raise BadRequestError(f"{field}{of}: expected an object, got {brief(parameters)}")
    return parameters
