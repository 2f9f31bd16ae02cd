"""The Open Inference Protocol v2 in JSON: requests to arrays, arrays to responses. No I/O.

JSON has no NaN: ``null`` among numbers stands for it, both ways.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from ..errors import BadRequestError
from ..signature import TensorSpec
from .messages import brief, quoted

LARGEST_EXTENT = 2**31 - 1
_KINDS = {"f": "numbers", "i": "whole numbers", "u": "whole numbers from 0 up", "b": "booleans"}


@dataclass(frozen=True, slots=True)
class InferRequest:
    """A checked request."""

    feeds: dict[str, np.ndarray]
    outputs: Sequence[str]
    """The names of the outputs that are wanted, in order."""
    id: str | None


class Codec:
    """Translates for one model."""

    def __init__(
        self,
        name: str,
        version: str,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
    ) -> None:
        self._head = {"model_name": name, "model_version": version}
        self._inputs = {tensor.name: tensor for tensor in inputs}
        self._outputs = {tensor.name: tensor for tensor in outputs}
        self._all_outputs = tuple(self._outputs)

    def decode(self, body: bytes) -> InferRequest:
        """Reads the body of an infer request.

        Raises:
            BadRequestError: naming the tensor, what was expected, and what came.
        """
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise BadRequestError(f"body: expected JSON, got an error: {error}") from None
        if type(request) is not dict:
            raise BadRequestError(f"body: expected an object, got {brief(request)}")
        entries = request.get("inputs")
        if type(entries) is not list:
            raise BadRequestError(f"inputs: expected an array of tensors, got {brief(entries)}")
        feeds: dict[str, np.ndarray] = {}
        for entry in entries:
            name = entry.get("name") if type(entry) is dict else None
            spec = self._inputs.get(name) if type(name) is str else None
            if spec is None:
                raise BadRequestError(
                    f"inputs: expected tensors named {quoted(self._inputs)}, got {brief(name)}"
                )
            if spec.name in feeds:
                raise BadRequestError(f"input {spec.name!r}: expected once, got it twice")
            feeds[spec.name] = decode_tensor(spec, entry)
        if len(feeds) != len(self._inputs):
            missing = [name for name in self._inputs if name not in feeds]
            raise BadRequestError(
                f"inputs: expected {quoted(self._inputs)}, {quoted(missing)} missing"
            )
        identity = request.get("id")
        if identity is not None and type(identity) is not str:
            raise BadRequestError(f"id: expected a string, got {brief(identity)}")
        wanted = request.get("outputs")
        return InferRequest(feeds, self._wanted(wanted) if wanted else self._all_outputs, identity)

    def _wanted(self, entries: Any) -> Sequence[str]:
        if type(entries) is not list:
            raise BadRequestError(f"outputs: expected an array, got {brief(entries)}")
        names: list[str] = []
        for entry in entries:
            name = entry.get("name") if type(entry) is dict else None
            if type(name) is not str or name not in self._outputs or name in names:
                raise BadRequestError(
                    f"outputs: expected some of {quoted(self._outputs)}, each once, "
                    f"got {brief(name)}"
                )
            names.append(name)
        return names

    def encode(self, request: InferRequest, results: Sequence[np.ndarray]) -> bytes:
        """The body of the response; data is flat, in row-major order."""
        response: dict[str, Any] = dict(self._head)
        if request.id is not None:
            response["id"] = request.id
        response["outputs"] = [
            encode_tensor(self._outputs[name], result)
            for name, result in zip(request.outputs, results, strict=True)
        ]
        return orjson.dumps(response, option=orjson.OPT_SERIALIZE_NUMPY)


def encode_tensor(spec: TensorSpec, array: np.ndarray) -> dict[str, Any]:
    """One tensor, ready for orjson with OPT_SERIALIZE_NUMPY."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return {
        "name": spec.name,
        "datatype": spec.datatype,
        "shape": array.shape,
        "data": flat.tolist() if spec.datatype == "BYTES" else flat,
    }


def decode_tensor(spec: TensorSpec, entry: Mapping[str, Any]) -> np.ndarray:
    """Reads one tensor; its data may be flat or nested as its shape says.

    Raises:
        BadRequestError: naming the tensor, what was expected, and what came.
    """
    datatype = entry.get("datatype")
    if datatype != spec.datatype:
        raise _wrong(spec, f"datatype: expected {spec.datatype}, got {brief(datatype)}")
    shape = _shape(spec, entry.get("shape"))
    data = entry.get("data")
    if type(data) is not list:
        advice = " (binary tensors are not read yet: send JSON, binary_data=False)"
        hint = advice if data is None else ""
        raise _wrong(spec, f"data: expected an array, got {brief(data)}{hint}")
    try:
        array = _strings(spec, data) if spec.datatype == "BYTES" else _numbers(spec, data)
    except (ValueError, OverflowError):
        raise _wrong(spec, "data: expected rows of one length, got a ragged array") from None
    if array.size and array.ndim != 1 and array.shape != shape:
        raise _wrong(
            spec, f"data: expected it flat or nested as {list(shape)}, got {list(array.shape)}"
        )
    expected = math.prod(shape)
    if array.size != expected:
        raise _wrong(
            spec,
            f"data: expected {expected} elements for the shape {list(shape)}, got {array.size}",
        )
    return array.reshape(shape)


def _shape(spec: TensorSpec, shape: Any) -> tuple[int, ...]:
    if (
        type(shape) is not list
        or len(shape) != len(spec.shape)
        or any(
            type(extent) is not int
            or not 0 <= extent <= LARGEST_EXTENT
            or (expected >= 0 and extent != expected)
            for extent, expected in zip(shape, spec.shape, strict=True)
        )
    ):
        raise _wrong(
            spec, f"shape: expected {list(spec.shape)} (-1: any extent), got {brief(shape)}"
        )
    return tuple(shape)


def _numbers(spec: TensorSpec, data: list[Any]) -> np.ndarray:
    """Numbers or booleans as an array of the tensor's type, whatever its shape."""
    array = np.array(data)
    target = spec.dtype
    if array.size == 0:
        return array.astype(target)
    kind = target.kind
    found = array.dtype.kind
    if kind == "f":
        if found == "O":
            array = _with_nulls(spec, array)
        elif found not in "fiu":
            raise _wrong(spec, f"data: expected numbers, got {brief(_culprit(data))}")
        if array.dtype == target:
            return array
        try:
            with np.errstate(over="raise"):
                return array.astype(target)
        except FloatingPointError:
            raise _wrong(
                spec, f"data: expected numbers within {spec.datatype}'s range, got larger ones"
            ) from None
    if kind == "b":
        if found != "b":
            raise _wrong(spec, f"data: expected booleans, got {brief(_culprit(data))}")
        return array
    if found == "f":  # also what numpy makes of whole numbers below and above 2**63 together
        array = np.array(data, dtype=object)
        if any(type(value) is not int for value in array.flat):
            found = "O"
    if found not in "iuf":
        raise _wrong(spec, f"data: expected {_KINDS[kind]}, got {brief(_culprit(data))}")
    if array.dtype != target:
        limits = np.iinfo(target)
        low, high = int(array.min()), int(array.max())
        if low < limits.min or high > limits.max:
            value = low if low < limits.min else high
            raise _wrong(
                spec, f"data: expected numbers from {limits.min} to {limits.max}, got {value}"
            )
        array = array.astype(target)
    return array


def _with_nulls(spec: TensorSpec, array: np.ndarray) -> np.ndarray:
    """Numbers among which are nulls, those as NaN."""
    for value in array.flat:
        if value is not None and type(value) is not float and type(value) is not int:
            raise _wrong(spec, f"data: expected numbers, got {brief(value)}")
    return array.astype(np.float64)


def _strings(spec: TensorSpec, data: list[Any]) -> np.ndarray:
    array = np.array(data, dtype=object)
    for value in array.flat:
        if type(value) is not str:
            raise _wrong(spec, f"data: expected strings, got {brief(value)}")
    return array


def _culprit(data: list[Any]) -> Any:
    """An element to show in a message: the first that is no number, else no whole one, or any."""
    elements = np.array(data, dtype=object).reshape(-1).tolist()
    return next(
        value
        for kinds in ((int, float), (int,), ())
        for value in elements
        if type(value) not in kinds
    )


def _wrong(spec: TensorSpec, problem: str) -> BadRequestError:
    return BadRequestError(f"input {spec.name!r}: {problem}")
