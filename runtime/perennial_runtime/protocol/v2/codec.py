"""The Open Inference Protocol v2 over REST: requests to arrays, arrays to responses. No I/O.

Tensors are JSON, or bytes after the JSON head (the binary tensor data extension), each as it likes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.classification import classify
from ..shared.infer_request import Signature, checked_shape, wrong_input
from ..shared.layout import Layout, Seen
from ..shared.messages import brief
from ..shared.request import InferRequest, OutputForm
from .binary import EMPTY, Tail
from .header import HEADER
from .json_memo import JsonMemo
from .response import ResponseWriter
from .tensor_json import decode_data
from .whole_body import decode_whole

_REMEMBERED_HEADS = 64
_REMEMBERED_BYTES = 16 * 1024
"""Of one head."""
_BINARY = OutputForm(binary=True)


class Codec:
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
        self._writer = ResponseWriter(name, version, outputs)
        self._signature = Signature(inputs, outputs)
        self._labels = labels or {}
        self._seen = Seen()
        self._known: dict[bytes, tuple[int, Layout]] = {}
        self._memo = JsonMemo(self._signature.inputs)

    def decode(self, body: bytes | memoryview, header_length: int | None = None) -> InferRequest:
        """Reads the body of an infer request.

        Args:
            body: a view only together with ``header_length``.
            header_length: bytes of JSON at the body's beginning, where binary tensors may follow;
                None: it is all JSON. 0: it is all data, of the model's only input.

        Raises:
            BadRequestError: naming the tensor, what was expected, and what came.
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
        known = self._known.get(head)
        if known is not None and known[0] == len(body):
            layout = known[1]
            return InferRequest(layout.feeds(body), layout.outputs, None, layout.forms)
        tail = Tail(body, header_length)
        request = self._parse(head, tail)
        if tail.places and len(tail.places) == len(request.feeds) and request.id is None:
            self._learn(head, len(body), Layout(tail.places, request.outputs, request.forms))
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
        identity = request.get("id")
        if identity is not None and type(identity) is not str:
            raise BadRequestError(f"id: expected a string, got {brief(identity)}")
        outputs, forms = self._wanted(request)
        return InferRequest(feeds, outputs, identity, forms)

    def _learn(self, head: bytes, length: int, layout: Layout) -> None:
        """Remembers a head without an id, all of whose tensors follow it."""
        if len(head) <= _REMEMBERED_BYTES and self._seen.again(hash(head)):
            if len(self._known) >= _REMEMBERED_HEADS:
                self._known.clear()
            self._known[head] = (length, layout)

    def _raw(self, body: bytes | memoryview) -> InferRequest:
        """A body without a head. The input's shape follows from its size."""
        signature = self._signature
        if len(signature.inputs) != 1:
            raise BadRequestError(
                f"{HEADER}: expected the length of the JSON head, for only a model with one input "
                f"can go without; this one has {len(signature.inputs)}. Got 0"
            )
        (spec,) = signature.inputs.values()
        feeds = {spec.name: decode_whole(spec, body)}
        outputs = signature.all_outputs
        return InferRequest(feeds, outputs, None, (_BINARY,) * len(outputs))

    def _wanted(
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
        return self._signature.wanted(
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
        """The body of the response, and the length of its JSON head.

        The length is None where no binary tensors follow the head, and the body is all JSON.
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
        hint = "; shared memory is not supported" if "shared_memory_region" in parameters else ""
        raise wrong_input(
            spec, f"data: expected an array, or binary_data_size, got {brief(data)}{hint}"
        )
    return decode_data(spec, extents, data, may_hold_booleans=has_booleans)


def _parameters(where: str, owner: Mapping[str, Any], name: Any = None) -> Mapping[str, Any]:
    parameters = owner.get("parameters")
    if parameters is None:
        return {}
    if type(parameters) is not dict:
        of = f" of {name!r}" if name is not None else ""
        raise BadRequestError(f"{where}{of}: expected an object, got {brief(parameters)}")
    return parameters
