"""A checked infer request, and the checks against the model's signature."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...errors import BadRequestError
from ...signature import TensorSpec
from .messages import brief, quoted

LARGEST_EXTENT = 2**31 - 1


class OutputForm(NamedTuple):
    """The form of an output in the response."""

    binary: bool = False
    """As bytes after the JSON head. Only for REST: gRPC responses are binary."""
    classes: int = 0
    """0: the tensor itself. K: the K highest values of each row, as text."""


class InferRequest(NamedTuple):
    """A checked request."""

    feeds: dict[str, np.ndarray]
    outputs: Sequence[str]
    """Names of the requested outputs, in order."""
    id: str | None
    forms: Sequence[OutputForm] | None = None
    """Form of each requested output. None: all in the default form of the protocol."""


class Signature:
    """The inputs and outputs of one model, by name."""

    def __init__(self, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> None:
        self.inputs = {tensor.name: tensor for tensor in inputs}
        self.outputs = {tensor.name: tensor for tensor in outputs}
        self.all_outputs = tuple(self.outputs)

    def input(self, name: Any, feeds: Mapping[str, Any]) -> TensorSpec:
        """Return the input of that name.

        Args:
            name: any value that the request has in place of a name.
            feeds: the inputs that were read before, by name.

        Raises:
            BadRequestError: if the name is unknown, or was read before.
        """
        spec = self.inputs.get(name) if type(name) is str else None
        if spec is None:
            raise BadRequestError(
                f"inputs: expected tensors named {quoted(self.inputs)}, got {brief(name)}"
            )
        if name in feeds:
            raise BadRequestError(f"input {name!r}: expected once, got it twice")
        return spec

    def check_complete(self, feeds: Mapping[str, Any]) -> None:
        """Raise ``BadRequestError`` if an input is missing."""
        if len(feeds) != len(self.inputs):
            missing = [name for name in self.inputs if name not in feeds]
            raise BadRequestError(
                f"inputs: expected {quoted(self.inputs)}, {quoted(missing)} missing"
            )

    def requested(
        self, entries: Iterable[tuple[Any, Mapping[str, Any]]], binary: bool = False
    ) -> tuple[tuple[str, ...], tuple[OutputForm, ...]]:
        """Return the names and the forms of the requested outputs.

        Args:
            entries: name and parameters of each output, as the request has them.
            binary: default of the parameter ``binary_data``.

        Raises:
            BadRequestError: for an unknown output, or a form that it cannot have.
        """
        names: list[str] = []
        forms: list[OutputForm] = []
        for name, parameters in entries:
            if type(name) is not str or name not in self.outputs or name in names:
                raise BadRequestError(
                    f"outputs: expected some of {quoted(self.outputs)}, each once, "
                    f"got {brief(name)}"
                )
            names.append(name)
            forms.append(
                _form(self.outputs[name], parameters, binary) if parameters else OutputForm(binary)
            )
        return tuple(names), tuple(forms)


def _form(spec: TensorSpec, parameters: Mapping[str, Any], binary: bool) -> OutputForm:
    field = f"output {spec.name!r}: parameters"
    chosen = parameters.get("binary_data", binary)
    if type(chosen) is not bool:
        raise BadRequestError(f"{field}: binary_data: expected true or false, got {brief(chosen)}")
    classes = parameters.get("classification", 0)
    if "classification" in parameters:
        if type(classes) is not int or classes < 1:
            raise BadRequestError(
                f"{field}: classification: expected a number of classes from 1 up, "
                f"got {brief(classes)}"
            )
        if spec.datatype in ("BYTES", "BOOL"):
            raise BadRequestError(
                f"{field}: classification: expected an output of numbers, got {spec.datatype}"
            )
    if "shared_memory_region" in parameters:
        raise BadRequestError(
            f"{field}: shared memory is not supported. Fix: leave shared_memory_region out"
        )
    return OutputForm(chosen, classes)


def checked_shape(spec: TensorSpec, shape: Sequence[Any]) -> tuple[int, ...]:
    """Return the shape of an input in a request.

    Raises:
        BadRequestError: if it is no shape, or one that the model does not take.
    """
    if len(shape) == len(spec.shape):
        for extent, expected in zip(shape, spec.shape, strict=True):
            if type(extent) is not int or (
                extent != expected if expected >= 0 else not 0 <= extent <= LARGEST_EXTENT
            ):
                break
        else:
            return tuple(shape)
    raise wrong_input(
        spec, f"shape: expected {list(spec.shape)} (-1: any extent), got {brief(list(shape))}"
    )


def count_elements(spec: TensorSpec, shape: tuple[int, ...]) -> int:
    """Return the number of elements of a checked shape.

    Raises:
        BadRequestError: for an empty shape whose other extents are too large for an array.
    """
    count = math.prod(shape)
    if not count and math.prod(filter(None, shape)) > LARGEST_EXTENT:
        raise wrong_input(
            spec,
            f"shape: expected extents whose product, without zeros, is at most {LARGEST_EXTENT}, "
            f"got {brief(shape)}",
        )
    return count


def wrong_input(spec: TensorSpec, problem: str) -> BadRequestError:
    """Build the error for an input of a request."""
    return BadRequestError(f"input {spec.name!r}: {problem}")
