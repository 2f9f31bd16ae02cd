"""Flights as requests of the Open Inference Protocol v2 in JSON, and answers as arrays."""

import json
from dataclasses import dataclass

import numpy as np
import orjson

from .conversion import LABEL, PROBABILITIES, tensors
from .data import CATEGORIES, Rows


@dataclass(frozen=True)
class Prediction:
    """What a model says about some rows."""

    version: str
    """The first digits of the digest of the model that answered."""
    late: np.ndarray
    """Shape (rows,), 0 or 1."""
    probability: np.ndarray
    """Shape (rows,), that the flight is late."""


def path(model: str) -> str:
    """Where a model takes inference requests."""
    return f"/v2/models/{model}/infer"


def encode(rows: Rows) -> bytes:
    """The body of a request for some rows; a missing number is null."""
    inputs = [
        {
            "name": name,
            "datatype": "BYTES" if name in CATEGORIES else "FP32",
            "shape": list(values.shape),
            "data": values.ravel().tolist() if name in CATEGORIES else values.ravel(),
        }
        for name, values in tensors(rows).items()
    ]
    return orjson.dumps({"inputs": inputs}, option=orjson.OPT_SERIALIZE_NUMPY)


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
        outputs = {output["name"]: output for output in answer["outputs"]}
        probabilities = np.array(outputs[PROBABILITIES]["data"], np.float64)
        return Prediction(
            version=answer.get("model_version") or "unknown",
            late=np.array(outputs[LABEL]["data"], np.int64),
            probability=probabilities.reshape(outputs[PROBABILITIES]["shape"])[:, 1],
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"not an answer of the model: {error!r}") from None
