"""Flights as rows with names, answers as arrays, and the truth that goes back."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .data import NUMBERS, Rows


@dataclass(frozen=True)
class Prediction:
    """What a model says about some rows."""

    version: str
    """The first digits of the digest of the model that answered."""
    ids: tuple[str, ...]
    """Shape (rows,); under them the truth is sent back."""
    probability: np.ndarray
    """Shape (rows,), that the flight is late."""


def predict_path(model: str) -> str:
    """Where a model takes rows."""
    return f"/v2/models/{model}/predict"


def feedback_path(model: str) -> str:
    """Where a model takes the truth about its predictions."""
    return f"/v2/models/{model}/feedback"


def encode(rows: Rows) -> bytes:
    """The body of a request for some rows; a missing number is null."""
    return json.dumps(
        {"instances": [_row(row) for row in rows.features.to_dict("records")]}
    ).encode()


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    return {
        name: None if name in NUMBERS and math.isnan(value) else value
        for name, value in row.items()
    }


def batches(rows: Rows, size: int) -> list[bytes]:
    """The bodies of the requests for all rows, in order."""
    return [encode(rows[start : start + size]) for start in range(0, len(rows), size)]


def decode(body: bytes) -> Prediction:
    """Reads the body of an answer.

    Raises:
        ValueError: where it is not what the model gives.
    """
    try:
        answer = json.loads(body)
        predictions = answer["predictions"]
        return Prediction(
            version=answer["model_version"],
            ids=tuple(each["prediction_id"] for each in predictions),
            probability=np.array([each["probabilities"]["1"] for each in predictions]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an answer of the model: {error!r}") from None


def encode_truth(ids: Sequence[str], late: Sequence[int]) -> bytes:
    """The body that sends the truth about some predictions back."""
    pairs = zip(ids, late, strict=True)
    return json.dumps(
        {"feedback": [{"prediction_id": each, "label": int(truth)} for each, truth in pairs]}
    ).encode()
