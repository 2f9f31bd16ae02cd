"""The tensors of a model, as requests name them: looked up, and checked for completeness."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...errors import BadRequestError
from ...signature import TensorSpec
from .messages import brief, quoted
from .request import OutputForm

LARGEST_EXTENT = 2**31 - 1


class Signature:
    """The inputs and outputs of one model, by name."""

    def __init__(self, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> None:
        self.inputs = {tensor.name: tensor for tensor in inputs}
        self.outputs = {tensor.name: tensor for tensor in outputs}
        self.all_outputs = tuple(self.outputs)

    def input(self, name: Any, feeds: Mapping[str, Any]) -> TensorSpec:
        """The input of that name.

        Args:
            name: whatever the request has there.
            feeds: what was read before, by name.

        Raises:
            BadRequestError: where there is none, or it came before.
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
        """Raises ``BadRequestError`` where an input is missing."""
        if len(feeds) != len(self.inputs):
            missing = [name for name in self.inputs if name not in feeds]
            raise BadRequestError(
                f"inputs: expected {quoted(self.inputs)}, {quoted(missing)} missing"
            )

    def wanted(
        self, entries: Iterable[tuple[Any, Mapping[str, Any]]], binary: bool = False
    ) -> tuple[tuple[str, ...], tuple[OutputForm, ...]]:
        """The outputs that a request wants, and how.

        Args:
            entries: name and parameters of each, as the request has them.
            binary: whether they are binary where their parameters do not say.

        Raises:
            BadRequestError: for an output that the model has not, or not in that form.
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
    where = f"output {spec.name!r}: parameters"
    chosen = parameters.get("binary_data", binary)
    if type(chosen) is not bool:
        raise BadRequestError(f"{where}: binary_data: expected true or false, got {brief(chosen)}")
    classes = parameters.get("classification", 0)
    if "classification" in parameters:
        if type(classes) is not int or classes < 1:
            raise BadRequestError(
                f"{where}: classification: expected how many classes, from 1 up, "
                f"got {brief(classes)}"
            )
        if spec.datatype in ("BYTES", "BOOL"):
            raise BadRequestError(
                f"{where}: classification: expected an output of numbers, got {spec.datatype}"
            )
    if "shared_memory_region" in parameters:
        raise BadRequestError(f"{where}: shared memory is not supported; leave it out")
    return OutputForm(chosen, classes)


def checked_shape(spec: TensorSpec, shape: Sequence[Any]) -> tuple[int, ...]:
    """A request's shape of an input.

    Raises:
        BadRequestError: where it is none, or not one that the model takes.
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
    """How many elements a checked shape has.

    Raises:
        BadRequestError: for an empty one whose other extents no array could have.
    """
    count = math.prod(shape)
    if not count and math.prod(filter(None, shape)) > LARGEST_EXTENT:
        raise wrong_input(
            spec,
            f"shape: expected extents whose product, zeros aside, is at most {LARGEST_EXTENT}, "
            f"got {brief(shape)}",
        )
    return count


def wrong_input(spec: TensorSpec, problem: str) -> BadRequestError:
    return BadRequestError(f"input {spec.name!r}: {problem}")
