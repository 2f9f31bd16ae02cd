"""A classifier or regressor in ONNX: what it takes, and what it answers to clean rows."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from perennial_contracts.wire.bundle import Tensor
from perennial_contracts.wire.modelcard import TaskName
from perennial_contracts.wire.names import DATATYPES_BY_ONNX_TYPE, LABEL, PREDICTION, PROBABILITIES

from ..data.features import Feature, as_text, tensors
from ..evaluation.task import Answers
from .sessions import open_session

BATCH_ROWS = 65536
TENSOR_ROWS = 32
"""Rows of tensors that are answered at once: of images they are large."""
ERRORS: tuple[type[Exception], ...] = tuple(
    value
    for value in vars(onnx_errors).values()
    if isinstance(value, type) and issubclass(value, Exception)
)


class SignatureError(Exception):
    """The model's inputs or outputs are not those of a model of rows."""


class OnnxModel:
    """An input per feature; outputs ``label`` and ``probabilities``, or ``prediction``."""

    def __init__(
        self, source: bytes | Path, labels: Sequence[str] | None = None, *, is_table: bool = True
    ) -> None:
        """Loads a model.

        Args:
            source: the ONNX file, or where it lies with the weights beside it.
            labels: the classes in the order of the probabilities, where a bundle says them.
            is_table: whether each input must be a feature; else there are none.

        Raises:
            SignatureError: where it is no model of rows, or cannot be loaded at all.
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

    def answer(self, frame: pd.DataFrame, classes: Sequence[str]) -> Answers:
        """The answers to some rows.

        Args:
            frame: clean rows with a column for each feature.
            classes: the labels of the data; the probabilities' order where the model does not say.

        Raises:
            SignatureError: where the model refuses the rows, or answers something else.
        """
        return self._answer(
            len(frame),
            BATCH_ROWS,
            lambda rows: tensors(frame.iloc[rows], self.features),
            classes,
        )

    def answer_tensors(self, feeds: Mapping[str, np.ndarray], classes: Sequence[str]) -> Answers:
        """The answers to the rows of some tensors, by the inputs' names.

        Raises:
            SignatureError: where the model refuses them, or answers something else.
        """
        return self._answer(
            len(next(iter(feeds.values()))),
            TENSOR_ROWS,
            lambda rows: {name: values[rows] for name, values in feeds.items()},
            classes,
        )

    def _answer(
        self,
        count: int,
        most: int,
        feeds: Callable[[slice], Mapping[str, np.ndarray]],
        classes: Sequence[str],
    ) -> Answers:
        names = [PREDICTION] if self.kind == "Regression" else [LABEL, PROBABILITIES]
        parts = [
            self._ask(names, feeds(slice(start, start + most)), min(most, count - start))
            for start in range(0, max(count, 1), most)
        ]
        outputs = {name: np.concatenate([part[name] for part in parts]) for name in names}
        return self.read(outputs, classes)

    def read(self, outputs: Mapping[str, np.ndarray], classes: Sequence[str]) -> Answers:
        """What the outputs of this model, by name and of all rows, say.

        Raises:
            SignatureError: where they are not of a classifier's or regressor's form.
        """
        if self.kind == "Regression":
            said = np.asarray(outputs[PREDICTION], np.float64)
            if said.size != len(said):
                raise SignatureError(
                    f"output {PREDICTION}: expected shape ({len(said)}, 1), got {said.shape}"
                )
            return Answers.of_numbers(said.reshape(-1))
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
        return Answers(_name(labels.reshape(-1), names), probabilities, names)

    def _ask(
        self, names: list[str], feeds: Mapping[str, np.ndarray], rows: int
    ) -> dict[str, np.ndarray]:
        try:
            said = self.session.run(names, dict(feeds))
        except ERRORS as error:
            raise SignatureError(f"the model refuses rows of the data: {error}") from error
        for name, values in zip(names, said, strict=True):
            if np.shape(values)[:1] != (rows,):
                raise SignatureError(
                    f"output {name}: expected a value for each of {rows} rows, "
                    f"got shape {np.shape(values)}"
                )
        return dict(zip(names, said, strict=True))


def _name(said: np.ndarray, names: list[str]) -> np.ndarray:
    """The answered labels as texts: they are the classes themselves or, else, their numbers.

    Raises:
        SignatureError: for a label that is neither.
    """
    texts = as_text(label.decode() if isinstance(label, bytes) else label for label in said)
    strange = set(texts) - set(names)
    if not strange:
        return texts
    if all(text.isdecimal() and int(text) < len(names) for text in set(texts)):
        return np.array([names[int(text)] for text in texts], object)
    raise SignatureError(
        f"output {LABEL}: expected one of {', '.join(names)} or its place among them, "
        f"got {min(strange)}"
    )


def _session(source: bytes | Path) -> Any:
    try:
        return open_session(source)
    except ERRORS as error:
        raise SignatureError(f"ONNX Runtime cannot load the model: {error}") from error


def describe(node: Any) -> Tensor:
    """An input or output of a session.

    Raises:
        SignatureError: where it is no tensor.
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
            f"input {tensor.name}: expected one value a row, shape [-1, 1] or [-1], "
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
    """The number of columns of the probabilities, -1 where it is free."""
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
