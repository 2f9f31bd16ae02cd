"""The layout of a model's outputs, and nodes that give a student the same."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .graph import listed
from .method import NotApplicableError
from .network import softmax

SCORES = "student_scores"
"""Last tensor of a student, shape (rows, width): probabilities, or values."""
Form = Literal["probabilities", "logits", "values"]
LEAST_PROBABILITY = 1e-6
AGREE = 0.98
"""Share of the rows whose label must be that of the most likely class."""


@dataclass(frozen=True)
class OutputLayout:
    """The meaning of a model's outputs."""

    scores: str
    """Name of the output of floats."""
    form: Form
    """Logits become probabilities by the softmax."""
    width: int
    """Number of columns of the scores."""
    label: str | None
    """Name of the output of labels."""
    labels: np.ndarray | None
    """The label of each column."""

    @classmethod
    def of(
        cls, model: onnx.ModelProto, outputs: dict[str, np.ndarray], truth: np.ndarray | None = None
    ) -> "OutputLayout":
        """Infer the layout from the outputs for some rows.

        Args:
            model: the model.
            outputs: its outputs by name.
            truth: truth of the rows; if it is whole numbers, scores can be those of classes.

        Raises:
            NotApplicableError: for outputs that no student can have.
        """
        floats = [name for name, values in outputs.items() if values.dtype.kind == "f"]
        others = [name for name in outputs if name not in floats]
        ranks = [outputs[name].ndim for name in floats]
        if len(floats) != 1 or ranks[0] > 2 or len(others) > 1:
            have = listed(f"{name} {array.dtype} {array.shape}" for name, array in outputs.items())
            raise NotApplicableError(
                "a student has one output of floats, shape [rows, values], and at most one of "
                f"labels; the model has {have}"
            )
        scores = _matrix(outputs[floats[0]])
        sums_to_one = np.allclose(scores.sum(axis=1), 1, atol=1e-3) and scores.min(initial=0) >= 0
        label = others[0] if others else None
        labels = None if label is None else _labels(model, scores, outputs[label].reshape(-1))
        width = scores.shape[1]
        form: Form = "values"
        if width > 1 and sums_to_one:
            form = "probabilities"
        elif labels is not None or (width > 1 and _numbers_classes(truth, width)):
            form = "logits"
        return cls(floats[0], form, width, label, labels)

    def targets(self, outputs: dict[str, np.ndarray]) -> np.ndarray:
        """Return the targets of a student, shape (rows, width), float32."""
        scores = _matrix(outputs[self.scores]).astype(np.float32)
        return softmax(scores) if self.form == "logits" else scores

    def hard(self, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return targets from the truth, and a mask of the rows that have one.

        Their shapes are (rows, width) and (rows,).
        """
        if self.form == "values":
            return _matrix(truth.astype(np.float32)), np.ones(len(truth), bool)
        names = np.arange(self.width) if self.labels is None else self.labels
        equal = truth.astype(str)[:, None] == names.astype(str)
        return equal.astype(np.float32), equal.any(axis=1)

    def nodes(self, model: onnx.ModelProto) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
        """Return nodes from SCORES to outputs with the model's names, types and ranks."""
        outputs = {output.name: output.type.tensor_type for output in model.graph.output}
        nodes: list[onnx.NodeProto] = []
        weights: list[onnx.TensorProto] = []

        def finish(tensor: str, name: str, steps: list[tuple[str, Any]]) -> None:
            for index, (kind, how) in enumerate(steps):
                after = name if index == len(steps) - 1 else f"student_{name}_{index}"
                inputs, attributes = [tensor], {}
                if isinstance(how, np.ndarray):
                    weights.append(numpy_helper.from_array(how, f"student_{name}_{index}_with"))
                    inputs.append(weights[-1].name)
                else:
                    attributes = how
                nodes.append(helper.make_node(kind, inputs, [after], **attributes))
                tensor = after

        kind = outputs[self.scores].elem_type
        flat = len(outputs[self.scores].shape.dim) == 1
        steps: list[tuple[str, Any]] = [("Reshape", np.array([-1], np.int64))] if flat else []
        # Probabilities p have the logits log p, plus any constant for each row.
        if self.form == "logits":
            steps += [("Max", np.array(LEAST_PROBABILITY, np.float32)), ("Log", {})]
        finish(SCORES, self.scores, [*steps, ("Cast", {"to": kind})])
        if self.label is not None and self.labels is not None:
            nodes.append(helper.make_node("ArgMax", [SCORES], ["student_best"], axis=1, keepdims=0))
            names = self.labels
            if names.dtype.kind in "OSU":
                names = np.array([str(name) for name in names], object)
            weights.append(numpy_helper.from_array(names, "student_labels"))
            nodes.append(
                helper.make_node("Gather", ["student_labels", "student_best"], ["student_label"])
            )
            column = len(outputs[self.label].shape.dim) == 2
            form = np.array([-1, 1] if column else [-1], np.int64)
            finish("student_label", self.label, [("Reshape", form)])
        return nodes, weights


def _matrix(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


def _numbers_classes(truth: np.ndarray | None, width: int) -> bool:
    return bool(
        truth is not None
        and truth.ndim == 1
        and truth.dtype.kind in "iu"
        and truth.size
        and 0 <= truth.min() <= truth.max() < width
    )


def _labels(model: onnx.ModelProto, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the label of each column: that of the rows in which it is the largest."""
    width, best, texts = scores.shape[1], scores.argmax(axis=1), labels.astype(str)
    seen: dict[int, str] = {}
    for column in np.unique(best):
        values, counts = np.unique(texts[best == column], return_counts=True)
        seen[int(column)] = str(values[counts.argmax()])
    right = float(np.mean([seen[column] == text for column, text in zip(best, texts, strict=True)]))
    if right < AGREE or width < 2:
        raise NotApplicableError(
            f"the label is that of the most likely class in only {right:.0%} of the rows, so a "
            "student cannot derive it from the probabilities"
        )
    own = [seen[column] for column in sorted(seen)]
    for names in (own, *_lists(model), [str(column) for column in range(width)]):
        if len(names) == width and all(names[column] == text for column, text in seen.items()):
            is_text = labels.dtype.kind in "OSU"
            return np.array(names, object) if is_text else np.array(names).astype(labels.dtype)
    unknown = min(set(range(width)) - set(seen))
    raise NotApplicableError(
        f"class {unknown} is never the most likely in {len(labels)} rows, so its label is unknown"
    )


def _lists(model: onnx.ModelProto) -> list[list[str]]:
    """Return lists that may be the classes: attributes of trees, and weights."""
    lists: list[list[Any]] = []
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "classlabels_strings":
                lists.append([text.decode() for text in attribute.strings])
            elif attribute.name.startswith("classlabels_int"):
                lists.append(list(attribute.ints))
    for tensor in model.graph.initializer:
        if len(tensor.dims) == 1 and tensor.data_type == TensorProto.STRING:
            lists.append([text.decode() for text in tensor.string_data])
        elif len(tensor.dims) == 1 and tensor.data_type in (TensorProto.INT64, TensorProto.INT32):
            lists.append(numpy_helper.to_array(tensor).tolist())
    return [[str(name) for name in names] for names in lists]
