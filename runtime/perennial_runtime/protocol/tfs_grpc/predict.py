"""PredictionService.Predict: requests to arrays, arrays to responses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.columns import Feeds
from ..shared.messages import quoted
from ..shared.protobuf import parse
from .inputs import TableReader, read_tensor
from .model_spec import check_model
from .response import TfsResponseWriter
from .schema import message_class

_Request = message_class("tensorflow.serving.PredictRequest")


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    """A checked request."""

    feeds: Feeds
    outputs: Sequence[str]
    """Names of the requested outputs, in order."""


class PredictionCodec:
    """Translates Predict for one model."""

    def __init__(
        self, name: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
    ) -> None:
        self._name = name
        self._inputs = {tensor.name: tensor for tensor in inputs}
        self._table = TableReader(inputs)
        self._outputs = tuple(tensor.name for tensor in outputs)
        self._writer = TfsResponseWriter(name, outputs)

    def decode(self, message: bytes) -> PredictionRequest:
        """Read a PredictRequest.

        Raises:
            BadRequestError: with the tensor, and the expected and actual content.
            NotFoundError: for another model or version.
        """
        request = parse(_Request, message)
        check_model(request.model_spec, self._name)
        inputs = request.inputs
        if len(inputs) != len(self._inputs) or not all(map(inputs.__contains__, self._inputs)):
            raise BadRequestError(
                f"inputs: expected {quoted(self._inputs)}, got {quoted(sorted(inputs)) or 'none'}"
            )
        feeds = self._table.read(inputs)
        if feeds is None:
            feeds = {name: read_tensor(spec, inputs[name]) for name, spec in self._inputs.items()}
        names = request.output_filter
        return PredictionRequest(feeds, self._requested(names) if names else self._outputs)

    def encode(self, request: PredictionRequest, results: Sequence[np.ndarray]) -> bytes:
        """Return a PredictResponse."""
        return self._writer.write(zip(request.outputs, results, strict=True))

    def _requested(self, output_filter: Any) -> Sequence[str]:
        names = list(output_filter)
        if len(set(names)) < len(names) or not set(names).issubset(self._outputs):
            raise BadRequestError(
                f"output_filter: expected some of {quoted(self._outputs)}, each once, "
                f"got {quoted(names)}"
            )
        return names
