"""Small models that learn the outputs of a large one, as ONNX."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import helper, numpy_helper
from sklearn.tree import DecisionTreeRegressor

from . import network, tree_nodes
from .encoding import ENCODED
from .outputs import SCORES
from .trees import LEAF, TreeEnsemble

Parts = tuple[list[onnx.NodeProto], list[onnx.TensorProto]]
"""Nodes from ENCODED to SCORES, and their weights."""
Train = Callable[[np.ndarray, np.ndarray, bool, int], Parts]
"""Function of rows, targets, a flag that targets are probabilities, and a seed."""
LEAF_ROWS = 3
RATE, DECAY = 5e-3, 0.5


@dataclass(frozen=True)
class Student:
    """A kind of small model."""

    name: str
    train: Train


def tree(depth: int) -> Student:
    """Return a decision tree of at most this depth, trained by least squares."""

    def train(rows: np.ndarray, targets: np.ndarray, probabilities: bool, seed: int) -> Parts:
        fitted = DecisionTreeRegressor(
            max_depth=depth, min_samples_leaf=LEAF_ROWS, random_state=seed
        ).fit(rows, targets)
        inner = fitted.tree_.children_left >= 0
        grown = TreeEnsemble(
            tree=np.zeros(len(inner), np.int64),
            left=fitted.tree_.children_left,
            right=fitted.tree_.children_right,
            feature=np.maximum(fitted.tree_.feature, 0),
            limit=_below(fitted.tree_.threshold),
            mode=np.where(inner, "BRANCH_LEQ", LEAF),
            missing=np.zeros(len(inner), bool),
            weight=fitted.tree_.value[:, :, 0],
            ids=np.arange(targets.shape[1]),
        )
        node = helper.make_node(
            "TreeEnsembleRegressor", [ENCODED], [SCORES], domain="ai.onnx.ml",
            n_targets=targets.shape[1],
        )  # fmt: skip
        tree_nodes.write(node, grown.tidied())
        return [node], []

    return Student(f"a tree of depth {depth}", train)


def dense(hidden: Sequence[int]) -> Student:
    """Return a network of dense layers; without hidden ones, a linear model."""

    def train(rows: np.ndarray, targets: np.ndarray, probabilities: bool, seed: int) -> Parts:
        start = network.initial([rows.shape[1], *hidden, targets.shape[1]], seed)
        if probabilities:
            fitted = network.fit(
                start, rows, targets, "cross_entropy", seed, rate=RATE, decay=DECAY
            )
        else:
            middle = targets.mean(axis=0)
            scale = np.float32(targets.std(axis=0).mean() or 1.0)
            fitted = network.fit(
                start, rows, (targets - middle) / scale, "squares", seed, rate=RATE, decay=DECAY
            )
            last = fitted[-1]
            fitted[-1] = replace(last, weight=last.weight * scale, bias=last.bias * scale + middle)
        return _layers(fitted, probabilities)

    name = (
        f"a network with {' and '.join(map(str, hidden))} neurons" if hidden else "a linear model"
    )
    return Student(name, train)


def _layers(layers: Sequence[network.Layer], probabilities: bool) -> Parts:
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    tensor = ENCODED
    for index, layer in enumerate(layers):
        names = [f"student_weight_{index}", f"student_bias_{index}"]
        for name, values in zip(names, (layer.weight, layer.bias), strict=True):
            weights.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        last = index == len(layers) - 1
        after = (
            f"student_linear_{index}" if layer.activation or probabilities or not last else SCORES
        )
        nodes.append(helper.make_node("Gemm", [tensor, *names], [after]))
        tensor = after
        if layer.activation:
            tensor = f"student_active_{index}"
            nodes.append(helper.make_node(layer.activation, [after], [tensor]))
    if probabilities:
        nodes.append(helper.make_node("Softmax", [tensor], [SCORES], axis=1))
    return nodes, weights


def _below(limits: np.ndarray) -> np.ndarray:
    """Return the largest float32 that is not above, so float32 rows go the same way."""
    rounded = limits.astype(np.float32)
    return np.where(rounded > limits, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def assemble(model: onnx.ModelProto, parts: Sequence[Parts]) -> onnx.ModelProto:
    """Build a model of these parts with the inputs and outputs of another one."""
    nodes = [node for each, _ in parts for node in each]
    weights = [weight for _, each in parts for weight in each]
    taken = {weight.name for weight in model.graph.initializer}
    graph = helper.make_graph(
        nodes,
        "student",
        [value for value in model.graph.input if value.name not in taken],
        list(model.graph.output),
        weights,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    onnx.checker.check_model(made)
    return made
