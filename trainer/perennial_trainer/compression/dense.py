"""Dense layers of a graph: matrix products with fixed weights, and their chains."""

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import onnx

from .graph import Weights, attribute, inner_names
from .network import Activation, Layer

ELEMENTWISE = frozenset(
    (
        "Relu", "Tanh", "Sigmoid", "LeakyRelu", "Elu", "Selu", "Celu", "Gelu", "Clip", "Identity",
        "HardSigmoid", "HardSwish", "Mish", "Softplus", "Softsign", "ThresholdedRelu",
    )
)  # fmt: skip
"""Operators that treat every value alike, so neurons can be removed before them."""


@dataclass(frozen=True)
class Dense:
    """A matrix product, its bias and the activations."""

    input: str
    """The tensor that it multiplies."""
    weight: str
    transposed: bool
    """The weight has shape (outputs, inputs)."""
    bias: str | None
    linear: str
    """The tensor after the bias."""
    output: str
    """The tensor after the activations."""
    activations: tuple[str, ...]

    def read(self, weights: Weights) -> Layer | None:
        """Return a trainable layer; None if its activation is not supported."""
        names = tuple(name for name in self.activations if name != "Identity")
        activation = next((a for a in get_args(Activation) if (a,) == (names or ("",))), None)
        if activation is None or self.bias is None:
            return None
        return Layer(self.matrix(weights), weights.read(self.bias).reshape(-1), activation)

    def matrix(self, weights: Weights) -> np.ndarray:
        """Return the weight, shape (inputs, outputs)."""
        values = weights.read(self.weight)
        return values.T if self.transposed else values

    def write(self, weights: Weights, matrix: np.ndarray, bias: np.ndarray | None = None) -> None:
        """Replace the weight, shape (inputs, outputs), and the bias, shape (outputs,)."""
        weights.write(self.weight, matrix.T if self.transposed else matrix)
        if bias is not None and self.bias is not None:
            many = weights.read(self.bias).ndim - 1
            weights.write(self.bias, bias.reshape((1,) * many + (-1,)))

    def keep_outputs(self, weights: Weights, kept: np.ndarray) -> None:
        """Remove all neurons except these."""
        bias = None if self.bias is None else weights.read(self.bias).reshape(-1)[kept]
        self.write(weights, self.matrix(weights)[:, kept], bias)

    def keep_inputs(self, weights: Weights, kept: np.ndarray) -> None:
        """Remove all inputs except these."""
        self.write(weights, self.matrix(weights)[kept])


class Uses:
    """The nodes that use each tensor."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._users: dict[str, list[onnx.NodeProto]] = {}
        self._seen = {output.name for output in graph.output} | inner_names(graph)
        for node in graph.node:
            for name in node.input:
                self._users.setdefault(name, []).append(node)

    def only(self, tensor: str) -> onnx.NodeProto | None:
        """Return the only node that uses a tensor; None if there is not exactly one."""
        users = self._users.get(tensor, [])
        return users[0] if len(users) == 1 and tensor not in self._seen else None

    def past_elementwise(self, tensor: str) -> tuple[str, tuple[str, ...]]:
        """Return the tensor after the following elementwise nodes, and their kinds."""
        passed: list[str] = []
        while (node := self.only(tensor)) is not None and node.op_type in ELEMENTWISE:
            if node.input[0] != tensor or len(node.output) != 1:
                break
            passed.append(node.op_type)
            tensor = node.output[0]
        return tensor, tuple(passed)


def find(model: onnx.ModelProto) -> list[Dense]:
    """Return the dense layers whose weights no other node uses, in graph order."""
    weights, uses = Weights(model), Uses(model.graph)
    found = []
    for node in model.graph.node:
        layer = _product(node, weights)
        if layer is None:
            continue
        if node.op_type == "MatMul":
            layer = _with_bias(layer, uses, weights)
        output, activations = uses.past_elementwise(layer.linear)
        found.append(replace(layer, output=output, activations=activations))
    return found


def chains(model: onnx.ModelProto) -> list[list[Dense]]:
    """Return chains of dense layers: each is the only user of the output before it."""
    uses, layers = Uses(model.graph), find(model)
    by_input = {layer.input: layer for layer in layers}
    followers = {
        layer.linear: by_input[layer.output]
        for layer in layers
        if layer.output in by_input and uses.only(layer.output) is not None
    }
    inner = {layer.linear for layer in followers.values()}
    found = []
    for layer in layers:
        if layer.linear in inner:
            continue
        chain = [layer]
        while chain[-1].linear in followers:
            chain.append(followers[chain[-1].linear])
        found.append(chain)
    return found


def _product(node: onnx.NodeProto, weights: Weights) -> Dense | None:
    if node.op_type not in ("MatMul", "Gemm") or node.input[1] not in weights.own:
        return None
    if weights.read(node.input[1]).ndim != 2 or not _is_float(weights, node.input[1]):
        return None
    bias, transposed = None, False
    if node.op_type == "Gemm":
        plain = {"alpha": 1.0, "beta": 1.0, "transA": 0}
        if any(attribute(node, name, value) != value for name, value in plain.items()):
            return None
        transposed = bool(attribute(node, "transB", 0))
        if len(node.input) > 2 and node.input[2]:
            bias = node.input[2]
            width = weights.read(node.input[1]).shape[0 if transposed else 1]
            if bias not in weights.own or weights.read(bias).size != width:
                return None
    output = node.output[0]
    return Dense(node.input[0], node.input[1], transposed, bias, output, output, ())


def _with_bias(layer: Dense, uses: Uses, weights: Weights) -> Dense:
    node = uses.only(layer.linear)
    if node is None or node.op_type != "Add":
        return layer
    other = next((name for name in node.input if name != layer.linear), "")
    if other not in weights.own or weights.read(other).size != layer.matrix(weights).shape[1]:
        return layer
    return replace(layer, bias=other, linear=node.output[0], output=node.output[0])


def _is_float(weights: Weights, name: str) -> bool:
    return weights.read(name).dtype == np.float32
