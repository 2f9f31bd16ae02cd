"""Small models that can be taught a large one's answers, and their form in ONNX."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import helper, numpy_helper
from sklearn.tree import DecisionTreeRegressor

from . import network, tree_nodes
from .answers import SCORES
from .encoding import ENCODED
from .trees import LEAF, Trees

Parts = tuple[list[onnx.NodeProto], list[onnx.TensorProto]]
"""Nodes from ENCODED to SCORES, and their weights."""
Teach = Callable[[np.ndarray, np.ndarray, bool, int], Parts]
"""From rows, targets (both a matrix), whether these are probabilities, and a seed."""
LEAF_ROWS = 3
RATE, DECAY = 5e-3, 0.5


@dataclass(frozen=True)
class Student:
    """A kind of small model."""

    name: str
    teach: Teach


def tree(depth: int) -> Student:
    """A decision tree of at most this depth, which learns targets by least squares."""

    def teach(rows: np.ndarray, targets: np.ndarray, probabilities: bool, seed: int) -> Parts:
        learnt = DecisionTreeRegressor(
            max_depth=depth, min_samples_leaf=LEAF_ROWS, random_state=seed
        ).fit(rows, targets)
        inner = learnt.tree_.children_left >= 0
        grown = Trees(
            tree=np.zeros(len(inner), np.int64),
            left=learnt.tree_.children_left,
            right=learnt.tree_.children_right,
            feature=np.maximum(learnt.tree_.feature, 0),
            limit=_below(learnt.tree_.threshold),
            mode=np.where(inner, "BRANCH_LEQ", LEAF),
            missing=np.zeros(len(inner), bool),
            weight=learnt.tree_.value[:, :, 0],
            ids=np.arange(targets.shape[1]),
        )
        node = helper.make_node(
            "TreeEnsembleRegressor", [ENCODED], [SCORES], domain="ai.onnx.ml",
            n_targets=targets.shape[1],
        )  # fmt: skip
        tree_nodes.write(node, grown.tidied())
        return [node], []

    return Student(f"a tree of depth {depth}", teach)


def dense(hidden: Sequence[int]) -> Student:
    """A network of dense layers; a linear model without hidden ones."""

    def teach(rows: np.ndarray, targets: np.ndarray, probabilities: bool, seed: int) -> Parts:
        start = network.initial([rows.shape[1], *hidden, targets.shape[1]], seed)
        if probabilities:
            learnt = network.fit(
                start, rows, targets, "cross_entropy", seed, rate=RATE, decay=DECAY
            )
        else:
            middle = targets.mean(axis=0)
            scale = np.float32(targets.std(axis=0).mean() or 1.0)
            learnt = network.fit(
                start, rows, (targets - middle) / scale, "squares", seed, rate=RATE, decay=DECAY
            )
            last = learnt[-1]
            learnt[-1] = replace(last, weight=last.weight * scale, bias=last.bias * scale + middle)
        return _layers(learnt, probabilities)

    name = (
        f"a network with {' and '.join(map(str, hidden))} neurons" if hidden else "a linear model"
    )
    return Student(name, teach)


def _layers(layers: Sequence[network.Layer], probabilities: bool) -> Parts:
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    tensor = ENCODED
    for place, layer in enumerate(layers):
        names = [f"student_weight_{place}", f"student_bias_{place}"]
        for name, values in zip(names, (layer.weight, layer.bias), strict=True):
            weights.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        last = place == len(layers) - 1
        after = (
            f"student_linear_{place}" if layer.activation or probabilities or not last else SCORES
        )
        nodes.append(helper.make_node("Gemm", [tensor, *names], [after]))
        tensor = after
        if layer.activation:
            tensor = f"student_active_{place}"
            nodes.append(helper.make_node(layer.activation, [after], [tensor]))
    if probabilities:
        nodes.append(helper.make_node("Softmax", [tensor], [SCORES], axis=1))
    return nodes, weights


def _below(limits: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above: a row of float32 then goes the way it went before."""
    rounded = limits.astype(np.float32)
    return np.where(rounded > limits, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def assemble(model: onnx.ModelProto, parts: Sequence[Parts]) -> onnx.ModelProto:
    """A model of these parts with the inputs and outputs of another one."""
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
