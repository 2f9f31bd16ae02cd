"""Predictions for rows of a table in JSON: rows to arrays, answers to a response. No I/O.

``{"instances": [{"feature": value, ...}, ...]}``, or the list alone, or one row alone; null, or no
value at all, is a missing one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from ...classes import Classes
from ...errors import BadRequestError, RunFailedError
from ...regression import PREDICTION, is_regression
from ...signature import TensorSpec
from ..shared.columns import Columns
from ..shared.messages import brief, quoted


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
        self._classes = classes
        self._is_regression = is_regression(outputs, classes)

    def decode(self, body: bytes) -> tuple[int, dict[str, np.ndarray]]:
        """Reads the body of a predict request: the number of rows, and the model's inputs.

        Raises:
            BadRequestError: naming the row (from 0) and the feature, what was expected, what came.
        """
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise BadRequestError(f"body: expected JSON, got an error: {error}") from None
        rows = request.get("instances") if type(request) is dict else None
        if type(rows) is not list or not rows:
            rows = self._bare_rows(request)
        return len(rows), self._columns.of_objects(rows)

    def _bare_rows(self, request: Any) -> list[Any]:
        """The rows of a body without its envelope."""
        if type(request) is list and request:
            return request
        found = request
        if type(request) is dict:
            found = request.get("instances", request)
            # A value is never a list, so {"instances": [...]} is an envelope, though a feature may
            # have that name. An object without any of the features is rather a slip than a row.
            if type(found) is not list and self._columns.is_about_features(request):
                return [request]
        raise BadRequestError(
            'instances: expected {"instances": [{"feature": value, ...}, ...]} with one row or '
            f"more, or the rows alone, with features {quoted(self._columns.names)}, "
            f"got {brief(found)}"
        )

    def encode(self, ids: Sequence[str], results: Mapping[str, np.ndarray]) -> bytes:
        """The body of the response.

        Args:
            ids: one for each row.
            results: the model's outputs by name.

        Raises:
            BadRequestError: where an output has no row for each instance.
        """
        rows = len(ids)
        for name, result in results.items():
            if not result.ndim or len(result) != rows:
                raise BadRequestError(
                    f"the model's output {name!r} has the shape {list(result.shape)}, not one row "
                    f"for each of the {rows} instances. Use /infer for this model"
                )
        if self._classes and results["probabilities"].shape != (rows, len(self._classes.names)):
            raise RunFailedError(
                f"the model's output 'probabilities': expected {len(self._classes.names)} columns, "
                f"as bundle.json's labels say, got {list(results['probabilities'].shape)}. "
                "Make the bundle again"
            )
        if self._is_regression:
            predictions = [
                {"prediction_id": text, PREDICTION: number}
                for text, number in zip(ids, results[PREDICTION].reshape(-1), strict=True)
            ]
        elif self._classes is None:
            predictions = [
                {"prediction_id": text, "outputs": dict(zip(results, row, strict=True))}
                for text, *row in zip(ids, *map(_flat, results.values()), strict=True)
            ]
        else:
            classes = self._classes.names
            predictions = [
                {
                    "prediction_id": text,
                    "label": label,
                    "probabilities": dict(zip(classes, row, strict=True)),
                }
                for text, label, row in zip(
                    ids,
                    self._classes.own(results["label"]),
                    results["probabilities"].tolist(),
                    strict=True,
                )
            ]
        # numpy's floats are written with as few digits as tell them apart.
        option = orjson.OPT_SERIALIZE_NUMPY
        return orjson.dumps({**self._head, "predictions": predictions}, option=option)


def _flat(result: np.ndarray) -> list[Any]:
    """One value a row: a number or a string, or an array where the output has more of them."""
    is_column = result.ndim == 2 and result.shape[1] == 1
    values: list[Any] = (result[:, 0] if is_column else result).tolist()
    return values
