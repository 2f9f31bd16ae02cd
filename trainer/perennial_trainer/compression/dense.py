"""The dense layers of a graph: matrix products with fixed weights, and the chains they form."""

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
"""What treats every value alike, so that one can be left out before it as well as after it."""


@dataclass(frozen=True)
class Dense:
    """A product, its bias and what follows."""

    taken: str
    """The tensor that it multiplies."""
    weight: str
    transposed: bool
    """Whether the weight is held as (outputs, inputs)."""
    bias: str | None
    linear: str
    """The tensor after the bias."""
    given: str
    """The tensor after the activations."""
    activations: tuple[str, ...]

    def read(self, weights: Weights) -> Layer | None:
        """As a layer that can learn; None where its activation is not known to do so."""
        names = tuple(name for name in self.activations if name != "Identity")
        activation = next((a for a in get_args(Activation) if (a,) == (names or ("",))), None)
        if activation is None or self.bias is None:
            return None
        return Layer(self.matrix(weights), weights.read(self.bias).reshape(-1), activation)

    def matrix(self, weights: Weights) -> np.ndarray:
        """The weight, shape (inputs, outputs)."""
        values = weights.read(self.weight)
        return values.T if self.transposed else values

    def write(self, weights: Weights, matrix: np.ndarray, bias: np.ndarray | None = None) -> None:
        """Replaces the weight, shape (inputs, outputs), and the bias, shape (outputs,)."""
        weights.write(self.weight, matrix.T if self.transposed else matrix)
        if bias is not None and self.bias is not None:
            many = weights.read(self.bias).ndim - 1
            weights.write(self.bias, bias.reshape((1,) * many + (-1,)))

    def keep_outputs(self, weights: Weights, kept: np.ndarray) -> None:
        """Leaves out all neurons but these."""
        bias = None if self.bias is None else weights.read(self.bias).reshape(-1)[kept]
        self.write(weights, self.matrix(weights)[:, kept], bias)

    def keep_inputs(self, weights: Weights, kept: np.ndarray) -> None:
        """Takes only these values."""
        self.write(weights, self.matrix(weights)[kept])


class Uses:
    """Which node makes a tensor, and which ones take it."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._takers: dict[str, list[onnx.NodeProto]] = {}
        self._seen = {output.name for output in graph.output} | inner_names(graph)
        for node in graph.node:
            for name in node.input:
                self._takers.setdefault(name, []).append(node)

    def only(self, tensor: str) -> onnx.NodeProto | None:
        """The one node that takes a tensor; None where others see it too, or nobody does."""
        takers = self._takers.get(tensor, [])
        return takers[0] if len(takers) == 1 and tensor not in self._seen else None

    def past_elementwise(self, tensor: str) -> tuple[str, tuple[str, ...]]:
        """The tensor after the elementwise nodes that follow, and their kinds."""
        passed: list[str] = []
        while (node := self.only(tensor)) is not None and node.op_type in ELEMENTWISE:
            if node.input[0] != tensor or len(node.output) != 1:
                break
            passed.append(node.op_type)
            tensor = node.output[0]
        return tensor, tuple(passed)


def find(model: onnx.ModelProto) -> list[Dense]:
    """The dense layers whose weights are theirs alone, in the order of the graph."""
    weights, uses = Weights(model), Uses(model.graph)
    found = []
    for node in model.graph.node:
        layer = _product(node, weights)
        if layer is None:
            continue
        if node.op_type == "MatMul":
            layer = _with_bias(layer, uses, weights)
        given, activations = uses.past_elementwise(layer.linear)
        found.append(replace(layer, given=given, activations=activations))
    return found


def chains(model: onnx.ModelProto) -> list[list[Dense]]:
    """Dense layers, each of which alone takes what the one before it gives."""
    uses, layers = Uses(model.graph), find(model)
    by_taken = {layer.taken: layer for layer in layers}
    followers = {
        layer.linear: by_taken[layer.given]
        for layer in layers
        if layer.given in by_taken and uses.only(layer.given) is not None
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
    given = node.output[0]
    return Dense(node.input[0], node.input[1], transposed, bias, given, given, ())


def _with_bias(layer: Dense, uses: Uses, weights: Weights) -> Dense:
    node = uses.only(layer.linear)
    if node is None or node.op_type != "Add":
        return layer
    other = next((name for name in node.input if name != layer.linear), "")
    if other not in weights.own or weights.read(other).size != layer.matrix(weights).shape[1]:
        return layer
    return replace(layer, bias=other, linear=node.output[0], given=node.output[0])


def _is_float(weights: Weights, name: str) -> bool:
    return weights.read(name).dtype == np.float32
