"""Encode flights and labels as requests, and decode responses."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .data import NUMBERS, Rows


@dataclass(frozen=True)
class Prediction:
    """Predictions for the rows of a request."""

    version: str
    """First digits of the digest of the model that answered."""
    ids: tuple[str, ...]
    """Shape (rows,): prediction ids, for the labels."""
    probability: np.ndarray
    """Shape (rows,): probability that the flight is late."""


def predict_path(model: str) -> str:
    """Return the path for predictions."""
    return f"/v2/models/{model}/predict"


def feedback_path(model: str) -> str:
    """Return the path for labels."""
    return f"/v2/models/{model}/feedback"


def encode(rows: Rows) -> bytes:
    """Return the body of a request for rows; a missing number is null."""
    return json.dumps(
        {"instances": [_row(row) for row in rows.features.to_dict("records")]}
    ).encode()


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    return {
        name: None if name in NUMBERS and math.isnan(value) else value
        for name, value in row.items()
    }


def batches(rows: Rows, size: int) -> list[bytes]:
    """Return the bodies of the requests for all rows, in order."""
    return [encode(rows[start : start + size]) for start in range(0, len(rows), size)]


def decode(body: bytes) -> Prediction:
    """Decode the body of a response.

    Raises:
        ValueError: it is not a response of the model.
    """
    try:
        response = json.loads(body)
        predictions = response["predictions"]
        return Prediction(
            version=response["model_version"],
            ids=tuple(each["prediction_id"] for each in predictions),
            probability=np.array([each["probabilities"]["1"] for each in predictions]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a response of the model: {error!r}") from None


def encode_labels(ids: Sequence[str], late: Sequence[int]) -> bytes:
    """Return the body of a request with the labels of predictions."""
    pairs = zip(ids, late, strict=True)
    return json.dumps(
        {"feedback": [{"prediction_id": each, "label": int(label)} for each, label in pairs]}
    ).encode()
