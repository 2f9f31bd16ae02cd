"""Predictions for rows of a table, in JSON. No I/O.

A request is ``{"instances": [{"feature": value, ...}, ...]}``, or the list alone, or one row alone.
A value that is null or left out is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from perennial_contracts.wire.names import LABEL, PREDICTION, PROBABILITIES

from ...classes import Classes
from ...errors import BadRequestError, RunFailedError
from ...regression import is_regression
from ...signature import TensorSpec
from ..shared.columns import Columns, Feeds
from ..shared.messages import brief, quoted


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """A checked request."""

    feeds: Feeds
    outputs: Sequence[str]
    """Names of all outputs of the model, in order."""
    count: int
    """Number of rows."""


class RowCodec:
    """Translates for one tabular model."""

    def __init__(
        self,
        name: str,
        version: str,
        features: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        classes: Classes | None,
    ) -> None:
        self._head = {"model_name": name, "model_version": version}
        self._columns = Columns(features)
        self._outputs = tuple(tensor.name for tensor in outputs)
        self._classes = classes
        self._is_regression = is_regression(outputs, classes)

    def decode(self, body: bytes) -> RowsRequest:
        """Read the body of a predict request.

        Raises:
            BadRequestError: with the row (from 0), the feature, and the expected and actual value.
        """
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise BadRequestError(f"body: expected JSON, got an error: {error}") from None
        rows = request.get("instances") if type(request) is dict else None
        if type(rows) is not list or not rows:
            rows = self._bare_rows(request)
        return RowsRequest(self._columns.of_objects(rows), self._outputs, len(rows))

    def _bare_rows(self, request: Any) -> list[Any]:
        """Return the rows of a body without its envelope."""
        if type(request) is list and request:
            return request
        got = request
        if type(request) is dict:
            got = request.get("instances", request)
            # A value is never a list, so {"instances": [...]} is an envelope even if a feature has
            # that name. An object without any feature is more likely a mistake than a row.
            if type(got) is not list and self._columns.has_feature(request):
                return [request]
        raise BadRequestError(
            'instances: expected {"instances": [{"feature": value, ...}, ...]} with one row or '
            f"more, or the rows alone, with features {quoted(self._columns.names)}, "
            f"got {brief(got)}"
        )

    def encode(self, ids: Sequence[str], results: Sequence[np.ndarray]) -> bytes:
        """Return the body of the response.

        Args:
            ids: one prediction id for each row.
            results: all outputs of the model, in order.

        Raises:
            BadRequestError: if an output does not have one row for each instance.
            RunFailedError: if the number of classes differs from the bundle's.
        """
        outputs = dict(zip(self._outputs, results, strict=True))
        predictions = self._predictions(ids, outputs)
        # orjson writes NumPy's floats with the fewest digits that identify them.
        option = orjson.OPT_SERIALIZE_NUMPY
        return orjson.dumps({**self._head, "predictions": predictions}, option=option)

    def _predictions(
        self, ids: Sequence[str], outputs: Mapping[str, np.ndarray]
    ) -> list[dict[str, Any]]:
        count = len(ids)
        for name, result in outputs.items():
            if not result.ndim or len(result) != count:
                raise BadRequestError(
                    f"the model's output {name!r} has the shape {list(result.shape)}, not one row "
                    f"for each of the {count} instances. Fix: use /infer for this model"
                )
        if self._is_regression:
            return [
                {"prediction_id": text, PREDICTION: number}
                for text, number in zip(ids, outputs[PREDICTION].reshape(-1), strict=True)
            ]
        if self._classes is None:
            return [
                {"prediction_id": text, "outputs": dict(zip(outputs, row, strict=True))}
                for text, *row in zip(ids, *map(_values, outputs.values()), strict=True)
            ]
        classes = self._classes.names
        probabilities = outputs[PROBABILITIES]
        if probabilities.shape != (count, len(classes)):
            raise RunFailedError(
                f"the model's output {PROBABILITIES!r}: expected {len(classes)} columns, from the "
                f"labels in bundle.json, got {list(probabilities.shape)}. "
                "Fix: build the bundle again"
            )
        return [
            {
                "prediction_id": text,
                LABEL: label,
                PROBABILITIES: dict(zip(classes, row, strict=True)),
            }
            for text, label, row in zip(
                ids, self._classes.own(outputs[LABEL]), probabilities.tolist(), strict=True
            )
        ]


def _values(result: np.ndarray) -> list[Any]:
    """Return one value for each row, or a list if a row has several values."""
    is_column = result.ndim == 2 and result.shape[1] == 1
    values: list[Any] = (result[:, 0] if is_column else result).tolist()
    return values
