"""Predictions for rows of a table in JSON: rows to arrays, answers to a response. No I/O.

``{"instances": [{"feature": value, ...}, ...]}``; null, or no value at all, is a missing one.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from ..classes import Classes
from ..errors import BadRequestError, RunFailedError
from ..signature import TensorSpec
from .messages import brief, quoted

_EXPECTED = {
    "f": "a number",
    "i": "a whole number",
    "u": "a whole number from 0 up",
    "b": "a boolean",
    "O": "a string",
}
_TYPES: dict[str, set[type]] = {
    "f": {float, int, type(None)},
    "i": {int},
    "u": {int},
    "b": {bool},
    "O": {str, type(None)},
}
"""Types of JSON values by the kind of the array that they go into."""


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
        self._features = features
        self._known = frozenset(feature.name for feature in features)
        self._outputs = outputs
        self._classes = classes

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
            raise BadRequestError(
                'instances: expected {"instances": [{"feature": value, ...}, ...]} with one row '
                f"or more, got {brief(rows if type(request) is dict else request)}"
            )
        known = self._known
        for place, row in enumerate(rows):
            if type(row) is not dict:
                raise BadRequestError(f"row {place}: expected an object, got {brief(row)}")
            if not row.keys() <= known:
                raise self._unknown(place, row)
        return len(rows), {
            feature.name: _column(feature, [row.get(feature.name) for row in rows])
            for feature in self._features
        }

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
        if self._classes is None:
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
        return orjson.dumps({**self._head, "predictions": predictions})

    def _unknown(self, place: int, row: Mapping[str, Any]) -> BadRequestError:
        name = next(name for name in row if name not in self._known)
        near = difflib.get_close_matches(name, self._known, 1)
        hint = f". Did you mean {near[0]!r}?" if near else ""
        expected = quoted(feature.name for feature in self._features)
        return BadRequestError(f"row {place}: expected features {expected}, got {name!r}{hint}")


def _flat(result: np.ndarray) -> list[Any]:
    """One value a row: a number or a string, or an array where the output has more of them."""
    is_column = result.ndim == 2 and result.shape[1] == 1
    values: list[Any] = (result[:, 0] if is_column else result).tolist()
    return values


def _column(feature: TensorSpec, values: list[Any]) -> np.ndarray:
    kind = feature.dtype.kind
    if not set(map(type, values)) <= _TYPES[kind]:
        if kind in "iu":
            values = [_whole(value) for value in values]
        if not set(map(type, values)) <= _TYPES[kind]:
            raise _wrong(feature, values, lambda value: type(value) not in _TYPES[kind])
    try:
        if kind == "O":
            column = np.array([value or "" for value in values], object)
        elif kind == "f":
            with np.errstate(over="ignore"):
                column = np.array(values, feature.dtype)  # None becomes NaN
            if np.isinf(column).any():
                raise OverflowError
        else:
            column = np.array(values, feature.dtype)
    except OverflowError:
        raise _wrong(feature, values, lambda value: _is_out_of_range(feature, value)) from None
    return column if len(feature.shape) == 1 else column.reshape(-1, 1)


def _whole(value: Any) -> Any:
    """A whole number that is written like 150.0, as tables write columns with gaps, as an int.

    Beyond 64 bits orjson reads whole numbers as floats too, and rounds them: those stay wrong.
    """
    is_whole = type(value) is float and value.is_integer() and -(2**63) < value < 2**64
    return int(value) if is_whole else value


def _is_out_of_range(feature: TensorSpec, value: Any) -> bool:
    if value is None:
        return False
    if feature.dtype.kind == "f":
        return bool(abs(value) > float(np.finfo(feature.dtype).max))
    limits = np.iinfo(feature.dtype)
    return not limits.min <= value <= limits.max


def _wrong(feature: TensorSpec, values: Sequence[Any], is_wrong: Any) -> BadRequestError:
    place, value = next((place, value) for place, value in enumerate(values) if is_wrong(value))
    where = f"row {place}: feature {feature.name!r}"
    kind = feature.dtype.kind
    if value is None:
        return BadRequestError(
            f"{where}: expected {_EXPECTED[kind]}, got nothing. {feature.datatype} inputs have no "
            "missing values: fill one in, or make the model with a float input"
        )
    if type(value) in _TYPES[kind]:
        return BadRequestError(
            f"{where}: expected {_EXPECTED[kind]} within {feature.datatype}'s range, "
            f"got {brief(value)}"
        )
    return BadRequestError(f"{where}: expected {_EXPECTED[kind]}, got {brief(value)}")
