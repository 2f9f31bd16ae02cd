"""Classifier or regressor in ONNX: signature, and predictions for clean rows."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from perennial_contracts.wire.bundle import Tensor
from perennial_contracts.wire.modelcard import TaskName
from perennial_contracts.wire.names import DATATYPES_BY_ONNX_TYPE, LABEL, PREDICTION, PROBABILITIES

from ..data.features import Feature, tensors
from ..data.labels import as_text
from ..evaluation.task import RowPredictions
from .sessions import open_session

BATCH_ROWS = 65536
"""Most rows of a table in one call."""
TENSOR_ROWS = 32
"""Most rows of tensors in one call; rows of images are large."""
ERRORS: tuple[type[Exception], ...] = tuple(
    value
    for value in vars(onnx_errors).values()
    if isinstance(value, type) and issubclass(value, Exception)
)


class SignatureError(Exception):
    """The inputs or outputs are not those of a classifier or regressor of rows."""


class OnnxModel:
    """A model with an input for each feature.

    Its outputs are ``label`` and ``probabilities``, or ``prediction``.
    """

    def __init__(
        self, source: bytes | Path, labels: Sequence[str] | None = None, *, is_table: bool = True
    ) -> None:
        """Load a model.

        Args:
            source: the ONNX file, or its path if its weights are in files beside it.
            labels: the classes in the order of the probabilities, if a bundle has them.
            is_table: true if each input must be a feature; else the model has no features.

        Raises:
            SignatureError: if it is no model of rows, or cannot be loaded at all.
        """
        self.data = source if isinstance(source, bytes) else source.read_bytes()
        self.session = _session(source)
        self.inputs = [describe(node) for node in self.session.get_inputs()]
        self.outputs = [describe(node) for node in self.session.get_outputs()]
        self.features = [_feature(tensor) for tensor in self.inputs] if is_table else []
        self.kind: TaskName = _kind(self.outputs)
        self._width = _check_outputs(self.outputs) if self.kind == "Classification" else 0
        self.labels = list(labels) if labels else None
        if self.labels and self._width not in (-1, len(self.labels)):
            raise SignatureError(
                f"output {PROBABILITIES}: expected a column for each of the {len(self.labels)} "
                f"labels, got {self._width}"
            )

    def predict(self, frame: pd.DataFrame, classes: Sequence[str]) -> RowPredictions:
        """Return the predictions for rows.

        Args:
            frame: clean rows with a column for each feature.
            classes: the labels of the data, in the order of the probabilities; ignored if the
                model has labels.

        Raises:
            SignatureError: if the model rejects the rows, or its outputs have another form.
        """
        return self._predict(
            len(frame),
            BATCH_ROWS,
            lambda rows: tensors(frame.iloc[rows], self.features),
            classes,
        )

    def predict_tensors(
        self, feeds: Mapping[str, np.ndarray], classes: Sequence[str]
    ) -> RowPredictions:
        """Return the predictions for the rows of tensors, by the names of the inputs.

        Raises:
            SignatureError: as :meth:`predict`.
        """
        return self._predict(
            len(next(iter(feeds.values()))),
            TENSOR_ROWS,
            lambda rows: {name: values[rows] for name, values in feeds.items()},
            classes,
        )

    def _predict(
        self,
        count: int,
        most: int,
        feeds: Callable[[slice], Mapping[str, np.ndarray]],
        classes: Sequence[str],
    ) -> RowPredictions:
        names = [PREDICTION] if self.kind == "Regression" else [LABEL, PROBABILITIES]
        parts = [
            self._run(names, feeds(slice(start, start + most)), min(most, count - start))
            for start in range(0, max(count, 1), most)
        ]
        outputs = {name: np.concatenate([part[name] for part in parts]) for name in names}
        return self.read_outputs(outputs, classes)

    def read_outputs(
        self, outputs: Mapping[str, np.ndarray], classes: Sequence[str]
    ) -> RowPredictions:
        """Return the predictions in outputs of this model, by name and for all rows.

        Raises:
            SignatureError: if they do not have the form of a classifier's or regressor's.
        """
        if self.kind == "Regression":
            numbers = np.asarray(outputs[PREDICTION], np.float64)
            if numbers.size != len(numbers):
                raise SignatureError(
                    f"output {PREDICTION}: expected shape ({len(numbers)}, 1), got {numbers.shape}"
                )
            return RowPredictions.of_numbers(numbers.reshape(-1))
        probabilities = np.asarray(outputs[PROBABILITIES], np.float64)
        labels = np.asarray(outputs[LABEL])
        names = self.labels or list(classes)
        if labels.size != len(labels):
            raise SignatureError(
                f"output {LABEL}: expected shape ({len(labels)},), got {labels.shape}"
            )
        if probabilities.ndim != 2 or probabilities.shape[1] != len(names):
            raise SignatureError(
                f"output {PROBABILITIES}: expected {len(names)} columns, for {', '.join(names)}, "
                f"got shape {probabilities.shape}"
            )
        return RowPredictions(_to_names(labels.reshape(-1), names), probabilities, names)

    def _run(
        self, names: list[str], feeds: Mapping[str, np.ndarray], rows: int
    ) -> dict[str, np.ndarray]:
        try:
            outputs = self.session.run(names, dict(feeds))
        except ERRORS as error:
            raise SignatureError(f"the model rejects rows of the data: {error}") from error
        for name, values in zip(names, outputs, strict=True):
            if np.shape(values)[:1] != (rows,):
                raise SignatureError(
                    f"output {name}: expected a value for each of {rows} rows, "
                    f"got shape {np.shape(values)}"
                )
        return dict(zip(names, outputs, strict=True))


def _to_names(labels: np.ndarray, names: list[str]) -> np.ndarray:
    """Return predicted labels as texts, from class names or indices of classes.

    Raises:
        SignatureError: for a label that is neither.
    """
    texts = as_text(label.decode() if isinstance(label, bytes) else label for label in labels)
    unknown = set(texts) - set(names)
    if not unknown:
        return texts
    if all(text.isdecimal() and int(text) < len(names) for text in set(texts)):
        return np.array([names[int(text)] for text in texts], object)
    raise SignatureError(
        f"output {LABEL}: expected one of {', '.join(names)} or its index among them, "
        f"got {min(unknown)}"
    )


def _session(source: bytes | Path) -> Any:
    try:
        return open_session(source)
    except ERRORS as error:
        raise SignatureError(f"ONNX Runtime cannot load the model: {error}") from error


def describe(node: Any) -> Tensor:
    """Return the description of an input or output of a session.

    Raises:
        SignatureError: if it is not a tensor.
    """
    element = node.type.removeprefix("tensor(").removesuffix(")")
    if element not in DATATYPES_BY_ONNX_TYPE:
        raise SignatureError(f"{node.name}: expected a tensor, got {node.type}")
    shape = [extent if isinstance(extent, int) else -1 for extent in node.shape]
    return Tensor(name=node.name, datatype=DATATYPES_BY_ONNX_TYPE[element], shape=shape)


def _feature(tensor: Tensor) -> Feature:
    feature = Feature.of(tensor)
    if feature is None:
        raise SignatureError(
            f"input {tensor.name}: expected one value per row, shape [-1, 1] or [-1], "
            f"got {tensor.shape}"
        )
    return feature


def _kind(outputs: Sequence[Tensor]) -> TaskName:
    if PREDICTION not in [tensor.name for tensor in outputs]:
        return "Classification"
    tensor = next(tensor for tensor in outputs if tensor.name == PREDICTION)
    if not tensor.datatype.startswith("FP") or tensor.shape[1:] not in ([], [1], [-1]):
        raise SignatureError(
            f"output {PREDICTION}: expected floats of shape [-1, 1], got {tensor.datatype} "
            f"{tensor.shape}"
        )
    return "Regression"


def _check_outputs(outputs: Sequence[Tensor]) -> int:
    """Return the number of columns of the probabilities, -1 if it is not fixed."""
    by_name = {tensor.name: tensor for tensor in outputs}
    have = ", ".join(f"{tensor.name} {tensor.datatype} {tensor.shape}" for tensor in outputs)
    label, probabilities = by_name.get(LABEL), by_name.get(PROBABILITIES)
    if label is None or probabilities is None:
        raise SignatureError(
            f"expected outputs {LABEL} and {PROBABILITIES}, or {PREDICTION}, got {have}"
        )
    if label.datatype == "BOOL" or label.datatype.startswith("FP"):
        raise SignatureError(f"output {LABEL}: expected whole numbers or texts, got {have}")
    if not probabilities.datatype.startswith("FP") or len(probabilities.shape) != 2:
        raise SignatureError(
            f"output {PROBABILITIES}: expected floats of shape [-1, classes], got {have}"
        )
    return probabilities.shape[1]
