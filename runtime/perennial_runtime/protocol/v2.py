"""The Open Inference Protocol v2 over REST: requests to arrays, arrays to responses. No I/O.

Tensors are JSON, or bytes after the JSON head (the binary tensor data extension), each as it likes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from ..errors import BadRequestError
from ..signature import TensorSpec
from .classification import classify
from .messages import brief
from .request import InferRequest, OutputForm
from .signature import Signature, checked_shape, wrong_input
from .tensor_binary import decode_binary, encode_binary
from .tensor_json import decode_data, encode_data
from .whole_body import decode_whole

HEADER = "Inference-Header-Content-Length"
_PLAIN = OutputForm()
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
        self._head = {"model_name": name, "model_version": version}
        self._signature = Signature(inputs, outputs)
        self._labels = labels or {}

    def decode(self, body: bytes, header_length: int | None = None) -> InferRequest:
        """Reads the body of an infer request.

        Args:
            header_length: bytes of JSON at the body's beginning, where binary tensors may follow;
                None: it is all JSON. 0: it is all data, of the model's only input.

        Raises:
            BadRequestError: naming the tensor, what was expected, and what came.
        """
        if header_length == 0:
            return self._raw(body)
        request, binary = _split(body, header_length)
        entries = request.get("inputs")
        if type(entries) is not list:
            raise BadRequestError(f"inputs: expected an array of tensors, got {brief(entries)}")
        signature = self._signature
        feeds: dict[str, np.ndarray] = {}
        for entry in entries:
            spec = signature.input(entry.get("name") if type(entry) is dict else None, feeds)
            feeds[spec.name] = _tensor(spec, entry, binary)
        signature.check_complete(feeds)
        binary.check_used()
        identity = request.get("id")
        if identity is not None and type(identity) is not str:
            raise BadRequestError(f"id: expected a string, got {brief(identity)}")
        outputs, forms = self._wanted(request)
        return InferRequest(feeds, outputs, identity, forms)

    def _raw(self, body: bytes) -> InferRequest:
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
        if not entries:
            names = self._signature.all_outputs
            return names, (_BINARY,) * len(names) if binary else None
        if type(entries) is not list:
            raise BadRequestError(f"outputs: expected an array, got {brief(entries)}")
        return self._signature.wanted(
            (
                (entry.get("name"), _parameters("outputs: parameters", entry))
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
        outputs: list[dict[str, Any]] = []
        parts: list[bytes] = []
        forms = request.forms or (_PLAIN,) * len(results)
        for name, form, result in zip(request.outputs, forms, results, strict=True):
            datatype = self._signature.outputs[name].datatype
            if form.classes:
                datatype = "BYTES"
                result = classify(result, form.classes, self._labels.get(name, ()))
            output: dict[str, Any] = {"name": name, "datatype": datatype, "shape": result.shape}
            outputs.append(output)
            if form.binary:
                data = encode_binary(result)
                output["parameters"] = {"binary_data_size": len(data)}
                parts.append(data)
            else:
                output["data"] = encode_data(result)
        response: dict[str, Any] = dict(self._head)
        if request.id is not None:
            response["id"] = request.id
        response["outputs"] = outputs
        head = orjson.dumps(response, option=orjson.OPT_SERIALIZE_NUMPY)
        return (b"".join((head, *parts)), len(head)) if parts else (head, None)


class _Binary:
    """What follows the JSON head: the data of the binary inputs, in their order."""

    def __init__(self, body: bytes, start: int) -> None:
        self._body = body
        self._at = start
        self._left = len(body) - start

    def tensor(self, spec: TensorSpec, shape: tuple[int, ...], size: Any) -> np.ndarray:
        """The next tensor."""
        if type(size) is not int or size < 0:
            raise wrong_input(
                spec, f"binary_data_size: expected a number of bytes, got {brief(size)}"
            )
        if size > self._left:
            raise wrong_input(
                spec,
                f"binary_data_size: expected at most the {self._left} bytes that are left after "
                f"the JSON head (its length belongs in the header {HEADER}), got {size}",
            )
        array = decode_binary(spec, shape, self._body, self._at, size)
        self._at += size
        self._left -= size
        return array

    def check_used(self) -> None:
        if self._left:
            raise BadRequestError(
                f"body: expected binary data as long as the inputs' binary_data_size say, got "
                f"{self._left} bytes more"
            )


_NOTHING = _Binary(b"", 0)


def _split(body: bytes, header_length: int | None) -> tuple[dict[str, Any], _Binary]:
    """The JSON head, read, and what follows it."""
    length = len(body) if header_length is None else header_length
    if not 0 <= length <= len(body):
        raise BadRequestError(
            f"{HEADER}: expected a length within the body's {len(body)} bytes, got {length}"
        )
    try:
        request = orjson.loads(body if length == len(body) else memoryview(body)[:length])
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"body: expected JSON, got an error: {error}") from None
    if type(request) is not dict:
        raise BadRequestError(f"body: expected an object, got {brief(request)}")
    return request, _Binary(body, length) if length < len(body) else _NOTHING


def _tensor(spec: TensorSpec, entry: Mapping[str, Any], binary: _Binary) -> np.ndarray:
    datatype = entry.get("datatype")
    if datatype != spec.datatype:
        raise wrong_input(spec, f"datatype: expected {spec.datatype}, got {brief(datatype)}")
    shape = entry.get("shape")
    if type(shape) is not list:
        raise wrong_input(spec, f"shape: expected {list(spec.shape)}, got {brief(shape)}")
    extents = checked_shape(spec, shape)
    data = entry.get("data")
    parameters = _parameters(f"input {spec.name!r}: parameters", entry)
    if "binary_data_size" in parameters:
        if data is not None:
            raise wrong_input(spec, "data: expected none beside binary_data_size, got both")
        return binary.tensor(spec, extents, parameters["binary_data_size"])
    if type(data) is not list:
        hint = "; shared memory is not supported" if "shared_memory_region" in parameters else ""
        raise wrong_input(
            spec, f"data: expected an array, or binary_data_size, got {brief(data)}{hint}"
        )
    return decode_data(spec, extents, data)


def _parameters(where: str, owner: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters = owner.get("parameters")
    if parameters is None:
        return {}
    if type(parameters) is not dict:
        raise BadRequestError(f"{where}: expected an object, got {brief(parameters)}")
    return parameters
