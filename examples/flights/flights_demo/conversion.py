"""From scikit-learn to ONNX, with a check that both say the same."""

import warnings
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.pipeline import Pipeline

from .data import CATEGORIES, FEATURES, NUMBERS, Rows

OPSETS = {"": 18, "ai.onnx.ml": 3}
BATCH = "batch"
LABEL, PROBABILITIES = "label", "probabilities"
TOLERANCE = 1e-4
"""Largest difference between probabilities that is put down to float32."""


class ParityError(Exception):
    """The converted model does not say what the original says."""


@dataclass(frozen=True)
class Parity:
    """How the converted model compares with the original."""

    rows: int
    same_labels: int
    largest_difference: float
    """Between the two probabilities of a row."""


def convert(pipeline: Pipeline) -> bytes:
    """The pipeline as ONNX: one input of shape (batch, 1) per feature, and two outputs.

    The outputs are ``label``, shape (batch,), int64, and ``probabilities``, shape (batch, 2).
    """
    kinds = dict.fromkeys(CATEGORIES, StringTensorType)
    inputs = [(name, kinds.get(name, FloatTensorType)([None, 1])) for name in FEATURES]
    with warnings.catch_warnings():
        # skl2onnx writes booleans where integers belong: fine up to protobuf 6, which is pinned.
        warnings.filterwarnings("ignore", "Field onnx.AttributeProto.ints", DeprecationWarning)
        model = convert_sklearn(
            pipeline,
            name="delays",
            initial_types=inputs,
            target_opset=OPSETS,
            # A list of dictionaries, which is the default, is no tensor.
            options={id(pipeline): {"zipmap": False}},
        )
    _name_batch(model)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _name_batch(model: onnx.ModelProto) -> None:
    """Gives the first dimension of all inputs and outputs one telling name."""
    for value in (*model.graph.input, *model.graph.output):
        dimension = value.type.tensor_type.shape.dim[0]
        dimension.ClearField("dim_value")
        dimension.dim_param = BATCH


def tensors(rows: Rows) -> dict[str, np.ndarray]:
    """The inputs for some rows: by feature, shape (rows, 1), strings or float32."""
    kinds: dict[str, type] = dict.fromkeys(CATEGORIES, object)
    return {
        name: rows.features[name].to_numpy(kinds.get(name, np.float32)).reshape(-1, 1)
        for name in FEATURES
    }


def check(model: bytes, pipeline: Pipeline, rows: Rows) -> Parity:
    """Compares the two on some rows, and on the same rows with names that were never seen.

    A conversion can go wrong without an error, so nothing is published without this.

    Raises:
        ParityError: where a label differs that is not a tie, or a probability by more than
            TOLERANCE.
    """
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    same, largest, count = 0, 0.0, 0
    for sample in (rows, _unfamiliar(rows)):
        labels, probabilities = session.run([LABEL, PROBABILITIES], tensors(sample))
        expected = pipeline.predict_proba(sample.features)
        same += int((labels == expected.argmax(axis=1)).sum())
        largest = max(largest, float(np.abs(probabilities - expected).max()))
        tie = np.abs(expected[:, 1] - 0.5) <= TOLERANCE
        count += len(sample)
        if largest > TOLERANCE or ((labels != expected.argmax(axis=1)) & ~tie).any():
            raise ParityError(
                f"the ONNX model differs from scikit-learn: {same} of {count} labels agree, "
                f"probabilities differ by up to {largest:.2g}"
            )
    return Parity(count, same, largest)


def _unfamiliar(rows: Rows) -> Rows:
    """The rows with an airline, a destination and weather that no training row has."""
    features = rows.features.copy()
    features["carrier"] = "??"
    features["dest"] = ""
    features[list(NUMBERS[-4:])] = np.float32(np.nan)
    return Rows(features, rows.late, rows.hours)
